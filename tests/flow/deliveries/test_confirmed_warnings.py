"""A site confirms warnings in the marked workbook: they are not reported again while the values stay the same."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from data_folder import BPL, WLA, DataFolder, valid_row, valid_rows
from file_validator import workbook

from flows.commands.check import check_file
from flows.orchestration.as_of import export_as_of
from flows.settings import Settings
from schemas._contract.code_lists import code_list
from schemas._contract.workbook_names import CONFIRM, CONFIRM_CODE, CONFIRM_REASON, CONFIRM_ROLE, PROBLEMS
from schemas.audit.confirmations import REASONS, ROLES

EARLY, EARLIER = "2016-04-30", "2016-04-29"  # before the episode: K01 warns of them


def send_contacts(folder: DataFolder, *dates: str, version: int = 1, suffix: str = "csv", **more: Any) -> Path:
    """Contacts of people 1, 2, ... on these dates."""
    rows = [valid_row("contacts", n, contact_date=day) for n, day in enumerate(dates, 1)]
    return folder.send("contacts", rows, version=version, suffix=suffix, **more)


def first_night(folder: DataFolder, *dates: str) -> None:
    """Send a site's referrals and contacts, and run."""
    numbers = range(1, len(dates) + 1)
    folder.send("participants", valid_rows("participants", *numbers))
    folder.send("referrals", valid_rows("referrals", *numbers))
    send_contacts(folder, *dates)
    folder.run("2016-12-03")


def marked(folder: DataFolder, stem: str = f"{BPL}_contacts_201611_v1") -> Path:
    return folder.paths.reports / stem.split("_")[0] / f"{stem}_to_fix.xlsx"


def choices(book: openpyxl.Workbook) -> list[dict[str, Any]]:
    """The cells of each line of the sheet of confirmations, by heading."""
    rows = list(book[CONFIRM].iter_rows())
    at = next(i for i, row in enumerate(rows) if row[-1].value == CONFIRM_CODE)
    return [{h.value: cell for h, cell in zip(rows[at], row, strict=True)} for row in rows[at + 1 :]]


def confirm(book: openpyxl.Workbook, *lines: int, reason: str = "checked_record", role: str = "data_lead") -> None:
    """Choose a reason and a role from the lists on some lines, the first being 0."""
    labels = {e.code: e.label for name in (REASONS, ROLES) for e in code_list(name).entries}
    for n in lines:
        line = choices(book)[n]
        line[CONFIRM_REASON].value, line[CONFIRM_ROLE].value = labels.get(reason, reason), labels.get(role, role)


def warnings(folder: DataFolder) -> list[tuple[str, str, int]]:
    """The findings on the delivery that counts: (rule, outcome, row)."""
    return folder.query(
        "select rule_id, outcome, source_row from audit.findings join audit.deliveries using (delivery_id)"
        " where standing = 'current' and dataset = 'contacts' and rule_id <> 'F23' order by all"
    )


def states(folder: DataFolder) -> list[tuple[str, str, int | None]]:
    return folder.query("select rule_id, state, source_row from audit.confirmations order by all")


def outputs(folder: DataFolder, stem: str) -> str:
    """The page of a delivery, its data and its list of findings, with the summary of the last run."""
    names = [f"{stem}{end}" for end in (".html", ".report.json", ".findings.csv")]
    texts = [(folder.paths.reports / BPL / name).read_text(encoding="utf-8") for name in names]
    return "\n".join([*texts, max((folder.paths.reports / "nights").iterdir()).read_text(encoding="utf-8")])


def test_a_warning_is_confirmed_once_and_lapses_when_its_value_changes(folder: DataFolder) -> None:
    first_night(folder, EARLY, EARLIER, "2016-06-01")
    assert warnings(folder) == [("K01", "broken", 2), ("K01", "broken", 3)]
    page = outputs(folder, f"{BPL}_contacts_201611_v1")
    assert f"on the sheet ‘{CONFIRM}’ of" in page and "Accepted: nothing to do" in page

    book = openpyxl.load_workbook(marked(folder))
    assert [line["Cell"].value for line in choices(book)] == ["C2", "C3"]
    assert {v.formula1.count(",") for v in book[CONFIRM].data_validations.dataValidation} == {4, 6}
    confirm(book, 0)
    confirm(book, 1, role="Joanna Smith")
    book["contacts"].move_range("A2:K2", rows=3)  # the code finds the row wherever it is by now
    sent = folder.paths.raw / BPL / f"{BPL}_contacts_201611_v2.xlsx"
    book.save(sent)
    folder.run("2016-12-05")
    assert warnings(folder) == [
        ("F07", "broken", 2),
        ("K01", "broken", 3),
        ("K01", "confirmed", 5),
        ("X03", "broken", None),
    ]
    assert states(folder) == [("K01", "holds", 5)]
    page = outputs(folder, f"{BPL}_contacts_201611_v2")
    assert EARLY not in page and EARLIER in page and "the role is not one of the list" in page
    assert f"1 warning that you confirmed as ‘{CONFIRM.lower()}’ is not listed again." in page
    assert f'href="{BPL}_contacts_201611_v2_to_fix.xlsx"' in (folder.paths.reports / BPL / "index.html").read_text()
    book = openpyxl.load_workbook(marked(folder, f"{BPL}_contacts_201611_v2"))
    assert [line["Cell"].value for line in choices(book)] == ["C3"]
    assert [row[0].value for row in book[PROBLEMS].iter_rows(min_row=2)].count("C5") == 0
    # the page that offered it is a record by now, and its workbook is gone
    assert "Replaced by" in (folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html").read_text()
    assert not marked(folder).exists()

    text = folder.paths.confirmations.read_text(encoding="utf-8")
    assert text.splitlines()[1].endswith(",checked_record,data_lead,2016-12-05")
    for path in (folder.paths.confirmations, folder.paths.confirmations_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    everything = text + "".join(
        p.read_text(encoding="utf-8") for p in folder.path.rglob("*") if p.suffix in (".jsonl", ".html", ".json", ".md")
    )
    assert "BPL-C00000" not in text and EARLY not in text and "Joanna" not in everything

    # the same rows in another form, and a cell that the rule does not read: it still holds
    rows = [valid_row("contacts", n, contact_date=day) for n, day in enumerate((EARLY, EARLIER), 1)]
    folder.send("contacts", [rows[0] | {"duration_minutes": "50"}, rows[1]], version=3)
    folder.run("2016-12-06")
    assert warnings(folder) == [("K01", "broken", 3), ("K01", "confirmed", 2)]

    # another value of the same row, and the confirmed value in another row
    send_contacts(folder, "2016-04-28", EARLY, version=4)
    folder.run("2016-12-07")
    assert warnings(folder) == [("K01", "broken", 2), ("K01", "broken", 3)]
    assert states(folder) == [("K01", "lapsed", 2)]
    send_contacts(folder, "2016-06-01", "2016-06-01", version=5)
    folder.run("2016-12-08")
    assert (warnings(folder), states(folder)) == ([], [("K01", "not needed", None)])


@pytest.mark.soak
def test_taking_the_record_away_brings_exactly_the_warnings_back(folder: DataFolder) -> None:
    held = valid_row("contacts", 3, attended="9")  # not fixed: to confirm the others is enough of a change
    folder.send("contacts", [valid_row("contacts", n, contact_date=d) for n, d in ((1, EARLY), (2, EARLIER))] + [held])
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3))
    folder.run("2016-12-03")
    book = openpyxl.load_workbook(marked(folder))
    confirm(book, 0, 1, reason="checked_with_person", role="team_leader")
    book.save(folder.paths.raw / BPL / f"{BPL}_contacts_201611_v2.xlsx")
    everything = "select * replace ('' as outcome) from audit.findings order by all"
    folder.run("2016-12-05")
    confirmed, record = folder.query(everything), folder.paths.confirmations.read_bytes()
    assert warnings(folder) == [("K01", "confirmed", 2), ("K01", "confirmed", 3), ("V02", "broken", 4)]
    book = openpyxl.load_workbook(marked(folder, f"{BPL}_contacts_201611_v2"))
    assert CONFIRM not in book.sheetnames  # nothing is left to confirm
    assert folder.run("2016-12-06").result == "quiet"
    as_of = Settings(data=folder.path, threads=1), datetime(2016, 12, 4)
    export_as_of(*as_of, folder.path / "then.duckdb")
    with duckdb.connect(str(folder.path / "then.duckdb"), read_only=True) as db:  # nothing was confirmed by then
        assert db.execute("select distinct outcome from audit.findings").fetchall() == [("broken",)]

    first, *_ = (line for line in record.decode().splitlines() if "K01" in line)
    folder.paths.confirmations.write_text(record.decode().replace(f"{first}\n", ""), encoding="utf-8")
    folder.run("2016-12-07")
    assert sorted(outcome for rule, outcome, _ in warnings(folder) if rule == "K01") == ["broken", "confirmed"]
    folder.paths.confirmations.unlink()  # and the workbook that confirmed it is not read again
    assert folder.run("2016-12-08").result == "published"
    assert warnings(folder) == [("K01", "broken", 2), ("K01", "broken", 3), ("V02", "broken", 4)]
    assert (folder.query(everything), folder.paths.confirmations.exists()) == (confirmed, False)


@pytest.mark.soak
def test_a_confirmation_is_of_one_site_and_of_each_dataset_of_a_workbook(folder: DataFolder) -> None:
    """Possible duplicates of two datasets in one workbook; another site with the same rows is warned as ever."""
    jobs = [valid_row("employment_outcomes", 1), valid_row("employment_outcomes", 2, episode_id="BPL-E000001")]
    twins = {"lsoa": "E01012673", "year_of_birth": "1980"}
    people = [valid_row("participants", n, **twins) for n in (1, 2)]
    sheets = {"participants": people, "employment_outcomes": jobs, "referrals": valid_rows("referrals", 1, 2)}
    content = {name: [list(rows[0]), *([*row.values()] for row in rows)] for name, rows in sheets.items()}
    path = folder.paths.raw / BPL / f"{BPL}_return_201611_v1.xlsx"
    path.parent.mkdir()
    path.write_bytes(workbook(content))
    folder.run("2016-12-03")
    of_datasets = "select rule_id, outcome, source_row from audit.findings join audit.deliveries using (delivery_id)"
    of_datasets += " where standing = 'current' and rule_id in ('P05', 'E11') order by all"
    assert folder.query(of_datasets) == [("E11", "broken", 3), ("P05", "broken", 3)]
    book = openpyxl.load_workbook(marked(folder, f"{BPL}_return_201611_v1"))
    confirm(book, 0, 1, reason="two_records", role="service_manager")
    path = path.with_name(f"{BPL}_return_201611_v2.xlsx")
    book.save(path)
    folder.run("2016-12-04")
    assert folder.query(of_datasets) == [("E11", "confirmed", 3), ("P05", "confirmed", 3)]
    assert folder.query("select dataset, reason, role, state from audit.confirmations order by all") == [
        ("employment_outcomes", "two_records", "service_manager", "holds"),
        ("participants", "two_records", "service_manager", "holds"),
    ]
    # `pilots check` knows what is on record; on the computer of a site there is no record
    rules = [{i.rule_id for r in check_file(path, data=d).reports for i in r.warnings} for d in (folder.paths, None)]
    assert rules == [set(), {"E11", "P05"}]
    text = folder.paths.confirmations.read_text(encoding="utf-8")
    folder.paths.confirmations.write_text(text.replace(BPL, WLA), encoding="utf-8")
    folder.run("2016-12-05")
    assert folder.query(of_datasets) == [("E11", "broken", 3), ("P05", "broken", 3)]
