"""The marked workbook: what a site gets back, fixes and sends again. Source: docs/reports.md 1.

A file is validated and marked; openpyxl, which had no part in writing it, looks at what came out, or fixes the cells
that the sheet of problems names and nothing else; the workbook is then validated like any other delivery.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
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

from flows.deliveries.file_names import FileName
from flows.reporting.marking import make_marked_workbook
from flows.reporting.render import delivery_report
from flows.reporting.render.marked_workbook import MAX_ROWS_MARKED
from flows.reporting.report import Part
from flows.steps.receive import ReceivedFile, delivery_of
from flows.steps.receive.manifest import read_manifest
from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import CODES, PROBLEMS, READ_ME, ROW_PROBLEMS

DUE = datetime(2016, 12, 9, 17)
NUMBER = "943 476 5919"  # valid by its check digit, and nobody's


@dataclass(frozen=True)
class MarkedWorkbook:
    """What came of marking a file."""

    outcome: ValidatedFile
    path: Path
    why_not: str

    @property
    def book(self) -> openpyxl.Workbook:
        return openpyxl.load_workbook(self.path)

    @property
    def problems(self) -> list[dict[str, Any]]:
        """The rows of the sheet of problems, by heading."""
        heading, *rows = self.book[PROBLEMS].iter_rows(values_only=True)
        return [dict(zip(heading, row, strict=True)) for row in rows]

    def to_fix(self) -> list[str]:
        """The addresses of the cells that must be fixed."""
        return [p["Cell"] for p in self.problems if p["Must it be fixed?"] == "Yes"]


Mark = Callable[..., MarkedWorkbook]


@pytest.fixture
def mark_it(validate: Validator, tmp_path: Path) -> Mark:
    return marking(validate, tmp_path)


def marking(validate: Validator, folder: Path, readers_of: Path | None = None) -> Mark:
    """Validate a file, and mark it as the night does."""

    def marked(
        content: str | bytes, dataset: str = "contacts", suffix: str = "csv", site: str = "MHT-BPL"
    ) -> MarkedWorkbook:
        outcome = validate(content, dataset, site=site, suffix=suffix)
        data = content.encode() if isinstance(content, str) else content
        home = folder / f"marked-{len(list(folder.iterdir()))}"
        home.mkdir()
        path = home / f"{site}_{dataset}_201611_v1.{suffix}"
        path.write_bytes(data)
        received = datetime(2016, 12, 2, 16, 12, tzinfo=UTC)
        file = ReceivedFile(path, path.name, hashlib.sha256(data).hexdigest(), received)
        said = FileName(site, dataset, "201611", 1, path.suffix)
        delivery = delivery_of(file, said, read_manifest(path, "201611"))
        report = delivery_report(delivery, outcome.verdict, outcome.stored_findings, deadline=DUE)
        parts = [Part(report, outcome.verdict, outcome.stored_findings, datasets()[dataset])]
        why_none = make_marked_workbook(path, delivery, parts, home, readers_of).why_none
        return MarkedWorkbook(outcome, home / f"{path.stem}_to_fix.xlsx", why_none)

    return marked


def sheet_of(marked: MarkedWorkbook) -> Any:
    """The sender's own sheet."""
    return marked.book[marked.book.sheetnames[2]]


def mended(marked: MarkedWorkbook, right: dict[str, Any]) -> bytes:
    """The workbook after a script set the cells that must be fixed, and no other, to their right values."""
    book = marked.book
    assert set(right) == set(marked.to_fix())
    for problem in marked.problems:
        if problem["Must it be fixed?"] == "Yes":
            book[problem["Sheet"]][problem["Cell"]].value = right[problem["Cell"]]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


BAD = contacts(
    {"contact_date": "03/11/2016"},
    {"contact_medium": "1"},
    {"contact_medium": "zz"},
    {"duration_minutes": ""},
    {"attended": "7"},
    {"contact_date": "2016-02-30"},
    {"staff_ref": "W 12"},
    {},
)
RIGHT = {"C2": "2016-11-03", "E4": "02", "G5": 30, "G6": None, "C7": "2016-02-29", "I8": "W-0012"}


class TestMendingExactlyTheReportedCells:
    def test_of_a_csv_file(self, validate: Validator, mark_it: Mark) -> None:
        marked = mark_it(as_csv(BAD))
        assert marked.outcome.held == [2, 4, 5, 6, 7, 8]
        again = validate(mended(marked, RIGHT), suffix="xlsx")
        assert (again.result, again.held, again.accepted) == ("accepted", [], list(range(2, 10)))
        assert [(f.rule, f.severity, f.row) for f in again.findings] == [("C14", "warning", 3)]

    def test_of_a_workbook_with_title_rows_beside_and_above(self, validate: Validator, mark_it: Mark) -> None:
        table = as_table(BAD)
        table[1][2] = date(2016, 3, 4)  # an Excel date is fine where it is
        table[4][list(CONTACT).index("duration_minutes")] = Formula("=X1", "#REF!")
        rows = [["Contacts of Blackpool"], ["Draft", "of", date(2016, 12, 1)], [], *([None, *r] for r in table)]
        marked = mark_it(workbook({"Lookups": [["a", 1], ["b", 2]], "Our contacts": rows}), suffix="xlsx")
        right = {"F7": "02", "H8": 30, "H9": None, "D10": "2016-02-29", "J11": "W-0012"}
        again = validate(mended(marked, right), suffix="xlsx")
        assert (again.result, again.held, len(again.accepted)) == ("accepted", [], 8)
        assert again.verdict.header_row == 4 and marked.book.sheetnames[2:] == ["sheet 2", CODES]
        unfixed = {f.rule for f in marked.outcome.findings if f.severity == "warning"}
        assert {f.rule for f in again.findings} == unfixed >= {"F04", "C14"}

    def test_of_torn_lines(self, validate: Validator, mark_it: Mark) -> None:
        """The line is split where its commas are: the sender moves the values under their headings."""
        lines = as_csv(contacts({}, {}, {}, {})).splitlines()
        lines[2] = lines[2].replace("review,", "review,again,")  # a surplus cell
        lines[3] = lines[3].replace("review,", "")  # a missing one
        marked = mark_it("\n".join(lines) + "\n")
        assert marked.outcome.held == [] and marked.to_fix() == ["row 3", "row 4"]
        book = marked.book
        sheet = book["contacts"]
        assert [c.value for c in sheet[3]][:6] == [*list(contact(2).values())[:4], "again", "01"]
        for row, values in ((3, contact(2)), (4, contact(3))):
            for column, value in enumerate([*values.values(), None], 1):
                sheet.cell(row, column).value = value
        out = io.BytesIO()
        book.save(out)
        again = validate(out.getvalue(), suffix="xlsx")
        assert (again.result, again.findings, again.accepted) == ("accepted", [], [2, 3, 4, 5])

    def test_the_suggested_values_are_right(self, validate: Validator, mark_it: Mark) -> None:
        rows = contacts({"contact_date": "3 November 2016"}, {"contact_date": "42677"}, {"contact_date": "14.06.2016"})
        marked = mark_it(as_csv(rows))
        suggested = {p["Cell"]: p["Suggested value"] for p in marked.problems}
        assert suggested == {"C2": "2016-11-03", "C3": "2016-11-03", "C4": "2016-06-14"}
        again = validate(mended(marked, suggested), suffix="xlsx")
        assert (again.result, again.findings) == ("accepted", [])

    @pytest.mark.parametrize(
        ("days", "written"),
        [
            ([date(2016, 3, 11), "14/11/2016", date(2016, 4, 10), "25/10/2016"], ["csv", "xlsx"]),  # by a spreadsheet
            (["11/03/2016", "11/14/2016", "10/04/2016", "10/25/2016"], ["csv", "xlsx"]),  # month first
        ],
    )
    def test_so_are_those_of_a_column_of_which_no_date_loads(
        self, validate: Validator, mark_it: Mark, days: list[date | str], written: list[str]
    ) -> None:
        meant = ["2016-11-03", "2016-11-14", "2016-10-04", "2016-10-25"]
        table = as_table([row | {"contact_date": day} for row, day in zip(contacts({}, {}, {}, {}), days, strict=True)])
        texts = [[str(cell) for cell in row] for row in table]
        for suffix in written:
            made = workbook({"Data": table}) if suffix == "xlsx" else "\n".join(map(",".join, texts))
            marked = mark_it(made, suffix=suffix)
            suggested = {p["Cell"]: p["Suggested value"] for p in marked.problems}
            assert suggested == dict(zip(("C2", "C3", "C4", "C5"), meant, strict=True))
            again = validate(mended(marked, suggested), suffix="xlsx")
            assert (again.result, again.findings) == ("accepted", [])
            assert [str(row["contact_date"]) for row in again.values] == meant

    def test_a_marked_workbook_may_be_marked_again(self, validate: Validator, mark_it: Mark) -> None:
        first = mark_it(as_csv(BAD))
        half = mended(first, RIGHT | {"C2": "03/11/2016", "E4": "zz"})
        second = mark_it(half, suffix="xlsx")
        assert second.book.sheetnames == [READ_ME, PROBLEMS, "contacts", CODES]
        headings = [c.value for c in second.book["contacts"][1]]
        assert headings == [*CONTACT, ROW_PROBLEMS]
        again = validate(mended(second, {"C2": "2016-11-03", "E4": "02"}), suffix="xlsx")
        assert (again.result, len(again.accepted)) == ("accepted", 8)


def addressed(outcome: ValidatedFile) -> list[tuple[Any, ...]]:
    """What was found in the rows, cell by cell; of a hidden cell to be fixed, which is not given back, only where."""
    found = outcome.stored_findings.select("rule_id", "severity", "source_row", "column_name", "found", "hidden")
    return sorted(
        ("" if hidden and severity == "row" else rule, severity, row or 0, column or "", text or "")
        for rule, severity, row, column, text, hidden in found.iter_rows()
    )


class TestSendingItBackUnchanged:
    """Nothing of ours is taken for data, and nothing of theirs has changed."""

    def test_gives_the_same_findings_for_a_csv_file(self, validate: Validator, mark_it: Mark) -> None:
        rows = [*BAD, contact(20, staff_ref="#REF!"), contact(21, staff_ref="=1+1"), contact(22, staff_ref=" 0012 ")]
        text = as_csv(rows).replace("\n", "\n\n", 1) + "Total,,,,,,,,,\n"
        marked = mark_it(text)
        again = validate(marked.path.read_bytes(), suffix="xlsx")
        assert addressed(again) == addressed(marked.outcome)
        assert (again.held, again.accepted) == (marked.outcome.held, marked.outcome.accepted)

    def test_a_line_that_was_torn_is_not_taken_for_a_sound_one(self, validate: Validator, mark_it: Mark) -> None:
        """Its cells stand as they were sent; that each is right where it stands by chance, nobody knows."""
        rows = as_csv(contacts(*[{}] * 4)).splitlines()
        rows[2] += ",more"
        marked = mark_it("\n".join(rows) + "\n")
        again = validate(marked.path.read_bytes(), suffix="xlsx")
        assert (again.accepted, again.held) == (marked.outcome.accepted, [3])
        assert [(f.rule, f.severity, f.row) for f in again.findings_of("F13")] == [("F13", "row", 3)]

    def test_gives_the_same_findings_for_a_workbook(self, validate: Validator, mark_it: Mark) -> None:
        table: list[list[Any]] = as_table(BAD)
        odd = [
            42677,
            1,
            0.1 + 0.2,
            True,
            date(2016, 10, 11),
            datetime(2016, 11, 3, 23, 30),
            Formula("=1", "#N/A"),
            "é\n",
        ]
        for row, cell in enumerate(odd, 1):
            for column in (2, 4, 6, 9):
                table[row][column] = cell if (row + column) % 3 else table[row][column]
        marked = mark_it(workbook({"Data": [["Title"], [], *table]}), suffix="xlsx")
        again = validate(marked.path.read_bytes(), suffix="xlsx")
        assert addressed(again) == addressed(marked.outcome)

    CELLS = st.sampled_from(
        ["", "01", "1", "zz", "03/11/2016", "2016-11-03", "42677", "#N/A", "N/K", " Y", "true", "45", "-1", "99999",
         "=cmd()", "@x", "http://x", "  ", "é", "1e5", "a\u00a0b", "_x0041_"]
        + [42677, 0.5, 45, 1e15, True, date(2016, 3, 4), datetime(2016, 3, 4, 5, 6, 7)]
    )  # fmt: skip
    ROWS = st.lists(st.lists(CELLS, min_size=10, max_size=10), min_size=1, max_size=6)

    @pytest.mark.soak
    @given(rows=ROWS, as_workbook=st.booleans())
    def test_whatever_the_cells_hold(
        self, rows: list[list[Any]], as_workbook: bool, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("same")
        (folder / "judged").mkdir()
        validate = Validator(folder / "judged")
        table = [list(CONTACT), *([f"BPL-C{n:06}", *row[1:]] for n, row in enumerate(rows, 1))]
        if as_workbook:
            marked = marking(validate, folder)(workbook({"Data": table}), suffix="xlsx")
        else:
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows([[str(c) for c in row] for row in table])
            marked = marking(validate, folder)(out.getvalue())
        assert marked.why_not == ""
        again = validate(marked.path.read_bytes(), suffix="xlsx")
        assert addressed(again) == addressed(marked.outcome)


class TestWhatItLooksLike:
    def test_a_bad_cell_is_filled_bold_and_explained(self, mark_it: Mark) -> None:
        sheet = sheet_of(mark_it(as_csv(BAD)))
        bad, good = sheet["E4"], sheet["E2"]
        assert (bad.value, bad.font.bold, bad.fill.fill_type) == ("hidden: see your own file", True, "solid")
        assert not good.font.bold and good.fill.fill_type is None and good.comment is None
        assert "Expected: one of 01" in bad.comment.text and "How to fix" in bad.comment.text
        assert sheet["G5"].value is None and sheet["G5"].fill.fill_type == "solid"  # an empty cell is marked too

    def test_the_last_column_says_it_in_words(self, mark_it: Mark) -> None:
        sheet = sheet_of(mark_it(as_csv(BAD)))
        assert sheet.cell(1, 11).value == ROW_PROBLEMS
        assert sheet.cell(4, 11).value.startswith("E4: ") and sheet.cell(9, 11).value is None

    def test_each_problem_is_linked_to_its_cell(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(BAD))
        sheet = marked.book[PROBLEMS]
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref.startswith("A1:")
        links = {c.value: c.hyperlink.location for c in sheet["A"][1:]}
        assert links["E4"] == "'contacts'!E4" and set(links) == {*RIGHT, "E3"}
        kinds = [p["Must it be fixed?"] for p in marked.problems]
        assert kinds == ["Yes"] * 6 + ["Worth checking"]

    def test_codes_are_picked_from_a_list(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(BAD))
        book = marked.book
        lists = {str(v.sqref).split(":")[0]: v.formula1 for v in book["contacts"].data_validations.dataValidation}
        assert set(lists) == {"D2", "E2", "F2", "H2", "J2"}
        name, cells = lists["E2"].split("!")
        codes = [c[0].value for c in book[name.strip("'")][cells.replace("$", "")]]
        assert codes == list(datasets()["contacts"].by_name["contact_medium"].code_list.codes)
        assert book["contacts"]["E2"].number_format == "@"  # 01 that is picked stays 01

    def test_what_to_do_is_said_first(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(BAD))
        said = "\n".join(str(c.value) for row in marked.book[READ_ME].iter_rows() for c in row if c.value)
        assert marked.book.active.title == READ_ME
        assert "by 5pm, Friday 9 December 2016" in said and "MHT-BPL_contacts_201611_v2.xlsx" in said

    def test_text_stays_text_and_dates_stay_dates(self, mark_it: Mark) -> None:
        cells: list[Any] = ["=1+1", "+1", "0001", "http://x.y", "#REF!", 42.5, date(2016, 3, 4), True, "x" * 32_767]
        data = as_table(awards({"amount": "much"}))
        marked = mark_it(workbook({"Data": data, "More": [cells]}), "funding_awards", suffix="xlsx")
        out = marked.book["More"]
        assert [c.value for c in out[1]] == [*cells[:6], datetime(2016, 3, 4), *cells[7:]]
        assert [c.data_type for c in out[1]] == ["s", "s", "s", "s", "s", "n", "d", "b", "s"]
        assert not any(c.hyperlink for c in out[1])

    def test_hidden_sheets_stay_hidden(self, mark_it: Mark, tmp_path: Path) -> None:
        book = openpyxl.load_workbook(
            io.BytesIO(workbook({"Data": as_table(awards({"amount": "much"})), "Kept": [["x"]]}))
        )
        book["Kept"].sheet_state = "hidden"
        book.save(tmp_path / "hidden.xlsx")
        marked = mark_it((tmp_path / "hidden.xlsx").read_bytes(), "funding_awards", suffix="xlsx")
        assert marked.book["Kept"].sheet_state == "hidden" and marked.book["Kept"]["A1"].value == "x"

    def test_what_is_hidden_elsewhere_is_not_repeated_on_the_list(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(participants({"participant_ref": "bpl 1"}, {})), "participants")
        [problem] = marked.problems
        assert problem["Cell"] == "A2" and "bpl 1" not in str(problem) and "hidden" in problem["Found"]

    def test_only_its_owner_may_read_it(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(BAD))
        assert marked.path.stat().st_mode & 0o777 == 0o600
        assert not [p for p in marked.path.parent.iterdir() if p.suffix == ".part"]


class TestWhereThereIsNone:
    def test_of_personal_data_no_copy_is_made(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(contacts({"staff_ref": NUMBER}, {"contact_medium": "zz"})))
        assert "personal data" in marked.why_not and not marked.path.exists()

    def test_nor_where_another_sheet_or_an_unread_one_holds_it(self, mark_it: Mark) -> None:
        another = mark_it(workbook({"Data": as_table(BAD), "Index": [["of"], [NUMBER]]}), suffix="xlsx")
        as_number = mark_it(workbook({"Data": as_table(BAD), "Index": [["of"], [9434765919]]}), suffix="xlsx")
        rows = contacts({"staff_ref": NUMBER}, {})
        for row in rows:
            del row["contact_date"]  # the column is missing: the rows are not read
        unread = mark_it(as_csv(rows))
        for marked in (another, as_number, unread):
            assert "personal data" in marked.why_not and not marked.path.exists()

    def test_of_a_file_that_could_not_be_read(self, mark_it: Mark) -> None:
        marked = mark_it(b"PK\x03\x04rubbish", suffix="xlsx")
        assert "could not be read" in marked.why_not and not marked.path.exists()

    def test_of_very_many_rows(self, mark_it: Mark) -> None:
        many = as_csv([contact(1, contact_medium="zz"), *(contact(n) for n in range(2, MAX_ROWS_MARKED + 3))])
        marked = mark_it(many)
        assert "more than 50,000 rows" in marked.why_not and not marked.path.exists()

    def test_of_a_cell_that_no_spreadsheet_can_hold(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(contacts({"staff_ref": "x" * 32_768}, {})))
        assert "32,767 characters" in marked.why_not and not marked.path.exists()


def test_the_same_file_gives_the_same_bytes(mark_it: Mark) -> None:
    first, second = mark_it(as_csv(BAD)), mark_it(as_csv(BAD))
    assert first.path.read_bytes() == second.path.read_bytes()


def test_sheets_are_never_more_than_excel_takes(mark_it: Mark) -> None:
    """A CSV file's sheet is named after its dataset; records over several lines stand on their first."""
    rows: Sequence[dict[str, str]] = contacts({"staff_ref": "a\nb"}, {"contact_medium": "zz"})
    marked = mark_it(as_csv(rows))
    sheet = marked.book["contacts"]
    assert (sheet["A2"].value, sheet["A3"].value, sheet["A4"].value) == ("BPL-C000001", None, "BPL-C000002")
    assert marked.to_fix() == ["I2", "E4"]


def test_hidden_rows_are_where_they_were_and_in_sight(mark_it: Mark) -> None:
    """What is to be fixed on them must be seen."""
    book, file = openpyxl.load_workbook(io.BytesIO(workbook({"Contacts": as_table(BAD)}))), io.BytesIO()
    for row in (3, 4):
        book["Contacts"].row_dimensions[row].hidden = True
    book["Contacts"].column_dimensions["E"].hidden = True
    book.save(file)
    marked = mark_it(file.getvalue(), suffix="xlsx")
    assert [f.found for f in marked.outcome.findings_of("F27")] == ["2 rows: 3 to 4", "column E"]
    sheet = sheet_of(marked)
    assert [sheet.cell(n, 1).value for n in range(2, 6)] == [row["contact_id"] for row in BAD[:4]]
    assert not any(row.hidden for row in sheet.row_dimensions.values())
    assert not any(column.hidden for column in sheet.column_dimensions.values())
    assert marked.to_fix() == list(RIGHT)
