"""The page, the run summary, audit.deliveries and the run's result agree about every delivery."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from data_folder import BPL, NHS_NUMBER, DataFolder, valid_row, valid_rows, write_corrections
from file_validator import as_csv, as_table, workbook

from flows.commands.query import status_in_words, warehouse_status
from flows.nightly import RunResult
from flows.reporting.render.dictionary.page import PAGE as DICTIONARY_PAGE
from flows.runtime.data_folder import CorrectionsUnusable
from flows.settings import Settings
from flows.steps import validate_delivery
from flows.store.ledger import Ledger

DEC, JAN, FEB = "2016-12-02T03:30", "2017-01-03T03:30", "2017-02-02T03:30"
ROWS = ("read", "accepted", "held", "repeats", "not_data")


def contacts_outcome(outcome: RunResult) -> dict[str, Any]:
    [found] = [d for d in outcome.deliveries() if "contacts" in d["delivery"]]
    return found


def audit_row(folder: DataFolder, delivery_id: str) -> tuple[Any, ...]:
    [row] = folder.query(
        "select result, rows_read, rows_accepted, rows_held, rows_repeated, rows_not_data from audit.deliveries"
        " where delivery_id = ?",
        delivery_id,
    )
    return row


def report_row(folder: DataFolder, outcome: RunResult, delivery_id: str) -> tuple[Any, ...]:
    page = outcome.reported.pages[delivery_id]
    report = json.loads(page.with_suffix(".report.json").read_text(encoding="utf-8"))
    return (report["result"], *(report["rows"][n] for n in ROWS))


def page_of(folder: DataFolder, version: int, period: str = "201611") -> str:
    path = folder.paths.reports / BPL / f"{BPL}_contacts_{period}_v{version}.html"
    return path.read_text(encoding="utf-8")


def contact_with_bad_code(n: int) -> dict[str, str]:
    return valid_row("contacts", n, attended="9")


def test_rows_held_by_a_cross_table_rule_are_held_in_every_report(folder: DataFolder) -> None:
    for dataset in ("participants", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    folder.send("contacts", valid_rows("contacts", 1, 2, 3))
    outcome = folder.run()
    contacts = contacts_outcome(outcome)
    expected = (contacts["result"], *(contacts[n] for n in ROWS))
    assert expected == ("accepted_with_held_rows", 3, 2, 1, 0, 0)
    assert expected == audit_row(folder, contacts["delivery"]) == report_row(folder, outcome, contacts["delivery"])
    assert "1 with rows held back" in outcome.verdict


def test_a_run_writes_the_data_dictionary_unless_it_is_there(folder: DataFolder) -> None:
    page = folder.paths.reports / DICTIONARY_PAGE
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run(DEC)
    written = page.stat().st_mtime_ns
    assert "weekly_hours_worked" in page.read_text(encoding="utf-8")
    folder.send("contacts", valid_rows("contacts", 1, 2), period="201612")
    folder.run(JAN)
    assert page.stat().st_mtime_ns == written
    page.unlink()
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201701")
    folder.run(FEB)
    assert page.exists()


def test_the_outcome_names_what_people_have_to_do(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    stray = folder.paths.raw / BPL / "what we sent.csv"
    stray.write_text("a\n1\n", encoding="utf-8")
    assert folder.run("2016-12-02").outcome == "NotTakenIn"
    assert folder.run("2016-12-03").outcome == "Completed", "listed in every run, but decides the outcome only once"
    refused_rows = valid_rows("referrals", 1, 2)
    for row in refused_rows:
        del row["referral_received_date"]
    folder.send("referrals", refused_rows, period="201612")
    assert folder.run("2017-01-03").outcome == "Refused"
    folder.send("contacts", [contact_with_bad_code(1), *valid_rows("contacts", 2)], period="201612")
    assert folder.run("2017-01-04").outcome == "PartlyLoaded"


@pytest.mark.parametrize(
    ("dataset", "difference"),
    [("contacts", {"staff_ref": NHS_NUMBER}), ("referrals", {"NHS number": ""})],  # in a cell, and in the heading alone
)
def test_the_outcome_of_a_run_that_received_personal_data_is_personal_data(
    folder: DataFolder, dataset: str, difference: dict[str, str]
) -> None:
    folder.send(dataset, [{**row, **difference} for row in valid_rows(dataset, 1, 2)])
    folder.send(dataset, valid_rows(dataset, 1, 2), version=2)
    outcome = folder.run("2016-12-02")
    assert outcome.outcome == "PersonalData" and [j.delivery.version for j in outcome.personal] == [1]
    assert outcome.stopped == (), "the later file counts, but the incident is still reported"
    assert folder.run("2016-12-03").outcome == "Completed", "it was received in the run before"


@pytest.mark.soak
def test_a_stale_file_is_refused_in_every_report(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
    folder.run(JAN)
    folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 1)], period="201611", version=2)
    outcome = folder.run(FEB)
    contacts = contacts_outcome(outcome)
    expected = (contacts["result"], *(contacts[n] for n in ROWS))
    assert expected == ("refused", 3, 0, 2, 1, 0)
    assert expected == audit_row(folder, contacts["delivery"]) == report_row(folder, outcome, contacts["delivery"])
    assert not outcome.must_be_fixed, "the later file counts"
    assert outcome.verdict == "Published: 1 file checked, 1 replaced by a later file."


def test_the_page_of_a_superseded_file_has_nothing_to_fix(folder: DataFolder) -> None:
    folder.send("participants", valid_rows("participants", 1, 2))
    folder.send("contacts", [valid_row("contacts", 1), contact_with_bad_code(2)])
    first = folder.run(DEC)
    marked = folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1_to_fix.xlsx"
    assert marked.exists() and "<h1>Fix 1 problem" in page_of(folder, 1)
    first_id = contacts_outcome(first)["delivery"]
    ledger = Ledger(folder.paths.ledger)
    snapshots = ledger.report_snapshots([first_id])
    folder.send("contacts", valid_rows("contacts", 1, 2), version=2)
    second = folder.run(JAN)
    page = page_of(folder, 1)
    assert f"<h1>Replaced by {BPL}_contacts_201611_v2.csv: nothing to do</h1>" in page
    assert "1 of 2 rows accepted; 1 held back" in page and "(V02)" not in page and "How to send it again" not in page
    assert not marked.exists()
    assert first_id not in second.reported.pages and ledger.report_snapshots([first_id]) == snapshots
    pages = list(folder.paths.reports.rglob("*_v*.html"))  # the site's index has another month due next
    before = {p: p.stat().st_mtime_ns for p in pages}
    folder.run(FEB)
    assert len(before) > 2 and {p: p.stat().st_mtime_ns for p in pages} == before
    ledger.close()


@pytest.mark.soak
def test_a_file_superseded_in_the_same_run_has_nothing_to_fix(folder: DataFolder) -> None:
    refused = valid_rows("contacts", 1, 2)
    for row in refused:
        del row["contact_date"]
    folder.send("contacts", refused)
    folder.send("contacts", valid_rows("contacts", 1, 2), version=2)
    outcome = folder.run()
    assert not outcome.must_be_fixed and outcome.stopped == ()
    assert outcome.verdict == "Published: 2 files checked, 1 replaced by a later file."
    assert "Whose figures are old" not in outcome.reported.summary
    assert "<h1>Replaced by" in page_of(folder, 1) and "Accepted: nothing to do" in page_of(folder, 2)


@pytest.mark.soak
def test_the_page_of_an_overwritten_file_is_about_the_new_one(folder: DataFolder) -> None:
    folder.send("contacts", [valid_row("contacts", 1), contact_with_bad_code(2)])
    folder.run(DEC)
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run(JAN)
    assert "<h1>Accepted: nothing to do</h1>" in page_of(folder, 1)


@pytest.mark.soak
def test_a_sudden_drop_in_rows_is_in_the_summary(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", *range(1, 41)))
    folder.run(DEC)
    folder.send("contacts", valid_rows("contacts", *range(1, 11)), period="201612")
    outcome = folder.run(JAN)
    sudden = outcome.reported.summary.partition("## Sudden changes")[2].partition("##")[0]
    found = folder.query("select rule_id, found from audit.findings where rule_id in ('F22', 'F23') order by 1")
    assert [rule_id for rule_id, _ in found] == ["F22", "F23"]
    assert all(f"Contacts, December 2016, version 1: {text} ({rule_id}: " in sudden for rule_id, text in found)


def contacts_without_dates(*numbers: int) -> list[dict[str, Any]]:
    """Contacts that are refused because their date column is missing."""
    return [{n: v for n, v in row.items() if n != "contact_date"} for row in valid_rows("contacts", *numbers)]


PERIOD = {"extract_type": "period"}
MARCH, APRIL, MAY = "201703", "201704", "201705"
REFUSED_AND_NOT_REPLACED: dict[str, list[tuple[str, int, bool, dict[str, str] | None]]] = {
    "another month": [(MARCH, 1, False, PERIOD), (APRIL, 1, True, PERIOD)],
    "a later version": [(MARCH, 1, True, None), (MARCH, 2, False, None)],
    "a newer month refused": [(MARCH, 1, True, None), (APRIL, 1, False, None)],
}
REFUSED_AND_REPLACED: dict[str, list[tuple[str, int, bool, dict[str, str] | None]]] = {
    "a later version accepted": [(MARCH, 1, False, PERIOD), (MARCH, 2, True, PERIOD)],
    "a later cumulative extract": [(MARCH, 1, False, None), (APRIL, 1, True, None)],
    "older than the current": [(APRIL, 1, True, None), (MARCH, 1, False, None)],
}


@pytest.mark.soak
@pytest.mark.parametrize("case", [*REFUSED_AND_NOT_REPLACED, *REFUSED_AND_REPLACED])
def test_every_report_agrees_whether_a_refused_file_was_replaced(folder: DataFolder, case: str) -> None:
    replaced = case in REFUSED_AND_REPLACED
    for day, (period, version, good, manifest) in enumerate((REFUSED_AND_NOT_REPLACED | REFUSED_AND_REPLACED)[case]):
        rows = valid_rows("contacts", day + 1, 3) if good else contacts_without_dates(1, 2)
        folder.send("contacts", rows, period, version, manifest=manifest)
        outcome = folder.run(f"2017-06-0{day + 1}T03:30")
    [(refused, by)] = folder.query("select delivery_id, replaced_by from audit.deliveries where standing = 'refused'")
    [current] = folder.query("select max(delivery_id) from audit.deliveries where dataset = 'contacts'"
                           " and standing = 'current'")[0]  # fmt: skip
    assert (by, refused in outcome.reported.replaced) == ((current, True) if replaced else (None, False))
    assert warehouse_status(Settings(data=folder.path))["refused_and_not_sent_again"] == (
        [] if replaced else [f"{BPL} contacts"]
    )
    outdated = outcome.reported.summary.partition("## Whose figures are old")[2].partition("##")[0]
    assert ("Contacts: figures to" in outdated) is not replaced
    assert ("without the file for March 2017" in outdated) is (case == "another month")
    no_op = folder.run("2017-06-20")
    assert ("## Whose figures are old" in no_op.reported.summary) is not replaced


def test_a_no_op_run_states_when_the_figures_last_changed(folder: DataFolder) -> None:
    folder.send("contacts", [valid_row("contacts", 1), contact_with_bad_code(2)])
    folder.run("2016-12-02T03:30")
    folder.send("contacts", [valid_row("contacts", 1), contact_with_bad_code(2)], version=2)
    folder.run("2016-12-03T03:30")
    write_corrections(folder, {})
    assert folder.run("2016-12-05T03:30").result == "published"
    assert [folder.run(f"2016-12-0{n}").verdict for n in (6, 7)] == [
        "Nothing changed since 5 December 2016 at 3:30am: there was nothing new to check."
    ] * 2


@pytest.mark.soak
def test_the_verdict_counts_files_not_taken_in(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    (folder.paths.raw / "comments.csv").write_text("x", encoding="utf-8")
    first = folder.run("2016-12-02T03:30")
    assert first.verdict == "Published: 1 file checked, 1 file not taken in."
    (folder.paths.raw / BPL / f"{BPL}_contacts_201612_v1.csv").symlink_to("gone.csv")
    no_op = folder.run("2016-12-03T03:30")
    assert no_op.verdict == (
        "Nothing changed since 2 December 2016 at 3:30am: there was nothing new to check; 2 files not taken in."
    )
    section = no_op.reported.summary.partition("## Files that were not taken in\n\n")[2]
    assert len(section.split("\n\n")[0].splitlines()) == 2 and "## What changed" not in no_op.reported.summary


def test_the_verdict_counts_files_that_could_not_be_validated(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run("2016-12-02T03:30")
    folder.send("contacts", valid_rows("contacts", 1, 2), version=2)
    monkeypatch.setattr(validate_delivery, "validate_file", lambda *_: 1 / 0)
    outcome = folder.run("2016-12-03T03:30")
    assert outcome.verdict.endswith("there was nothing new to check; 1 file not checked.")
    assert f"## Files that could not be checked\n\n- {outcome.not_validated[0]}" in outcome.reported.summary


@pytest.mark.soak
def test_files_with_personal_data_are_listed_until_they_are_deleted(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run("2016-12-01T03:30")
    rows = valid_rows("contacts", 1, 2)
    with_value = folder.send("contacts", [row | {"staff_ref": NHS_NUMBER} for row in rows], period="201612")
    with_heading = folder.send(
        "referrals", [row | {"first_name": "x"} for row in valid_rows("referrals", 1)], period="201612"
    )
    copy = with_value.with_name(with_value.name.replace("v1", "v2"))
    copy.write_bytes(with_value.read_bytes())

    def listed_files(outcome: RunResult) -> set[str]:
        section = outcome.reported.summary.partition("## Personal data to delete\n\n")[2].split("\n\n")[0]
        return {line.split("`")[1].rpartition("/")[2] for line in section.splitlines()}

    first, second = folder.run("2017-01-03T03:30"), folder.run("2017-01-04T03:30")
    notice = "3 files with personal data lie in data/raw: delete them under the incident process."
    assert first.result == "published" and first.verdict.startswith(f"{notice} Published: ")
    assert second.verdict.startswith(f"{notice} Nothing changed")
    assert listed_files(first) == listed_files(second) == {with_value.name, with_heading.name, copy.name}
    with_value.unlink()
    with_heading.write_text(with_heading.read_text().replace("first_name", "first_year"))  # other bytes, another result
    copy.touch()
    assert listed_files(folder.run("2017-01-05T03:30")) == {copy.name}
    copy.unlink()
    assert "ersonal data to delete" not in folder.run("2017-01-06T03:30").reported.summary


def file_with_nhs_number(dataset: str, field: str, ending: str) -> bytes:
    """A file of a dataset with an NHS number in one cell."""
    rows = [valid_row(dataset, 1), valid_row(dataset, 2, **{field: NHS_NUMBER})]
    return workbook({"Data": as_table(rows)}) if ending == "xlsx" else as_csv(rows).encode()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("dataset", "field", "ending", "replaced"),
    [("contacts", "staff_ref", "csv", False), ("participants", "participant_ref", "xlsx", True)],
)
def test_personal_data_leads_every_report_until_the_file_is_deleted(
    folder: DataFolder, dataset: str, field: str, ending: str, replaced: bool
) -> None:
    for good in ("participants", "contacts"):
        folder.send(good, valid_rows(good, 1, 2, 3))
    folder.run("2016-12-01")
    stem = f"{BPL}_{dataset}_201611_v2"
    sent = folder.paths.raw / BPL / f"{stem}.{ending}"
    sent.write_bytes(file_with_nhs_number(dataset, field, ending))
    if replaced:
        folder.send(dataset, valid_rows(dataset, 1, 2, 3), version=3)
    notice = "1 file with personal data lies in data/raw: delete it under the incident process."
    page = folder.paths.reports / BPL / f"{stem}.html"

    def heading() -> str:
        return re.findall("<h1>(.*?)</h1>", page.read_text(encoding="utf-8"))[0]

    for day in (2, 3):  # the second run has no changes
        outcome = folder.run(f"2016-12-0{day}")
        assert outcome.verdict.startswith(notice) and outcome.reported.summary.startswith(notice)
        assert heading().startswith("This file holds personal data: delete it")
        assert ("send a new one" in heading()) is not replaced
        state = warehouse_status(Settings(data=folder.path))
        assert status_in_words(state).splitlines()[:2] == [notice, f"- {BPL}/{sent.name}"]
        assert NHS_NUMBER not in page.read_text(encoding="utf-8") + outcome.reported.summary + status_in_words(state)

    others = {p: p.stat().st_mtime_ns for p in folder.paths.reports.rglob("*_v*.html") if p != page}
    assert len(others) > 1
    sent.unlink()
    outcome = folder.run("2016-12-04")
    assert outcome.result == "quiet" and outcome.verdict.startswith("Nothing changed")
    assert "What changed" not in outcome.reported.summary
    assert heading().startswith("Replaced by" if replaced else "This file was refused: fix ")
    assert status_in_words(warehouse_status(Settings(data=folder.path))).startswith("The run of")
    assert {p: p.stat().st_mtime_ns for p in others} == others, "a page was rewritten without need"


@pytest.mark.soak
def test_a_failed_run_lists_copies_of_files_with_personal_data(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    sent = folder.send("contacts", [valid_row("contacts", 1, staff_ref=NHS_NUMBER)], version=2)
    copy = sent.with_name("contacts.csv")
    copy.write_bytes(sent.read_bytes())
    first = folder.run("2016-12-02")
    assert first.verdict.startswith("2 files with personal data lie in data/raw: delete them")
    sent.unlink()
    folder.send("contacts", valid_rows("contacts", 1, 2), version=3)
    assert folder.run("2016-12-03").verdict.startswith("1 file with personal data lies in data/raw")
    folder.paths.corrections.write_text("no table", encoding="utf-8")
    with pytest.raises(CorrectionsUnusable):
        folder.run("2016-12-04")
    newest = max((folder.paths.reports / "nights").glob("*.md"), key=lambda path: path.stat().st_mtime_ns)
    summary = newest.read_text(encoding="utf-8")
    assert summary.startswith("1 file with personal data lies in data/raw") and "Not published: `corr" in summary
    assert f"- `{BPL}/contacts.csv`: delete it" in summary


@pytest.mark.soak
def test_a_missing_raw_file_is_listed_while_its_rows_count(folder: DataFolder) -> None:
    folder.send("referrals", valid_rows("referrals", 1, 2))
    lost = folder.send("contacts", valid_rows("contacts", 1, 2))
    content = lost.read_bytes()
    folder.run("2016-12-01T03:30")
    lost.unlink()
    (folder.paths.raw / BPL / f"{BPL}_referrals_201611_v1.csv").write_text("no table", encoding="utf-8")

    def missing_section(day: int) -> str:
        return folder.run(f"2016-12-0{day}T03:30").reported.summary.partition("## Raw files that are gone")[2]

    entry = f"- Blackpool ({BPL}): `{BPL}/{lost.name}` and `{BPL}/{BPL}_referrals_201611_v1.csv`"
    assert entry in missing_section(2) and entry in missing_section(3)
    lost.write_bytes(content)
    folder.send("referrals", valid_rows("referrals", 1, 2), version=2)
    assert missing_section(4) == ""
    lost.unlink()
    assert lost.name in missing_section(5)
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), version=2)
    assert missing_section(6) == "", "its rows no longer count"
