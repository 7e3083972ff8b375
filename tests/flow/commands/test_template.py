"""`pilots template` and `pilots check --to` as a site uses them, and the marked workbook of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from commands import clean_environment, pilots, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows
from soak import in_soak

from flows.workbooks.example_rows import example_rows
from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import CODES, EXAMPLES, NIL_RETURN, NOTES, PROBLEMS


def fill_in(path: Path, *names: str) -> None:
    """Fill sheets of a blank workbook with the datasets' example rows."""
    book = openpyxl.load_workbook(path)
    for name in names:
        for row in example_rows(datasets()[name]):
            book[name].append([text or None for text in row.values()])
    book.save(path)


def test_a_filled_template_passes_the_check_under_its_own_name(tmp_path: Path) -> None:
    made = pilots("template", "contacts", "--site", BPL, "--period", "201912", cwd=tmp_path)
    assert (made.returncode, made.stdout.strip()) == (0, f"{BPL}_contacts_201912_v1.xlsx")
    path = tmp_path / made.stdout.strip()
    assert openpyxl.load_workbook(path).sheetnames == ["contacts", NIL_RETURN, NOTES, EXAMPLES, CODES]
    fill_in(path, "contacts")
    checked = pilots_in_process("check", str(path), "--json")
    assert checked.returncode == 0
    report = json.loads(checked.stdout)
    assert report["rows"]["accepted"] == 3 and report["rules"] == []


def test_the_examples_of_a_template_pass_the_check(tmp_path: Path) -> None:
    path = tmp_path / "HLT-SCR_participants_201901_v1.xlsx"
    made = pilots_in_process("template", "participants", "--site", "HLT-SCR", "--period", "201901", cwd=tmp_path)
    assert made.returncode == 0
    book = openpyxl.load_workbook(path)
    for row in book[EXAMPLES].iter_rows(min_row=5, values_only=True):
        book["participants"].append(row)
    book.save(path)
    checked = pilots_in_process("check", str(path), "--json")
    assert (checked.returncode, json.loads(checked.stdout)["rows"]["accepted"]) == (0, 3), checked.stdout


PEOPLE = {
    "participants",
    "referrals",
    "contacts",
    "employment_outcomes",
    "action_plans",
    "wellbeing_measures",
    "training_events",
    "employer_support",
}
MONEY = {"funding_profile", "claims", "claim_lines", "expenditure"}


def return_template(path: Path, *options: str) -> set[str]:
    """Write the template of a whole return, and return the datasets that it has a sheet for."""
    arguments = ("template", "return", "--site", BPL, "--to", str(path), *options)
    assert pilots_in_process(*arguments).returncode == 0
    return set(openpyxl.load_workbook(path).sheetnames) & datasets().keys()


def test_a_return_template_has_a_sheet_for_each_required_dataset(tmp_path: Path) -> None:
    path = tmp_path / f"{BPL}_return_201911_v1.xlsx"
    required = return_template(path, "--period", "201911")
    assert required == PEOPLE
    fill_in(path, *required)
    checked = pilots_in_process("check", str(path), "--json")
    reports = {r["dataset"]: r for r in json.loads(checked.stdout)}
    assert checked.returncode == 0, checked.stdout
    assert set(reports) == set(required) and all(r["rows"]["accepted"] == 3 for r in reports.values())


def test_what_is_owed_each_quarter_is_in_the_return_of_its_last_month(tmp_path: Path) -> None:
    assert return_template(tmp_path / "december.xlsx", "--period", "201912") == PEOPLE | MONEY
    assert return_template(tmp_path / "any.xlsx") == PEOPLE | MONEY


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "no dataset called nothing"),
        (("contacts", "--site", "MHT-XXX"), "no site called MHT-XXX"),
        (("contacts", "--period", "2016-11"), "write November 2016 as 201611"),
        (("return",), "say which with --site"),
        (("contacts", "--to", "x.csv"), "must end in .xlsx"),
    ],
)
def test_invalid_template_arguments_are_usage_errors(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = pilots_in_process("template", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "") and message in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_template_never_overwrites_a_file(tmp_path: Path) -> None:
    assert pilots_in_process("template", "contacts", cwd=tmp_path).returncode == 0
    again = pilots_in_process("template", "contacts", cwd=tmp_path)
    assert again.returncode == 2 and "is there already" in again.stderr


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A file with one row to fix."""
    folder = DataFolder(tmp_path / "data")
    return folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 3, attended="9")])


def test_check_writes_reports_and_the_marked_workbook(sent: Path, tmp_path: Path) -> None:
    ran = pilots_in_process("check", str(sent), "--to", str(tmp_path / "out"))
    assert ran.returncode == 1
    names = [f"{sent.stem}{e}" for e in (".findings.csv", ".html", ".report.json", "_to_fix.xlsx")]
    folder = tmp_path / "out" / BPL
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)
    assert all(str(folder / n) in ran.stdout for n in names)
    assert names[-1] in (folder / names[1]).read_text(encoding="utf-8")
    book = openpyxl.load_workbook(folder / names[-1])
    assert book[PROBLEMS]["A2"].value == "F4"
    book["contacts"]["F4"] = "5"
    book.save(tmp_path / f"{BPL}_contacts_201611_v2.xlsx")
    assert pilots_in_process("check", str(tmp_path / f"{BPL}_contacts_201611_v2.xlsx")).returncode == 0


def test_check_takes_what_the_file_name_lacks_from_options(sent: Path, tmp_path: Path) -> None:
    other = sent.rename(tmp_path / "our contacts.csv")
    ran = pilots_in_process("check", str(other))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert all(option in ran.stderr for option in ("--site", "--dataset", "--period")) and len(ran.stderr) < 800
    named = ("--site", BPL, "--dataset", "contacts", "--period", "201611")
    assert pilots_in_process("check", str(other), *named, "--to", str(tmp_path / "out")).returncode == 1
    assert (tmp_path / "out" / BPL / "our contacts_to_fix.xlsx").exists()


def test_a_valid_file_gets_no_marked_workbook(tmp_path: Path) -> None:
    good = DataFolder(tmp_path / "data").send("contacts", valid_rows("contacts", 1))
    assert pilots_in_process("check", str(good), "--to", str(tmp_path / "out")).returncode == 0
    assert not list((tmp_path / "out" / BPL).glob("*.xlsx"))


PRINT_MODULES = """
import sys
from pathlib import Path
from flows.commands.check import check_file
from flows.commands.template import write_template
checked = check_file(Path(sys.argv[1]), to=Path(sys.argv[2]))
assert ("duckdb" in sys.modules) is (checked.reports[0].result != "refused")
write_template("contacts", to=Path(sys.argv[2]) / "blank.xlsx")
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("is_refused", [*in_soak(False), True])
def test_check_imports_no_prefect_and_duckdb_only_for_rules_between_rows(
    sent: Path, tmp_path: Path, is_refused: bool
) -> None:
    if is_refused:
        sent.write_text(sent.read_text(encoding="utf-8").replace("contact_date", "when", 1), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", PRINT_MODULES, str(sent), str(tmp_path / "out")],
        cwd=PROJECT, env=clean_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert {"polars", "xlsxwriter"} <= set(ran.stdout.strip().split(","))
    assert "prefect" not in ran.stdout.strip().split(",")
    assert not [p for p in (tmp_path / "data").iterdir() if p.name == "warehouse"]


class TestRun:
    def test_writes_the_marked_workbook_beside_the_page(self, folder: DataFolder) -> None:
        folder.send("participants", valid_rows("participants", 1, 2))
        sent = folder.send("referrals", [*valid_rows("referrals", 1), valid_row("referrals", 2, support_model="zz")])
        folder.run()
        site_folder = folder.paths.reports / BPL
        assert [p.name for p in site_folder.glob("*_to_fix.xlsx")] == [f"{sent.stem}_to_fix.xlsx"]
        book = openpyxl.load_workbook(site_folder / f"{sent.stem}_to_fix.xlsx")
        assert [c.value for c in book[PROBLEMS]["A"]] == ["Cell", "I3"]
        page = (site_folder / f"{sent.stem}.html").read_text(encoding="utf-8")
        assert f"{sent.stem}_to_fix.xlsx" in page
        may_read = (folder.paths.raw / BPL).stat().st_mode & 0o640  # the same group permission as the site's own folder
        assert (site_folder / f"{sent.stem}_to_fix.xlsx").stat().st_mode & 0o777 == may_read

    @pytest.mark.soak
    def test_marks_every_sheet_of_a_whole_return_in_one_workbook(self, folder: DataFolder) -> None:
        path = folder.paths.raw / BPL / f"{BPL}_return_201611_v1.xlsx"
        path.parent.mkdir()
        assert pilots_in_process("template", "return", "--site", BPL, "--to", str(path)).returncode == 0
        book = openpyxl.load_workbook(path)
        for name, cell in (("participants", {"gender": "zz"}), ("referrals", {"support_model": "zz"})):
            for row in (valid_row(name, 1), valid_row(name, 2, **cell)):
                headings = [c.value for c in book[name][1]]
                book[name].append([row.get(h) or None for h in headings])
        book.save(path)
        folder.run()
        [marked] = (folder.paths.reports / BPL).glob("*.xlsx")
        heading, *problems = openpyxl.load_workbook(marked)[PROBLEMS].iter_rows(values_only=True)
        marked_cells = {(p[1], p[0]) for p in problems if p[9] == "Yes"}
        assert {("participants", "E3"), ("referrals", "L3")} <= marked_cells, problems

    def test_writes_no_marked_workbook_with_personal_data(self, folder: DataFolder) -> None:
        rows = valid_rows("contacts", 1, 2)
        rows[0]["staff_ref"] = "943 476 5919"  # a valid test number that belongs to nobody
        folder.send("contacts", rows)
        folder.run()
        assert not list(folder.paths.reports.rglob("*.xlsx"))
