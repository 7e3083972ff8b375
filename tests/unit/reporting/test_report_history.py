"""A report compared with earlier ones: faults fixed, remaining and new, and those three months running."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
from sample_reports import EARLIER_SNAPSHOTS, VERDICT, WORKBOOK, findings_of_rule, findings_table, snapshot_of

from flows.reporting.render import delivery_report, render_html
from flows.reporting.report import Progress, Report
from flows.reporting.words import page, rows
from flows.runtime.wording import share
from flows.store.ledger.report_snapshots import ReportSnapshot
from schemas.audit.deliveries import Counts, Result

NO_FINDINGS = findings_table()
WRONG_CODE = findings_of_rule("V02", "row", [40], "contact_medium", "Carrier pigeon")
NO_REFERRAL = findings_of_rule("P12", "row", [7, 8, 9], "episode_id", hidden=True)  # a cross-check rule


def report(findings: pl.DataFrame, *earlier: ReportSnapshot, last: pl.DataFrame | None = None, **verdict) -> Report:
    return delivery_report(WORKBOOK, replace(VERDICT, **verdict), findings, earlier, last)


def snapshot(period: str, *findings: list, read: int = 10, held: int = 1, **changes) -> ReportSnapshot:
    return replace(snapshot_of(period, findings_table(*findings), Counts(read, read - held, held)), **changes)


def test_faults_are_counted_as_fixed_still_wrong_and_new() -> None:
    earlier = findings_table(
        findings_of_rule("V02", "row", range(10), "contact_medium", "XX"),
        findings_of_rule("C09", "warning", [50], "attended", "perhaps"),
    )
    now = findings_table(
        findings_of_rule("V02", "row", [4], "contact_medium", "XX"),
        findings_of_rule("V02", "row", [70], "contact_medium", "YY"),
        findings_of_rule("V01", "row", [71], "attended"),
    )
    progress = report(now, snapshot("201610"), last=earlier).previous
    assert progress == Progress(snapshot("201610").report_id, fixed=9, remaining=1, new=2)
    assert page.progress_in_words(progress) == "9 fixed, 1 still wrong, 2 new"


def test_a_fault_on_another_row_number_is_the_same_fault() -> None:
    hidden = {"field": "episode_id", "hidden": True}
    earlier = findings_table(
        findings_of_rule("V02", "row", [5], "contact_medium", "XX"), findings_of_rule("V04", "row", [6], **hidden)
    )
    now = findings_table(
        findings_of_rule("V02", "row", [25], "contact_medium", "XX"), findings_of_rule("V04", "row", [26], **hidden)
    )
    progress = report(now, snapshot("201610"), last=earlier).previous
    assert (progress.fixed, progress.remaining, progress.new) == (0, 2, 0)


def test_cross_check_findings_are_compared_with_the_last_report() -> None:
    """A superseded file is not cross-checked again, so the earlier findings come from its report snapshot."""
    before = snapshot("201610", NO_REFERRAL)
    progress = report(findings_table(NO_REFERRAL[:1]), before, last=NO_FINDINGS).previous
    assert (progress.fixed, progress.remaining, progress.new) == (2, 1, 0)
    latest = report(findings_table(NO_REFERRAL[:1]), before, last=NO_FINDINGS)
    assert page.new_or_since(latest, latest.items[0]) == "Still there since October 2016"


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ([], ""),
        ([snapshot("201610")], "New"),
        ([snapshot("201610", WRONG_CODE)], "Still there since October 2016"),
        ([snapshot("201608", WRONG_CODE), snapshot("201609", WRONG_CODE)], "Still there since August 2016"),
        (
            [snapshot("201608", WRONG_CODE), snapshot("201609"), snapshot("201610", WRONG_CODE)],
            "Still there since October 2016",
        ),
        ([snapshot("201610", WRONG_CODE), snapshot("201611", WRONG_CODE)], "Still there since October 2016"),
        ([snapshot("201611", WRONG_CODE)], "Still there since version 1"),
        ([snapshot("201610", WRONG_CODE), snapshot("201611", rows_judged=False)], "Still there since October 2016"),
        ([snapshot("201611", rows_judged=False)], ""),
    ],
)
def test_each_problem_is_marked_as_new_or_remaining(earlier, expected) -> None:
    latest = report(findings_table(WRONG_CODE), *earlier)
    assert page.new_or_since(latest, latest.items[0]) == expected
    assert (expected in render_html(latest)) if expected else "Still there" not in render_html(latest)


def test_fixed_problems_are_listed() -> None:
    before = snapshot("201610", WRONG_CODE, findings_of_rule("C17", "warning", [3], "attended", " 5 ", "5"))
    latest = report(NO_FINDINGS, before, last=findings_table(WRONG_CODE))
    assert [i.rule_id for i in latest.fixed] == ["V02"]
    assert "Fixed: Contact medium is not on the agreed list (1 row)." in render_html(latest)


def test_nothing_is_called_fixed_when_rows_were_not_validated() -> None:
    latest = report(NO_FINDINGS, snapshot("201610", WRONG_CODE), last=findings_table(WRONG_CODE), rows_judged=False)
    assert (latest.previous, latest.fixed) == (None, ())


def test_the_table_of_three_months_has_the_last_file_of_each() -> None:
    latest = report(
        NO_FINDINGS,
        snapshot("201607", read=1),
        snapshot("201609", read=20, held=2, result=Result.REFUSED),
        snapshot("201609", read=21, held=0, version=2),
        snapshot("201610", read=30, held=3),
        snapshot("201611", read=40, held=4),
    )
    assert [(t.period, t.rows.read) for t in latest.months] == [("201609", 21), ("201610", 30), ("201611", 303)]
    assert rows.against_last_month(latest) == (
        "This month 55 of 303 rows were held back (18%). In October 2016 3 of 30 rows were held back (10%)."
    )
    assert latest.to_json()["months"][0] == {
        "period": "201609",
        "version": 2,
        "result": "accepted_with_held_rows",
        "read": 21,
        "accepted": 21,
        "held": 0,
    }


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Result.REFUSED, "In October 2016 the file of 10 rows was refused."),
        (Result.UNREADABLE, "In October 2016 the file could not be read."),
    ],
)
def test_a_month_without_rows_gives_the_reason(result, expected) -> None:
    assert rows.against_last_month(report(NO_FINDINGS, snapshot("201610", result=result))).endswith(expected)


def test_without_an_earlier_month_there_is_no_comparison() -> None:
    latest = report(findings_table(WRONG_CODE), snapshot("201611", WRONG_CODE))
    assert rows.against_last_month(latest) == ""
    assert "This month against last" not in render_html(latest)


def test_problems_three_months_running_are_listed() -> None:
    others = (WRONG_CODE, findings_of_rule("C17", "warning", [3], "attended", " 5 ", "5"))
    latest = report(findings_table(*others, NO_REFERRAL), snapshot("201609", *others), snapshot("201610", *others))
    assert [i.rule_id for i in latest.in_all_months] == ["V02"]
    assert "Wrong three months running" in render_html(latest)
    two_months = report(findings_table(*others), snapshot("201610", *others))
    assert two_months.in_all_months == ()
    fixed_between = report(findings_table(*others), snapshot("201609", *others), snapshot("201610"))
    assert fixed_between.in_all_months == ()


def test_a_report_snapshot_survives_json() -> None:
    for original in (*EARLIER_SNAPSHOTS, snapshot("201611", result=Result.UNREADABLE)):
        assert ReportSnapshot.from_json(json.loads(json.dumps(original.to_json()))) == original


def test_shares_are_never_rounded_to_0_or_100_percent() -> None:
    assert [share(*s) for s in ((0, 9), (1, 1000), (1, 3), (2, 3), (999, 1000), (9, 9), (0, 0))] == [
        "0%",
        "under 1%",
        "33%",
        "67%",
        "over 99%",
        "100%",
        "0%",
    ]
