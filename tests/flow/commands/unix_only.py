"""What Python's standard library has on Linux and lacks on Windows, as the stubs of typeshed declare it.

typeshed (it comes with mypy) states for each name on which platform it exists, as Python's documentation does in words
under 'Availability: Unix' and 'not Windows'. Modules and functions are looked at, not the methods of classes.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import mypy

STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"


def unix_only() -> dict[str, list[str]]:
    """The names that each module lacks on Windows. Of a module that is not there at all: all of them, and '*'."""
    lacking: dict[str, list[str]] = {}
    for path in STUBS.rglob("*.pyi"):
        text = path.read_text(encoding="utf-8")
        if "sys.platform" in text:
            tree = ast.parse(text)
            here, there = (set(_names(tree.body, platform)) for platform in ("linux", "win32"))
            if missing := here - there:
                module = ".".join(path.relative_to(STUBS).with_suffix("").parts).removesuffix(".__init__")
                lacking[module] = sorted(missing) + ([] if there else ["*"])
    return lacking


def _names(body: list[ast.stmt], platform: str) -> Iterator[str]:
    """The public names that some statements of a stub define on a platform, for the Python that runs."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _names(node.body if _holds(node.test, platform) else node.orelse, platform)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _public(node.name)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from _public(target.id if isinstance(target, ast.Name) else "")
        elif isinstance(node, ast.ImportFrom):  # what a stub imports under its own name is part of its module
            for name in node.names:
                yield from _public(name.name if name.asname == name.name else "")


def _public(name: str) -> list[str]:
    return [name] if name and not name.startswith("_") else []


def _holds(test: ast.expr, platform: str) -> bool:
    """Whether a condition of a stub holds: it asks for the platform, the version of Python, or both."""
    if isinstance(test, ast.BoolOp):
        parts = [_holds(value, platform) for value in test.values]
        return all(parts) if isinstance(test.op, ast.And) else any(parts)
    code = ast.unparse(test).replace("sys.platform", repr(platform))
    return bool(eval(code, {"sys": sys, "TYPE_CHECKING": False}))  # a comparison of constants
