"""Findings in Excel workbooks name the sheet and cell of the sender's own file. Source: docs/domain.md 6.1, F15."""

from __future__ import annotations

import io
import socket
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from file_validator import CONTACT, Finding, Formula, ValidatedFile, Validator, as_table, contacts, workbook
from workbook_bytes import read_part, replace_parts
from xlsxwriter.utility import xl_cell_to_rowcol

from flows.cells.column_letters import column_letter
from flows.steps.read.values import text_of


def validate_book(validate: Validator, sheets: dict, **more: object) -> ValidatedFile:
    """Validate a workbook of contacts."""
    return validate(workbook(sheets), suffix="xlsx", **more)


def table_with(row: int, heading: str, cell: object, rows: int = 3) -> list[list[object]]:
    """A table of valid contacts with one cell replaced, by a value of any type."""
    table: list[list[object]] = as_table(contacts(*[{}] * rows))
    table[row - 1][list(CONTACT).index(heading)] = cell
    return table


def test_a_finding_names_sheet_column_and_row(validate: Validator) -> None:
    outcome = validate_book(validate, {"Contacts": table_with(3, "contact_medium", "zz")})
    assert [f[:4] for f in outcome.findings] == [("V02", "row", 3, "contact_medium")]
    assert (outcome.cells, outcome.stored_findings["sheet"].to_list()) == (["E3"], ["Contacts"])
    assert (outcome.accepted, outcome.held, outcome.verdict.sheet) == ([2, 4], [3], "Contacts")


def test_title_rows_and_empty_columns_do_not_shift_the_address(validate: Validator) -> None:
    """F04: the table begins at C5."""
    table = [
        [],
        ["Contacts of Blackpool"],
        ["Draft"],
        [],
        *(["", "", *r] for r in table_with(3, "contact_medium", "zz")),
    ]
    outcome = validate_book(validate, {"Sheet1": table})
    assert outcome.rules == [("F04", "warning", 5), ("V02", "row", 7)]
    assert (outcome.cells, outcome.accepted, outcome.verdict.header_row) == (["G7"], [6, 8], 5)


@pytest.mark.parametrize("attribute", [b't="s"', b"t='s'"])
def test_unused_columns_do_not_shift_the_address(validate: Validator, attribute: bytes) -> None:
    """Calamine drops the empty columns before the first used one."""
    content = workbook({"Sheet1": [["", "", *row] for row in table_with(3, "contact_medium", "zz")]})
    sheet = read_part(content, "xl/worksheets/sheet1.xml").replace(b't="s"', attribute)
    outcome = validate(replace_parts(content, {"xl/worksheets/sheet1.xml": sheet}), suffix="xlsx")
    assert (outcome.rules, outcome.cells, outcome.accepted) == ([("V02", "row", 3)], ["G3"], [2, 4])


def test_u01_a_time_out_of_range_is_refused_without_a_crash(validate: Validator) -> None:
    """Calamine panics on it, which `except Exception` does not catch."""
    content = workbook({"Sheet1": table_with(3, "duration_minutes", date(2016, 11, 3))})
    styles = read_part(content, "xl/styles.xml").replace(b'"dd/mm/yyyy"', b'"[h]:mm:ss"')
    sheet = read_part(content, "xl/worksheets/sheet1.xml").replace(b"<v>42677</v>", b"<v>1e300</v>")
    assert b"1e300" in sheet
    assert b"[h]" in styles
    outcome = validate(
        replace_parts(content, {"xl/styles.xml": styles, "xl/worksheets/sheet1.xml": sheet}), suffix="xlsx"
    )
    assert (outcome.result, outcome.rules) == ("unreadable", [("U01", "file", None)])


def test_blank_rows_do_not_shift_the_address(validate: Validator) -> None:
    table = table_with(3, "contact_medium", "zz")
    outcome = validate_book(validate, {"Sheet1": [table[0], [], table[1], [], *table[2:]]})
    assert outcome.rules == [("F07", "warning", 2), ("F07", "warning", 4), ("V02", "row", 5)]
    assert (outcome.cells, outcome.accepted) == (["E5"], [3, 6])


def test_an_empty_key_is_never_filled_down(validate: Validator) -> None:
    outcome = validate_book(validate, {"Sheet1": table_with(3, "contact_id", None)})
    assert (outcome.rules, outcome.cells) == ([("F08", "row", 3)], ["A3"])


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"])
def test_c10_spreadsheet_errors_are_found(validate: Validator, error: str) -> None:
    """Calamine returns nothing for an error cell, which must not be read as empty."""
    outcome = validate_book(validate, {"Sheet1": table_with(3, "staff_ref", Formula("=X1", error))})
    assert [(f.rule, f.severity, f.row, f.column) for f in outcome.findings] == [("C10", "row", 3, "staff_ref")]
    assert (outcome.cells, outcome.accepted) == (["I3"], [2, 4])


def test_the_cached_value_of_a_formula_is_read(validate: Validator) -> None:
    outcome = validate_book(validate, {"Sheet1": table_with(3, "duration_minutes", Formula("=40+5", 45))})
    assert (outcome.findings, outcome.values[1]["duration_minutes"]) == ([], 45)


@pytest.mark.parametrize("dates_from_1904", [False, True])
def test_dates_are_read_in_both_date_systems(validate: Validator, dates_from_1904: bool) -> None:
    """Workbooks from old Macintosh versions count days from 1904."""
    table = table_with(2, "contact_date", date(2016, 11, 3))
    outcome = validate(workbook({"Sheet1": table}, dates_from_1904), suffix="xlsx")
    assert (outcome.findings, outcome.values[0]["contact_date"]) == ([], date(2016, 11, 3))


def test_c04_a_date_with_a_time_is_read_with_a_warning(validate: Validator) -> None:
    outcome = validate_book(validate, {"Sheet1": table_with(2, "contact_date", datetime(2016, 11, 3, 23, 30))})
    assert outcome.rules == [("C04", "warning", 2)]
    assert outcome.values[0]["contact_date"] == date(2016, 11, 3)


def test_c01_a_number_in_a_date_field_holds_the_row(validate: Validator) -> None:
    outcome = validate_book(validate, {"Sheet1": table_with(2, "contact_date", 42677)})
    assert outcome.findings == [Finding("C01", "row", 2, "contact_date", "42677", "2016-11-03")]


def test_c14_a_code_stored_as_a_number_is_repaired(validate: Validator) -> None:
    outcome = validate_book(validate, {"Sheet1": table_with(2, "contact_medium", 1)})
    assert outcome.findings == [Finding("C14", "warning", 2, "contact_medium", "1", "01")]


def test_numbers_and_booleans_are_read(validate: Validator) -> None:
    table = table_with(2, "duration_minutes", 45)
    table[2][list(CONTACT).index("with_employer")] = True
    outcome = validate_book(validate, {"Sheet1": table})
    assert outcome.findings == [Finding("C18", "warning", 3, "with_employer", "TRUE", "Y")]
    assert outcome.values[0]["duration_minutes"] == 45


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1 + 0.2, "0.3"), (1100.1 + 2200.2, "3300.3"), (1234567.89, "1234567.89"), (0.00001, "0.00001"), (1e28, "1e+28")]
    + [(sum([0.1] * 10), "1"), (12345678901.25, "12345678901.25"), (45.0, "45"), (1e14, "100000000000000")],
)
def test_numbers_are_read_without_floating_point_noise(number: float, text: str) -> None:
    assert text_of(number) == text


def test_v03_a_very_large_number_holds_the_row(validate: Validator) -> None:
    outcome = validate_book(validate, {"Sheet1": table_with(3, "duration_minutes", 1e28)})
    assert (outcome.rules, outcome.accepted) == ([("V03", "row", 3)], [2, 4])


def with_cell(cell: str) -> bytes:
    """A valid workbook with XML added at the end of its sheet data."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"Data": as_table(contacts({}, {}))}))) as source,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            text = source.read(name)
            if name.endswith("sheet1.xml"):
                text = text.replace(b"</sheetData>", f"{cell}</sheetData>".encode())
            target.writestr(name, text)
    return content.getvalue()


FAR_CELLS = [
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
    "<row r='1048576'><c  r = 'XFD1048576'><v>1</v></c></row>",
    '<row r="1048576"><c r="xfd1048576" t="inlineStr"><is><t>x</t></is></c></row>',
    '<row r="1048576">' + "<c><v>1</v></c>" * 100 + "</row>",
    '<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>',
    '<row r="1048576"><x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="XFD1048576">'
    "<v>1</v></x:c></row>",
]


@pytest.mark.parametrize("cell", FAR_CELLS)
def test_u01_a_cell_far_from_all_others_is_refused(validate: Validator, cell: str) -> None:
    """A few kilobytes can declare a range of 17 thousand million cells."""
    outcome = validate(with_cell(cell), suffix="xlsx")
    assert (outcome.result, outcome.rules) == ("unreadable", [("U01", "file", None)])
    assert "far from others" in (outcome.findings[0].found or "")


@pytest.mark.parametrize(
    "cell",
    [
        '<row r="1048576"><c r="XFD1048576" s="0"/></row>',  # a format without a value
        '<row r="900"><c r="ZZ900"><v>1</v></c></row>',
        '<row><c r="A4" t="str"><v/></c></row>',
    ],
)
def test_a_stray_cell_that_needs_little_memory_is_accepted(validate: Validator, cell: str) -> None:
    outcome = validate(with_cell(cell), suffix="xlsx")
    assert (outcome.result, outcome.accepted[:2]) in [("accepted", [2, 3]), ("accepted_with_held_rows", [2, 3])]


class TestSheetSelection:
    """Which sheet of a workbook is read as the dataset."""

    TABLE = as_table(contacts({}, {}))

    def test_the_sheet_with_the_headings_is_read(self, validate: Validator) -> None:
        outcome = validate_book(
            validate, {"Notes": [["Read me"], ["episode_id is explained here"]], "Data": self.TABLE}
        )
        assert (outcome.verdict.sheet, outcome.accepted) == ("Data", [2, 3])

    def test_u04_two_candidate_sheets_are_refused(self, validate: Validator) -> None:
        outcome = validate_book(validate, {"October": self.TABLE, "November": self.TABLE[:2]})
        assert (outcome.result, outcome.refusals) == ("unreadable", ["U04"])
        assert outcome.findings[0].found == "October and November"

    def test_u04_two_candidates_are_refused_even_if_one_has_more_columns(self, validate: Validator) -> None:
        more = [[*self.TABLE[0], "weather"], *([*r, ""] for r in self.TABLE[1:])]
        less = [r[:-1] for r in self.TABLE]  # an optional column is missing
        for first, second in ((self.TABLE, more), (less, self.TABLE), (self.TABLE, less)):
            outcome = validate_book(validate, {"October": first, "November": second})
            assert (outcome.result, outcome.refusals) == ("unreadable", ["U04"])
            assert outcome.findings[0].found == "October and November"

    def test_a_sheet_that_names_a_few_columns_is_not_a_candidate(self, validate: Validator) -> None:
        few = [["contact_id", "contact_date", "attended"], ["of whom?", "when?", "came?"]]
        outcome = validate_book(validate, {"Columns": few, "Data": self.TABLE})
        assert (outcome.verdict.sheet, outcome.accepted) == ("Data", [2, 3])

    def test_the_requested_sheet_is_read(self, validate: Validator) -> None:
        outcome = validate_book(validate, {"October": self.TABLE, "November": self.TABLE[:2]}, sheet="November")
        assert (outcome.verdict.sheet, outcome.accepted) == ("November", [2])

    def test_u03_a_sheet_without_a_heading_is_refused(self, validate: Validator) -> None:
        outcome = validate_book(validate, {"Data": self.TABLE[1:]})
        assert (outcome.result, outcome.refusals) == ("unreadable", ["U03"])

    def test_f01_an_empty_sheet_is_refused(self, validate: Validator) -> None:
        assert validate_book(validate, {"Data": []}).refusals == ["F01"]
        assert validate_book(validate, {"Data": self.TABLE[:1]}).refusals == ["F01"]


def test_u01_a_truncated_workbook_is_refused(validate: Validator) -> None:
    content = workbook({"Data": as_table(contacts({}, {}))})
    for rest in (content[: len(content) // 2], b"PK\x03\x04rubbish"):
        outcome = validate(rest, suffix="xlsx")
        assert (outcome.result, outcome.rules) == ("unreadable", [("U01", "file", None)])


@pytest.mark.real
def test_u02_a_password_protected_workbook_is_refused(validate: Validator, real_files: Path) -> None:
    outcome = validate((real_files / "calamine" / "pass_protected.xlsx").read_bytes(), suffix="xlsx")
    assert (outcome.result, outcome.rules) == ("unreadable", [("U02", "file", None)])


def workbook_with_layout(
    rows: Sequence[Sequence[object]], merged: Sequence[str] = (), hide: Sequence[int] = ()
) -> bytes:
    """A workbook of one sheet with merged areas (with the text of their first cell) and hidden rows."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if cell != "":
                    sheet.write(i, j, cell)
        for area in merged:
            first = area.partition(":")[0]
            row, column = xl_cell_to_rowcol(first)
            sheet.merge_range(area, rows[row][column])
        for row in hide:
            sheet.set_row(row, None, None, {"hidden": True})
    return file.getvalue()


class TestHeadingsOfSeveralRows:
    """Headings over two rows, with merged cells."""

    ROWS = as_table(contacts({}, {"contact_medium": "zz"}, {}))
    HEADINGS, DATA = ROWS[0], ROWS[1:]

    def test_a_group_heading_is_joined_with_those_below(self, validate: Validator) -> None:
        """F04: each heading is joined with the group heading above it."""
        groups = ["contact", "episode", "contact", "", "", *[""] * 5]
        below = ["id", "id", "date", "type", "medium", *self.HEADINGS[5:]]
        content = workbook_with_layout([groups, below, *self.DATA], merged=["C1:E1"])
        outcome = validate(content, suffix="xlsx")
        assert [(r, s, n) for r, s, n in outcome.rules if r != "F10"] == [("F04", "warning", 1), ("V02", "row", 4)]
        assert outcome.findings_of("F04")[0].found == "heading on rows 1 to 2"
        assert outcome.accepted == [3, 5]

    def test_cells_merged_over_both_rows_are_headings(self, validate: Validator) -> None:
        upper = [*self.HEADINGS[:2], "The contact", *[""] * 7]
        below = ["", "", *self.HEADINGS[2:]]
        outcome = validate(
            workbook_with_layout([upper, below, *self.DATA], merged=["A1:A2", "B1:B2", "C1:J1"]), suffix="xlsx"
        )
        assert outcome.rules == [("F04", "warning", 1), ("V02", "row", 4)]
        assert (outcome.cells, outcome.accepted) == (["E4"], [3, 5])

    def test_a_merged_title_is_not_a_heading(self, validate: Validator) -> None:
        title = ["Contacts of Blackpool", *[""] * 9]
        outcome = validate(workbook_with_layout([title, [""], *self.ROWS], merged=["A1:J2"]), suffix="xlsx")
        assert outcome.rules == [("F04", "warning", 3), ("V02", "row", 5)]

    def test_merged_data_is_never_filled_down(self, validate: Validator) -> None:
        """F08: only the first row of a merged block has the key."""
        rows = [self.HEADINGS, self.DATA[0], ["", *self.DATA[2][1:]]]
        outcome = validate(workbook_with_layout(rows, merged=["A2:A3"]), suffix="xlsx")
        assert (outcome.rules, outcome.cells, outcome.accepted) == ([("F08", "row", 3)], ["A3"], [2])

    def test_hidden_rows_are_read(self, validate: Validator) -> None:
        outcome = validate(workbook_with_layout(self.ROWS, hide=[2]), suffix="xlsx")
        assert (outcome.rules, outcome.accepted) == ([("V02", "row", 3), ("F27", "warning", None)], [2, 4])


class TestHiddenSheets:
    TABLE = as_table(contacts({}, {}))

    @staticmethod
    def with_hidden(sheets: dict, hidden: str) -> bytes:
        """A workbook of these sheets, one of them hidden."""
        content = workbook(sheets)
        book = read_part(content, "xl/workbook.xml").replace(
            f'name="{hidden}"'.encode(), f'name="{hidden}" state="hidden"'.encode()
        )
        return replace_parts(content, {"xl/workbook.xml": book})

    def test_u04_a_dataset_on_a_hidden_sheet_is_refused(self, validate: Validator) -> None:
        outcome = validate(self.with_hidden({"Notes": [["a"]], "Data": self.TABLE}, "Data"), suffix="xlsx")
        assert (outcome.result, outcome.refusals) == ("unreadable", ["U04"])
        assert outcome.findings[0].found == "Data: hidden, and hidden sheets are not read"

    def test_u04_a_requested_sheet_that_is_hidden_is_refused(self, validate: Validator) -> None:
        """The visible sheet is not read in its place."""
        content = self.with_hidden({"October": self.TABLE, "November": self.TABLE}, "November")
        assert validate(content, suffix="xlsx", sheet="November").refusals == ["U04"]

    def test_a_hidden_copy_is_ignored(self, validate: Validator) -> None:
        outcome = validate(self.with_hidden({"Data": self.TABLE, "Old": self.TABLE}, "Old"), suffix="xlsx")
        assert (outcome.verdict.sheet, outcome.findings, outcome.accepted) == ("Data", [], [2, 3])


class TestCellsRightOfTheTable:
    ROWS = as_table(contacts(*[{}] * 20))

    def stray_text(self, *rows: int) -> list[list[str]]:
        """The table with a text beside it on these rows."""
        return [[*row, "x"] if n in rows else row for n, row in enumerate(self.ROWS, 1)]

    def test_f13_a_row_with_a_surplus_cell_is_held(self, validate: Validator) -> None:
        outcome = validate_book(validate, {"Data": self.stray_text(5)})
        assert (outcome.rules, outcome.held) == ([("F13", "row", 5)], [5])

    def test_f11_surplus_cells_on_many_rows_are_an_unknown_column(self, validate: Validator) -> None:
        outcome = validate_book(validate, {"Data": self.stray_text(*range(2, 22))})
        assert (outcome.rules, outcome.held) == ([("F11", "warning", None)], [])


def test_macros_are_never_run_and_links_never_followed(validate: Validator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Macros are not opened, and an external link keeps its cached value."""

    def no_network(*_: object) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket, "socket", no_network)
    link = b'<Relationship Id="rId1" Type="x/externalLinkPath" Target="http://192.0.2.1/b.xlsx" TargetMode="External"/>'
    more = {
        "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 no macro at all",
        "xl/externalLinks/externalLink1.xml": b"<externalLink/>",
        "xl/externalLinks/_rels/externalLink1.xml.rels": b"<Relationships>" + link + b"</Relationships>",
    }
    table = table_with(3, "duration_minutes", Formula("='[1]Sheet1'!A1", 45))
    outcome = validate(replace_parts(workbook({"Data": table}), more), suffix="xlsm")
    assert (outcome.findings, outcome.values[1]["duration_minutes"]) == ([], 45)


@pytest.mark.parametrize(
    "cell",
    [
        "<c t='e' r='I4'><v>#REF!</v></c>",
        '<c r="I4" s="0" t="e"><f>A1</f><v>#REF!</v></c>',
        '<c r="I4" t="e"><f t="shared" ref="I4:I5" si="0">A1</f><v>#REF!</v></c>',
        '<c r="I4" t="e"><f t="array" ref="I4"/><v>#REF!</v></c>',
        '<c r="I4" t="e" cm="1"><v xml:space="preserve">#REF!</v></c>',
    ],
)
def test_c10_errors_are_found_in_any_xml_form(validate: Validator, cell: str) -> None:
    table = as_table(contacts({}, {}, {}))[3]
    others = "".join(
        f'<c r="{column_letter(i)}4" t="inlineStr"><is><t>{text}</t></is></c>' for i, text in enumerate(table) if i != 8
    )
    outcome = validate(with_cell(f'<row r="4">{others}{cell}</row>'), suffix="xlsx")
    assert (outcome.rules, outcome.cells) == ([("C10", "row", 4)], ["I4"])


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="I4"><f>A1</f></c>',
        '<c r="I4"><f>A1</f><v></v></c>',
        '<c r="I4"><f>A1</f><v/></c>',
        '<c r="I4" s="1"><f t="shared" si="0"/><v /></c>',
        "<c r='I4'><f>A1</f><v></v></c>",
    ],
)
def test_f37_a_formula_without_a_stored_result_is_reported_as_that(validate: Validator, cell: str) -> None:
    """A formula written by a program has no cached value until a spreadsheet opens it, so its cell is not empty."""
    table = as_table(contacts({}, {}, {}))[3]
    others = "".join(
        f'<c r="{column_letter(i)}4" t="inlineStr"><is><t>{text}</t></is></c>' for i, text in enumerate(table) if i != 8
    )
    outcome = validate(with_cell(f'<row r="4">{others}{cell}</row>'), suffix="xlsx")
    assert (outcome.rules, outcome.cells) == ([("F37", "row", 4)], ["I4"])


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="K4" t="str"><f>""</f><v></v></c>',
        "<c r='K4' t='str'><f>IF(A1&gt;2,1,\"\")</f><v/></c>",
    ],
)
def test_a_formula_with_an_empty_text_is_empty(validate: Validator, cell: str) -> None:
    row = "".join(
        f'<c r="{column_letter(i)}4" t="inlineStr"><is><t>{text}</t></is></c>'
        for i, text in enumerate(as_table(contacts({}, {}, {}))[3])
    )
    assert validate(with_cell(f'<row r="4">{row}{cell}</row>'), suffix="xlsx").findings == []


def test_rich_text_is_read_without_its_phonetic_guide(validate: Validator) -> None:
    """An inline string of several formatted runs, with a phonetic guide."""
    bold, plain = "<r><rPr><b/></rPr><t>W-</t></r>", '<r><t xml:space="preserve">0012</t></r>'
    cells = {"I4": f'<is>{bold}{plain}<rPh sb="0" eb="1"><t>z</t></rPh></is>'}
    table = as_table(contacts({}, {}, {}))[3]
    row = "".join(
        f'<c r="{column_letter(i)}4" t="inlineStr">{cells.get(f"{column_letter(i)}4", f"<is><t>{text}</t></is>")}</c>'
        for i, text in enumerate(table)
    )
    outcome = validate(with_cell(f'<row r="4">{row}</row>'), suffix="xlsx")
    assert outcome.values[2]["staff_ref"] == "W-0012"
