"""Digests of the project's own source files, and the versions of installed libraries."""

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
_TABLE_CONTRACT = "CONTRACT"  # the name of a table's contract in its module in `schemas`


@lru_cache
def source_digest(patterns: tuple[str, ...]) -> str:
    """Digest of the project's files that match the glob patterns, by name and content."""
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(p for p in ROOT.glob(pattern) if p.is_file()):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache
def code_digest(patterns: tuple[str, ...]) -> str:
    """Digest of the project's files that match the glob patterns: of Python modules as compiled, of others by content.

    Comments, docstrings and the layout of lines have no part in it. Nor has a table's `CONTRACT`, of which most users
    of its module need only a name or two: a key that depends on more has to add its values.
    """
    digest = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in ROOT.glob(pattern) if p.is_file()}):
        if "__pycache__" in path.parts:  # differs from one Python, and one checkout, to the next
            continue
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(_compiled(path) if path.suffix == ".py" else path.read_bytes())
    return digest.hexdigest()


@cache
def _compiled(path: Path) -> bytes:
    """Digest of a module's compiled code, without line numbers, docstrings and asserts, which change no result."""
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text) if f"\n{_TABLE_CONTRACT} = " in text else None
    if module:
        module.body = [s for s in module.body if not _is_table_contract(s)]
    # optimize=2 leaves out docstrings and asserts; without dont_inherit, this file's __future__ imports would apply
    code = compile(module or text, "", "exec", dont_inherit=True, optimize=2)
    return hashlib.sha256(repr(_stable_form(code)).encode()).digest()


def _is_table_contract(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and [ast.unparse(t) for t in statement.targets] == [_TABLE_CONTRACT]


def _stable_form(constant: object) -> object:
    """A constant or code object in a form whose repr is the same in every process."""
    if isinstance(constant, frozenset):  # strings hash differently in each process, and so does the order of a set
        return "set", sorted(repr(_stable_form(c)) for c in constant)
    if isinstance(constant, tuple):
        return "tuple", [_stable_form(c) for c in constant]
    if not isinstance(constant, CodeType):
        return type(constant).__name__, repr(constant)
    # line numbers, the file's name and co_stacksize are left out: they do not change what the code does
    names = constant.co_names, constant.co_varnames, constant.co_freevars, constant.co_cellvars
    shape = constant.co_argcount, constant.co_posonlyargcount, constant.co_kwonlyargcount, constant.co_flags
    does = constant.co_code, getattr(constant, "co_exceptiontable", b"")
    return constant.co_name, names, shape, does, [_stable_form(c) for c in constant.co_consts]


@lru_cache
def library_versions(names: tuple[str, ...]) -> tuple[str, ...]:
    """The installed version of each library, in the order of `names`."""
    from importlib.metadata import version  # imported here: a no-op run needs no version, and the import is slow

    return tuple(version(name) for name in names)


@lru_cache
def all_that_runs() -> str:
    """Digest of everything in `flows` and `schemas`, of all installed libraries' versions, and of Python's.

    It changes whenever any of the other digests would, and at times when none would: it is quicker to compute.
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
    """The names of the metadata folders of installed libraries, which include their versions."""
    entries = {e.name for folder in sys.path if Path(folder).is_dir() for e in os.scandir(Path(folder))}
    return {name for name in entries if name.endswith((".dist-info", ".egg-info"))}
