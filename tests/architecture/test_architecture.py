"""Structure of the code: import direction, sizes of files and folders, result keys, and pages that name real paths."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

from flows.deliveries.formats import Format
from flows.reporting import due_reports
from flows.steps.read import WORKBOOKS
from flows.store import build_fingerprint, result_key

ROOT = Path(__file__).parents[2]
SOURCES = sorted(p for f in ("flows", "schemas") for p in (ROOT / f).rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
NOT_IN_SCHEMAS = {"prefect", "duckdb", "flows", "sqlite3"}
# In order of layers: a package may import from those before it. `docs/architecture.md` says what each is for.
LAYERS = (
    "schemas._contract", "schemas._rules", "schemas", "flows.runtime", "flows.cells", "flows.deliveries",
    "flows.store", "flows.workbooks", "flows.simulator", "flows.steps", "flows.reporting", "flows.settings",
    "flows.orchestration", "flows.nightly", "flows.commands", "flows.cli",
)  # fmt: skip
STANDALONE = {"flows.simulator": ("flows.runtime", "flows.simulator", "schemas")}
COMPOSED_STEP = "flows.steps.validate_delivery"
ONLY_HERE = {"prefect": {"flows.orchestration.engine"}}
OPENS_DUCKDB = "flows.store.warehouse.connection"  # others import duckdb only for type annotations
BUILD_LOCATIONS = re.compile(r"\.(builds|current_link|loaded)\b")
MAX_IN_A_FOLDER = 13  # files and folders of code, without `__init__.py`
TABLES = {"schemas/core"}  # a file for each table
TESTS = [p for p in [ROOT / "tests", *(ROOT / "tests").rglob("*")] if p.is_dir() and any(p.glob("*.py"))]
PROGRAMS = {"tests/bench"}  # one file for each measured process


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@lru_cache(None)
def imports_of(path: Path, for_types: bool = True) -> frozenset[str]:
    """Names that a file imports anywhere, with or without imports under TYPE_CHECKING."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        elif for_types or not is_type_checking(node):
            todo += ast.iter_child_nodes(node)
    return frozenset(found)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def within(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


def layer_of(module: str) -> str:
    return next((r for r in sorted(LAYERS, key=len, reverse=True) if within(module, r)), "")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: module_of(p))
def test_a_layer_imports_only_from_those_above_it(path: Path) -> None:
    module, imports = module_of(path), imports_of(path)
    if module == "flows":
        assert not imports - {"__future__"}
        return
    assert (layer := layer_of(module)), f"{module} is in no layer of LAYERS"
    ours = {i for i in imports if within(i, "flows", "schemas") and i in MODULES}
    wrong = {i for i in ours if i != "flows" and LAYERS.index(layer_of(i)) > LAYERS.index(layer)}
    if within(module, "schemas"):
        wrong |= {i for i in imports if i.split(".")[0] in NOT_IN_SCHEMAS}
    if layer in STANDALONE:
        wrong |= {i for i in ours if not within(i, *STANDALONE[layer])}
    if layer == "flows.steps" and module != COMPOSED_STEP:
        wrong |= {i for i in ours if within(i, "flows.steps") and not within(i, ".".join(module.split(".")[:3]))}
    for library, allowed in ONLY_HERE.items():
        wrong |= {i for i in imports if within(i, library) and module not in allowed}
    assert not wrong, f"{module} may not import {sorted(wrong)}"


MODULES = {module_of(p): p for p in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: module_of(p))
def test_only_the_warehouse_package_opens_duckdb(path: Path) -> None:
    """Only the warehouse package knows where builds are and opens them; steps and reports are given a connection."""
    module, text = module_of(path), path.read_text(encoding="utf-8")
    if module != OPENS_DUCKDB:
        assert not {i for i in imports_of(path, for_types=False) if within(i, "duckdb")}
        assert "duckdb.connect" not in text
    if not within(module, "flows.store.warehouse", "flows.store.paths"):
        assert not BUILD_LOCATIONS.findall(text)


def test_there_are_no_circular_imports() -> None:
    edges = {m: {i for i in imports_of(p, for_types=False) if i in MODULES} for m, p in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a circle: {' -> '.join((*path, module))}"
        if module not in done:
            for needed in sorted(edges[module]):
                visit(needed, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize(
    "path",
    [
        p
        for f in ("flows", "schemas", "tests")
        for p in (ROOT / f).rglob("*.*")
        if p.suffix in (".py", ".sql", ".j2", ".css")
    ],
)
def test_files_are_short_and_have_no_catch_all_names(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("folder", sorted({p.parent for p in SOURCES}), ids=lambda p: module_of(p / "__init__.py"))
def test_code_folders_have_few_entries(folder: Path) -> None:
    entries = [e.name for e in folder.iterdir() if e.suffix in (".py", ".sql", ".csv", ".toml", ".json") or e.is_dir()]
    entries = [e for e in entries if e not in ("__init__.py", "__pycache__")]
    assert len(entries) <= MAX_IN_A_FOLDER or folder.relative_to(ROOT).as_posix() in TABLES, sorted(entries)


@pytest.mark.parametrize("folder", TESTS, ids=lambda p: p.name)
def test_test_folders_have_few_entries(folder: Path) -> None:
    entries = [p.name for p in folder.iterdir() if p.suffix == ".py" or (p.is_dir() and p.name != "__pycache__")]
    assert len(entries) <= MAX_IN_A_FOLDER or folder.relative_to(ROOT).as_posix() in PROGRAMS, sorted(entries)
    assert folder != ROOT / "tests" or [n for n in entries if n.endswith(".py")] == ["conftest.py"]


def test_every_layer_is_documented() -> None:
    described = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert not [layer for layer in LAYERS if f"`{layer.replace('.', '/')}" not in described]


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/glossary.md", "docs/decisions.md"])
def test_paths_named_in_pages_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:flows|schemas|docs|tests)/[\w/.]+)`", text)
    named += [f"{Path(page).parent}/{n}" for n in re.findall(r"\]\(([\w./]+)(?:#[\w.-]+)?\)", text)]
    assert named
    missing = [n for n in named if not (ROOT / n).exists()]
    assert not missing, f"{page} names {missing}"


@pytest.mark.parametrize("kind", [*Format, None], ids=lambda kind: kind.name.lower() if kind else "no format")
def test_a_result_key_covers_exactly_the_code_that_makes_the_result(kind: Format | None) -> None:
    """The key covers what `validate_delivery` imports, directly or not, without the readers of other formats."""
    needed = modules_of({"flows.steps.validate_delivery"}, kind)
    files = {MODULES[m] for m in needed if not within(m, *IN_KEY_BY_VALUE)}
    in_key = {p for pattern in result_key.code_of(kind).files for p in ROOT.glob(pattern) if p.suffix == ".py"}
    missing, unused = relative_paths(files - in_key) - CHANGES_NO_RESULT, relative_paths(in_key - files)
    assert not missing and (not unused or kind is None)
    used = {i.split(".")[0] for p in in_key if p not in WRITES_RESULTS for i in imports_of(p, for_types=False)}
    libraries = used & LIBRARIES_THAT_READ_OR_CHECK.keys()
    assert {LIBRARIES_THAT_READ_OR_CHECK[i] for i in libraries} - set(result_key.code_of(kind).libraries) == set()


def test_shared_rules_that_steps_use_are_in_the_key_by_value() -> None:
    """`checks.py` is in the key as code. The other modules of `schemas/_rules` hold texts, so rules go in by value."""
    makers = modules_of({"flows.steps.validate_delivery"}, Format.ZIP)
    named = {
        i for m in makers if within(m, "flows.steps", "flows.cells", "flows.deliveries") for i in imports_of(MODULES[m])
    }
    used = {
        i for i in named if within(i, "schemas._rules") and i not in MODULES and not within(i, "schemas._rules.checks")
    }
    assert {i.rpartition(".")[2] for i in used} == set(result_key.RULES_IN_USE)


def test_a_report_digest_covers_all_code_that_makes_the_report() -> None:
    """The report digest or the result key covers all code behind a page and its marked workbook."""
    code = (*due_reports.REPORT_CODE, *result_key.code_of(Format.ZIP).files)
    in_key = {p for pattern in code for p in ROOT.glob(pattern)}
    files = {MODULES[m] for m in modules_of({"flows.reporting.site_reports"}) if not within(m, *HAS_ITS_OWN_DIGEST)}
    assert not relative_paths(files - in_key) - CHANGES_NO_RESULT - CHANGES_NO_REPORT


def test_a_build_fingerprint_covers_all_code_that_fills_the_build() -> None:
    """A change in any module that the steps of a build import makes a new build."""
    in_key = {p for pattern in build_fingerprint.BUILD_CODE for p in ROOT.glob(pattern)}
    files = {MODULES[m] for m in modules_of({"flows.orchestration.build_steps"})}
    assert not relative_paths(files - in_key) - CHANGES_NO_RESULT - CHANGES_NO_BUILD


def modules_of(makers: set[str], kind: Format | None = Format.ZIP) -> set[str]:
    """Modules imported by `makers`, directly or not, without readers of formats other than `kind` (zip: all)."""
    others = {m for m in MODULES if (k := format_read_by(m)) and kind is not Format.ZIP and kind not in k}
    needed, todo = set(), set(makers)
    while todo:
        module = todo.pop()
        needed.add(module)
        named = {i for i in imports_of(MODULES[module]) if i in MODULES}
        stray = named & others if module != CHOOSES_THE_READER else set()
        assert not stray, f"{module} imports the reader of another format: {sorted(stray)}"
        todo |= {i for i in named if not within(i, *HAS_ITS_OWN_DIGEST)} - needed - others
    return needed


def format_read_by(module: str) -> set[Format]:
    """Formats whose reader a module belongs to; empty for any other module."""
    found = {kind for kind, package in READERS.items() if within(module, f"flows.steps.read.{package}")}
    return found or ({*WORKBOOKS} if within(module, "flows.steps.read.workbook") else set())


def relative_paths(files: set[Path]) -> set[str]:
    """Relative paths of files, without empty `__init__.py` files."""
    return {p.relative_to(ROOT).as_posix() for p in files if imports_of(p) or p.name != "__init__.py"}


CHOOSES_THE_READER = "flows.steps.read"
READERS = {
    Format.TEXT: "text",
    Format.PARQUET: "parquet",
    Format.JSON: "grants",
    Format.XLSX: "workbook.xlsx",
    Format.XLS: "workbook.xls",
    Format.ODS: "workbook.ods",
}
WRITES_RESULTS = {ROOT / "flows/store/results.py"}  # a result does not depend on the library that stores it
LIBRARIES_THAT_READ_OR_CHECK = {
    **{name: name for name in ("numpy", "pandera", "polars", "pyarrow")},
    "python_calamine": "python-calamine",
}
# Contracts, code lists, the registry and the rules without their texts are in the key by their own digests.
HAS_ITS_OWN_DIGEST = ("schemas.core", "schemas.audit.runs")
IN_KEY_BY_VALUE = (
    "flows.store.result_key",
    "schemas._contract.catalogue",
    "schemas._contract.code_dates",
    "schemas._contract.registry",
    "schemas._contract.version",
    *(
        f"schemas._rules.{name}"
        for name in (
            "agreements",
            "cells",
            "files",
            "headings",
            "months",
            "not_data",
            "privacy",
            "unreadable",
        )
    ),
)
# These only locate files or word messages.
CHANGES_NO_RESULT = {
    "flows/runtime/code_fingerprint.py",
    "flows/runtime/data_folder.py",
    "flows/runtime/safe_errors.py",
    "flows/store/durable.py",
    "flows/store/paths.py",
    "flows/store/raw_files.py",
    "schemas/audit/withdrawals.py",  # withdrawals are no part of a result, and are in the report's digest
}
# Parallel reading, the wording of reports, and the writer of results, whose keys are in the fingerprint.
CHANGES_NO_BUILD = {"flows/runtime/parallel.py", "flows/runtime/wording.py", "flows/store/result_sink.py"}
CHANGES_NO_REPORT = {
    "flows/store/ledger/__init__.py",  # what these two return is in the digest itself
    "flows/store/ledger/records.py",
    # locations, times, and parts of the summary that are not in a report
    "flows/orchestration/run.py",
    "flows/runtime/log.py",
    "flows/runtime/log_file.py",
    "flows/runtime/summary_wording.py",
    "flows/runtime/worker_processes.py",
    "flows/settings.py",
    "flows/steps/receive/manifest.py",
    "flows/store/ledger/migrations/__init__.py",
    "flows/store/ledger/runs.py",
    "flows/store/lock.py",
    "flows/store/warehouse/__init__.py",
    "flows/store/warehouse/build.py",
    "flows/store/warehouse/connection.py",
    "flows/store/warehouse/load_cache.py",
    "flows/store/warehouse/new_build.py",
    "flows/store/warehouse/options.py",
}


MAX_PARAMETERS = 6


@lru_cache
def functions() -> tuple[tuple[Path, ast.FunctionDef], ...]:
    """Every function of the code, with its file."""
    return tuple(
        (path, node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


def test_functions_take_few_parameters_or_say_why() -> None:
    """A function with more needs a comment beside its name: `# parameters: <the reason>`."""
    long = []
    for path, node in functions():
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        line = path.read_text(encoding="utf-8").splitlines()[node.lineno - 1]
        if len(set(names) - {"self", "cls"}) > MAX_PARAMETERS and not re.search(r"# parameters: \w", line):
            long.append(f"{module_of(path)}.{node.name}")
    assert not long


def test_long_calls_use_keyword_arguments() -> None:
    """With seven or more positional arguments, two of one type can be swapped unnoticed."""
    long = [
        f"{module_of(path)}: {ast.unparse(call.func)}"
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        and len(call.args) > MAX_PARAMETERS and not any(isinstance(a, ast.Starred) for a in call.args)
    ]  # fmt: skip
    assert not long


def test_cached_values_are_immutable() -> None:
    """Callers share what a cached function returns, so it is immutable or says `# mutable: <reason>`."""
    wrong = []
    for path, node in functions():
        lines = path.read_text(encoding="utf-8").splitlines()
        cached = [d for d in node.decorator_list if re.search(r"\b(lru_cache|cache|cached_property)\b", ast.unparse(d))]
        may_change = node.returns is None or re.match(
            r"(dict|list|set|defaultdict|Counter)\b", ast.unparse(node.returns)
        )
        if may_change and any(not re.search(r"# (mutable|type: ignore)", lines[d.lineno - 1] + lines[node.lineno - 1])
                              for d in cached):  # fmt: skip
            wrong.append(f"{module_of(path)}.{node.name}")
    assert not wrong
