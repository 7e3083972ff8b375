"""The terminal report has the items and texts of the page, and no control characters from cells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_reports import SAMPLES, VERDICT, WORKBOOK, findings_of_rule, findings_table

from flows.reporting.render import delivery_report, report_lines
from flows.reporting.words import page
from flows.reporting.words.items import hidden
from schemas.audit.deliveries import Counts, Result

NOT_CHECKED = (("P12", "episode_id"), ("K04", "contact_id"))


def test_an_item_has_place_finding_expectation_and_fix() -> None:
    lines = report_lines(SAMPLES["one_problem"].report)
    assert lines == [
        "Fix 1 problem before you send this file. Nothing was sent.",
        "9 of 10 rows would load, 1 would be held back.",
        "",
        "What to fix",
        "- Contact date is not written year-month-day (check C02)",
        "    where     Column C (Date of contact), row 114",
        "    found     14/06/2016",
        "    expected  a date written year-month-day, such as 2016-11-30",
        "    fix       Write the date as year-month-day.",
        "              Change 14/06/2016 to 2016-06-14",
    ]


def test_the_row_counts_add_up() -> None:
    report = SAMPLES["one_problem"].report
    lines = report_lines(replace(report, rows=Counts(read=12, accepted=9, held=1, repeats=1, not_data=1)))
    assert lines[1] == "9 of 12 rows would load, 1 would be held back, 2 left out."


def test_a_file_with_checks_not_made_is_not_called_sure_to_load() -> None:
    accepted = replace(VERDICT, result=Result.ACCEPTED)
    complete = delivery_report(WORKBOOK, accepted, findings_table())
    partial = delivery_report(
        WORKBOOK, accepted, findings_table(findings_of_rule("P12", "row", [None], "episode_id", outcome="not judged"))
    )
    assert report_lines(complete)[0] == "Nothing to fix: the file would load. Nothing was sent."
    assert report_lines(partial)[0] == "Nothing to fix was found. Nothing was sent."
    assert "1 check could not be made here: see the end." in report_lines(partial)


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_item_of_the_page_is_listed(kind) -> None:
    report = replace(SAMPLES[kind].report, is_check=True)
    text = "\n".join(report_lines(report))
    assert text.startswith(page.instruction(report))
    for item in report.items:
        assert f"- {item.title} (check {item.rule_id})" in text
        assert hidden(item) in text
    for item in report.not_validated:
        assert f"{item.title} ({item.rule_id})" in text


def test_checks_not_made_are_not_listed_as_faults() -> None:
    missing = (findings_of_rule(rule, "warning", [None], field, outcome="not judged") for rule, field in NOT_CHECKED)
    lines = report_lines(delivery_report(WORKBOOK, VERDICT, findings_table(*missing)))
    heading = lines.index("Not checked here")
    assert set(lines[heading + 1 :]) == {
        "- These need your accepted files of referrals: There is no referral for this contact (P12).",
        "- These need what else was sent: The same contact is recorded more than once (K04).",
    }


def test_checks_that_need_the_same_are_one_line() -> None:
    several = [("K01", "contact_date"), ("P12", "episode_id")]
    missing = (findings_of_rule(rule, "warning", [None], field, outcome="not judged") for rule, field in several)
    [line] = report_lines(delivery_report(WORKBOOK, VERDICT, findings_table(*missing)))[-1:]
    assert line.startswith("- These need your accepted files of referrals: ") and line.count("; ") == 1


def test_control_characters_are_removed() -> None:
    hostile = "\x1b[2J\x1b]0;title\x07\r\u202e"
    findings = findings_table(
        findings_of_rule("V02", "row", [3], "contact_medium", hostile, hostile, column_name=hostile)
    )
    assert all(line.isprintable() for line in report_lines(delivery_report(WORKBOOK, VERDICT, findings)))
