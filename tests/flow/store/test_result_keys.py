"""What makes a stored result be made again, and what does not: changes to a copy of the project, one at a time."""

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
from commands import clean_environment, copy_project, pilots
from data_folder import BPL, DataFolder, valid_row

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
TEXT, XLSX, XLS, ODS, PARQUET, ZIP = FORMATS
_KEYS = """
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
    """Whose result it is, of which dataset, from a file of which ending."""

    site: str
    dataset: str
    ending: str


def keys_of(home: Path) -> dict[Result, str]:
    """The keys of a file of each site, dataset and format, by the code in a folder."""
    said = subprocess.run(
        [sys.executable, "-c", _KEYS, json.dumps([BPL, GM, WLA]), json.dumps(FORMATS)],
        env=clean_environment(home), cwd=home, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    return {Result(*name.split(" ")): key for name, key in json.loads(said.stdout).items()}


@cache
def keys_before(home: Path) -> dict[Result, str]:
    """The keys by the project as it is."""
    return keys_of(copy_project(home))


def changed_by(change: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> set[Result]:
    """The results that are made again after a change to the project."""
    before = keys_before(tmp_path_factory.getbasetemp() / "project as it is")
    home = copy_project(tmp_path_factory.mktemp("changed") / "project")
    change(home)
    after = keys_of(home)
    assert after.keys() == before.keys() and len(set(before.values())) == len(before)
    return {result for result in after if after[result] != before[result]}


def edit(home: Path, name: str, old: str, new: str) -> None:
    """Put one text in place of another, which must be there."""
    path = home / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} holds no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def append(home: Path, name: str, text: str) -> None:
    with (home / name).open("a", encoding="utf-8") as file:
        file.write(text)


def every_comment_and_docstring(home: Path) -> None:
    """A comment and an empty line at both ends of each module, and another first line of each docstring."""
    for path in (p for folder in ("flows", "schemas") for p in (home / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        reworded = re.sub(r'^( *)"""(?=\w)', r'\1"""Said in other words. ', text, flags=re.MULTILINE)
        path.write_text(f"# a comment\n\n{reworded}\n\n# another\n", encoding="utf-8")


def every_text_for_people(home: Path) -> None:
    """Texts of rules, of cells that are expected, of columns and tables; sources and descriptions of what is listed."""
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


@pytest.mark.parametrize("change", [every_comment_and_docstring, every_text_for_people], ids=lambda f: f.__name__)
def test_what_is_said_to_people_makes_nothing_again(
    change: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert changed_by(change, tmp_path_factory) == set()


def uses(code_list: str) -> set[str]:
    return {c.dataset for c in datasets().values() if any(f.codes == code_list for f in c.fields)}


def a_check_and_a_pattern(home: Path) -> None:
    edit(home, "schemas/core/contacts.py", '(pl.col("duration_minutes") == 0)', '(pl.col("duration_minutes") == 1)')
    edit(home, "schemas/core/randomisation.py", 'pattern=r"^', 'pattern=r"^^')


def a_limit_and_a_spelling(home: Path) -> None:
    edit(home, "schemas/core/contacts.py", "high=480", "high=481")
    edit(home, "schemas/core/codes/trial_arm.csv", "usual care", "usual care;plain care")


def codes_of_several_datasets(home: Path) -> None:
    append(home, "schemas/core/codes/employment_status.csv", "77,On the moon,,,,made up\n")
    append(home, "schemas/core/codes/contact_type.csv", "chat,Chat by text,,,,made up\n")


CONTRACTS = [
    (a_check_and_a_pattern, {"contacts", "randomisation"}),
    (a_limit_and_a_spelling, {"contacts"} | uses("trial_arm")),
    (codes_of_several_datasets, uses("employment_status") | uses("contact_type")),
]


@pytest.mark.parametrize(("change", "expected"), CONTRACTS, ids=lambda said: getattr(said, "__name__", ""))
def test_a_changed_contract_or_list_makes_its_datasets_again(
    change: Callable[[Path], None], expected: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    changed = changed_by(change, tmp_path_factory)
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
    "flows/steps/conform/cells.py": set(FORMATS),
    "flows/cells/person_names.csv": set(FORMATS),
    "schemas/_rules/checks.py": set(FORMATS),
    "flows/steps/load.py": set(),
}


@pytest.fixture
def forget() -> Iterator[Callable[[], None]]:
    """Forgets what runs, of which a process takes only one look."""

    def forget_now() -> None:
        for cached in (library_versions, code_digest, code_fingerprint._compiled, result_key._of_code):
            cached.cache_clear()

    yield forget_now
    forget_now()


def by_ending(dataset: str = "contacts") -> dict[str, str]:
    """The key of a file of each format, by the code that is looked at."""
    keys = {}
    for ending in FORMATS:
        file = f"{BPL}_{dataset}_201611_v1{ending}"
        when = datetime(2016, 12, 2), date(2016, 11, 30)
        d = Delivery(file, BPL, "MHT", dataset, "201611", 1, file, f"{BPL}/{file}", "", "0" * 64, 1, *when)
        keys[ending] = result_key.result_key(d, datasets()[dataset])
    return keys


@pytest.mark.parametrize("module", CODE)
def test_a_changed_line_of_code_makes_again_what_it_reads_or_checks(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], None]
) -> None:
    home = copy_project(tmp_path / "project")
    monkeypatch.setattr(code_fingerprint, "ROOT", home)
    forget()
    before = by_ending()
    append(home, module, MORE_CODE)
    forget()
    after = by_ending()
    assert {ending for ending in FORMATS if after[ending] != before[ending]} == CODE[module]


LIBRARIES = {
    "python-calamine": {XLSX, XLS, ODS, ZIP},
    "pyarrow": {TEXT, XLSX, PARQUET, ZIP},
    "polars": set(FORMATS),
    "pandera": set(FORMATS),
    "duckdb": set(),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_another_version_of_a_library_makes_again_what_it_reads_or_checks(
    library: str, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], None]
) -> None:
    before, installed = by_ending(), importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0" if name == library else installed(name))
    forget()
    after = by_ending()
    assert {ending for ending in FORMATS if after[ending] != before[ending]} == LIBRARIES[library]


def test_a_changed_profile_makes_again_what_its_site_sends(tmp_path_factory: pytest.TempPathFactory) -> None:
    def change(home: Path) -> None:
        edit(home, "schemas/core/site_headings.csv", "Seen On", "Met On")
        edit(home, "schemas/core/sites.csv", "dmy,,,", "dmy,;,,")

    changed = changed_by(change, tmp_path_factory)
    assert {(r.site, r.dataset) for r in changed} == {(WLA, "contacts"), *((GM, name) for name in datasets())}


def test_a_night_after_a_reworded_rule_and_a_changed_limit(folder: DataFolder, tmp_path: Path) -> None:
    """The dataset of the limit is validated again and no other; the page of the rule is written anew."""
    home = copy_project(tmp_path / "project")
    folder.send_all(1, 2)
    folder.send("contacts", [valid_row("contacts", 1), valid_row("contacts", 2, attended="9")])
    asked = ("run", "--no-prefect", "--data", str(folder.path), "--date")
    assert pilots(*asked, "2016-12-02", home=home).returncode == 0
    page = folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html"
    before = {i.split("_201611")[0]: key for i, key in Ledger(folder.paths.ledger).result_keys().items()}
    words, others = "Change it to a listed code.", "Take a code from the list."
    assert words in page.read_text(encoding="utf-8") and len(before) == 4

    edit(home, "schemas/_rules/cells.py", words, others)
    edit(home, "schemas/core/participants.py", "low=1930", "low=1931")
    assert pilots(*asked, "2016-12-03", home=home).returncode == 0
    said = page.read_text(encoding="utf-8")
    assert others in said and words not in said
    after = {i.split("_201611")[0]: key for i, key in Ledger(folder.paths.ledger).result_keys().items()}
    assert {name for name in after if after[name] != before[name]} == {f"{BPL}_participants"}
    assert folder.ledger_runs()[-1]["deliveries_judged"] == 1


def test_no_text_of_a_rule_is_stored_with_a_result(folder: DataFolder) -> None:
    """What is found stands in a finding with the rule's id; what the rule says is joined when a report is made."""
    folder.send_all(1, 2, 3)
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
