"""The marked workbook, which a site gets back, fixes and sends again. Source: docs/reports.md 1.

A file is validated and marked. openpyxl, which did not write the workbook, inspects it, or fixes exactly the cells
listed on the sheet of problems; the workbook is then validated like any other delivery.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from file_validator import (
    CONTACT,
    Formula,
    ValidatedFile,
    Validator,
    as_csv,
    as_table,
    awards,
    contact,
    contacts,
    participants,
    workbook,
)
from hypothesis import given
from hypothesis import strategies as st
from soak import in_soak
from workbook_bytes import read_part, replace_parts

from flows.deliveries.file_names import FileName
from flows.reporting.render import delivery_report
from flows.reporting.render.marked.marking import make_marked_workbook
from flows.reporting.render.marked.workbook import MAX_ROWS_MARKED
from flows.reporting.report import DatasetReport
from flows.steps.receive import ReceivedFile, delivery_of
from flows.steps.receive.manifest import read_manifest
from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import CODES, COPY_LINE, PROBLEMS, READ_ME, ROW_PROBLEMS

DUE = datetime(2016, 12, 9, 17)
NUMBER = "943 476 5919"  # a valid check digit, issued to nobody


@dataclass(frozen=True)
class MarkedWorkbook:
    """The outcome of validating a file and the workbook marked from it, or the reason why there is none."""

    outcome: ValidatedFile
    path: Path
    why_not: str

    @property
    def book(self) -> openpyxl.Workbook:
        return openpyxl.load_workbook(self.path)

    @cached_property
    def problems(self) -> list[dict[str, Any]]:
        """The rows of the sheet of problems, keyed by heading."""
        heading, *rows = self.book[PROBLEMS].iter_rows(values_only=True)
        return [dict(zip(heading, row, strict=True)) for row in rows]

    def to_fix(self) -> list[str]:
        """The addresses of the cells that must be fixed."""
        return [p["Cell"] for p in self.problems if p["Must it be fixed?"] == "Yes"]


Marker = Callable[..., MarkedWorkbook]


@pytest.fixture
def mark(validate: Validator, tmp_path: Path) -> Marker:
    return marking(validate, tmp_path)


def marking(validate: Validator, folder: Path, readers_of: Path | None = None) -> Marker:
    """Return a function that validates a file and marks it as a nightly run does."""

    def marked(
        content: str | bytes, dataset: str = "contacts", suffix: str = "csv", site: str = "MHT-BPL"
    ) -> MarkedWorkbook:
        outcome = validate(content, dataset, site=site, suffix=suffix)
        data = content.encode() if isinstance(content, str) else content
        target = folder / f"marked-{len(list(folder.iterdir()))}"
        target.mkdir()
        path = target / f"{site}_{dataset}_201611_v1.{suffix}"
        path.write_bytes(data)
        received = datetime(2016, 12, 2, 16, 12, tzinfo=UTC)
        file = ReceivedFile(path, path.name, hashlib.sha256(data).hexdigest(), received)
        name = FileName(site, dataset, "201611", 1, path.suffix)
        delivery = delivery_of(file, name, read_manifest(path, "201611", received.date()))
        report = delivery_report(delivery, outcome.verdict, outcome.stored_findings, deadline=DUE)
        parts = [DatasetReport(report, outcome.verdict, outcome.stored_findings)]
        why_not = make_marked_workbook(path, delivery, parts, target, readers_of).why_none
        return MarkedWorkbook(outcome, target / f"{path.stem}_to_fix.xlsx", why_not)

    return marked


def sheet_of(marked: MarkedWorkbook) -> Any:
    """The sheet with the sender's data."""
    return marked.book[marked.book.sheetnames[2]]


def changed(marked: MarkedWorkbook) -> bytes:
    """The workbook as it is, but not recognised as one in which nothing was changed (F49)."""
    content, texts = marked.path.read_bytes(), "xl/sharedStrings.xml"
    line = read_part(content, texts).replace(COPY_LINE.encode(), b"A copy of ")
    return replace_parts(content, {texts: line})


def fixed(marked: MarkedWorkbook, fixes: dict[str, Any]) -> bytes:
    """Set exactly the cells that must be fixed to the given values; return the saved workbook."""
    book = marked.book
    assert set(fixes) == set(marked.to_fix())
    for problem in marked.problems:
        if problem["Must it be fixed?"] == "Yes":
            book[problem["Sheet"]][problem["Cell"]].value = fixes[problem["Cell"]]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


FAULTY_ROWS = contacts(
    {"contact_date": "03/11/2016"},
    {"contact_medium": "1"},
    {"contact_medium": "zz"},
    {"duration_minutes": ""},
    {"attended": "7"},
    {"contact_date": "2016-02-30"},
    {"staff_ref": "W 12"},
    {},
)
FIXES = {"C2": "2016-11-03", "E4": "02", "G5": 30, "G6": None, "C7": "2016-02-29", "I8": "W-0012"}


class TestFixingExactlyTheReportedCells:
    """Once the reported cells are fixed, and nothing else, the file is accepted."""

    def test_in_a_csv_file_is_enough(self, validate: Validator, mark: Marker) -> None:
        marked = mark(as_csv(FAULTY_ROWS))
        assert marked.outcome.held == [2, 4, 5, 6, 7, 8]
        resent = validate(fixed(marked, FIXES), suffix="xlsx")
        assert (resent.result, resent.held, resent.accepted) == ("accepted", [], list(range(2, 10)))
        assert [(f.rule, f.severity, f.row) for f in resent.findings] == [("C14", "warning", 3)]

    def test_in_a_workbook_with_titles_and_an_offset_table_is_enough(self, validate: Validator, mark: Marker) -> None:
        table = as_table(FAULTY_ROWS)
        table[1][2] = date(2016, 3, 4)  # a true date is valid
        table[4][list(CONTACT).index("duration_minutes")] = Formula("=X1", "#REF!")
        rows = [["Contacts of Blackpool"], ["Draft", "of", date(2016, 12, 1)], [], *([None, *r] for r in table)]
        marked = mark(workbook({"Lookups": [["a", 1], ["b", 2]], "Our contacts": rows}), suffix="xlsx")
        fixes = {"F7": "02", "H8": 30, "H9": None, "D10": "2016-02-29", "J11": "W-0012"}
        resent = validate(fixed(marked, fixes), suffix="xlsx")
        assert (resent.result, resent.held, len(resent.accepted)) == ("accepted", [], 8)
        assert resent.verdict.header_row == 4 and marked.book.sheetnames[2:] == ["sheet 2", CODES]
        unfixed = {f.rule for f in marked.outcome.findings if f.severity == "warning"}
        assert {f.rule for f in resent.findings} == unfixed >= {"F04", "C14"}

    def test_in_malformed_lines_is_enough(self, validate: Validator, mark: Marker) -> None:
        """The line is split at its commas, so that the sender can move the values under their headings."""
        lines = as_csv(contacts({}, {}, {}, {})).splitlines()
        lines[2] = lines[2].replace("review,", "review,again,")  # a surplus cell
        lines[3] = lines[3].replace("review,", "")  # a missing cell
        marked = mark("\n".join(lines) + "\n")
        assert marked.outcome.held == [] and marked.to_fix() == ["row 3", "row 4"]
        book = marked.book
        sheet = book["contacts"]
        assert [c.value for c in sheet[3]][:6] == [*list(contact(2).values())[:4], "again", "01"]
        for row, values in ((3, contact(2)), (4, contact(3))):
            for column, value in enumerate([*values.values(), None], 1):
                sheet.cell(row, column).value = value
        out = io.BytesIO()
        book.save(out)
        resent = validate(out.getvalue(), suffix="xlsx")
        assert (resent.result, resent.findings, resent.accepted) == ("accepted", [], [2, 3, 4, 5])

    def test_with_the_suggested_values_is_enough(self, validate: Validator, mark: Marker) -> None:
        rows = contacts({"contact_date": "3 Nov 16"}, {"contact_date": "42677"}, {"contact_date": "14.06.2016"})
        marked = mark(as_csv(rows))
        suggested = {p["Cell"]: p["Suggested value"] for p in marked.problems}
        assert suggested == {"C2": "2016-11-03", "C3": "2016-11-03", "C4": "2016-06-14"}
        resent = validate(fixed(marked, suggested), suffix="xlsx")
        assert (resent.result, resent.findings) == ("accepted", [])

    @pytest.mark.parametrize(
        ("days", "formats"),
        [
            ([date(2016, 3, 11), "14/11/2016", date(2016, 4, 10), "25/10/2016"], ["csv", "xlsx"]),  # by a spreadsheet
            *in_soak((["11/03/2016", "11/14/2016", "10/04/2016", "10/25/2016"], ["csv", "xlsx"])),  # month first
        ],
    )
    def test_with_the_suggested_dates_of_a_refused_column_is_enough(
        self, validate: Validator, mark: Marker, days: list[date | str], formats: list[str]
    ) -> None:
        expected = ["2016-11-03", "2016-11-14", "2016-10-04", "2016-10-25"]
        table = as_table([row | {"contact_date": day} for row, day in zip(contacts({}, {}, {}, {}), days, strict=True)])
        texts = [[str(cell) for cell in row] for row in table]
        for suffix in formats:
            made = workbook({"Data": table}) if suffix == "xlsx" else "\n".join(map(",".join, texts))
            marked = mark(made, suffix=suffix)
            suggested = {p["Cell"]: p["Suggested value"] for p in marked.problems}
            assert suggested == dict(zip(("C2", "C3", "C4", "C5"), expected, strict=True))
            resent = validate(fixed(marked, suggested), suffix="xlsx")
            assert (resent.result, resent.findings) == ("accepted", [])
            assert [str(row["contact_date"]) for row in resent.values] == expected

    def test_a_marked_workbook_may_be_marked_again(self, validate: Validator, mark: Marker) -> None:
        first = mark(as_csv(FAULTY_ROWS))
        half_fixed = fixed(first, FIXES | {"C2": "03/11/2016", "E4": "zz"})
        second = mark(half_fixed, suffix="xlsx")
        assert second.book.sheetnames == [READ_ME, PROBLEMS, "contacts", CODES]
        headings = [c.value for c in second.book["contacts"][1]]
        assert headings == [*CONTACT, ROW_PROBLEMS]
        resent = validate(fixed(second, {"C2": "2016-11-03", "E4": "02"}), suffix="xlsx")
        assert (resent.result, len(resent.accepted)) == ("accepted", 8)


def findings_by_cell(outcome: ValidatedFile) -> list[tuple[Any, ...]]:
    """Findings by cell. The rule and text are dropped for hidden cells to be fixed, whose value is not repeated."""
    found = outcome.stored_findings.select("rule_id", "severity", "source_row", "column_name", "found", "hidden")
    return sorted(
        ("" if hidden and severity == "row" else rule, severity, row or 0, column or "", text or "")
        for rule, severity, row, column, text, hidden in found.iter_rows()
    )


class TestUnchangedMarkedWorkbook:
    """The project's additions are not read as data, and the sender's data are unchanged."""

    def test_of_a_csv_file_gives_the_same_findings(self, validate: Validator, mark: Marker) -> None:
        rows = [
            *FAULTY_ROWS,
            contact(20, staff_ref="#REF!"),
            contact(21, staff_ref="=1+1"),
            contact(22, staff_ref=" 0012 "),
        ]
        text = as_csv(rows).replace("\n", "\n\n", 1) + "Total,,,,,,,,,\n"
        marked = mark(text)
        resent = validate(changed(marked), suffix="xlsx")
        assert findings_by_cell(resent) == findings_by_cell(marked.outcome)
        assert (resent.held, resent.accepted) == (marked.outcome.held, marked.outcome.accepted)

    def test_keeps_a_malformed_line_held(self, validate: Validator, mark: Marker) -> None:
        """Its cells are where the sender's commas put them, so their columns cannot be trusted."""
        rows = as_csv(contacts(*[{}] * 4)).splitlines()
        rows[2] += ",more"
        marked = mark("\n".join(rows) + "\n")
        resent = validate(changed(marked), suffix="xlsx")
        assert (resent.accepted, resent.held) == (marked.outcome.accepted, [3])
        assert [(f.rule, f.severity, f.row) for f in resent.findings_of("F13")] == [("F13", "row", 3)]

    def test_of_a_workbook_gives_the_same_findings(self, validate: Validator, mark: Marker) -> None:
        table: list[list[Any]] = as_table(FAULTY_ROWS)
        unusual = [
            42677,
            1,
            0.1 + 0.2,
            True,
            date(2016, 10, 11),
            datetime(2016, 11, 3, 23, 30),
            Formula("=1", "#N/A"),
            "é\n",
        ]
        for row, cell in enumerate(unusual, 1):
            for column in (2, 4, 6, 9):
                table[row][column] = cell if (row + column) % 3 else table[row][column]
        marked = mark(workbook({"Data": [["Title"], [], *table]}), suffix="xlsx")
        resent = validate(changed(marked), suffix="xlsx")
        assert findings_by_cell(resent) == findings_by_cell(marked.outcome)

    CELLS = st.sampled_from(
        ["", "01", "1", "zz", "03/11/2016", "2016-11-03", "42677", "#N/A", "N/K", " Y", "true", "45", "-1", "99999",
         "=cmd()", "@x", "http://x", "  ", "é", "1e5", "a\u00a0b", "_x0041_"]
        + [42677, 0.5, 45, 1e15, True, date(2016, 3, 4), datetime(2016, 3, 4, 5, 6, 7)]
    )  # fmt: skip
    ROWS = st.lists(st.lists(CELLS, min_size=10, max_size=10), min_size=1, max_size=6)

    @pytest.mark.soak
    @given(rows=ROWS, as_workbook=st.booleans())
    def test_of_any_cells_gives_the_same_findings(
        self, rows: list[list[Any]], as_workbook: bool, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("same")
        (folder / "validated").mkdir()
        validate = Validator(folder / "validated")
        table = [list(CONTACT), *([f"BPL-C{n:06}", *row[1:]] for n, row in enumerate(rows, 1))]
        if as_workbook:
            marked = marking(validate, folder)(workbook({"Data": table}), suffix="xlsx")
        else:
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows([[str(c) for c in row] for row in table])
            marked = marking(validate, folder)(out.getvalue())
        assert marked.why_not == ""
        resent = validate(changed(marked), suffix="xlsx")
        assert findings_by_cell(resent) == findings_by_cell(marked.outcome)


class TestLayout:
    def test_an_invalid_cell_is_highlighted_and_has_a_comment(self, mark: Marker) -> None:
        sheet = sheet_of(mark(as_csv(FAULTY_ROWS)))
        invalid, valid = sheet["E4"], sheet["E2"]
        assert (invalid.value, invalid.font.bold, invalid.fill.fill_type) == (
            "hidden: see your own file",
            True,
            "solid",
        )
        assert not valid.font.bold and valid.fill.fill_type is None and valid.comment is None
        assert "Expected: one of 01" in invalid.comment.text and "How to fix" in invalid.comment.text
        assert sheet["G5"].value is None and sheet["G5"].fill.fill_type == "solid"  # an empty cell is highlighted too

    def test_the_last_column_lists_the_problems_of_the_row(self, mark: Marker) -> None:
        sheet = sheet_of(mark(as_csv(FAULTY_ROWS)))
        assert sheet.cell(1, 11).value == ROW_PROBLEMS
        assert sheet.cell(4, 11).value.startswith("E4: ") and sheet.cell(9, 11).value is None

    def test_each_problem_is_linked_to_its_cell(self, mark: Marker) -> None:
        marked = mark(as_csv(FAULTY_ROWS))
        sheet = marked.book[PROBLEMS]
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref.startswith("A1:")
        links = {c.value: c.hyperlink.location for c in sheet["A"][1:]}
        assert links["E4"] == "'contacts'!E4" and set(links) == {*FIXES, "E3"}
        kinds = [p["Must it be fixed?"] for p in marked.problems]
        assert kinds == ["Yes"] * 6 + ["Worth checking"]

    def test_code_columns_have_a_drop_down_list(self, mark: Marker) -> None:
        marked = mark(as_csv(FAULTY_ROWS))
        book = marked.book
        lists = {str(v.sqref).split(":")[0]: v.formula1 for v in book["contacts"].data_validations.dataValidation}
        assert set(lists) == {"D2", "E2", "F2", "H2", "J2"}
        name, cells = lists["E2"].split("!")
        codes = [c[0].value for c in book[name.strip("'")][cells.replace("$", "")]]
        assert codes == list(datasets()["contacts"].by_name["contact_medium"].code_list.codes)
        assert book["contacts"]["E2"].number_format == "@"  # a picked 01 stays text

    def test_the_first_sheet_says_what_to_do(self, mark: Marker) -> None:
        marked = mark(as_csv(FAULTY_ROWS))
        text = "\n".join(str(c.value) for row in marked.book[READ_ME].iter_rows() for c in row if c.value)
        assert marked.book.active.title == READ_ME
        assert "by 5pm, Friday 9 December 2016" in text and "MHT-BPL_contacts_201611_v2.xlsx" in text

    def test_text_stays_text_and_dates_stay_dates(self, mark: Marker) -> None:
        cells: list[Any] = ["=1+1", "+1", "0001", "http://x.y", "#REF!", 42.5, date(2016, 3, 4), True, "x" * 32_767]
        data = as_table(awards({"amount": "much"}))
        marked = mark(workbook({"Data": data, "More": [cells]}), "funding_awards", suffix="xlsx")
        out = marked.book["More"]
        assert [c.value for c in out[1]] == [*cells[:6], datetime(2016, 3, 4), *cells[7:]]
        assert [c.data_type for c in out[1]] == ["s", "s", "s", "s", "s", "n", "d", "b", "s"]
        assert not any(c.hyperlink for c in out[1])

    def test_hidden_sheets_stay_hidden(self, mark: Marker, tmp_path: Path) -> None:
        book = openpyxl.load_workbook(
            io.BytesIO(workbook({"Data": as_table(awards({"amount": "much"})), "Kept": [["x"]]}))
        )
        book["Kept"].sheet_state = "hidden"
        book.save(tmp_path / "hidden.xlsx")
        marked = mark((tmp_path / "hidden.xlsx").read_bytes(), "funding_awards", suffix="xlsx")
        assert marked.book["Kept"].sheet_state == "hidden" and marked.book["Kept"]["A1"].value == "x"

    def test_a_value_hidden_in_reports_is_hidden_on_the_sheet_of_problems(self, mark: Marker) -> None:
        marked = mark(as_csv(participants({"participant_ref": "bpl 1"}, {})), "participants")
        [problem] = marked.problems
        assert problem["Cell"] == "A2" and "bpl 1" not in str(problem) and "hidden" in problem["Found"]

    def test_only_the_owner_may_read_the_file(self, mark: Marker) -> None:
        marked = mark(as_csv(FAULTY_ROWS))
        assert marked.path.stat().st_mode & 0o777 == 0o600
        assert not [p for p in marked.path.parent.iterdir() if p.suffix == ".part"]


class TestNoMarkedWorkbook:
    """No marked workbook is made, and the report says why."""

    def test_for_a_file_with_personal_data(self, mark: Marker) -> None:
        marked = mark(as_csv(contacts({"staff_ref": NUMBER}, {"contact_medium": "zz"})))
        assert "personal data" in marked.why_not and not marked.path.exists()

    def test_for_personal_data_on_another_sheet_or_in_a_refused_file(self, mark: Marker) -> None:
        another = mark(workbook({"Data": as_table(FAULTY_ROWS), "Index": [["of"], [NUMBER]]}), suffix="xlsx")
        as_number = mark(workbook({"Data": as_table(FAULTY_ROWS), "Index": [["of"], [9434765919]]}), suffix="xlsx")
        rows = contacts({"staff_ref": NUMBER}, {})
        for row in rows:
            del row["contact_date"]  # a required column is missing: the file is refused
        unread = mark(as_csv(rows))
        for marked in (another, as_number, unread):
            assert "personal data" in marked.why_not and not marked.path.exists()

    def test_for_an_unreadable_file(self, mark: Marker) -> None:
        marked = mark(b"PK\x03\x04rubbish", suffix="xlsx")
        assert "could not be read" in marked.why_not and not marked.path.exists()

    @pytest.mark.parametrize(("field", "heading"), [("attended", "DNA?"), ("staff_role", "Staff grade")])
    def test_for_a_heading_that_may_be_one_of_ours(self, mark: Marker, field: str, heading: str) -> None:
        """Values below it are not shown, so a copy would lack what its sender has to send."""
        rows = [
            {heading if name == field else name: text for name, text in row.items()}
            for row in contacts(*[{"contact_type": "Zebulon"}, *[{}] * 20])
        ]
        marked = mark(as_csv(rows))
        assert "F41" in {f.rule for f in marked.outcome.findings}
        assert "in your own file" in marked.why_not and not marked.path.exists()

    def test_for_more_than_fifty_thousand_rows(self, mark: Marker) -> None:
        many = as_csv([contact(1, contact_medium="zz"), *(contact(n) for n in range(2, MAX_ROWS_MARKED + 3))])
        marked = mark(many)
        assert "more than 50,000 rows" in marked.why_not and not marked.path.exists()

    def test_for_a_cell_too_long_for_excel(self, mark: Marker) -> None:
        marked = mark(as_csv(contacts({"staff_ref": "x" * 32_768}, {})))
        assert "32,767 characters" in marked.why_not and not marked.path.exists()


def test_the_same_file_gives_the_same_bytes(mark: Marker) -> None:
    first, second = mark(as_csv(FAULTY_ROWS)), mark(as_csv(FAULTY_ROWS))
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_record_over_several_lines_is_one_row(mark: Marker) -> None:
    """A CSV file's sheet is named after its dataset, and its rows are those that a spreadsheet shows."""
    rows: Sequence[dict[str, str]] = contacts({"staff_ref": "a\nb"}, {"contact_medium": "zz"})
    marked = mark(as_csv(rows))
    sheet = marked.book["contacts"]
    assert (sheet["A2"].value, sheet["A3"].value, sheet["A4"].value) == ("BPL-C000001", "BPL-C000002", None)
    assert marked.to_fix() == ["I2", "E3"]


def test_hidden_rows_keep_their_place_and_are_shown(mark: Marker) -> None:
    """The sender must see the cells to fix."""
    book, file = openpyxl.load_workbook(io.BytesIO(workbook({"Contacts": as_table(FAULTY_ROWS)}))), io.BytesIO()
    for row in (3, 4):
        book["Contacts"].row_dimensions[row].hidden = True
    book["Contacts"].column_dimensions["E"].hidden = True
    book.save(file)
    marked = mark(file.getvalue(), suffix="xlsx")
    assert [f.found for f in marked.outcome.findings_of("F27")] == ["2 rows: 3 to 4", "column E"]
    sheet = sheet_of(marked)
    assert [sheet.cell(n, 1).value for n in range(2, 6)] == [row["contact_id"] for row in FAULTY_ROWS[:4]]
    assert not any(row.hidden for row in sheet.row_dimensions.values())
    assert not any(column.hidden for column in sheet.column_dimensions.values())
    assert marked.to_fix() == list(FIXES)
