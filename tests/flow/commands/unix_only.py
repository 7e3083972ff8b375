"""Names of Python's standard library that exist on Linux and not on Windows, from the stubs of typeshed.

typeshed, which comes with mypy, states on which platform each name exists, as Python's documentation does under
'Availability'. Methods of classes are not covered.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import mypy

STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"


def unix_only() -> dict[str, list[str]]:
    """Map each module to the names it lacks on Windows; a module missing altogether has all its names and '*'."""
    missing_names: dict[str, list[str]] = {}
    for path in STUBS.rglob("*.pyi"):
        text = path.read_text(encoding="utf-8")
        if "sys.platform" in text:
            tree = ast.parse(text)
            on_linux, on_windows = (set(_names(tree.body, platform)) for platform in ("linux", "win32"))
            if missing := on_linux - on_windows:
                module = ".".join(path.relative_to(STUBS).with_suffix("").parts).removesuffix(".__init__")
                missing_names[module] = sorted(missing) + ([] if on_windows else ["*"])
    return missing_names


def _names(body: list[ast.stmt], platform: str) -> Iterator[str]:
    """Yield the public names that statements of a stub define on a platform, for the running Python version."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _names(node.body if _holds(node.test, platform) else node.orelse, platform)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _public(node.name)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from _public(target.id if isinstance(target, ast.Name) else "")
        elif isinstance(node, ast.ImportFrom):  # `import x as x` re-exports a name in a stub
            for name in node.names:
                yield from _public(name.name if name.asname == name.name else "")


def _public(name: str) -> list[str]:
    return [name] if name and not name.startswith("_") else []


def _holds(test: ast.expr, platform: str) -> bool:
    """Evaluate a condition of a stub on the platform, the Python version, or both."""
    if isinstance(test, ast.BoolOp):
        parts = [_holds(value, platform) for value in test.values]
        return all(parts) if isinstance(test.op, ast.And) else any(parts)
    code = ast.unparse(test).replace("sys.platform", repr(platform))
    return bool(eval(code, {"sys": sys, "TYPE_CHECKING": False}))  # a comparison of constants
