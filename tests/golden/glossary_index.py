"""The part of docs/glossary.md that is made from the code: every step of a run, public class, and rule in code.

A class is defined once, by the first line of its docstring, so the glossary repeats that line and its home.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARK = "<!-- Below: made from the code by tests/golden/glossary_index.py. Change the docstrings, then `make docs`. -->"


def with_index(page: str) -> str:
    """The glossary with the part below the mark made anew."""
    terms = page.partition(MARK)[0]
    return "\n".join([f"{terms.rstrip()}\n", MARK, "", *_steps(), "", *_classes(), "", *_rules(), ""])


def public_classes() -> Iterator[tuple[str, str, str]]:
    """Name, first line of the docstring and home of each public class in `flows/` and `schemas/`."""
    for path in sorted(p for folder in ("flows", "schemas") for p in (ROOT / folder).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, _first_line(node), path.relative_to(ROOT).as_posix()


def steps() -> Iterator[tuple[str, str, str]]:
    """Name, first line of the docstring and home of each verb in `flows/steps/`."""
    for path in sorted((ROOT / "flows" / "steps").iterdir()):
        source = path / "__init__.py" if path.is_dir() else path
        if path.name.startswith("__") or not source.is_file():
            continue
        home = path.relative_to(ROOT).as_posix() + "/" * path.is_dir()
        yield path.stem, _first_line(ast.parse(source.read_text(encoding="utf-8"))), home


def rule_homes() -> Iterator[tuple[str, list[str], list[str]]]:
    """Id of each rule that code applies, with the modules that state it and those that apply it.

    Other rules are checks of a contract, which pandera and the cross-check apply without knowing them.
    """
    stated, applied = (
        _modules_naming("schemas/_rules"),
        _modules_naming("flows/cells", "flows/deliveries", "flows/steps"),
    )
    yield from ((rule, sorted(stated[rule]), sorted(applied[rule])) for rule in sorted(stated) if rule in applied)


def _modules_naming(*folders: str) -> dict[str, set[str]]:
    """The modules below some folders in which each rule's id is a string."""
    homes = defaultdict[str, set[str]](set)
    for path in (p for folder in folders for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and re.fullmatch(r"[A-Z]\d\d", str(node.value)):
                homes[str(node.value)].add(path.relative_to(ROOT).as_posix())
    return homes


def _first_line(node: ast.Module | ast.ClassDef) -> str:
    """The first sentence or line of a docstring, as one cell of a table."""
    return (ast.get_docstring(node) or "").partition("\n")[0].replace("|", "\\|")


def _steps() -> list[str]:
    head = [
        "## Steps of a run",
        "",
        "`flows/nightly.py` has their order.",
        "",
        "| step | what it does | home |",
        "|---|---|---|",
    ]
    return [*head, *(f"| {name} | {line} | `{home}` |" for name, line, home in steps())]


def _classes() -> list[str]:
    head = ["## Classes", "", "| class | what it is | home |", "|---|---|---|"]
    return [*head, *(f"| `{name}` | {line} | `{home}` |" for name, line, home in sorted(public_classes()))]


def _rules() -> list[str]:
    head = [
        "## Rules that code applies",
        "",
        "All other rules are stated in the contract of their dataset, `schemas/core/<dataset>.py`, and applied by",
        "`flows/steps/validate/` (within a row) or `flows/steps/cross_check/` (between rows, tables and deliveries).",
        "",
        "| rule | stated in | applied in |",
        "|---|---|---|",
    ]
    rows = (f"| {rule} | {_listed(stated)} | {_listed(applied)} |" for rule, stated, applied in rule_homes())
    return [*head, *rows]


def _listed(paths: list[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)
