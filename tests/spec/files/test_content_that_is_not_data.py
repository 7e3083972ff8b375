"""What is in a file besides its records is named once as what it is, and the records load. Rules F32-F39."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import workbook_bytes
from column_files import ROWS
from file_formats import file_of
from file_validator import (
    Finding,
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
from shared_file import OnceValidator, RowResult, SharedFiles
from soak import in_soak

Table = list[list[str]]
SITES = {"contacts": "MHT-BPL", "participants": "MHT-BPL", "funding_awards": "PMO"}
FORMATS = ("csv", *in_soak("xlsx"))


def table_of(dataset: str, *changes: Row) -> Table:
    """A heading and valid rows of a dataset."""
    rows = {"contacts": contacts, "participants": participants, "funding_awards": awards}[dataset]
    return as_table(rows(*changes))


def check(validate: Validator, table: Sequence[Sequence[str]], dataset: str, suffix: str) -> ValidatedFile:
    """Validate a table in a format."""
    outcome = validate(file_of(table, suffix), dataset, SITES[dataset], suffix=suffix)
    assert outcome.is_conserved
    return outcome


# --- empty cells at the end of each line -----------------------------------------------------------------------------


@pytest.mark.parametrize(("delimiter", "surplus"), [(",", 1), (";", 3), *in_soak((",", 3), (";", 1))])
@pytest.mark.parametrize("dataset", SITES)
def test_f32_empty_cells_too_many_on_every_line_are_left_out(
    validate: Validator, validate_once: OnceValidator, dataset: str, delimiter: str, surplus: int
) -> None:
    heading, *rows = as_csv([dict(zip(*pair, strict=True)) for pair in _pairs(dataset)], delimiter).splitlines()
    outcome = validate("\n".join([heading, *(row + delimiter * surplus for row in rows)]), dataset, SITES[dataset])
    sound = validate_once("\n".join([heading, *rows]), dataset, site=SITES[dataset])
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
def test_an_empty_last_cell_is_not_an_extra_cell(validate: Validator, rows: int) -> None:
    assert validate(as_csv(contacts(*[{"with_employer": ""}] * rows))).findings == []


def test_a_cell_too_many_on_some_lines_holds_them(validate: Validator) -> None:
    """Their text may hold a comma: the cells behind it are in the wrong columns."""
    lines = as_csv(contacts(*[{"with_employer": ""}] * 30)).splitlines()
    lines[4] = lines[4].replace("key_worker", "key,worker")
    outcome = validate("\n".join(lines))
    assert (outcome.rules, outcome.held) == ([("F13", "row", 5)], []) and len(outcome.accepted) == 29


def test_a_column_without_a_heading_is_not_an_extra_cell(validate: Validator) -> None:
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
def test_a_blank_far_away_is_ignored(
    validate: Validator, validate_once: OnceValidator, dataset: str, cell: str
) -> None:
    table = table_of(dataset, {}, {}, {})
    book = workbook({"Data": table})
    part = "xl/worksheets/sheet1.xml"
    row = f'<row r="1048576">{cell}</row></sheetData>'.encode()
    far = workbook_bytes.read_part(book, part).replace(b"</sheetData>", row)
    outcome = validate(workbook_bytes.replace_parts(book, {part: far}), dataset, SITES[dataset], suffix="xlsx")
    sound = validate_once(file_of(table, "csv"), dataset, site=SITES[dataset])
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


def test_f37_a_column_of_them_refuses_the_file_as_one_cause(validate: Validator) -> None:
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


# --- rows without a record -------------------------------------------------------------------------------------------

NOTES = (
    ["Notes:"],
    ["1. Data for November is provisional because one system had problems"],
    ["* Contacts by letter are excluded"],
    ["North team"],
    ["Data as at 01/12/2016"],
    ["Signed:", "", "Date:", "2016-12-01"],
    ["Prepared by", "the data team"],
)
FOOTERS = (
    ["(24 rows affected)"],
    ["Completion time: 2016-12-02T10:11:12.1234567+00:00"],
    ["End of report"],
    ["Page 1 of 1"],
)


def with_rows(table: Table, *more: Sequence[str]) -> Table:
    """The table with more rows below, filled up with empty cells."""
    return [*table, *([*row, *[""] * (len(table[0]) - len(row))] for row in more)]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", ["contacts", "participants"])
def test_f33_f34_notes_and_footers_below_the_rows_are_left_out(validate: Validator, dataset: str, suffix: str) -> None:
    table = with_rows(table_of(dataset, *[{}] * 12), [], *NOTES, [], *FOOTERS)
    outcome = check(validate, table, dataset, suffix)
    assert outcome.accepted == list(range(2, 14)) and outcome.held == []
    assert [f.row for f in outcome.findings_of("F33")] == list(range(15, 22))
    assert [f.row for f in outcome.findings_of("F34")] == list(range(23, 27))
    assert {f.found for r in ("F33", "F34") for f in outcome.findings_of(r)} == {None}
    assert {f.severity for f in outcome.findings} == {"warning"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_f33_notes_in_a_dataset_whose_reference_may_be_any_text(validate: Validator, suffix: str) -> None:
    table = with_rows(
        table_of("funding_awards", {}, {}), [], ["Notes:"], ["1. This is a note of some length"], ["Signed:", "x"]
    )
    outcome = check(validate, table, "funding_awards", suffix)
    assert outcome.accepted == [2, 3] and outcome.held == []
    assert [f.row for f in outcome.findings_of("F33")] == [5, 6, 7]


def test_f33_f34_lines_of_a_text_file_without_the_delimiters(validate: Validator) -> None:
    lines = [
        "",
        "(24 rows affected)",
        "",
        "Completion time: 2016-12-02T10:11:12",
        "Notes: excludes letters, and mail",
        "-----",
    ]
    outcome = validate(as_csv(contacts({}, {})) + "\n".join(lines) + "\n")
    assert outcome.accepted == [2, 3] and outcome.is_conserved and outcome.findings_of("F13") == []
    assert [r for r in outcome.rules if r[0] != "F07"] == [
        ("F34", "warning", 5), ("F34", "warning", 7), ("F33", "warning", 8), ("F38", "warning", 9)
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", FORMATS)
def test_f33_section_titles_within_the_rows_are_left_out(validate: Validator, suffix: str) -> None:
    heading, *rows = table_of("contacts", {}, {}, {}, {})
    table = with_rows([heading], ["North team"], *rows[:2], ["South team"], *rows[2:])
    outcome = check(validate, table, "contacts", suffix)
    assert outcome.accepted == [3, 4, 6, 7] and outcome.rules == [("F33", "warning", 2), ("F33", "warning", 5)]


@pytest.mark.parametrize(
    "row",
    [
        ["BPL-C000009"],
        ["BPL C000009"],
        ["Note: see BPL-C000009"],
        ["Notes", "BPL-E000001", "2016-11-03", "review", "01", "5", "45", "key_worker", "W-0012", "N"],
        ["North team", "BPL-E000001", "2016-11-03", "review"],
        ["", "BPL-E000001"],
        ["", "", "", "", "", "", "", "", "W-0012"],
        ["C000009"],
    ],
    ids=lambda row: row[0] or "no reference",
)
@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_a_row_that_may_be_a_record_is_held_and_never_left_out(
    validate: Validator, row: list[str], suffix: str
) -> None:
    outcome = check(validate, with_rows(table_of("contacts", {}, {}), row), "contacts", suffix)
    assert (outcome.accepted, outcome.held) == ([2, 3], [4])
    assert {f.rule for f in outcome.findings}.isdisjoint({"F33", "F34", "F35", "F38"})


@pytest.mark.parametrize("line", ["BPL-C000004", "BPL", "key_worker;review", "BPL-C000004,see the notes below"])
def test_a_line_that_may_be_part_of_a_record_is_held(validate: Validator, line: str) -> None:
    outcome = validate(as_csv(contacts({}, {})) + line + "\n")
    assert outcome.rules == [("F13", "row", 4)] and outcome.verdict.rows.held == 1


def test_a_sentence_within_a_broken_record_is_held_with_it(validate: Validator) -> None:
    lines = as_csv(contacts({}, {})) + "BPL-C000004,BPL-E000001,some text\nand more of it\nto the end,01,5\n"
    assert [r[0] for r in validate(lines).rules] == ["F13"] * 3


def test_many_lines_of_text_are_no_notes(validate: Validator) -> None:
    table = with_rows(table_of("contacts", {}, {}), *[["some words"]] * 30)
    assert validate(file_of(table, "csv")).findings_of("F33") == []


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", SITES)
def test_f38_lines_of_dashes_are_left_out(validate: Validator, dataset: str, suffix: str) -> None:
    heading, *rows = table_of(dataset, {}, {})
    table = [heading, ["-----" for _ in heading], *rows, ["=====" for _ in heading]]
    outcome = check(validate, table, dataset, suffix)
    assert outcome.accepted == [3, 4]
    assert [r for r in outcome.rules if r[0] == "F38"] == [("F38", "warning", 2), ("F38", "warning", 5)]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("dataset", "field"),
    [("contacts", "contact_medium"), ("participants", "gender"), ("funding_awards", "funding_org_name")],
)
def test_f06_rows_of_averages_are_left_out_like_totals(
    validate: Validator, dataset: str, field: str, suffix: str
) -> None:
    table = table_of(dataset, {}, {})
    average = ["Average" if name == field else "" for name in table[0]]
    outcome = check(validate, [*table, average, ["Mean", *average[1:]]], dataset, suffix)
    assert outcome.accepted == [2, 3] and outcome.held == []
    assert [f.row for f in outcome.findings_of("F06")] == [4, 5]


# --- another table below ---------------------------------------------------------------------------------------------

PIVOT = (["Row Labels", "Count of records"], ["first", "12"], ["review", "30"], ["Grand Total", "42"])


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", SITES)
def test_f35_a_small_table_below_is_left_out(validate: Validator, dataset: str, suffix: str) -> None:
    table = with_rows(table_of(dataset, {}, {}, {}), [], *PIVOT)
    outcome = check(validate, table, dataset, suffix)
    assert outcome.accepted == [2, 3, 4] and outcome.held == []
    assert [f.row for f in outcome.findings_of("F35")] == [6, 7, 8, 9]
    assert {f.rule for f in outcome.findings} - {"F19"} == {"F07", "F35"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_f35_the_rows_of_another_dataset_below_are_left_out(validate: Validator, suffix: str) -> None:
    people = as_table(participants({}, {}, {}))[0:4]
    narrow = [row[:10] for row in people]
    table = with_rows(table_of("contacts", {}, {}), [], *narrow)
    outcome = check(validate, table, "contacts", suffix)
    assert outcome.accepted == [2, 3] and outcome.held == []
    assert [f.row for f in outcome.findings_of("F35")] == [5, 6, 7, 8]


@pytest.mark.parametrize("width", [3, 20])
def test_f35_lines_of_another_width_are_another_table_too(validate: Validator, width: int) -> None:
    names = [f"column_{chr(97 + n)}" for n in range(width)]
    below = [names, *([f"{n}" for n in range(width)] for _ in range(3))]
    content = as_csv(contacts({}, {})) + "\n" + "".join(",".join(row) + "\n" for row in below)
    outcome = validate(content)
    assert outcome.accepted == [2, 3] and outcome.is_conserved
    assert [f.row for f in outcome.findings_of("F35")] == [5, 6, 7, 8] and outcome.findings_of("F13") == []


def test_records_below_a_blank_row_are_no_other_table(validate: Validator) -> None:
    first = {
        "contact_id": "see below",
        "contact_date": "in November",
        "contact_type": "a talk",
        "duration_minutes": "an hour",
    }
    rows = as_table(contacts({}, {}, {}))
    odd = [first.get(name, "not sure yet") for name in rows[0]]
    table = [*rows[:2], [""] * 10, odd, *rows[2:]]
    outcome = check(validate, table, "contacts", "xlsx")
    assert outcome.findings_of("F35") == [] and 4 in outcome.held and outcome.accepted == [2, 5, 6]


# --- choices that nobody made ----------------------------------------------------------------------------------------

PLACEHOLDERS = (
    "< Select >",
    "Please select",
    "Choose an item.",
    "Select...",
    "-- Select --",
    "Please select an option",
    "Choose...",
)


@pytest.mark.parametrize("text", PLACEHOLDERS)
@pytest.mark.parametrize(
    ("dataset", "optional", "required"),
    [
        ("contacts", "with_employer", "contact_type"),
        ("participants", "disability_ea2010", "gender"),
        ("funding_awards", "financial_year", "funding_org_name"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_f39_a_placeholder_is_an_empty_cell(
    in_shared_file: SharedFiles, dataset: str, optional: str, required: str, text: str, suffix: str
) -> None:
    blank = dict.fromkeys(table_of(dataset, {})[0], "")
    cases = [
        *({field: t} for field in (optional, required) for t in (*PLACEHOLDERS, "")),
        *(blank | {optional: t, required: t} for t in PLACEHOLDERS),
    ]
    site = SITES[dataset]

    def result_of(case: Row) -> RowResult:
        return in_shared_file(cases, case, dataset, suffix, site)

    key = ROWS[dataset][1]
    for field in (optional, required):
        result, as_empty = result_of({field: text}), result_of({field: ""})
        assert (result.is_accepted, result.is_held) == (as_empty.is_accepted, as_empty.is_held)
        assert result.rules == [("F39", "row" if as_empty.is_held else "warning")]
        assert [f.column for f in result.findings] == [field]
        if as_empty.is_accepted:
            assert {**result.values, key: ""} == {**as_empty.values, key: "", "source_row": result.row}
    unused = result_of(blank | {optional: text, required: text})
    assert (unused.rules, unused.is_accepted, unused.is_held) == ([("F39", "warning")], False, False)
    assert unused.file.verdict.rows.not_data == len(PLACEHOLDERS)
    assert unused.file.is_conserved


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx", "xls")])
def test_f39_many_unused_rows_are_counted(validate: Validator, suffix: str) -> None:
    table = with_rows(table_of("contacts", {}, {}), *[["", "", "", "< Select >", "< Select >"]] * 120)
    outcome = check(validate, table, "contacts", suffix)
    found = "120 rows with cells such as '< Select >'"
    assert outcome.findings == [Finding("F39", "warning", None, None, found, None)]
    assert outcome.accepted == [2, 3]


@pytest.mark.parametrize("name", ["Select", "Choose Work", "Select Recruitment Ltd", "The Pick"])
def test_a_name_that_reads_like_a_placeholder_is_kept(validate: Validator, name: str) -> None:
    outcome = validate(as_csv(awards({}, {"funding_org_name": name})), "funding_awards", "PMO")
    assert outcome.findings_of("F39") == [] and outcome.values[1]["funding_org_name"] == name
