"""`pilots template` and `pilots check --to`, as a site would use them on a computer of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from commands import clean_environment, pilots, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows

from flows.workbooks.blank import example_rows
from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import CODES, EXAMPLES, NOTES, PROBLEMS

pytestmark = pytest.mark.without_marts


def fill_in(path: Path, *names: str) -> None:
    """Fill a blank workbook's sheets with made-up rows."""
    book = openpyxl.load_workbook(path)
    for name in names:
        for row in example_rows(datasets()[name]):
            book[name].append([text or None for text in row.values()])
    book.save(path)


def test_a_template_is_named_as_it_must_be_sent_and_passes_when_filled(tmp_path: Path) -> None:
    made = pilots("template", "contacts", "--site", BPL, "--period", "201912", cwd=tmp_path)
    assert (made.returncode, made.stdout.strip()) == (0, f"{BPL}_contacts_201912_v1.xlsx")
    path = tmp_path / made.stdout.strip()
    assert openpyxl.load_workbook(path).sheetnames == ["contacts", NOTES, EXAMPLES, CODES]
    fill_in(path, "contacts")
    checked = pilots("check", str(path), "--json")
    assert checked.returncode == 0
    report = json.loads(checked.stdout)
    assert report["rows"]["accepted"] == 3 and report["rules"] == []


def test_the_examples_of_a_sites_template_pass_its_check(tmp_path: Path) -> None:
    path = tmp_path / "HLT-SCR_participants_201901_v1.xlsx"
    made = pilots_in_process("template", "participants", "--site", "HLT-SCR", "--period", "201901", cwd=tmp_path)
    assert made.returncode == 0
    book = openpyxl.load_workbook(path)
    for row in book[EXAMPLES].iter_rows(min_row=5, values_only=True):
        book["participants"].append(row)
    book.save(path)
    checked = pilots_in_process("check", str(path), "--json")
    assert (checked.returncode, json.loads(checked.stdout)["rows"]["accepted"]) == (0, 3), checked.stdout


def test_a_whole_return_has_a_sheet_for_each_dataset_that_is_owed(tmp_path: Path) -> None:
    path = tmp_path / f"{BPL}_return_201912_v1.xlsx"
    assert pilots_in_process("template", "return", "--site", BPL, "--to", str(path)).returncode == 0
    owed = openpyxl.load_workbook(path).sheetnames[:-3]
    assert set(owed) == {"participants", "referrals", "contacts", "employment_outcomes"}
    fill_in(path, *owed)
    checked = pilots_in_process("check", str(path), "--json")
    reports = {r["dataset"]: r for r in json.loads(checked.stdout)}
    assert checked.returncode == 0, checked.stdout
    assert set(reports) == set(owed) and all(r["rows"]["accepted"] == 3 for r in reports.values())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "no dataset called nothing"),
        (("contacts", "--site", "MHT-XXX"), "no site called MHT-XXX"),
        (("contacts", "--period", "2016-11"), "write November 2016 as 201611"),
        (("return",), "say which with --site"),
        (("contacts", "--to", "x.csv"), "must end in .xlsx"),
    ],
)
def test_a_template_that_cannot_be_made_is_a_mistake_of_use(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = pilots_in_process("template", *arguments)
    assert (told.returncode, told.stdout) == (2, "") and said in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    assert pilots_in_process("template", "contacts", cwd=tmp_path).returncode == 0
    again = pilots_in_process("template", "contacts", cwd=tmp_path)
    assert again.returncode == 2 and "is there already" in again.stderr


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A file with one row to fix."""
    folder = DataFolder(tmp_path / "data")
    return folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 3, attended="9")])


def test_check_writes_the_reports_and_the_marked_workbook(sent: Path, tmp_path: Path) -> None:
    told = pilots_in_process("check", str(sent), "--to", str(tmp_path / "out"))
    assert told.returncode == 1
    names = [f"{sent.stem}{e}" for e in (".findings.csv", ".html", ".report.json", "_to_fix.xlsx")]
    folder = tmp_path / "out" / BPL
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)
    assert all(str(folder / n) in told.stdout for n in names)
    assert names[-1] in (folder / names[1]).read_text(encoding="utf-8")
    book = openpyxl.load_workbook(folder / names[-1])
    assert book[PROBLEMS]["A2"].value == "F4"
    book["contacts"]["F4"] = "5"
    book.save(tmp_path / f"{BPL}_contacts_201611_v2.xlsx")
    assert pilots_in_process("check", str(tmp_path / f"{BPL}_contacts_201611_v2.xlsx")).returncode == 0


def test_check_knows_what_the_name_does_not_say(sent: Path, tmp_path: Path) -> None:
    other = sent.rename(tmp_path / "our contacts.csv")
    told = pilots_in_process("check", str(other))
    assert (told.returncode, told.stdout) == (2, "")
    assert all(option in told.stderr for option in ("--site", "--dataset", "--period")) and len(told.stderr) < 600
    named = ("--site", BPL, "--dataset", "contacts", "--period", "201611")
    assert pilots_in_process("check", str(other), *named, "--to", str(tmp_path / "out")).returncode == 1
    assert (tmp_path / "out" / BPL / "our contacts_to_fix.xlsx").exists()


def test_a_file_without_fault_gets_no_marked_workbook(tmp_path: Path) -> None:
    good = DataFolder(tmp_path / "data").send("contacts", valid_rows("contacts", 1))
    assert pilots_in_process("check", str(good), "--to", str(tmp_path / "out")).returncode == 0
    assert not list((tmp_path / "out" / BPL).glob("*.xlsx"))


LOADED = """
import sys
from pathlib import Path
from flows.commands.check import check_file
from flows.commands.template import write_template
checked = check_file(Path(sys.argv[1]), to=Path(sys.argv[2]))
assert ("duckdb" in sys.modules) is (checked.reports[0].result != "refused")
write_template("contacts", to=Path(sys.argv[2]) / "blank.xlsx")
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_check_needs_no_prefect_and_duckdb_only_for_rules_between_rows(
    sent: Path, tmp_path: Path, is_refused: bool
) -> None:
    if is_refused:
        sent.write_text(sent.read_text(encoding="utf-8").replace("contact_date", "when", 1), encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-c", LOADED, str(sent), str(tmp_path / "out")],
        cwd=PROJECT, env=clean_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert {"polars", "xlsxwriter"} <= set(told.stdout.strip().split(","))
    assert "prefect" not in told.stdout.strip().split(",")
    assert not [p for p in (tmp_path / "data").iterdir() if p.name == "warehouse"]


class TestTheNight:
    def test_puts_the_marked_workbook_beside_the_page(self, folder: DataFolder) -> None:
        folder.send("participants", valid_rows("participants", 1, 2))
        sent = folder.send("referrals", [*valid_rows("referrals", 1), valid_row("referrals", 2, support_model="zz")])
        folder.run()
        home = folder.paths.reports / BPL
        assert [p.name for p in home.glob("*_to_fix.xlsx")] == [f"{sent.stem}_to_fix.xlsx"]
        book = openpyxl.load_workbook(home / f"{sent.stem}_to_fix.xlsx")
        assert [c.value for c in book[PROBLEMS]["A"]] == ["Cell", "I3"]
        page = (home / f"{sent.stem}.html").read_text(encoding="utf-8")
        assert f"{sent.stem}_to_fix.xlsx" in page
        may_read = (folder.paths.raw / BPL).stat().st_mode & 0o640  # as the site's own folder allows its group
        assert (home / f"{sent.stem}_to_fix.xlsx").stat().st_mode & 0o777 == may_read

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
        found = {(p[1], p[0]) for p in problems if p[9] == "Yes"}
        assert {("participants", "E3"), ("referrals", "L3")} <= found, problems

    def test_makes_no_copy_of_personal_data(self, folder: DataFolder) -> None:
        rows = valid_rows("contacts", 1, 2)
        rows[0]["staff_ref"] = "943 476 5919"  # valid by its check digit, and nobody's
        folder.send("contacts", rows)
        folder.run()
        assert not list(folder.paths.reports.rglob("*.xlsx"))
