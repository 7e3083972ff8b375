"""Which parts of a sender's file the marked workbook repeats, and who may read it (docs/domain.md 5.3)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from file_validator import Validator, as_csv, as_table, contacts, workbook
from test_marked_workbook import FAULTY_ROWS, FIXES, MarkedWorkbook, Marker, fixed, marking

from schemas._contract.workbook_names import CODES, PROBLEMS, READ_ME, ROW_PROBLEMS


@pytest.fixture
def mark(validate: Validator, tmp_path: Path) -> Marker:
    return marking(validate, tmp_path)


REFERENCE_COLUMNS = (("contact_id", "A"), ("episode_id", "B"), ("staff_ref", "I"))
PERSONAL_REFERENCES = (
    *("Grace", "Tallulah", "J. Smyth-Okonkwo", "Kay Worker", "Zebulon 7", "12 03 78", "9.43E+09"),
    "Zebu\nlon",
)
REFERENCE_CASES = [(field, text) for text in PERSONAL_REFERENCES for field, _ in REFERENCE_COLUMNS]


class MarkedReferences(NamedTuple):
    """The marked workbook of a file with all these references."""

    to_fix: list[str]
    cells: dict[str, Any]  # of the sender's sheet, by address
    texts: str
    parts: bytes


@pytest.fixture(scope="module")
def marked_references(tmp_path_factory: pytest.TempPathFactory) -> MarkedReferences:
    """One file for all of these references, with many sound rows, as faulty ones alone would refuse it (L01)."""
    folder = tmp_path_factory.mktemp("references")
    faulty = [{field: text} for field, text in REFERENCE_CASES]
    rows = contacts(*faulty, {"contact_date": "03/11/2016"}, *[{}] * 120)
    marked = marking(Validator(folder), folder)(as_csv(rows))
    cells = {cell.coordinate: cell.value for row in marked.book["contacts"].iter_rows() for cell in row}
    with zipfile.ZipFile(marked.path) as package:
        parts = b"\n".join(package.read(name) for name in package.namelist())
    return MarkedReferences(marked.to_fix(), cells, texts_of(marked), parts)


def texts_of(marked: MarkedWorkbook) -> str:
    """All text in the workbook, with sheet names and comments."""
    sheets = marked.book.worksheets
    cells = [c for s in sheets for row in s.iter_rows() for c in row]
    return "\n".join([*(s.title for s in sheets), *(f"{c.value} {c.comment}" for c in cells)])


class TestParticipantLevelFiles:
    """Only searched cells of the dataset's own fields are copied (docs/domain.md 5.3)."""

    def test_other_sheets_are_omitted_and_listed(self, mark: Marker) -> None:
        sheets = {"Zebulon": [["Zebulon", "seen"]], "Lookups": [["a"]], "Our Quatermass": as_table(FAULTY_ROWS)}
        marked = mark(workbook(sheets), suffix="xlsx")
        assert marked.book.sheetnames == [READ_ME, PROBLEMS, "sheet 3", CODES]
        assert "Zebulon" not in texts_of(marked) and "Quatermass" not in texts_of(marked)
        assert "Left out: sheet 1" in texts_of(marked)

    def test_unknown_columns_are_emptied(self, validate: Validator, mark: Marker) -> None:
        marked = mark(as_csv([{**r, "Quatermass": "Zebulon"} for r in FAULTY_ROWS]))
        assert [c.value for c in marked.book["contacts"]["K"]] == ["column K", *[None] * 8]
        assert "Zebulon" not in texts_of(marked) and "Quatermass" not in texts_of(marked)
        resent = validate(fixed(marked, FIXES), suffix="xlsx")
        assert (resent.held, len(resent.accepted)) == ([], 8)

    @pytest.mark.parametrize("text", ["Zebulon", "120378", "she was seen"])
    def test_an_invalid_cell_that_may_be_personal_is_replaced_by_a_note(self, mark: Marker, text: str) -> None:
        marked = mark(as_csv(contacts({}, {"contact_type": text}, {"contact_date": text})))
        assert {"D3", "C4"} == set(marked.to_fix())
        assert marked.book["contacts"]["D3"].value == "hidden: see your own file"
        assert text not in texts_of(marked)

    def test_a_reference_is_repeated_unless_it_contains_a_name(self, mark: Marker) -> None:
        marked = mark(as_csv(contacts({}, {"contact_id": "bpl 7"}, {"contact_id": "BPL-WILSON"})))
        sheet = marked.book["contacts"]
        assert (sheet["A3"].value, sheet["A4"].value) == ("bpl 7", "hidden: see your own file")

    @pytest.mark.parametrize(("field", "letter"), REFERENCE_COLUMNS)
    @pytest.mark.parametrize("text", PERSONAL_REFERENCES)
    def test_a_malformed_reference_that_may_be_personal_is_replaced_by_a_note(
        self, marked_references: MarkedReferences, field: str, letter: str, text: str
    ) -> None:
        address = f"{letter}{2 + REFERENCE_CASES.index((field, text))}"
        assert address in marked_references.to_fix
        assert marked_references.cells[address] == "hidden: see your own file"
        assert text not in marked_references.texts and text.encode() not in marked_references.parts
        assert "BPL-C000025" in marked_references.texts  # a valid reference on a row at fault stays

    @pytest.mark.parametrize("text", ["BPL 12", "1234", "unit 7"])
    def test_a_malformed_reference_that_cannot_be_personal_is_repeated(self, mark: Marker, text: str) -> None:
        marked = mark(as_csv(contacts({}, {"contact_id": text}, {})))
        assert marked.to_fix() == ["A3"] and marked.book["contacts"]["A3"].value == text

    def test_a_duplicate_reference_is_repeated(self, mark: Marker) -> None:
        marked = mark(as_csv(contacts({}, {"contact_id": "BPL-ABCDEF"}, {"contact_id": "BPL-ABCDEF", "attended": "6"})))
        assert [marked.book["contacts"][cell].value for cell in ("A3", "A4")] == ["BPL-ABCDEF"] * 2

    @pytest.mark.parametrize(("dataset", "site"), [("contacts", "PMO"), ("randomisation", "PWW-GW")])
    def test_a_file_whose_rows_were_not_validated_is_not_marked(self, mark: Marker, dataset: str, site: str) -> None:
        marked = mark(as_csv(contacts({}, {"staff_ref": "Grace", "contact_type": "Zebulon"})), dataset, site=site)
        assert "no row of the file was checked" in marked.why_not and not marked.path.exists()

    def test_a_file_without_rows_is_not_marked(self, mark: Marker) -> None:
        marked = mark(as_csv(contacts({})).splitlines()[0] + "\n")
        assert (marked.outcome.refusals, marked.path.exists()) == (["F01"], False)
        assert "no row of the file was checked" in marked.why_not

    def test_malformed_lines_totals_and_titles_are_repeated_unless_they_may_contain_a_name(self, mark: Marker) -> None:
        lines = as_csv(FAULTY_ROWS).splitlines()
        more = [lines[1] + ",again", lines[1] + ",Zebulon", "Total of Zebulon,Zebulon" + "," * 8]
        marked = mark("\n".join(["Of Zebulon", *lines, *more]) + "\n")
        sheet = marked.book["contacts"]
        assert sheet["A1"].value == "see your own file" and "Zebulon" not in texts_of(marked)
        assert [sheet.cell(row, 1).value for row in (11, 12, 13)] == ["BPL-C000001", "see your own file", "Total"]

    def test_notes_and_other_tables_are_repeated_only_if_all_of_them_may_be_shown(self, mark: Marker) -> None:
        rows = [["Notes"], ["Note: ask Zebulon"], [], ["Name", "Team"], ["Zebulon", "x"]]
        more = [",".join([*row, *[""] * (10 - len(row))]) for row in rows]
        marked = mark("\n".join([*as_csv(FAULTY_ROWS).splitlines(), *more]) + "\n")
        assert [f.rule for f in marked.outcome.findings if f.rule in ("F33", "F35")] == ["F33", "F33", "F35", "F35"]
        assert "Zebulon" not in texts_of(marked) and "Notes" in texts_of(marked)


class TestErrors:
    @pytest.mark.parametrize("second", ["B1:C1", "A1:B1", "A1:XFD1"])
    def test_overlapping_merged_cells_are_dropped(self, mark: Marker, second: str) -> None:
        book = openpyxl.load_workbook(io.BytesIO(workbook({"Data": [["Title"], *as_table(FAULTY_ROWS)]})))
        book.active.merge_cells("A1:B1")
        out = io.BytesIO()
        book.save(out)
        data = with_merge(out.getvalue(), second)
        marked = mark(data, suffix="xlsx")
        assert (marked.why_not, [str(r) for r in marked.book.worksheets[2].merged_cells.ranges]) == ("", ["A1:B1"])

    def test_an_unexpected_error_is_reported_without_its_message(
        self, mark: Marker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object) -> str:
            raise ValueError("Zebulon")

        monkeypatch.setattr("flows.reporting.render.marked.marking.write_marked_workbook", fails)
        marked = mark(as_csv(FAULTY_ROWS))
        assert "an error of the kind ValueError" in marked.why_not and "Zebulon" not in marked.why_not
        assert not list(marked.path.parent.glob("*.xlsx*")) and not list(marked.path.parent.glob(".*"))


def with_merge(book: bytes, area: str) -> bytes:
    """Add a merged area to a workbook, which openpyxl would refuse if it overlaps another."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            data = old.read(item)
            new.writestr(item, data.replace(b"</mergeCells>", f'<mergeCell ref="{area}"/></mergeCells>'.encode()))
    return out.getvalue()


def test_a_column_added_after_the_problems_column_is_read(validate: Validator, mark: Marker) -> None:
    marked = mark(as_csv([{k: v for k, v in r.items() if k != "staff_ref"} for r in FAULTY_ROWS]))
    book = marked.book
    sheet = book["contacts"]
    assert sheet.cell(1, 10).value == ROW_PROBLEMS
    for row, value in enumerate(["staff_ref", *(["W-0012"] * 8)], 1):
        sheet.cell(row, 11).value = value
    out = io.BytesIO()
    book.save(out)
    resent = validate(out.getvalue(), suffix="xlsx")
    assert resent.findings_of("F11") == [] and resent.findings_of("F13") == [] and resent.findings_of("F09") == []


def test_readers_of_the_site_folder_may_read_the_marked_workbook(validate: Validator, tmp_path: Path) -> None:
    for mode, expected in ((0o750, 0o640), (0o770, 0o640), (0o700, 0o600), (0o755, 0o640)):
        site = tmp_path / f"site-{mode}"
        site.mkdir()
        site.chmod(mode)
        marked = marking(validate, tmp_path, readers_of=site)(as_csv(FAULTY_ROWS))
        assert (marked.path.stat().st_mode & 0o777, marked.path.stat().st_gid) == (expected, site.stat().st_gid)
