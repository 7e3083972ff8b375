"""What is in a file besides its records is named once as what it is, and the records load. Rules F32-F39."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
import workbook_bytes
from file_validator import (
    CONTACT,
    PARTICIPANT,
    Formula,
    Row,
    ValidatedFile,
    Validator,
    as_csv,
    as_table,
    awards,
    contacts,
    participants,
    workbook,
)

Table = list[list[str]]
DATASETS = {"contacts": (contacts, CONTACT), "participants": (participants, PARTICIPANT)}
SITES = {"contacts": "MHT-BPL", "participants": "MHT-BPL", "funding_awards": "PMO"}
FORMATS = ("csv", "xlsx", "xls", "ods")


def table_of(dataset: str, *changes: Row) -> Table:
    """A heading and valid rows of a dataset."""
    rows = {"contacts": contacts, "participants": participants, "funding_awards": awards}[dataset]
    return as_table(rows(*changes))


def file_of(table: Sequence[Sequence[str]], suffix: str) -> bytes:
    """A table as a file of a format."""
    if suffix == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(table)
        return out.getvalue().encode()
    if suffix == "ods":
        return workbook_bytes.ods("".join(workbook_bytes.ods_row(*row) for row in table))
    return workbook_bytes.xls({"Data": table}) if suffix == "xls" else workbook({"Data": table})


def check(validate: Validator, table: Sequence[Sequence[str]], dataset: str, suffix: str) -> ValidatedFile:
    """Validate a table in a format."""
    outcome = validate(file_of(table, suffix), dataset, SITES[dataset], suffix=suffix)
    assert outcome.is_conserved
    return outcome


# --- empty cells at the end of each line -----------------------------------------------------------------------------


@pytest.mark.parametrize("surplus", [1, 3])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("dataset", SITES)
def test_f32_empty_cells_too_many_on_every_line_are_left_out(
    validate: Validator, dataset: str, delimiter: str, surplus: int
) -> None:
    heading, *rows = as_csv([dict(zip(*pair, strict=True)) for pair in _pairs(dataset)], delimiter).splitlines()
    outcome = validate("\n".join([heading, *(row + delimiter * surplus for row in rows)]), dataset, SITES[dataset])
    sound = validate("\n".join([heading, *rows]), dataset, SITES[dataset])
    found = "1 empty cell too many" if surplus == 1 else "3 empty cells too many"
    assert [f for f in outcome.findings if f.rule != "F13"] == [("F32", "warning", None, None, found, None)]
    assert outcome.values == sound.values and len(outcome.values) == 12


def _pairs(dataset: str) -> list[tuple[list[str], list[str]]]:
    heading, *rows = table_of(dataset, *[{}] * 12)
    return [(heading, row) for row in rows]


def test_f32_a_comma_in_a_text_of_such_a_file_is_still_reported_with_the_right_numbers(validate: Validator) -> None:
    lines = as_csv(contacts(*[{}] * 30)).splitlines()
    lines = [lines[0], *(line + "," for line in lines[1:])]
    lines[5] = lines[5].replace("W-0012", "W-0012, W-0013")
    outcome = validate("\n".join(lines))
    assert outcome.findings_of("F13") == [
        ("F13", "row", 6, None, "11 cells, where the heading has 10: 1 too many", None)
    ]
    assert len(outcome.accepted) == 29


@pytest.mark.parametrize("rows", [1, 12])
def test_an_empty_last_cell_is_no_cell_too_many(validate: Validator, rows: int) -> None:
    assert validate(as_csv(contacts(*[{"with_employer": ""}] * rows))).findings == []


def test_a_cell_too_many_on_some_lines_holds_them(validate: Validator) -> None:
    """Their text may hold a comma: the cells behind it are in the wrong columns."""
    lines = as_csv(contacts(*[{"with_employer": ""}] * 30)).splitlines()
    lines[4] = lines[4].replace("key_worker", "key,worker")
    outcome = validate("\n".join(lines))
    assert (outcome.rules, outcome.held) == ([("F13", "row", 5)], []) and len(outcome.accepted) == 29


def test_a_column_without_a_heading_is_no_empty_cell_too_many(validate: Validator) -> None:
    lines = as_csv(contacts(*[{}] * 5)).splitlines()
    outcome = validate("\n".join([lines[0], *(line + ",x" for line in lines[1:])]))
    assert outcome.findings_of("F32") == []


# --- blanks far away -------------------------------------------------------------------------------------------------

_FAR = "XFD1048576"


@pytest.mark.parametrize(
    "cell",
    [
        f'<c r="{_FAR}" t="inlineStr"><is><t> </t></is></c>',
        f'<c r="{_FAR}" t="inlineStr"><is><t xml:space="preserve">&#160; </t></is></c>',
        f'<c r="{_FAR}" t="str"><f>IF(A2="","",A2)</f><v></v></c>',
        f'<c r="{_FAR}" s="0"><v></v></c>',
    ],
    ids=["space", "no-break space", "formula without a text", "no value"],
)
@pytest.mark.parametrize("dataset", SITES)
def test_a_blank_far_away_is_ignored(validate: Validator, dataset: str, cell: str) -> None:
    book = workbook({"Data": table_of(dataset, {}, {}, {})})
    part = "xl/worksheets/sheet1.xml"
    row = f'<row r="1048576">{cell}</row></sheetData>'.encode()
    far = workbook_bytes.read_part(book, part).replace(b"</sheetData>", row)
    outcome = validate(workbook_bytes.replace_parts(book, {part: far}), dataset, SITES[dataset], suffix="xlsx")
    sound = validate(book, dataset, SITES[dataset], suffix="xlsx")
    assert (outcome.findings, outcome.values) == (sound.findings, sound.values)
    assert len(outcome.values) == 3


def test_a_blank_far_away_in_the_shared_texts_is_ignored(validate: Validator) -> None:
    table = as_table(contacts({}, {}))
    book = workbook({"Data": [[*table[0], *[""] * 16_000], *table[1:]]})
    part, texts = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
    shared = workbook_bytes.read_part(book, texts)
    number = shared.count(b"<si>")
    cell = f'<row r="1048576"><c r="{_FAR}" t="s"><v>{number}</v></c></row></sheetData>'.encode()
    changes = {
        texts: shared.replace(b"</sst>", b'<si><t xml:space="preserve"> </t></si></sst>'),
        part: workbook_bytes.read_part(book, part).replace(b"</sheetData>", cell),
    }
    outcome = validate(workbook_bytes.replace_parts(book, changes), suffix="xlsx")
    assert (outcome.findings, outcome.accepted) == ([], [2, 3])


def test_a_text_far_away_is_not_ignored(validate: Validator) -> None:
    book = workbook({"Data": as_table(contacts({}, {}))})
    part = "xl/worksheets/sheet1.xml"
    cell = f'<row r="1048576"><c r="{_FAR}" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'.encode()
    far = workbook_bytes.read_part(book, part).replace(b"</sheetData>", cell)
    assert validate(workbook_bytes.replace_parts(book, {part: far}), suffix="xlsx").refusals == ["U01"]


def test_a_blank_far_away_in_an_opendocument_file_is_ignored(validate: Validator) -> None:
    table = as_table(contacts({}, {}))
    blank = "<table:table-cell><text:p> </text:p></table:table-cell>"
    empty = f'<table:table-cell table:number-columns-repeated="16000"/>{blank}'
    rows = "".join(workbook_bytes.ods_row(*row) for row in table)
    far = f'<table:table-row table:number-rows-repeated="1000000"/><table:table-row>{empty}</table:table-row>'
    outcome = validate(workbook_bytes.ods(rows + far), suffix="ods")
    assert (outcome.findings, outcome.accepted) == ([], [2, 3])


# --- formulas without a stored result --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "field"), [("contacts", "duration_minutes"), ("participants", "gender"), ("funding_awards", "amount")]
)
def test_f37_a_formula_without_a_stored_result_is_named_as_that(validate: Validator, dataset: str, field: str) -> None:
    table = table_of(dataset, *[{}] * 30)
    table[3][table[0].index(field)] = Formula("=A1", 97)  # type: ignore[call-overload]
    book, part = workbook({"Data": table}), "xl/worksheets/sheet1.xml"
    xml = workbook_bytes.read_part(book, part)
    without = xml.replace(b"<f>A1</f><v>97</v>", b"<f>A1</f>")
    assert without != xml
    outcome = validate(workbook_bytes.replace_parts(book, {part: without}), dataset, SITES[dataset], suffix="xlsx")
    assert [r for r in outcome.rules if r[0] != "F19"] == [("F37", "row", 4)]
    assert outcome.held == [4] and len(outcome.accepted) == 29
    assert "#CALC!" not in str(outcome.findings)


def test_f37_is_found_in_an_opendocument_file(validate: Validator) -> None:
    table = as_table(contacts({}, {}, {}))
    cell = '<table:table-cell table:formula="of:=[.A1]"/>'
    table[2][table[0].index("duration_minutes")] = cell
    outcome = validate(file_of(table, "ods"), suffix="ods")
    assert (outcome.rules, outcome.held) == ([("F37", "row", 3)], [3])


def test_f37_a_column_of_them_refuses_the_file_and_is_told_as_one_cause(validate: Validator) -> None:
    table = as_table(contacts(*[{}] * 30))
    cell = '<table:table-cell table:formula="of:=[.A1]"/>'
    for row in table[1:]:
        row[table[0].index("duration_minutes")] = cell
    outcome = validate(file_of(table, "ods"), suffix="ods")
    assert outcome.refusals == ["F37"] and {f.rule for f in outcome.findings} == {"F37"}


def test_a_formula_with_an_empty_result_is_an_empty_cell(validate: Validator) -> None:
    table = as_table(contacts({}, {}))
    cell = '<table:table-cell table:formula="of:=&quot;&quot;" office:value-type="string" office:string-value=""/>'
    table[2][table[0].index("staff_ref")] = cell
    assert validate(file_of(table, "ods"), suffix="ods").findings == []
