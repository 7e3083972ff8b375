"""Excel workbooks: every finding names the sheet and the cell in the sender's own file. Source: DOMAIN.md 6.1, F15."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from judging import CONTACT, Formula, Found, Judge, Outcome, as_table, contacts, workbook

from flows.steps.read.workbook import _text


def judged(judge: Judge, sheets: dict, **more: object) -> Outcome:
    """The outcome of a workbook of contacts."""
    return judge(workbook(sheets), suffix="xlsx", **more)


def table_with(row: int, heading: str, cell: object, rows: int = 3) -> list[list[object]]:
    """A sound table with one odd cell, which need not be text."""
    table: list[list[object]] = as_table(contacts(*[{}] * rows))
    table[row - 1][list(CONTACT).index(heading)] = cell
    return table


def test_a_finding_names_sheet_column_and_row(judge: Judge) -> None:
    outcome = judged(judge, {"My contacts": table_with(3, "contact_medium", "zz")})
    assert outcome.findings == [Found("V02", "row", 3, "contact_medium", "zz", None)]
    assert (outcome.cells, outcome.texts["sheet"].to_list()) == (["E3"], ["My contacts"])
    assert (outcome.accepted, outcome.held, outcome.verdict.sheet) == ([2, 4], [3], "My contacts")


def test_lines_above_and_columns_beside_do_not_move_it(judge: Judge) -> None:
    """F04: the table begins at C5."""
    table = [
        [],
        ["Contacts of Blackpool"],
        ["Draft"],
        [],
        *(["", "", *r] for r in table_with(3, "contact_medium", "zz")),
    ]
    outcome = judged(judge, {"Sheet1": table})
    assert outcome.rules == [("F04", "warning", 5), ("V02", "row", 7)]
    assert (outcome.cells, outcome.accepted, outcome.verdict.header_row) == (["G7"], [6, 8], 5)


def test_blank_rows_in_the_middle_do_not_move_it(judge: Judge) -> None:
    table = table_with(3, "contact_medium", "zz")
    outcome = judged(judge, {"Sheet1": [table[0], [], table[1], [], *table[2:]]})
    assert outcome.rules == [("F07", "warning", 2), ("F07", "warning", 4), ("V02", "row", 5)]
    assert (outcome.cells, outcome.accepted) == (["E5"], [3, 6])


def test_a_merged_key_is_never_filled_down(judge: Judge) -> None:
    outcome = judged(judge, {"Sheet1": table_with(3, "contact_id", None)})
    assert (outcome.rules, outcome.cells) == ([("F08", "row", 3)], ["A3"])


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"])
def test_c10_spreadsheet_errors_are_seen(judge: Judge, error: str) -> None:
    """The reader of workbooks gives nothing for them: they are no empty cells."""
    outcome = judged(judge, {"Sheet1": table_with(3, "staff_ref", Formula("=X1", error))})
    assert [(f.rule, f.severity, f.row, f.column) for f in outcome.findings] == [("C10", "row", 3, "staff_ref")]
    assert (outcome.cells, outcome.accepted) == (["I3"], [2, 4])


def test_the_value_of_a_formula_is_read(judge: Judge) -> None:
    outcome = judged(judge, {"Sheet1": table_with(3, "duration_minutes", Formula("=40+5", 45))})
    assert (outcome.findings, outcome.values[1]["duration_minutes"]) == ([], 45)


@pytest.mark.parametrize("dates_from_1904", [False, True])
def test_true_dates_are_dates_in_both_calendars(judge: Judge, dates_from_1904: bool) -> None:
    """A workbook of an old Macintosh counts its days from 1904."""
    table = table_with(2, "contact_date", date(2016, 11, 3))
    outcome = judge(workbook({"Sheet1": table}, dates_from_1904), suffix="xlsx")
    assert (outcome.findings, outcome.values[0]["contact_date"]) == ([], date(2016, 11, 3))


def test_c04_a_true_date_with_a_time_of_day(judge: Judge) -> None:
    outcome = judged(judge, {"Sheet1": table_with(2, "contact_date", datetime(2016, 11, 3, 23, 30))})
    assert outcome.rules == [("C04", "warning", 2)]
    assert outcome.values[0]["contact_date"] == date(2016, 11, 3)


def test_c01_a_number_where_a_date_should_be(judge: Judge) -> None:
    outcome = judged(judge, {"Sheet1": table_with(2, "contact_date", 42677)})
    assert outcome.findings == [Found("C01", "row", 2, "contact_date", "42677", "2016-11-03")]


def test_c14_a_code_that_became_a_number(judge: Judge) -> None:
    outcome = judged(judge, {"Sheet1": table_with(2, "contact_medium", 1)})
    assert outcome.findings == [Found("C14", "warning", 2, "contact_medium", "1", "01")]


def test_numbers_and_ticks_of_the_spreadsheet_are_plain(judge: Judge) -> None:
    table = table_with(2, "duration_minutes", 45)
    table[2][list(CONTACT).index("with_employer")] = True
    outcome = judged(judge, {"Sheet1": table})
    assert outcome.findings == [Found("C18", "warning", 3, "with_employer", "TRUE", "Y")]
    assert outcome.values[0]["duration_minutes"] == 45


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1 + 0.2, "0.3"), (1100.1 + 2200.2, "3300.3"), (1234567.89, "1234567.89"), (0.00001, "0.00001"), (1e28, "1e+28")]
    + [(sum([0.1] * 10), "1"), (12345678901.25, "12345678901.25"), (45.0, "45"), (1e14, "100000000000000")],
)
def test_numbers_are_written_without_the_noise_of_their_binary_form(number: float, text: str) -> None:
    assert _text(number) == text


def test_v03_a_number_beyond_all_bounds(judge: Judge) -> None:
    outcome = judged(judge, {"Sheet1": table_with(3, "duration_minutes", 1e28)})
    assert (outcome.rules, outcome.accepted) == ([("V03", "row", 3)], [2, 4])


def with_cell(cell: str) -> bytes:
    """A sound workbook with one more cell, written by hand."""
    whole = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"Data": as_table(contacts({}, {}))}))) as sound,
        zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for name in sound.namelist():
            text = sound.read(name)
            if name.endswith("sheet1.xml"):
                text = text.replace(b"</sheetData>", f"{cell}</sheetData>".encode())
            other.writestr(name, text)
    return whole.getvalue()


FAR = [
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
    "<row r='1048576'><c  r = 'XFD1048576'><v>1</v></c></row>",
    '<row r="1048576"><c r="xfd1048576" t="inlineStr"><is><t>x</t></is></c></row>',
    '<row r="1048576">' + "<c><v>1</v></c>" * 100 + "</row>",
    '<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>',
    '<row r="1048576"><x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="XFD1048576">'
    "<v>1</v></x:c></row>",
]


@pytest.mark.parametrize("cell", FAR)
def test_u01_a_cell_so_far_out_that_the_rest_would_fill_the_memory(judge: Judge, cell: str) -> None:
    """A few kilobytes can ask for a rectangle of 17 thousand million cells."""
    outcome = judge(with_cell(cell), suffix="xlsx")
    assert (outcome.result, outcome.rules) == ("unreadable", [("U01", "file", None)])
    assert "far from others" in (outcome.findings[0].found or "")


@pytest.mark.parametrize(
    "cell",
    [
        '<row r="1048576"><c r="XFD1048576" s="0"/></row>',  # with a format alone
        '<row r="900"><c r="ZZ900"><v>1</v></c></row>',
        '<row><c r="A4" t="str"><v/></c></row>',
    ],
)
def test_a_cell_that_takes_little_room_stops_nothing(judge: Judge, cell: str) -> None:
    outcome = judge(with_cell(cell), suffix="xlsx")
    assert (outcome.result, outcome.accepted[:2]) in [("accepted", [2, 3]), ("accepted_with_held_rows", [2, 3])]


class TestWhichSheet:
    TABLE = as_table(contacts({}, {}))

    def test_the_one_with_the_headings(self, judge: Judge) -> None:
        outcome = judged(judge, {"Notes": [["Read me"], ["episode_id is explained here"]], "Data": self.TABLE})
        assert (outcome.verdict.sheet, outcome.accepted) == ("Data", [2, 3])

    def test_u04_not_one_of_two(self, judge: Judge) -> None:
        outcome = judged(judge, {"October": self.TABLE, "November": self.TABLE})
        assert (outcome.result, outcome.refusals) == ("unreadable", ["U04"])
        assert outcome.findings[0].found == "October and November"

    def test_u04_not_if_one_has_a_column_more(self, judge: Judge) -> None:
        more = [[*self.TABLE[0], "weather"], *([*r, ""] for r in self.TABLE[1:])]
        less = [r[:-1] for r in self.TABLE]  # an optional column is absent
        for first, second in ((self.TABLE, more), (less, self.TABLE), (self.TABLE, less)):
            outcome = judged(judge, {"October": first, "November": second})
            assert (outcome.result, outcome.refusals) == ("unreadable", ["U04"])
            assert outcome.findings[0].found == "October and November"

    def test_one_that_only_names_some_of_the_columns_is_another(self, judge: Judge) -> None:
        few = [["contact_id", "contact_date", "attended"], ["of whom?", "when?", "came?"]]
        outcome = judged(judge, {"Columns": few, "Data": self.TABLE})
        assert (outcome.verdict.sheet, outcome.accepted) == ("Data", [2, 3])

    def test_the_one_that_is_asked_for(self, judge: Judge) -> None:
        outcome = judged(judge, {"October": self.TABLE, "November": self.TABLE[:2]}, sheet="November")
        assert (outcome.verdict.sheet, outcome.accepted) == ("November", [2])

    def test_u03_none_without_a_heading(self, judge: Judge) -> None:
        outcome = judged(judge, {"Data": self.TABLE[1:]})
        assert (outcome.result, outcome.refusals) == ("unreadable", ["U03"])

    def test_f01_none_that_is_empty(self, judge: Judge) -> None:
        assert judged(judge, {"Data": []}).refusals == ["F01"]
        assert judged(judge, {"Data": self.TABLE[:1]}).refusals == ["F01"]


def test_u01_a_workbook_that_was_cut_off_is_not_taken(judge: Judge) -> None:
    whole = workbook({"Data": as_table(contacts({}, {}))})
    for part in (whole[: len(whole) // 2], b"PK\x03\x04rubbish"):
        outcome = judge(part, suffix="xlsx")
        assert (outcome.result, outcome.rules) == ("unreadable", [("U01", "file", None)])


@pytest.mark.real
def test_u02_a_protected_workbook_is_not_taken(judge: Judge, real: Path) -> None:
    outcome = judge((real / "calamine" / "pass_protected.xlsx").read_bytes(), suffix="xlsx")
    assert (outcome.result, outcome.rules) == ("unreadable", [("U02", "file", None)])
