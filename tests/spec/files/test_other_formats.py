"""XLS, ODS, Parquet and zip files are recognised by their bytes and read; other formats are refused with a reason.

Source: docs/domain.md 6.1, F15. U01: the file cannot be opened; U02: it has a password.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import workbook_bytes
from file_validator import CONTACT, Validator, as_csv, as_table, awards, contacts, participants, workbook

from flows.deliveries.formats import Format
from flows.steps.read import sheets_of
from flows.steps.read.parquet import _texts
from flows.steps.read.values import text_of
from flows.steps.read.workbook.xls import CompoundFile
from flows.steps.read.workbook.xlsx.plain.plain_sheet import PlainTable

TABLE = as_table(contacts({}, {"contact_medium": "zz"}, {}))
CSV = as_csv(contacts({}, {"contact_medium": "zz"}, {})).encode()
ODS = workbook_bytes.ods("".join(workbook_bytes.ods_row(*row) for row in TABLE))
BAD_MEDIUM = [("V02", "row", 3)]


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("xlsx", workbook({"Data": TABLE})),
        ("xlsm", workbook({"Data": TABLE})),
        ("xls", workbook_bytes.xls({"Data": TABLE})),
        ("ods", ODS),
        ("parquet", workbook_bytes.parquet(TABLE)),
        ("zip", workbook_bytes.zip_of({"contacts.csv": CSV})),
        ("zip", workbook_bytes.zip_of({"folder/": b"", "folder/contacts.xlsx": workbook({"Data": TABLE})})),
        ("zip", workbook_bytes.zip_of({"contacts.csv": CSV, "__MACOSX/._contacts.csv": b"x", "._contacts.csv": b"x"})),
    ],
    ids=["xlsx", "xlsm", "xls", "ods", "parquet", "zip of CSV", "zip of a workbook", "zip of a Macintosh"],
)
def test_every_format_gives_the_same_findings(validate: Validator, suffix: str, content: bytes) -> None:
    outcome = validate(content, suffix=suffix)
    assert (outcome.rules, outcome.cells, outcome.accepted) == (BAD_MEDIUM, ["E3"], [2, 4])


@pytest.mark.parametrize(
    ("suffix", "content", "found"),
    [
        ("csv", workbook({"Data": TABLE}), "an Excel workbook, not CSV"),
        ("txt", workbook_bytes.xls({"Data": TABLE}), "an old Excel workbook (.xls), not CSV"),
        ("csv", ODS, "an OpenDocument spreadsheet (.ods), not CSV"),
        ("csv", workbook_bytes.parquet(TABLE), "a Parquet file, not CSV"),
        ("csv", workbook_bytes.zip_of({"contacts.csv": CSV}), "a zip, not CSV"),
        ("xlsx", CSV, "plain text, such as CSV, not an Excel workbook"),
        ("xls", CSV, "plain text, such as CSV, not an old Excel workbook (.xls)"),
        ("xls", workbook({"Data": TABLE}), "an Excel workbook, not an old Excel workbook (.xls)"),
        ("xls", b"<html><body><table><tr><td>1", "a web page (HTML), not an old Excel workbook (.xls)"),
        ("xls", b'<?xml version="1.0"?><Workbook>', "an XML file, not an old Excel workbook (.xls)"),
        ("xlsx", b"%PDF-1.7", "a PDF, not an Excel workbook"),
        (
            "xlsx",
            workbook_bytes.zip_of({"xl/workbook.bin": b"x"}),
            "a binary Excel workbook (.xlsb), not an Excel workbook",
        ),
        ("csv", workbook_bytes.zip_of({"word/document.xml": b"x"}), "a Word document, not CSV"),
        (
            "xls",
            workbook_bytes.compound_file(b"x", "WordDocument"),
            "a Word document, not an old Excel workbook (.xls)",
        ),
        ("dat", CSV, "plain text, such as CSV, and its name ends in .dat"),
    ],
)
def test_f15_the_finding_names_the_actual_format(validate: Validator, suffix: str, content: bytes, found: str) -> None:
    outcome = validate(content, suffix=suffix)
    assert (outcome.result, outcome.refusals) == ("unreadable", ["F15"])
    assert outcome.findings[0].found == found


def test_f15_a_file_inside_a_zip_is_checked_too(validate: Validator) -> None:
    outcome = validate(workbook_bytes.zip_of({"contacts.csv": workbook({"Data": TABLE})}), suffix="zip")
    assert (outcome.refusals, outcome.findings[0].found) == (["F15"], "an Excel workbook, not CSV")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (workbook_bytes.zip_of({}), "the zip holds no file"),
        (workbook_bytes.zip_of({"folder/": b""}), "the zip holds no file"),
        (workbook_bytes.zip_of({"a.csv": CSV, "b.csv": CSV}), "the zip holds 2 files"),
        (workbook_bytes.zip_of({"a.zip": workbook_bytes.zip_of({"b.csv": CSV})}), "a zip within a zip"),
    ],
)
def test_u01_a_zip_must_contain_exactly_one_file(validate: Validator, content: bytes, found: str) -> None:
    outcome = validate(content, suffix="zip")
    assert (outcome.refusals, outcome.findings[0].found) == (["U01"], found)


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "xls", "ods", "parquet", "zip"])
def test_f01_an_empty_file_is_refused(validate: Validator, suffix: str) -> None:
    assert validate(b"", suffix=suffix).refusals == ["F01"]


def encrypted_zip() -> bytes:
    """A zip whose entry is marked as encrypted, in both its headers."""
    package = bytearray(workbook_bytes.zip_of({"contacts.csv": CSV}))
    for entry, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        package[package.index(entry) + flags] |= 1
    return bytes(package)


ENCRYPTED = b'<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("xlsx", workbook_bytes.compound_file(b"x", "EncryptionInfo", "EncryptedPackage")),
        ("xls", workbook_bytes.xls({"Data": TABLE}, password=True)),
        ("ods", workbook_bytes.replace_parts(ODS, {"META-INF/manifest.xml": ENCRYPTED})),
        ("zip", encrypted_zip()),
    ],
)
def test_u02_a_file_with_a_password_is_refused(validate: Validator, suffix: str, content: bytes) -> None:
    outcome = validate(content, suffix=suffix)
    assert (outcome.result, outcome.refusals) == ("unreadable", ["U02"])


class TestOpenDocument:
    def test_repeated_rows_and_cells_keep_their_positions(self, validate: Validator) -> None:
        rows = (
            workbook_bytes.ods_row(*TABLE[0]) + workbook_bytes.ods_row("", times=3) + workbook_bytes.ods_row(*TABLE[2])
        )
        outcome = validate(workbook_bytes.ods(rows + workbook_bytes.ods_row("", times=1_000_000)), suffix="ods")
        assert outcome.rules == [("F07", "warning", 2), ("F07", "warning", 3), ("F07", "warning", 4), ("V02", "row", 5)]
        assert outcome.cells == ["E5"]

    @pytest.mark.parametrize("error", ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "Err:502"])
    def test_c10_spreadsheet_errors_are_found(self, validate: Validator, error: str) -> None:
        """LibreOffice writes some errors as Err: and a number."""
        text = f"<text:p>{error}</text:p>"
        cell = f'<table:table-cell office:value-type="string" office:string-value="">{text}</table:table-cell>'
        row = [cell if h == "staff_ref" else c for h, c in zip(TABLE[0], TABLE[1], strict=True)]
        outcome = validate(
            workbook_bytes.ods(workbook_bytes.ods_row(*TABLE[0]) + workbook_bytes.ods_row(*row)), suffix="ods"
        )
        assert (outcome.rules, outcome.cells) == ([("C10", "row", 2)], ["I2"])

    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ('office:value-type="date" office:date-value="2016-11-03">', "2016-11-03"),
            ('office:value-type="date" office:date-value="2016-11-03T00:00:00">', "2016-11-03"),
            ('office:value-type="percentage" office:value="0.52"><text:p>52%</text:p>', "52%"),
            ('office:value-type="currency" office:value="1100000.5"><text:p>£1.1m</text:p>', "1100000.5"),
            ('office:value-type="boolean" office:boolean-value="true"><text:p>WAHR</text:p>', "TRUE"),
            ('office:value-type="time" office:time-value="PT10H30M00S"><text:p>10:30 AM</text:p>', "10:30:00"),
            ('office:value-type="time" office:time-value="PT55H00M00S">', "55:00:00"),
            ('office:value-type="string"><text:p>a<text:s text:c="2"/>b<text:tab/>c</text:p>', "a  b\tc"),
            ('office:value-type="string"><text:p>a</text:p><text:p>b</text:p>', "a\nb"),
            ('office:value-type="string"><text:p>a <text:span>b</text:span></text:p>', "a b"),
            ("><office:annotation><text:p>a comment</text:p></office:annotation><text:p>a</text:p>", "a"),
        ],
    )
    def test_a_cell_is_read_by_its_type(self, tmp_path: Path, cell: str, text: str) -> None:
        path = tmp_path / "cell.ods"
        path.write_bytes(workbook_bytes.ods(workbook_bytes.ods_row(f"<table:table-cell {cell}</table:table-cell>")))
        [sheet] = sheets_of(path, Format.ODS)
        assert [[text_of(c) for c in row] for row in sheet.open().rows()] == [[text]]

    def test_u04_a_hidden_sheet_is_not_read(self, validate: Validator) -> None:
        rows = "".join(workbook_bytes.ods_row(*row) for row in TABLE)
        hidden = f'<table:table table:name="October" table:style-name="away">{rows}</table:table>'
        assert validate(workbook_bytes.ods(rows, more=hidden), suffix="ods").accepted == [2, 4]
        outcome = validate(workbook_bytes.ods(workbook_bytes.ods_row("Notes"), name="Notes", more=hidden), suffix="ods")
        assert outcome.refusals == ["U04"]
        assert outcome.findings[0].found == "October: hidden, and hidden sheets are not read"


class TestXls:
    @pytest.mark.parametrize("code_page", [1200, 1252, 1250, 10000, 932, 0xFFFF])
    def test_text_is_read_as_utf_16_whatever_the_code_page(self, validate: Validator, code_page: int) -> None:
        """Excel 97 and later write UTF-16, yet some programs declare another code page in the file."""
        rows = as_table(awards({"funding_org_name": "Café trust"}, {"funding_org_name": "The Łódź fund"}))
        outcome = validate(workbook_bytes.xls({"Data": rows}, code_page=code_page), "funding_awards", suffix="xls")
        assert outcome.findings == []
        assert [row["funding_org_name"] for row in outcome.values] == ["Café trust", "The Łódź fund"]
        outcome = validate(workbook_bytes.xls({"Data": TABLE}, code_page=code_page), suffix="xls")
        assert (outcome.rules, outcome.cells, outcome.accepted) == (BAD_MEDIUM, ["E3"], [2, 4])

    @pytest.mark.parametrize("text", ["John Smith", "943 476 5919", "someone@example.org", "QQ 12 34 56 C"])
    @pytest.mark.parametrize("rows", [contacts, participants])
    def test_p01_personal_data_is_found_whatever_the_code_page(
        self, validate: Validator, rows: Callable[..., list[dict[str, str]]], text: str
    ) -> None:
        table = as_table([{**row, "remark": text} for row in rows({}, {}, {})])
        outcome = validate(workbook_bytes.xls({"Data": table}, code_page=1252), rows.__name__, suffix="xls")
        assert (outcome.result, outcome.refusals) == ("refused", ["P01"])

    def test_a_stream_in_mini_sectors_is_read(self, validate: Validator) -> None:
        package = workbook_bytes.xls({"Data": TABLE[:2]}, code_page=1252)
        stream = CompoundFile(package).stream("workbook").rstrip(b"\x00") + bytes(3)  # its last record has no content
        assert len(stream) < 4096
        outcome = validate(workbook_bytes.small_compound_file(stream, "Workbook"), suffix="xls")
        assert (outcome.findings, outcome.accepted) == ([], [2])

    @pytest.mark.parametrize(("code_page", "encoding"), [(1252, "cp1252"), (10000, "mac-roman"), (1250, "cp1250")])
    def test_excel_5_and_95_are_read_by_their_code_page(
        self, validate: Validator, code_page: int, encoding: str
    ) -> None:
        book = workbook_bytes.xls_biff5(as_table(awards({"funding_org_name": "Cäfé trust"}, {})), code_page, encoding)
        outcome = validate(book, "funding_awards", suffix="xls")
        assert (outcome.findings, outcome.accepted) == ([], [2, 3])
        assert outcome.values[0]["funding_org_name"] == "Cäfé trust"
        outcome = validate(workbook_bytes.xls_biff5(TABLE, code_page, encoding), suffix="xls")
        assert (outcome.rules, outcome.cells, outcome.accepted) == (BAD_MEDIUM, ["E3"], [2, 4])

    @pytest.mark.parametrize("code_page", [0, 1200])
    def test_u01_excel_5_and_95_without_a_code_page_are_refused(self, validate: Validator, code_page: int) -> None:
        outcome = validate(workbook_bytes.xls_biff5(TABLE, code_page), suffix="xls")
        assert outcome.refusals == ["U01"]
        assert "save it as .xlsx" in (outcome.findings[0].found or "")

    @pytest.mark.parametrize("error", list(workbook_bytes.ERRORS))
    def test_c10_spreadsheet_errors_are_found(self, validate: Validator, error: str) -> None:
        row = [error if h == "staff_ref" else c for h, c in zip(TABLE[0], TABLE[1], strict=True)]
        outcome = validate(workbook_bytes.xls({"Data": [TABLE[0], row]}), suffix="xls")
        assert (outcome.rules, outcome.cells) == ([("C10", "row", 2)], ["I2"])

    def test_c10_the_error_of_a_formula_is_found(self, validate: Validator) -> None:
        row = ["" if h == "staff_ref" else c for h, c in zip(TABLE[0], TABLE[1], strict=True)]
        outcome = validate(
            workbook_bytes.xls({"Data": [TABLE[0], row]}, extra=workbook_bytes.formula_error_record(1, 8, "#REF!")),
            suffix="xls",
        )
        assert (outcome.rules, outcome.cells) == ([("C10", "row", 2)], ["I2"])

    def test_dates_and_numbers_are_read_by_type(self, validate: Validator) -> None:
        row = [{"contact_date": 42677.0, "duration_minutes": 45}.get(h, c) for h, c in CONTACT.items()]
        outcome = validate(workbook_bytes.xls({"Data": [list(CONTACT), row]}), suffix="xls")
        assert outcome.findings == []
        assert outcome.values[0]["contact_date"] == date(2016, 11, 3)
        assert outcome.values[0]["duration_minutes"] == 45

    def test_u04_a_hidden_sheet_is_not_read(self, validate: Validator) -> None:
        outcome = validate(workbook_bytes.xls({"Notes": [["a"]], "Data": TABLE}, hidden=["Data"]), suffix="xls")
        assert outcome.refusals == ["U04"]

    def test_a_heading_merged_over_two_rows_is_read(self, validate: Validator) -> None:
        merged_area = workbook_bytes.merged_cells_record(0, 1, 0, 0)
        table = [["contact_id", *[""] * (len(CONTACT) - 1)], ["", *list(CONTACT)[1:]], *TABLE[1:]]
        outcome = validate(workbook_bytes.xls({"Data": table}, extra=merged_area), suffix="xls")
        assert outcome.rules == [("F04", "warning", 1), ("V02", "row", 4)]


def typed(**columns: pa.Array) -> bytes:
    """A Parquet file of one contact, with these columns in place of text ones."""
    out = io.BytesIO()
    plain = {name: pa.array([text]) for name, text in CONTACT.items()}
    pq.write_table(pa.table(plain | columns), out)
    return out.getvalue()


class TestParquet:
    """Row numbers of a Parquet file, where the heading counts as row 1, and its types."""

    @pytest.mark.parametrize(
        ("value", "kind", "text"),
        [
            (date(2016, 11, 3), pa.date32(), "2016-11-03"),
            (datetime(2016, 11, 3), pa.timestamp("ns"), "2016-11-03"),
            (datetime(2016, 11, 3, 23, 30), pa.timestamp("us"), "2016-11-03T23:30:00"),
            (datetime(2016, 11, 3, 23, 30, tzinfo=UTC), pa.timestamp("us", "UTC"), "2016-11-03T23:30:00+00:00"),
            (time(10, 30), pa.time64("ns"), "10:30:00"),
            (timedelta(hours=55), pa.duration("ns"), "55:00:00"),
            (Decimal("1100000.00"), pa.decimal128(12, 2), "1100000.00"),
            (Decimal("0.00000001"), pa.decimal128(12, 8), "0.00000001"),
            (0.1 + 0.2, pa.float64(), "0.3"),
            (float("nan"), pa.float64(), ""),
            (45, pa.int16(), "45"),
            (True, pa.bool_(), "TRUE"),
            (b"text", pa.binary(), "text"),
            (None, pa.string(), ""),
            (None, pa.null(), ""),
        ],
    )
    def test_typed_columns_become_text(self, value: object, kind: pa.DataType, text: str) -> None:
        assert _texts(pa.array([value], kind)).to_list() == [text]
        # Columns may be stored dictionary-encoded too.
        assert _texts(pa.array([value, value], kind).dictionary_encode()).to_list() == [text, text]

    def test_typed_columns_are_validated(self, validate: Validator) -> None:
        content = typed(contact_date=pa.array([date(2016, 11, 3)]), duration_minutes=pa.array([45], pa.int8()))
        outcome = validate(content, suffix="parquet")
        assert (outcome.findings, outcome.accepted, outcome.verdict.header_row) == ([], [2], 1)

    def test_row_numbers_continue_across_row_groups(self, validate: Validator) -> None:
        out = io.BytesIO()
        rows = contacts(*[{}] * 7, {"contact_medium": "zz"})
        pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=3)
        outcome = validate(out.getvalue(), suffix="parquet")
        assert (outcome.rules, outcome.accepted) == ([("V02", "row", 9)], [2, 3, 4, 5, 6, 7, 8])

    @pytest.mark.parametrize("value", [[1, 2], {"a": 1}])
    def test_u01_a_column_of_lists_or_structs_is_refused(self, validate: Validator, value: object) -> None:
        outcome = validate(typed(duration_minutes=pa.array([value])), suffix="parquet")
        assert outcome.refusals == ["U01"]
        assert outcome.findings[0].found == "column G holds lists or records, not single values"

    def test_u01_undecodable_bytes_are_refused(self, validate: Validator) -> None:
        assert validate(typed(staff_ref=pa.array([b"\xff\xfe"])), suffix="parquet").refusals == ["U01"]

    def test_u03_and_f01_a_file_without_headings_or_rows_is_refused(self, validate: Validator) -> None:
        assert validate(workbook_bytes.parquet([["a", "b"], ["1", "2"]]), suffix="parquet").refusals == ["U03"]
        out = io.BytesIO()
        pq.write_table(pa.table({h: pa.array([], pa.string()) for h in CONTACT}), out)
        assert validate(out.getvalue(), suffix="parquet").refusals == ["F01"]


@pytest.mark.parametrize(("rows", "by_column"), [(20, False), (5000, True)])
def test_only_a_large_workbook_is_read_by_column(tmp_path: Path, rows: int, by_column: bool) -> None:
    path = tmp_path / "contacts.xlsx"
    path.write_bytes(workbook({"Data": as_table(contacts(*[{}] * rows))}))
    table = sheets_of(path, Format.XLSX)[0].open()
    assert isinstance(table, PlainTable) is by_column
    assert sum(1 for _ in table.rows()) == rows + 1
