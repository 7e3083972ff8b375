"""A cause is one item of a report, whatever its number of columns, on page, terminal, in JSON and in the summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from breaks import Break, below, copied, day, heading, heading_line, in_words, moved, without, written
from cases import REFERRAL_DATES
from front_door import Checked, check
from soak import in_soak
from sound_files import SentFile, sound_file

from flows.reporting.render import findings_csv, render_html, report_json, report_lines
from flows.reporting.render.run_summary import RunSummary, count_findings, sections_of
from flows.reporting.words import page
from flows.reporting.words.items import where
from schemas._contract.model import Severity


def us_date(text: str) -> str:
    """A month-first date as year-month-day."""
    return f"{datetime.strptime(text, '%m/%d/%Y').replace(tzinfo=UTC):%Y-%m-%d}"


US_DATES = written(lambda text: f"{day(text):%m/%d/%Y}", *REFERRAL_DATES)


def broken(dataset: str, suffix: str, tmp_path: Path, *breaks: Break) -> Checked:
    """The report on a sound file that was broken in several ways."""
    file: SentFile = sound_file(dataset, suffix)
    for break_file in breaks:
        file = break_file(file)
    return check(file, tmp_path)


def rules(checked: Checked) -> list[str]:
    """The rules of the items, in the order of the report."""
    return [item.rule_id for item in checked.items]


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_a_fault_of_several_columns_is_one_item_that_names_them(suffix: str, tmp_path: Path) -> None:
    checked = broken("referrals", suffix, tmp_path, US_DATES)
    [item] = checked.items
    assert [part.field for part in item.parts] == [*REFERRAL_DATES]
    assert item.title == "Dates in Referral received (and 3 more columns) are written month first"
    assert "4 columns, C, I to J and Q" in where(item)
    assert item.expected == "a date written year-month-day, such as 2016-11-30"
    assert len(item.changes) == 3 and all(c.suggestion == us_date(c.found) for c in item.changes)
    assert f"and {item.changes_left_out} other values: see " in render_html(checked.report)
    lines, page = "\n".join(report_lines(checked.report)), render_html(checked.report)
    assert lines.count(item.title) == 1 and item.title in page
    [rule] = json.loads(report_json(checked.report))["rules"]
    assert [column["column_letter"] for column in rule["columns"]] == ["C", "I", "J", "Q"]
    assert (rule["field"], rule["column"], rule["column_letter"]) == ("", "", "")
    assert rule["rows_affected"] == len({row for part in item.parts for row in rows_of(part.rows)})


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_each_heading_to_write_is_named(suffix: str, tmp_path: Path) -> None:
    file = sound_file("contacts", suffix)
    titles = {
        "contact_date": "Contact date",
        "contact_medium": "Contact medium (see list)",
        "attended": "Attended (code)",
    }
    checked = check(file.with_grid([[titles.get(str(h), h) for h in file.grid[0]], *file.grid[1:]]), tmp_path)
    hints = next(i for i in checked.items if i.rule_id == "F40")
    assert "contact_medium (and 1 more column)" in hints.title
    assert hints.expected == "the heading contact_medium and attended, with nothing after it"


def rows_of(ranges: Sequence[tuple[int, int]]) -> list[int]:
    """Row numbers of ranges."""
    return [n for first, last in ranges for n in range(first, last + 1)]


def test_each_cell_keeps_its_own_text_in_the_list_of_findings(tmp_path: Path) -> None:
    checked = broken("referrals", "csv", tmp_path, US_DATES)
    rows = findings_csv(checked.report, checked.findings).splitlines()
    assert len([row for row in rows if "C26" in row]) == checked.findings.filter(pl.col("rule_id") == "C26").height
    assert all("and 3 more" not in row and "Change to 201" in row for row in rows[1:] if "C26" in row)


def test_the_summary_of_a_run_names_the_cause_once(tmp_path: Path) -> None:
    checked = broken("referrals", "csv", tmp_path, US_DATES)
    summary = sections_of(
        RunSummary(
            deliveries=[(checked.delivery, checked.verdict)],
            result="published",
            findings=count_findings(checked.delivery.delivery_id, checked.findings),
        )
    )
    assert summary.count("are written month first (C26)") == 1


def test_reports_of_two_months_compare_column_by_column(tmp_path: Path) -> None:
    """A column that is right again counts as fixed, although the cause is still there in the others."""
    checked = broken("referrals", "csv", tmp_path, US_DATES)
    assert {i.place for i in checked.report.snapshot.items} == {*REFERRAL_DATES}


def test_columns_with_different_values_say_what_each_may_hold(tmp_path: Path) -> None:
    floats = written(lambda text: f"{int(text)}.0", "contact_medium", "attended")
    [item] = broken("contacts", "csv", tmp_path, floats).items
    assert item.title.startswith("Contact medium (and 1 more column) was saved as a number")
    assert "in Contact medium one of 01 (Face to face)" in item.expected and "in Attendance one of" in item.expected
    assert "select columns E and F, choose Format cells" in item.fix


def test_values_that_are_not_on_a_list_stay_one_item_for_each_column(tmp_path: Path) -> None:
    unlisted = written(lambda text: "pigeon post", "contact_medium", "contact_type", every=9)
    assert rules(broken("contacts", "csv", tmp_path, unlisted)) == ["V02", "V02"]


def two_codes(text: str) -> str:
    """A kind of contact and another."""
    return f"{text}; {'review' if text != 'review' else 'first'}"


class TestOrder:
    """What must be done comes first, and what another item explains is not listed."""

    @pytest.mark.parametrize(
        ("rule", "change"),
        [("F29", (",staff_ref", ',"staff_ref')), ("F43", ("staff_role,", "staff_role"))],
    )
    def test_a_heading_line_that_was_read_all_the_same_is_no_problem_to_fix(
        self, rule: str, change: tuple[str, str], tmp_path: Path
    ) -> None:
        def same_visit_twice(file: SentFile) -> SentFile:
            attended = next(row for row in file.grid[1:] if row[file.position("attended")] == "5")
            return file.with_grid([*file.grid, ["BPL-SIM999999C001", *attended[1:]]])

        checked = broken("contacts", "csv", tmp_path, same_visit_twice, heading_line(lambda t: t.replace(*change)))
        assert rules(checked) == ["K04", rule]
        assert [i.rule_id for i in checked.report.must_fix] == ["K04"]
        assert page.instruction(checked.report) == "Fix 1 problem and send the file again"
        assert ("Do not open your own copy in Excel" in render_html(checked.report)) is (rule == "F29")
        assert checked.report.result == "accepted_with_held_rows"

    def test_alone_it_is_only_worth_checking(self, tmp_path: Path) -> None:
        checked = broken(
            "contacts", "csv", tmp_path, heading_line(lambda text: text.replace(",staff_ref", ',"staff_ref'))
        )
        assert not checked.report.must_fix and [i.rule_id for i in checked.report.warnings] == ["F29"]

    def test_the_share_of_rows_at_fault_is_explained_by_the_one_problem_that_holds_them(self, tmp_path: Path) -> None:
        checked = broken("contacts", "csv", tmp_path, written(two_codes, "contact_type", every=2))
        assert rules(checked) == ["C34"] and checked.report.result == "refused"
        assert "would be refused, because too many of its rows are at fault." in "\n".join(
            report_lines(checked.report_of_check)
        )
        assert "was refused as a whole, because too many of its rows are at fault" in render_html(checked.report)

    def test_the_share_is_listed_where_several_problems_make_it_up(self, tmp_path: Path) -> None:
        several = written(two_codes, "contact_type", every=3)
        pigeons = written(lambda text: "pigeon post", "contact_medium", every=4)
        assert sorted(rules(broken("contacts", "csv", tmp_path, several, pigeons))) == ["C34", "L01", "V02"]

    def test_blank_rows_around_a_note_are_not_listed(self, tmp_path: Path) -> None:
        note = below(["Note: two weeks were taken from the paper diary"])
        assert rules(broken("contacts", "xlsx", tmp_path, below([""], [""]), note)) == ["F33"]
        apart = broken("contacts", "xlsx", tmp_path, lambda f: f.with_grid([*f.grid[:5], [""], *f.grid[5:]]), note)
        assert rules(apart) == ["F33", "F07"]


def eligible_only(file: SentFile) -> SentFile:
    """The file with those referrals alone whose support began."""
    started = [row for row in file.grid[1:] if row[file.position("start_basis")]]
    return file.with_grid([file.grid[0], *started])


class TestF55SameColumns:
    """Values that fit their column do not show that they are another's; the same on every row, they may be."""

    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    @pytest.mark.parametrize(
        ("dataset", "source", "onto"),
        [
            ("referrals", "episode_id", "participant_ref"),
            ("contacts", "contact_id", "episode_id"),
        ],
    )
    def test_a_column_copied_over_another_of_its_form_is_asked_about(
        self, dataset: str, source: str, onto: str, suffix: str, tmp_path: Path
    ) -> None:
        checked = broken(dataset, suffix, tmp_path, copied(source, onto))
        assert [(i.rule_id, i.severity, i.field) for i in checked.items] == [("F55", Severity.WARNING, onto)]

    def test_a_date_that_no_rule_contradicts_is_asked_about(self, tmp_path: Path) -> None:
        """Support that begins on the day of the referral, for everybody who was eligible."""
        to_start = [copied("referral_received_date", "programme_start_date"), eligible_only]
        checked = broken("referrals", "csv", tmp_path, *to_start)
        assert [(i.rule_id, i.severity, i.field) for i in checked.items] == [
            ("F55", Severity.WARNING, "programme_start_date")
        ]

    @pytest.mark.parametrize(
        ("dataset", "source", "onto"),
        [("referrals", "referral_received_date", "eligibility_date"), ("funding_awards", "award_date", "start_date")],
    )
    def test_dates_that_may_well_be_the_same_day_are_no_question(
        self, dataset: str, source: str, onto: str, tmp_path: Path
    ) -> None:
        assert "F55" not in rules(broken(dataset, "csv", tmp_path, copied(source, onto)))

    @pytest.mark.parametrize(
        ("dataset", "source", "onto"),
        [
            ("referrals", "referral_received_date", "exit_date"),
            ("employment_outcomes", "job_start_date", "job_end_date"),
        ],
    )
    def test_one_row_that_differs_or_few_rows_say_nothing(
        self, dataset: str, source: str, onto: str, tmp_path: Path
    ) -> None:
        few = broken(dataset, "csv", tmp_path, copied(source, onto), lambda f: f.with_grid(f.grid[:8]))
        assert "F55" not in rules(few)

        def one_differs(file: SentFile) -> SentFile:
            grid = [list(row) for row in file.grid]
            grid[3][file.position(onto)] = "2016-12-30"
            return file.with_grid(grid)

        assert "F55" not in rules(broken(dataset, "csv", tmp_path, copied(source, onto), one_differs))


def test_shifted_rows_in_a_text_file_are_no_fault_of_its_heading(tmp_path: Path) -> None:
    assert rules(broken("contacts", "csv", tmp_path, moved("contact_date", "right"))) == ["F52"]


def test_dates_in_words_in_several_columns_are_one_warning(tmp_path: Path) -> None:
    checked = broken("referrals", "xlsx", tmp_path, written(in_words, *REFERRAL_DATES))
    [item] = checked.items
    assert item.title == "Referral received (and 3 more columns) was written in words"
    assert "select columns C, I, J and Q, one at a time, choose Data, Text to Columns" in item.fix


RENAMED = {"staff_role": "Role of worker", "attended": "Attended at all", "episode_id": "Case", "contact_type": "Zzz"}


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_renamed_and_missing_columns_are_one_item_with_a_table(suffix: str, tmp_path: Path) -> None:
    checked = broken("contacts", suffix, tmp_path, heading(RENAMED), without("contact_date", "Zzz"))
    [item] = checked.items
    assert (item.rule_id, item.severity, item.title) == ("F41", Severity.FILE, "5 columns are renamed or missing")
    assert {part.field for part in item.renamed} == {"staff_role", "attended", "episode_id"}
    assert "Contact date (contact_date) and Contact type (contact_type): add one for each" in item.fix
    page, terminal = render_html(checked.report), "\n".join(report_lines(checked.report_of_check))
    assert "<td><bdi>Attended at all</bdi></td><td><b>attended</b><br>Attendance: one of 2 " in page
    assert "Type attended in cell D1, in place of Attended at all" in terminal
    assert "Type attended in cell D1, in place of Attended at all." in report_json(checked.report)
    for rule in ("F09", "F41"):  # each keeps its own line in the list of findings
        assert findings_csv(checked.report, checked.findings).count(f",{rule},") == (2 if rule == "F09" else 3)


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_missing_columns_are_one_item(suffix: str, tmp_path: Path) -> None:
    [item] = broken("contacts", suffix, tmp_path, without("contact_date", "attended")).items
    assert (item.rule_id, item.title) == ("F09", "2 columns are missing: Attendance and Contact date")


def test_one_renamed_heading_stays_an_item_of_its_column(tmp_path: Path) -> None:
    [item] = broken("contacts", "xlsx", tmp_path, heading({"staff_role": "Role of worker"})).items
    assert (item.field, item.parts) == ("staff_role", ())
    assert where(item) == "Sheet Contacts, column H, cell H1 (Role of worker)"
    assert item.fix.startswith(
        "Only if it means the same as Staff role, and holds what is expected, type staff_role in cell H1."
    )
