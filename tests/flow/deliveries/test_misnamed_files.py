"""Misnamed files: received with a warning where only one reading is possible, else listed on the site's page."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from commands import pilots_in_process
from data_folder import BPL, NHS_NUMBER, WMCA, DataFolder, valid_row, valid_rows
from file_validator import as_csv, as_table, workbook
from soak import in_soak

DATASETS = ("participants", "referrals", "contacts", "employment_outcomes")


def not_taken_in_page(folder: DataFolder, site: str = BPL) -> Path:
    return folder.paths.reports / site / f"{site}_not_taken_in.html"


def page_text(page: Path) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page.read_text(encoding="utf-8").partition("<body>")[2]).split())


def write_file(folder: DataFolder, name: str, content: bytes, site: str = BPL) -> Path:
    path = folder.paths.raw / site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def bytes_of(dataset: str, *numbers: int, ending: str = "csv") -> bytes:
    rows = valid_rows(dataset, *numbers)
    return workbook({"Data": as_table(rows)}) if ending == "xlsx" else as_csv(rows).encode()


def whole_return(*numbers: int) -> bytes:
    return workbook({dataset: as_table(valid_rows(dataset, *numbers)) for dataset in DATASETS})


def test_unambiguous_misnamed_files_are_received_with_a_warning(folder: DataFolder) -> None:
    write_file(folder, f"{BPL}_participants_201611_v1 (1).xlsx", bytes_of("participants", 1, 2, ending="xlsx"))
    write_file(folder, f"{BPL.lower()} referrals 201611 v1.csv", bytes_of("referrals", 1, 2))
    write_file(folder, f"{BPL}_Contacts_Nov 2016_v1.csv.csv", bytes_of("contacts", 1, 2))
    write_file(
        folder, f"{BPL}_employment-outcomes_201611_v1 - Copy.xlsx", bytes_of("employment_outcomes", 1, ending="xlsx")
    )
    outcome = folder.run("2016-12-02")
    assert not outcome.unusable and not outcome.must_be_fixed and not not_taken_in_page(folder).exists()
    assert [folder.count(f"core.{name}") for name in DATASETS] == [2, 2, 2, 1]
    warnings = folder.query("select dataset, severity from audit.findings join audit.deliveries using (delivery_id)"
                      " where rule_id = 'F31' order by 1")  # fmt: skip
    assert warnings == [(name, "warning") for name in sorted(DATASETS)]
    page = folder.paths.reports / BPL / f"{BPL}_participants_201611_v1 (1).html"
    assert f"Read {BPL}_participants_201611_v1 (1).xlsx as {BPL}_participants_201611_v1.xlsx" in page_text(page)
    assert f"{BPL}_participants_201611_v2.xlsx" in page_text(page), (
        "the page asks for the next version in the agreed form of name"
    )
    assert folder.run("2016-12-03").result == "quiet"


@pytest.mark.soak
def test_a_misnamed_return_workbook_is_received(folder: DataFolder) -> None:
    write_file(folder, f"{BPL}_return_201611_v1 (2).xlsx", whole_return(1, 2))
    assert not folder.run("2016-12-02").must_be_fixed
    assert [folder.count(f"core.{name}") for name in DATASETS] == [2] * 4


def test_a_copy_of_a_received_file_is_ignored(folder: DataFolder) -> None:
    sent = folder.send("contacts", valid_rows("contacts", 1, 2))
    shutil.copy(sent, sent.with_name(f"{sent.stem} (1).csv"))
    outcome = folder.run("2016-12-02")
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current")}
    assert not folder.query("select 1 from audit.findings where rule_id = 'F31'") and not outcome.unusable
    assert not folder.run("2016-12-03").unusable


@pytest.mark.parametrize("ending", ["csv", *in_soak("xlsx")])
def test_of_two_files_of_one_version_the_well_named_one_is_received(folder: DataFolder, ending: str) -> None:
    write_file(folder, f"{BPL}_contacts_201611_v1.{ending}", bytes_of("contacts", 1, ending=ending))
    copy = write_file(folder, f"{BPL}_contacts_201611_v1 (1).{ending}", bytes_of("contacts", 1, 2, ending=ending))
    for day in (2, 3):
        folder.send("participants", valid_rows("participants", *range(day)), version=day)  # so that no run is a no-op
        summary = folder.run(f"2016-12-0{day}").reported.summary
        assert f"`{BPL}/{copy.name}` was not taken in (F21): another file of the same month and version" in summary
        assert folder.count("core.contacts") == 1
        assert f"Name it {BPL}_contacts_201611_v2, with the ending that it has" in page_text(not_taken_in_page(folder))
    write_file(folder, f"{BPL}_contacts_201611_v1 (2).{ending}", bytes_of("contacts", 1, 2, 3, ending=ending))
    folder.run("2016-12-04")
    assert folder.count("core.contacts") == 3, "a file received in a later run is the later one"


@pytest.mark.soak
def test_a_misnamed_file_whose_manifest_has_another_name_is_not_received(folder: DataFolder) -> None:
    sent = write_file(folder, f"{BPL}_contacts_201611_v1 (1).csv", bytes_of("contacts", 1))
    manifest = write_file(folder, f"{BPL}_contacts_201611_v1.manifest.json", b'{"extract_type": "period"}')
    [reason] = {u.reason for u in folder.run("2016-12-02").unusable if u.path.endswith(sent.name)}
    assert reason.endswith(f"its manifest is called {manifest.name}: give it the same name")
    assert folder.count("core.contacts") == 0 and "Name it" not in page_text(not_taken_in_page(folder))
    sent.rename(sent.with_name(f"{BPL}_contacts_201611_v1.csv"))
    assert not folder.run("2016-12-03").unusable and not not_taken_in_page(folder).exists()
    assert folder.query("select extract_type from audit.deliveries") == [("period",)]


@pytest.mark.soak
def test_files_with_ambiguous_names_are_listed_with_the_right_name(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    personal = write_file(folder, f"contacts of Jane Smith {NHS_NUMBER} 201612.xlsx", b"x")
    write_file(folder, f"contacts of John Smith {NHS_NUMBER} 201612.xlsx", b"y")
    write_file(folder, f"{BPL}_contacts_201612.csv", bytes_of("contacts", 1))
    misplaced = write_file(folder, f"{BPL}_contacts_201612_v1.csv", bytes_of("contacts", 1), WMCA)
    write_file(folder, f"{BPL}_visits_201612_v1.csv", b"a\n1\n")
    write_file(folder, "MHT-XXX_contacts_201612_v1.csv", b"a\n1\n")
    write_file(folder, "anything.csv", b"a\n1\n", "no site")
    outcome = folder.run("2017-01-03")
    text, other = page_text(not_taken_in_page(folder)), page_text(not_taken_in_page(folder, WMCA))
    assert "5 files were not taken in: see why, and send what is right" in text
    assert text.count(f"Name it {BPL}_contacts_201612_v1, with the ending that it has") == 4
    assert f"Name it {BPL}_<dataset>_201612_v1, with" in text.replace("&lt;", "<").replace("&gt;", ">")
    assert "A file of 1 bytes whose name may hold personal data" in text
    assert "A file of 1 bytes whose name may hold personal data (2)" in text
    assert f"It lies in another folder than its site's, {BPL}." in other.replace("&#39;", "'")
    everything = text + other + outcome.reported.summary + str(outcome.to_json())
    assert "Jane" not in everything and "John" not in everything and NHS_NUMBER not in everything
    assert {p.name for p in folder.paths.reports.glob("*/*_not_taken_in.html")} == {
        f"{BPL}_not_taken_in.html", f"{WMCA}_not_taken_in.html"}  # fmt: skip

    before = not_taken_in_page(folder).stat().st_mtime_ns
    misplaced.unlink()
    folder.send("contacts", [valid_row("contacts", 2)], period="201701")
    folder.run("2017-02-03")
    assert not not_taken_in_page(folder, WMCA).exists() and not_taken_in_page(folder).stat().st_mtime_ns == before
    personal.unlink()
    folder.run("2017-02-04")
    assert "4 files were not taken in" in page_text(not_taken_in_page(folder))


def test_pilots_check_accepts_the_same_misnamed_files(tmp_path: Path) -> None:
    for name in (f"{BPL}_contacts_201611_v1 (1).csv", f"{BPL.lower()} contacts 201611 v1.csv"):
        file = tmp_path / name
        file.write_bytes(bytes_of("contacts", 1))
        ran = pilots_in_process("check", str(file))
        assert ran.returncode == 0 and "(check F31)" in ran.stdout, ran.stdout + ran.stderr
    returned = tmp_path / f"{BPL}_Return_201611_v1 - Copy.xlsx"
    returned.write_bytes(whole_return(1))
    ran = pilots_in_process("check", str(returned))
    assert ran.returncode == 0 and ran.stdout.count("(check F31)") == 4, ran.stdout + ran.stderr
    unclear = tmp_path / f"{BPL}_contacts_201611.csv"
    unclear.write_bytes(bytes_of("contacts", 1))
    assert pilots_in_process("check", str(unclear)).returncode == 2


def test_a_file_of_another_dataset_is_asked_for_under_the_next_name_of_that_dataset(folder: DataFolder) -> None:
    folder.send("participants", valid_rows("participants", 1, 2))
    folder.send("referrals", valid_rows("referrals", 1))
    write_file(folder, f"{BPL}_contacts_201611_v1.csv", bytes_of("referrals", 1, 2))
    folder.run("2016-12-02")
    text = page_text(folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html")
    assert f"Save it as {BPL}_referrals_201611_v2.csv ." in text and f"{BPL}_contacts_201611_v2" not in text
    assert "Then send the Contacts of November 2016: that file is still to come." in text
