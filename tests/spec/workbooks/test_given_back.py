"""What of a sender's file is given back in the marked workbook, and who may read it (docs/domain.md 5.3)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from file_validator import Validator, as_csv, as_table, contacts, workbook
from test_marked_workbook import BAD, RIGHT, Mark, MarkedWorkbook, marking, mended

from schemas._contract.workbook_names import CODES, PROBLEMS, READ_ME, ROW_PROBLEMS


@pytest.fixture
def mark_it(validate: Validator, tmp_path: Path) -> Mark:
    return marking(validate, tmp_path)


class TestOfPeopleOnlyWhatIsNeededIsGivenBack:
    """What was not searched, and what is no field of the dataset, is not copied (docs/domain.md 5.3)."""

    def texts(self, marked: MarkedWorkbook) -> str:
        """Everything that stands in the workbook, names of sheets and notes included."""
        sheets = marked.book.worksheets
        cells = [c for s in sheets for row in s.iter_rows() for c in row]
        return "\n".join([*(s.title for s in sheets), *(f"{c.value} {c.comment}" for c in cells)])

    def test_other_sheets_are_left_out_and_named(self, mark_it: Mark) -> None:
        sheets = {"Zebulon": [["Zebulon", "seen"]], "Lookups": [["a"]], "Our Quatermass": as_table(BAD)}
        marked = mark_it(workbook(sheets), suffix="xlsx")
        assert marked.book.sheetnames == [READ_ME, PROBLEMS, "sheet 3", CODES]
        assert "Zebulon" not in self.texts(marked) and "Quatermass" not in self.texts(marked)
        assert "Left out: sheet 1" in self.texts(marked)

    def test_columns_nobody_knows_are_empty(self, validate: Validator, mark_it: Mark) -> None:
        marked = mark_it(as_csv([{**r, "Quatermass": "Zebulon"} for r in BAD]))
        assert [c.value for c in marked.book["contacts"]["K"]] == ["column K", *[None] * 8]
        assert "Zebulon" not in self.texts(marked) and "Quatermass" not in self.texts(marked)
        again = validate(mended(marked, RIGHT), suffix="xlsx")
        assert (again.held, len(again.accepted)) == ([], 8)

    @pytest.mark.parametrize("text", ["Zebulon", "120378", "she was seen"])
    def test_a_bad_cell_that_may_be_a_name_or_a_birth_says_where_to_look(self, mark_it: Mark, text: str) -> None:
        marked = mark_it(as_csv(contacts({}, {"contact_type": text}, {"contact_date": text})))
        assert {"D3", "C4"} == set(marked.to_fix())
        assert marked.book["contacts"]["D3"].value == "hidden: see your own file"
        assert text not in self.texts(marked)

    def test_a_reference_stays_unless_it_holds_a_name(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(contacts({}, {"contact_id": "bpl 7"}, {"contact_id": "BPL-WILSON"})))
        sheet = marked.book["contacts"]
        assert (sheet["A3"].value, sheet["A4"].value) == ("bpl 7", "hidden: see your own file")

    @pytest.mark.parametrize(("field", "letter"), [("contact_id", "A"), ("episode_id", "B"), ("staff_ref", "I")])
    @pytest.mark.parametrize(
        "text",
        ["Grace", "Tallulah", "J. Smyth-Okonkwo", "Kay Worker", "Zebulon 7", "Zebu\nlon", "12 03 78", "9.43E+09"],
    )
    def test_what_stands_in_place_of_a_reference_stays_only_if_it_cannot_be_personal(
        self, mark_it: Mark, field: str, letter: str, text: str
    ) -> None:
        marked = mark_it(as_csv(contacts({}, {field: text}, {"contact_date": "03/11/2016"})))
        assert f"{letter}3" in marked.to_fix()
        assert marked.book["contacts"][f"{letter}3"].value == "hidden: see your own file"
        with zipfile.ZipFile(marked.path) as package:
            bytes_within = b"\n".join(package.read(name) for name in package.namelist())
        assert text not in self.texts(marked) and text.encode() not in bytes_within
        assert "BPL-C000003" in self.texts(marked)  # a sound reference of a row at fault stays

    @pytest.mark.parametrize("text", ["BPL 12", "1234", "unit 7"])
    def test_a_reference_of_another_form_stays_where_it_cannot_be_personal(self, mark_it: Mark, text: str) -> None:
        marked = mark_it(as_csv(contacts({}, {"contact_id": text}, {})))
        assert marked.to_fix() == ["A3"] and marked.book["contacts"]["A3"].value == text

    def test_a_reference_that_two_rows_share_stays(self, mark_it: Mark) -> None:
        marked = mark_it(
            as_csv(contacts({}, {"contact_id": "BPL-ABCDEF"}, {"contact_id": "BPL-ABCDEF", "attended": "6"}))
        )
        assert [marked.book["contacts"][cell].value for cell in ("A3", "A4")] == ["BPL-ABCDEF"] * 2

    @pytest.mark.parametrize(("dataset", "site"), [("contacts", "PMO"), ("randomisation", "PWW-GW")])
    def test_a_file_of_which_no_row_was_looked_at_is_not_given_back(
        self, mark_it: Mark, dataset: str, site: str
    ) -> None:
        marked = mark_it(as_csv(contacts({}, {"staff_ref": "Grace", "contact_type": "Zebulon"})), dataset, site=site)
        assert "no row of the file was looked at" in marked.why_not and not marked.path.exists()

    def test_a_file_without_rows_is_not_given_back(self, mark_it: Mark) -> None:
        marked = mark_it(as_csv(contacts({})).splitlines()[0] + "\n")
        assert (marked.outcome.refusals, marked.path.exists()) == (["F01"], False)
        assert "no row of the file was looked at" in marked.why_not

    def test_torn_lines_totals_and_titles_stay_only_if_nothing_in_them_may_be_a_name(self, mark_it: Mark) -> None:
        lines = as_csv(BAD).splitlines()
        more = [lines[1] + ",again", lines[1] + ",Zebulon", "Total of Zebulon,Zebulon" + "," * 8]
        marked = mark_it("\n".join(["Of Zebulon", *lines, *more]) + "\n")
        sheet = marked.book["contacts"]
        assert sheet["A1"].value == "see your own file" and "Zebulon" not in self.texts(marked)
        assert [sheet.cell(row, 1).value for row in (11, 12, 13)] == ["BPL-C000001", "see your own file", "Total"]


class TestWhatExcelWouldRefuse:
    @pytest.mark.parametrize("second", ["B1:C1", "A1:B1", "A1:XFD1"])
    def test_merged_cells_that_overlap(self, mark_it: Mark, second: str) -> None:
        book = openpyxl.load_workbook(io.BytesIO(workbook({"Data": [["Title"], *as_table(BAD)]})))
        book.active.merge_cells("A1:B1")
        out = io.BytesIO()
        book.save(out)
        data = with_merge(out.getvalue(), second)
        marked = mark_it(data, suffix="xlsx")
        assert (marked.why_not, [str(r) for r in marked.book.worksheets[2].merged_cells.ranges]) == ("", ["A1:B1"])

    def test_what_nobody_foresaw_is_a_reason_without_data(self, mark_it: Mark, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(*_: object) -> str:
            raise ValueError("Zebulon")

        monkeypatch.setattr("flows.reporting.marking.write_marked_workbook", fails)
        marked = mark_it(as_csv(BAD))
        assert "an error of the kind ValueError" in marked.why_not and "Zebulon" not in marked.why_not
        assert not list(marked.path.parent.glob("*.xlsx*")) and not list(marked.path.parent.glob(".*"))


def with_merge(book: bytes, area: str) -> bytes:
    """A workbook with one more merged area, whatever it overlaps."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            data = old.read(item)
            new.writestr(item, data.replace(b"</mergeCells>", f'<mergeCell ref="{area}"/></mergeCells>'.encode()))
    return out.getvalue()


def test_a_column_added_to_the_right_of_ours_is_read(validate: Validator, mark_it: Mark) -> None:
    marked = mark_it(as_csv([{k: v for k, v in r.items() if k != "staff_ref"} for r in BAD]))
    book = marked.book
    sheet = book["contacts"]
    assert sheet.cell(1, 10).value == ROW_PROBLEMS
    for row, value in enumerate(["staff_ref", *(["W-0012"] * 8)], 1):
        sheet.cell(row, 11).value = value
    out = io.BytesIO()
    book.save(out)
    again = validate(out.getvalue(), suffix="xlsx")
    assert again.findings_of("F11") == [] and again.findings_of("F13") == [] and again.findings_of("F09") == []


def test_those_who_may_read_the_sites_folder_may_read_it(validate: Validator, tmp_path: Path) -> None:
    for mode, expected in ((0o750, 0o640), (0o770, 0o640), (0o700, 0o600), (0o755, 0o640)):
        site = tmp_path / f"site-{mode}"
        site.mkdir()
        site.chmod(mode)
        marked = marking(validate, tmp_path, readers_of=site)(as_csv(BAD))
        assert (marked.path.stat().st_mode & 0o777, marked.path.stat().st_gid) == (expected, site.stat().st_gid)
