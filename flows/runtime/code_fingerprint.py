"""What runs, as digests: the project's own files by their content, and the libraries that are installed."""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[2]
_OF_A_TABLE = "CONTRACT"  # what a module in `schemas` calls the contract of its table


@lru_cache
def source_digest(patterns: tuple[str, ...]) -> str:
    """A digest of the project's own files that match the patterns, by name and content."""
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(p for p in ROOT.glob(pattern) if p.is_file()):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache
def code_digest(patterns: tuple[str, ...]) -> str:
    """A digest of what the project's own files that match the patterns do: of Python modules, as they are compiled.

    Comments, docstrings and the layout of lines are no part of it. Nor is the contract that a table's module states
    (`CONTRACT`), which most of its users need for a name or two: who depends on more adds its values. Files that are no
    Python count by their content.
    """
    digest = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in ROOT.glob(pattern) if p.is_file()}):
        if "__pycache__" in path.parts:
            continue
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(_compiled(path) if path.suffix == ".py" else path.read_bytes())
    return digest.hexdigest()


@cache
def _compiled(path: Path) -> bytes:
    """A digest of a module's compiled code, without line numbers, docstrings and asserts: no result rests on these."""
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text) if f"\n{_OF_A_TABLE} = " in text else None
    if module:
        module.body = [s for s in module.body if not _states_a_table(s)]
    code = compile(module or text, "", "exec", dont_inherit=True, optimize=2)
    return hashlib.sha256(repr(_stable_form(code)).encode()).digest()


def _states_a_table(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and [ast.unparse(t) for t in statement.targets] == [_OF_A_TABLE]


def _stable_form(constant: object) -> object:
    """A constant of compiled code, or code itself, in a form whose text is the same in every process."""
    if isinstance(constant, frozenset):  # in an order that changes from one process to the next
        return "set", sorted(repr(_stable_form(c)) for c in constant)
    if isinstance(constant, tuple):
        return "tuple", [_stable_form(c) for c in constant]
    if not isinstance(constant, CodeType):
        return type(constant).__name__, repr(constant)
    names = constant.co_names, constant.co_varnames, constant.co_freevars, constant.co_cellvars
    shape = constant.co_argcount, constant.co_posonlyargcount, constant.co_kwonlyargcount, constant.co_flags
    does = constant.co_code, getattr(constant, "co_exceptiontable", b"")
    return constant.co_name, names, shape, does, [_stable_form(c) for c in constant.co_consts]


@lru_cache
def library_versions(names: tuple[str, ...]) -> tuple[str, ...]:
    """The installed version of each library."""
    from importlib.metadata import version  # a run with nothing to do asks for none

    return tuple(version(name) for name in names)


@lru_cache
def all_that_runs() -> str:
    """A digest of everything in `flows` and `schemas`, of each installed library's version, and of Python's.

    It changes with whatever changes any digest of some of these, and may change where none of them does.
    """
    digest = hashlib.sha256(repr((sys.version, sorted(_installed()))).encode())
    for path in (*_files_below(ROOT / "flows"), *_files_below(ROOT / "schemas")):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files_below(folder: Path) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.is_file():
            yield Path(entry.path)
        elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
            yield from _files_below(Path(entry.path))


def _installed() -> set[str]:
    """The names under which libraries say which version they are."""
    named = {e.name for folder in sys.path if Path(folder).is_dir() for e in os.scandir(Path(folder))}
    return {name for name in named if name.endswith((".dist-info", ".egg-info"))}
