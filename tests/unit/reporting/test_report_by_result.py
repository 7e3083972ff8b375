"""The page depends on the file's result: accepted, held rows, refused, unreadable, held up or replaced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_reports import VERDICT, WORKBOOK, findings_of_rule, findings_table

from flows.reporting.render import delivery_report, render_html
from flows.reporting.report import Report
from flows.reporting.words import page
from schemas.audit.deliveries import Counts, Result

NOT_COMPARED = [f | {"outcome": "not judged"} for f in findings_of_rule("P12", "row", [None], "episode_id")]
REFUSAL = findings_of_rule("F19", "file", [None], "")
ROWS_NOT_CHECKED = "These checks are about rows, and no row could be checked."
NOTHING_TO_COMPARE = "These checks had nothing to compare with."
IN_FIGURES = "The rows that were accepted are in the figures, and are checked as soon as they can be."
NOT_IN_FIGURES = "None of the rows is in the figures; the file that you send next is checked for them."


def report(result: Result, rows: Counts, rows_judged: bool = True, **more: object) -> Report:
    findings = findings_table(NOT_COMPARED, REFUSAL) if result.is_rejected else findings_table(NOT_COMPARED)
    verdict = replace(VERDICT, result=result, rows=rows, rows_judged=rows_judged)
    return replace(delivery_report(WORKBOOK, verdict, findings), **more)


RESULTS = {
    "accepted": (report(Result.ACCEPTED, Counts(9, 9)), f"{NOTHING_TO_COMPARE} {IN_FIGURES}"),
    "some rows held": (report(Result.HELD_ROWS, Counts(9, 8, 1)), f"{NOTHING_TO_COMPARE} {IN_FIGURES}"),
    "all rows held": (
        report(Result.HELD_ROWS, Counts(9, 0, 9)), f"{NOTHING_TO_COMPARE} They are made when there are rows to check."),
    "refused": (report(Result.REFUSED, Counts(9, 0, 9)), f"{NOTHING_TO_COMPARE} {NOT_IN_FIGURES}"),
    "refused before its rows": (report(Result.REFUSED, Counts(9, 0, 9), False), f"{ROWS_NOT_CHECKED} {NOT_IN_FIGURES}"),
    "unreadable": (report(Result.UNREADABLE, Counts(), False), f"{ROWS_NOT_CHECKED} {NOT_IN_FIGURES}"),
    "held up": (
        report(Result.REFUSED, Counts(9, 0, 9), held_up=True),
        f"{NOTHING_TO_COMPARE} None of the rows is in the figures while the file is held up."),
    "replaced": (
        report(Result.REFUSED, Counts(9, 0, 9), replaced_by="later.csv"),
        f"{NOTHING_TO_COMPARE} The later file is checked for them."),
}  # fmt: skip


@pytest.mark.parametrize("case", RESULTS)
def test_the_note_on_checks_not_made_depends_on_the_result(case: str) -> None:
    report, explanation = RESULTS[case]
    page = render_html(report)
    assert f'<h2>Could not be checked</h2>\n<p class="measure">{explanation}</p>' in page
    assert (IN_FIGURES in page) is (case in ("accepted", "some rows held"))


def test_a_file_that_is_held_up_is_not_called_refused() -> None:
    page = render_html(RESULTS["held up"][0])
    assert "<h1>This file is held up: fix 1 problem and send it again</h1>" in page and "refused" not in page
    assert "Every row was checked. The file is held up and replaces nothing, so <b>none</b> of its 9 rows" in page


@pytest.mark.parametrize("replaced_by", ["", "later.csv"])
def test_the_first_instruction_for_personal_data_is_to_delete_the_file(replaced_by: str) -> None:
    with_personal_data = report(Result.REFUSED, Counts(9, 0, 9), must_be_deleted=True, replaced_by=replaced_by)
    next_step = "" if replaced_by else ", then fix 1 problem and send a new one"
    assert page.instruction(with_personal_data) == f"This file holds personal data: delete it{next_step}"
    assert "Delete it there and wherever else you hold it, tell the data team, and report it" in render_html(
        with_personal_data
    )
    assert "Delete it" not in render_html(replace(with_personal_data, must_be_deleted=False))
