"""A report beside those before it: what is fixed, still there and new, and what fails three months running."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
from sample_reports import EARLIER_SNAPSHOTS, VERDICT, WORKBOOK, findings_of_rule, findings_table, snapshot_of

from flows.reporting.render import delivery_report, render_html
from flows.reporting.report import Progress, Report
from flows.reporting.words import page
from flows.runtime.wording import share
from flows.store.ledger.report_snapshots import ReportSnapshot
from schemas.audit.deliveries import Counts, Result

NOTHING = findings_table()
WRONG_CODE = findings_of_rule("V02", "row", [40], "contact_medium", "Carrier pigeon")
NO_REFERRAL = findings_of_rule("P12", "row", [7, 8, 9], "episode_id", hidden=True)  # a rule between tables


def report(findings: pl.DataFrame, *earlier: ReportSnapshot, last: pl.DataFrame | None = None, **verdict) -> Report:
    return delivery_report(WORKBOOK, replace(VERDICT, **verdict), findings, earlier, last)


def told(period: str, *findings: list, read: int = 10, held: int = 1, **changes) -> ReportSnapshot:
    return replace(snapshot_of(period, findings_table(*findings), Counts(read, read - held, held)), **changes)


def test_faults_are_counted_as_fixed_still_wrong_and_new() -> None:
    then = findings_table(
        findings_of_rule("V02", "row", range(10), "contact_medium", "XX"),
        findings_of_rule("C09", "warning", [50], "attended", "perhaps"),
    )
    now = findings_table(
        findings_of_rule("V02", "row", [4], "contact_medium", "XX"),
        findings_of_rule("V02", "row", [70], "contact_medium", "YY"),
        findings_of_rule("V01", "row", [71], "attended"),
    )
    progress = report(now, told("201610"), last=then).previous
    assert progress == Progress(told("201610").report_id, fixed=9, remaining=1, new=2)
    assert page.progress_in_words(progress) == "9 fixed, 1 still wrong, 2 new"


def test_rows_that_moved_are_still_the_same_faults() -> None:
    hidden = {"field": "episode_id", "hidden": True}
    then = findings_table(
        findings_of_rule("V02", "row", [5], "contact_medium", "XX"), findings_of_rule("V04", "row", [6], **hidden)
    )
    now = findings_table(
        findings_of_rule("V02", "row", [25], "contact_medium", "XX"), findings_of_rule("V04", "row", [26], **hidden)
    )
    progress = report(now, told("201610"), last=then).previous
    assert (progress.fixed, progress.remaining, progress.new) == (0, 2, 0)


def test_what_rules_between_tables_found_is_compared_with_what_was_told() -> None:
    """A file that was replaced is related no more, so its findings lack them."""
    before = told("201610", NO_REFERRAL)
    progress = report(findings_table(NO_REFERRAL[:1]), before, last=NOTHING).previous
    assert (progress.fixed, progress.remaining, progress.new) == (2, 1, 0)
    again = report(findings_table(NO_REFERRAL[:1]), before, last=NOTHING)
    assert page.new_or_since(again, again.items[0]) == "Still there since October 2016"


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        ([], ""),
        ([told("201610")], "New"),
        ([told("201610", WRONG_CODE)], "Still there since October 2016"),
        ([told("201608", WRONG_CODE), told("201609", WRONG_CODE)], "Still there since August 2016"),
        ([told("201608", WRONG_CODE), told("201609"), told("201610", WRONG_CODE)], "Still there since October 2016"),
        ([told("201610", WRONG_CODE), told("201611", WRONG_CODE)], "Still there since October 2016"),
        ([told("201611", WRONG_CODE)], "Still there since version 1"),
        ([told("201610", WRONG_CODE), told("201611", rows_judged=False)], "Still there since October 2016"),
        ([told("201611", rows_judged=False)], ""),
    ],
)
def test_each_problem_is_new_or_still_there(earlier, said) -> None:
    made = report(findings_table(WRONG_CODE), *earlier)
    assert page.new_or_since(made, made.items[0]) == said
    assert (said in render_html(made)) if said else "Still there" not in render_html(made)


def test_what_was_fixed_is_named() -> None:
    before = told("201610", WRONG_CODE, findings_of_rule("C17", "warning", [3], "attended", " 5 ", "5"))
    made = report(NOTHING, before, last=findings_table(WRONG_CODE))
    assert [i.rule_id for i in made.fixed] == ["V02"]
    assert "Fixed: Contact medium is not on the agreed list (1 row)." in render_html(made)


def test_nothing_is_called_fixed_that_was_not_looked_for() -> None:
    made = report(NOTHING, told("201610", WRONG_CODE), last=findings_table(WRONG_CODE), rows_judged=False)
    assert (made.previous, made.fixed) == (None, ())


def test_the_last_three_months_stand_in_a_table_each_by_its_last_file() -> None:
    made = report(
        NOTHING,
        told("201607", read=1),
        told("201609", read=20, held=2, result=Result.REFUSED),
        told("201609", read=21, held=0, version=2),
        told("201610", read=30, held=3),
        told("201611", read=40, held=4),
    )
    assert [(t.period, t.rows.read) for t in made.months] == [("201609", 21), ("201610", 30), ("201611", 303)]
    assert page.against_last_month(made) == (
        "This month 55 of 303 rows were held back (18%). In October 2016 3 of 30 rows were held back (10%)."
    )
    assert made.to_json()["months"][0] == {
        "period": "201609",
        "version": 2,
        "result": "accepted_with_held_rows",
        "read": 21,
        "accepted": 21,
        "held": 0,
    }


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Result.REFUSED, "In October 2016 the file of 10 rows was refused."),
        (Result.UNREADABLE, "In October 2016 the file could not be read."),
    ],
)
def test_a_month_without_rows_says_why(result, said) -> None:
    assert page.against_last_month(report(NOTHING, told("201610", result=result))).endswith(said)


def test_without_an_earlier_month_there_is_no_comparison() -> None:
    made = report(findings_table(WRONG_CODE), told("201611", WRONG_CODE))
    assert page.against_last_month(made) == ""
    assert "This month against last" not in render_html(made)


def test_what_fails_three_months_running_is_named() -> None:
    others = (WRONG_CODE, findings_of_rule("C17", "warning", [3], "attended", " 5 ", "5"))
    made = report(findings_table(*others, NO_REFERRAL), told("201609", *others), told("201610", *others))
    assert [i.rule_id for i in made.in_all_months] == ["V02"]
    assert "Wrong three months running" in render_html(made)
    two_months = report(findings_table(*others), told("201610", *others))
    assert two_months.in_all_months == ()
    mended_between = report(findings_table(*others), told("201609", *others), told("201610"))
    assert mended_between.in_all_months == ()


def test_what_was_told_is_kept_whole() -> None:
    for one in (*EARLIER_SNAPSHOTS, told("201611", result=Result.UNREADABLE)):
        assert ReportSnapshot.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_shares_are_never_rounded_to_nothing_or_to_all() -> None:
    assert [share(*s) for s in ((0, 9), (1, 1000), (1, 3), (2, 3), (999, 1000), (9, 9), (0, 0))] == [
        "0%",
        "under 1%",
        "33%",
        "67%",
        "over 99%",
        "100%",
        "0%",
    ]
