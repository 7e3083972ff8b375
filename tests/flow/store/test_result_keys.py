"""Which changes to the project change which result keys: a copy of the project is changed, one thing at a time."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import clean_environment, copy_project
from data_folder import BPL, DataFolder, valid_row
from soak import in_soak

from flows.deliveries.formats import ENDINGS
from flows.runtime import code_fingerprint
from flows.runtime.code_fingerprint import code_digest, library_versions
from flows.store import result_key
from flows.store.ledger import Ledger
from flows.store.results import ResultStore
from schemas._contract.catalogue import datasets
from schemas._rules.explain import explain, rules_of
from schemas.audit.deliveries import Delivery

GM, WLA = "MHT-GM", "MHT-WLA"
FORMATS = [endings[0] for endings in ENDINGS.values()]
TEXT, XLSX, XLS, ODS, PARQUET, JSON, ZIP = FORMATS
_PRINT_KEYS = """
import json, sys
from datetime import date, datetime
from flows.store.result_key import result_key
from schemas._contract.catalogue import datasets
from schemas.audit.deliveries import Delivery

keys = {}
for site in json.loads(sys.argv[1]):
    for name, contract in datasets().items():
        for ending in json.loads(sys.argv[2]):
            file = f"{site}_{name}_201611_v1{ending}"
            when = datetime(2016, 12, 2), date(2016, 11, 30)
            d = Delivery(file, site, "MHT", name, "201611", 1, file, f"{site}/{file}", "", "0" * 64, 1, *when)
            keys[f"{site} {name} {ending}"] = result_key(d, contract)
print(json.dumps(keys))
"""


class Result(NamedTuple):
    """Identity of a stored result: site, dataset and file ending."""

    site: str
    dataset: str
    ending: str


def keys_of(project: Path) -> dict[Result, str]:
    """Result keys of a file of each site, dataset and format, computed by the code in a folder."""
    ran = subprocess.run(
        [sys.executable, "-c", _PRINT_KEYS, json.dumps([BPL, GM, WLA]), json.dumps(FORMATS)],
        env=clean_environment(project), cwd=project, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return {Result(*name.split(" ")): key for name, key in json.loads(ran.stdout).items()}


@cache
def unchanged_keys(home: Path) -> dict[Result, str]:
    """Result keys of the unchanged project."""
    return keys_of(copy_project(home))


def results_changed_by(change: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> set[Result]:
    """The results whose keys differ after a change to the project."""
    before = unchanged_keys(tmp_path_factory.getbasetemp() / "project as it is")
    home = copy_project(tmp_path_factory.mktemp("changed") / "project")
    change(home)
    after = keys_of(home)
    assert after.keys() == before.keys() and len(set(before.values())) == len(before)
    return {result for result in after if after[result] != before[result]}


def edit(home: Path, name: str, old: str, new: str) -> None:
    """Replace the first occurrence of a text, which must exist."""
    path = home / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} holds no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def append(home: Path, name: str, text: str) -> None:
    with (home / name).open("a", encoding="utf-8") as file:
        file.write(text)


def reword_comments_and_docstrings(home: Path) -> None:
    """Add comments and blank lines at both ends of each module, and reword each docstring."""
    for path in (p for folder in ("flows", "schemas") for p in (home / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        reworded = re.sub(r'^( *)"""(?=\w)', r'\1"""Said in other words. ', text, flags=re.MULTILINE)
        path.write_text(f"# a comment\n\n{reworded}\n\n# another\n", encoding="utf-8")


def reword_texts_for_people(home: Path) -> None:
    """Reword rules, expectations, tables and columns, and the sources and descriptions of listed codes."""
    edit(home, "schemas/_rules/cells.py", "is not on the agreed list", "is on no list of ours")
    edit(home, "schemas/_rules/cells.py", "Check the figure and correct it.", "Look at the figure.")
    edit(home, "schemas/_rules/files.py", "at least one row below the heading", "one row or more")
    edit(home, "schemas/_rules/privacy.py", "the site's own pseudonym", "a pseudonym of the site")
    edit(home, "schemas/_contract/expected.py", "a whole number", "a number without a fraction")
    edit(home, "schemas/_contract/shared_fields.py", "One spell of support, from referral to exit.", "One spell.")
    edit(home, "schemas/audit/findings.py", "Every fault and every repair", "All that was found")
    edit(home, "schemas/core/sites.csv", "Lancashire LEP", "the LEP of Lancashire")
    edit(home, "schemas/core/codes/attendance.csv", " 2.2 (unconfirmed)", " 2.2")
    edit(home, "schemas/core/contacts.py", CONTACTS_TEXT, "Something else is asked for.")
    append(home, "schemas/outcomes/kpi.sql", "\n-- a comment\n")
    append(home, "flows/reporting/report.py", "\nWORDS_FOR_A_REPORT = 1\n")


CONTACTS_TEXT = next(r.fix for r in datasets()["contacts"].row_rules)


@pytest.mark.parametrize("change", [reword_comments_and_docstrings, reword_texts_for_people], ids=lambda f: f.__name__)
def test_reworded_texts_change_no_result_key(
    change: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert results_changed_by(change, tmp_path_factory) == set()


def datasets_using(code_list: str) -> set[str]:
    return {c.dataset for c in datasets().values() if any(f.codes == code_list for f in c.fields)}


def change_a_check_and_a_pattern(home: Path) -> None:
    edit(home, "schemas/core/contacts.py", '(pl.col("duration_minutes") == 0)', '(pl.col("duration_minutes") == 1)')
    edit(home, "schemas/core/randomisation.py", 'pattern=r"^', 'pattern=r"^^')


def change_a_limit_and_a_spelling(home: Path) -> None:
    edit(home, "schemas/core/contacts.py", "high=480", "high=481")
    edit(home, "schemas/core/codes/trial_arm.csv", "usual care", "usual care;plain care")


def add_codes(home: Path) -> None:
    append(home, "schemas/core/codes/employment_status.csv", "77,On the moon,,,,made up\n")
    append(home, "schemas/core/codes/contact_type.csv", "chat,Chat by text,,,,made up\n")


def change_dates_of_codes(home: Path) -> None:
    """An area is read under each of its codes on any day, so its dates change nothing."""
    edit(home, "schemas/core/codes/contact_medium.csv", "2021-09-30", "2021-09-29")
    edit(home, "schemas/core/codes/trial_arm.csv", "tau;0,,,", "tau;0,,2019-10-31,")
    edit(home, "schemas/core/areas.csv", ",2019-03-31,", ",2019-03-30,")


CONTRACTS = [
    (change_a_check_and_a_pattern, {"contacts", "randomisation"}),
    (change_a_limit_and_a_spelling, {"contacts"} | datasets_using("trial_arm")),
    (change_dates_of_codes, {"contacts"} | datasets_using("trial_arm")),
    (add_codes, datasets_using("employment_status") | datasets_using("contact_type")),
]


@pytest.mark.parametrize(("change", "expected"), CONTRACTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_changed_contract_or_code_list_changes_the_keys_of_its_datasets(
    change: Callable[[Path], None], expected: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    changed = results_changed_by(change, tmp_path_factory)
    assert {result.dataset for result in changed} == expected != set(datasets())
    assert len(changed) == len(expected) * 3 * len(FORMATS)


MORE_CODE = "\n\ndef added(cells: list[str]) -> bool:\n    return not cells\n"
CODE = {
    "flows/steps/read/workbook/xls/__init__.py": {XLS, ZIP},
    "flows/steps/read/workbook/xlsx/plain/plain_values.py": {XLSX, ZIP},
    "flows/steps/read/workbook/ods/__init__.py": {ODS, ZIP},
    "flows/steps/read/workbook/dataset_sheet.py": {XLSX, XLS, ODS, ZIP},
    "flows/steps/read/text/delimited.py": {TEXT, ZIP},
    "flows/steps/read/parquet/__init__.py": {PARQUET, ZIP},
    "flows/steps/read/grants/package.py": {JSON, ZIP},
    "flows/steps/conform/cells.py": set(FORMATS),
    "flows/cells/person_names.csv": set(FORMATS),
    "schemas/_rules/checks.py": set(FORMATS),
    "flows/steps/load.py": set(),
}


@pytest.fixture
def clear_fingerprints() -> Iterator[Callable[[], None]]:
    """Clear the cached code fingerprints, which a process computes only once."""

    def clear() -> None:
        for cached in (library_versions, code_digest, code_fingerprint._compiled, result_key._code_digest):
            cached.cache_clear()

    yield clear
    clear()


def keys_by_ending(dataset: str = "contacts", day: int = 2) -> dict[str, str]:
    """Result key of a file of each format, by the code under `code_fingerprint.ROOT`."""
    keys = {}
    for ending in FORMATS:
        file = f"{BPL}_{dataset}_201611_v1{ending}"
        when = datetime(2016, 12, day), date(2016, 11, 30)
        d = Delivery(file, BPL, "MHT", dataset, "201611", 1, file, f"{BPL}/{file}", "", "0" * 64, 1, *when)
        keys[ending] = result_key.result_key(d, datasets()[dataset])
    return keys


@pytest.mark.parametrize(("dataset", "expected"), [("contacts", set()), ("claims", {XLSX, XLS, ODS, ZIP})])
def test_the_day_of_receipt_is_in_the_keys_of_workbooks_of_money_alone(dataset: str, expected: set[str]) -> None:
    """No sign-off on a sheet of theirs may be later."""
    first, second = (keys_by_ending(dataset, day) for day in (2, 3))
    assert {ending for ending in FORMATS if first[ending] != second[ending]} == expected


@pytest.fixture(scope="module")
def own_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, in which each test undoes its change."""
    return copy_project(tmp_path_factory.mktemp("own") / "project")


OF_ONE_FORMAT = [module for module, endings in CODE.items() if len(endings) == 2]


@pytest.mark.parametrize("module", [*(m for m in CODE if m not in OF_ONE_FORMAT[1:]), *in_soak(*OF_ONE_FORMAT[1:])])
def test_changed_code_changes_the_keys_of_the_formats_it_handles(
    module: str, own_copy: Path, monkeypatch: pytest.MonkeyPatch, clear_fingerprints: Callable[[], None]
) -> None:
    monkeypatch.setattr(code_fingerprint, "ROOT", own_copy)
    clear_fingerprints()
    before, text = keys_by_ending(), (own_copy / module).read_text(encoding="utf-8")
    append(own_copy, module, MORE_CODE)
    clear_fingerprints()
    try:
        after = keys_by_ending()
    finally:
        (own_copy / module).write_text(text, encoding="utf-8")
    assert {ending for ending in FORMATS if after[ending] != before[ending]} == CODE[module]


LIBRARIES = {
    "python-calamine": {XLSX, XLS, ODS, ZIP},
    "pyarrow": {TEXT, XLSX, PARQUET, ZIP},
    "polars": set(FORMATS),
    "pandera": set(FORMATS),
    "duckdb": set(),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_version_changes_the_keys_of_the_formats_it_handles(
    library: str, monkeypatch: pytest.MonkeyPatch, clear_fingerprints: Callable[[], None]
) -> None:
    before, installed = keys_by_ending(), importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0" if name == library else installed(name))
    clear_fingerprints()
    after = keys_by_ending()
    assert {ending for ending in FORMATS if after[ending] != before[ending]} == LIBRARIES[library]


def test_changed_site_headings_change_the_keys_of_that_site(tmp_path_factory: pytest.TempPathFactory) -> None:
    def change(home: Path) -> None:
        edit(home, "schemas/core/site_headings.csv", "Seen On", "Met On")
        edit(home, "schemas/core/sites.csv", "dmy,,,", "dmy,;,,")

    changed = results_changed_by(change, tmp_path_factory)
    assert {(r.site, r.dataset) for r in changed} == {(WLA, "contacts"), *((GM, name) for name in datasets())}


def test_no_rule_text_is_stored_with_a_result(folder: DataFolder) -> None:
    """A stored finding has the rule's id; the rule's texts are joined when a report is made."""
    folder.send("contacts", [valid_row("contacts", n, attended="9", contact_date="soon") for n in (1, 2)])
    folder.send(
        "participants", [valid_row("participants", 1), valid_row("participants", 2, gender="x", year_of_birth="99")]
    )
    folder.run("2016-12-02")
    texts = {
        text
        for contract in datasets().values()
        for rule, severity, field in rules_of(contract)
        for text in vars(explain(contract, rule.rule_id, field, severity)).values()
    }
    stored = [ResultStore(folder.paths).findings(k) for k in Ledger(folder.paths.ledger).result_keys().values()]
    cells = {str(cell) for frame in stored for row in frame.iter_rows() for cell in row}
    assert {"V02", "C02"} <= cells
    assert not [(text, cell) for text in texts for cell in cells if text in cell]
