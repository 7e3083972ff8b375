"""The house: which way imports run, how long files are, and that every table and column says what it means."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

from flows import delivery_reports, judgement

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for f in ("flows", "schemas") for p in (ROOT / f).rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
ACTING = {"prefect", "duckdb", "flows", "sqlite3"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@lru_cache(None)
def imports_of(path: Path, for_types: bool = True) -> frozenset[str]:
    """What a file imports, wherever in it; with or without what it imports for types alone."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        elif for_types or not is_for_types(node):
            todo += ast.iter_child_nodes(node)
    return frozenset(found)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def within(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: module_of(p))
def test_imports_run_one_way(path: Path) -> None:
    module, imports = module_of(path), imports_of(path)
    if within(module, "schemas"):
        wrong = {i for i in imports if i.split(".")[0] in ACTING}
    elif within(module, "flows.store"):
        # side_by_side says how work runs, and knows nothing of what is worked on
        wrong = {i for i in imports if within(i, "flows") and not within(i, "flows.store", "flows.side_by_side")}
    elif within(module, "flows.workbooks"):
        wrong = {i for i in imports if within(i, "flows") and not within(i, "flows.workbooks")}
    elif within(module, "flows.simulator"):
        wrong = {i for i in imports if within(i, "flows") and not within(i, "flows.simulator")}
    elif within(module, "flows.runtime"):
        wrong = {i for i in imports if within(i, "flows") and not within(i, "flows.runtime", "flows.faults")}
    elif within(module, "flows.steps"):
        own = ".".join(module.split(".")[:3])
        wrong = {i for i in imports if within(i, "flows") and not within(i, "flows.store", own)}
        assert own != "flows.steps" or not wrong
    else:
        wrong = set()
    if not re.fullmatch(r"flows\.\w+", module):
        wrong |= {i for i in imports if within(i, "prefect")}
    assert not wrong, f"{module} may not import {sorted(wrong)}"


def test_nothing_is_imported_in_a_circle() -> None:
    modules = {module_of(p): p for p in SOURCES}
    edges = {m: {i for i in imports_of(p, for_types=False) if i in modules} for m, p in modules.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a circle: {' -> '.join((*path, module))}"
        if module not in done:
            for needed in sorted(edges[module]):
                visit(needed, (*path, module))
            done.add(module)

    for module in modules:
        visit(module, ())


@pytest.mark.parametrize(
    "path", [p for f in ("flows", "schemas", "tests") for p in (ROOT / f).rglob("*.*") if p.suffix in (".py", ".sql")]
)
def test_files_hold_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
    assert path.stem not in FORBIDDEN_NAMES


def test_readme_names_places_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:flows|schemas|docs)/[\w/.]+)`", readme) + re.findall(r"\]\(([\w./]+)\)", readme)
    assert named
    missing = [n for n in named if not (ROOT / n).exists()]
    assert not missing, f"the README names {missing}"


def test_the_map_in_the_readme_has_every_file_that_stands_by_itself() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files = {p.name for p in (ROOT / "flows").glob("*.py")} - {"__init__.py"}
    assert not sorted(name for name in files if f"`{name}`" not in readme and f"`flows/{name}`" not in readme)


def test_a_judgement_is_made_anew_when_any_code_that_makes_it_changes() -> None:
    """The key of a judgement holds the source of everything that the judge imports, or the contract's own digest."""
    assert not missing_in(judgement.CODE, {"flows.judgement"}) - CHANGES_NO_JUDGEMENT


def test_a_report_is_written_anew_when_any_code_that_makes_it_changes() -> None:
    """Its digest holds the source of what the page and the marked workbook are made with, or the judgement's key."""
    missing = missing_in((*delivery_reports.CODE, *judgement.CODE), {"flows.delivery_reports"})
    assert not missing - CHANGES_NO_JUDGEMENT - CHANGES_NO_REPORT


def missing_in(code: tuple[str, ...], makers: set[str]) -> set[str]:
    """The files that some modules are made of, and that the patterns of `code` leave out."""
    modules = {module_of(p): p for p in SOURCES}
    needed, todo = set(), set(makers)
    while todo:
        module = todo.pop()
        needed.add(module)
        named = {i for i in imports_of(modules[module]) if i in modules}
        todo |= {i for i in named if not i.startswith(HAS_ITS_OWN_DIGEST)} - needed
    held = {p for pattern in code for p in ROOT.glob(pattern)}
    missing = {modules[m].relative_to(ROOT).as_posix() for m in needed if modules[m] not in held}
    return {m for m in missing if not m.endswith("__init__.py")}


# Contracts and code lists are in the key by their own digests; the rest says where things lie, or how they are told.
HAS_ITS_OWN_DIGEST = ("schemas.core", "schemas.audit.runs")
CHANGES_NO_JUDGEMENT = {
    "flows/faults.py",
    "flows/source.py",
    "flows/versions.py",
    "flows/store/places.py",
    "flows/store/raw.py",
    "flows/store/sync.py",
    "schemas/audit/withdrawals.py",  # what is withdrawn is no part of a judgement, and is in a report's digest
    "schemas/catalogue.py",
    "schemas/data_folder.py",
    "schemas/registry.py",  # what it says of a site is in the context
}
CHANGES_NO_REPORT = {
    # what these give is in the digest itself
    "flows/final_outcomes.py",
    "schemas/explain.py",
    "schemas/standing.py",
    "schemas/stored.py",
    # a page of its own, which is compared with what stands there
    "schemas/not_taken_in.py",
    # these say where and when, or what the summary holds besides the reports
    "flows/late.py",
    "flows/look.py",
    "flows/raw_files.py",
    "flows/run.py",
    "flows/runtime/log.py",
    "flows/runtime/log_file.py",
    "flows/settings.py",
    "flows/steps/receive/manifest.py",
    "flows/store/builds.py",
    "flows/store/ledger/migrations/__init__.py",
    "flows/store/lock.py",
    "flows/store/runs.py",
}
