"""What a fix says of the file at hand: the name to send it under, the cells to fill down, where no row was read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from breaks import Break, copied, merged, of_dataset, shorter_heading, swapped
from front_door import Checked, check
from soak import in_soak
from sound_files import sound_file

from flows.reporting.render import render_html
from flows.reporting.words import check as check_words
from flows.reporting.words import page, workbook
from flows.reporting.words.items import groups
from flows.reporting.words.pieces import plain
from flows.runtime.wording import month
from schemas.audit.deliveries import Counts, LineShift


def checked(dataset: str, suffix: str, tmp_path: Path, break_file: Break) -> Checked:
    return check(break_file(sound_file(dataset, suffix)), tmp_path)


class TestAnotherDataset:
    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    def test_the_name_is_that_of_the_dataset_whose_columns_it_has(self, suffix: str, tmp_path: Path) -> None:
        report = checked("contacts", suffix, tmp_path, of_dataset("referrals")).report
        stem = f"{report.site}_referrals_{report.period}"
        assert report.next_name == f"{stem}_v1.{suffix}"
        assert replace(report, other_version=3).next_name == f"{stem}_v3.{suffix}"
        shown = render_html(report)
        assert f"{stem}_v1.{suffix}" in shown and f"{report.site}_contacts_{report.period}_v2" not in shown
        assert f"The Contacts of {month(report.period)} are still to be sent." in report.must_fix[0].fix
        assert f"Then send the Contacts of {month(report.period)}: that file is still to come." in [
            plain(step) for step in page.steps(report)
        ]

    def test_in_a_file_of_several_datasets_the_sheet_is_to_be_renamed(self, tmp_path: Path) -> None:
        report = checked("contacts", "xlsx", tmp_path, of_dataset("referrals")).report
        of_several = replace(report, shares_its_file=True, file_name=f"{report.site}_return_{report.period}_v1.xlsx")
        assert of_several.next_name == f"{report.site}_return_{report.period}_v2.xlsx"


class TestFirstRowOfEachGroup:
    def test_the_fix_names_the_groups(self, tmp_path: Path) -> None:
        report = checked("contacts", "xlsx", tmp_path, merged("episode_id", by="episode_id")).report
        [item] = report.must_fix
        first, last = item.rows[0]
        cells = f"{item.column_letter}{first - 1} to {item.column_letter}{last}"
        assert f"There are {len(item.rows)} groups to fill: {cells}, " in item.fix

    def test_few_groups_are_all_named(self) -> None:
        assert groups(((3, 6), (8, 8)), "B") == "There are 2 groups to fill: B2 to B6 and B7 to B8."
        assert groups(((3, 6),), "") == "There is 1 group to fill: rows 2 to 6."

    def test_the_marked_workbook_does_not_advise_a_filter(self, tmp_path: Path) -> None:
        report = checked("contacts", "csv", tmp_path, merged("episode_id", by="episode_id")).report
        texts = [" ".join(map(" ".join, workbook.steps(report, 9, "", may_filter=may))) for may in (True, False)]
        assert ["filter by it" in text for text in texts] == [True, False]


class TestWhatWasChecked:
    def test_a_refused_file_of_which_no_row_was_read(self, tmp_path: Path) -> None:
        report = checked("contacts", "csv", tmp_path, swapped("contact_id", "episode_id")).report
        unread = replace(report, rows=Counts())
        assert "No row of it could be checked." in plain(page.outcome_of_rows(unread))
        assert "No row of it could be checked, and" in check_words.outcome_of_rows(unread)

    @pytest.mark.parametrize(
        "break_file", [swapped("contact_id", "episode_id"), copied("contact_type", "contact_medium")]
    )
    def test_columns_that_were_not_checked_are_mentioned(self, break_file: Break, tmp_path: Path) -> None:
        report = checked("contacts", "csv", tmp_path, break_file).report
        assert "Not every column could be checked." in plain(page.outcome_of_rows(report))


class TestTextEditor:
    def test_a_heading_line_that_refuses_the_file_is_fixed_in_a_text_editor(self, tmp_path: Path) -> None:
        report = checked("contacts", "csv", tmp_path, shorter_heading("contact_type")).report
        assert report.only_heading_line
        shown = render_html(report)
        assert "in a text editor such as Notepad" in shown and "From Text/CSV" not in shown

    @pytest.mark.parametrize(
        ("shifts", "breaks", "quotation"),
        [((LineShift(2, None),), False, True), ((LineShift(9, 1),), True, False), ((LineShift(2, 1),), False, False)],
        ids=["a quotation mark is not closed", "a cell holds a line break", "sep= is the first line"],
    )
    def test_only_what_the_file_has_is_said_of_its_row_numbers(
        self, shifts: tuple[LineShift, ...], breaks: bool, quotation: bool, tmp_path: Path
    ) -> None:
        report = checked("contacts", "csv", tmp_path, swapped("contact_id", "episode_id")).report
        said = page.row_numbers(replace(report, line_shifts=shifts))
        assert ("hold a line break" in said, "is not closed" in said) == (breaks, quotation)
