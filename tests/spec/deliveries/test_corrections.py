"""Agreed corrections are applied before cells are read, and each one is reported.

Each test gives lines of `corrections.csv` and asserts what they do to a small file. Every row is made up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from file_validator import Finding, ValidatedFile, Validator, as_csv, contacts, participants, workbook

from flows.deliveries.corrections import COLUMNS, Corrections, parse_corrections
from flows.runtime.data_folder import CorrectionsUnusable

TODAY = date(2016, 12, 2)
LINE = {
    "site_code": "MHT-BPL",
    "dataset": "contacts",
    "file": "MHT-BPL_contacts_201611_v1.csv",
    "sheet": "",
    "row": "3",
    "column": "attended",
    "was": "9",
    "becomes": "5",
    "reason": "the export wrote 9 where it meant 5",
    "agreed_with": "data lead",
    "agreed_on": "2016-12-01",
    "until": "2017-03-31",
}
THREE_ROWS = as_csv(contacts({}, {"attended": "9"}, {}))  # row 3 is held: 9 is not a listed attendance code


@pytest.fixture
def validate(tmp_path: Path) -> Validator:
    return Validator(tmp_path)


def csv_of(*lines: dict[str, str]) -> str:
    """Text of a `corrections.csv` with these lines."""
    return as_csv([LINE | line for line in lines])


def agreed(*lines: dict[str, str]) -> Corrections:
    """Corrections of which every line is valid."""
    corrections = parse_corrections(csv_of(*lines), TODAY)
    assert corrections.faults == () and len(corrections.lines) == len(lines)
    return corrections


def correction_findings(outcome: ValidatedFile) -> list[Finding]:
    """The findings about corrections (X01, X02)."""
    return [f for f in outcome.findings if f.rule.startswith("X")]


def test_a_correction_is_applied_before_the_cell_is_read(validate: Validator) -> None:
    before = validate(THREE_ROWS)
    assert (before.accepted, before.held) == ([2, 4], [3])
    after = validate(THREE_ROWS, corrections=agreed({}))
    assert (after.accepted, after.held, after.result) == ([2, 3, 4], [], "accepted")
    assert after.values[1]["attended"] == "5"
    assert after.findings == [Finding("X01", "warning", 3, "attended", "9", "5")]


def test_every_rule_validates_the_corrected_value(validate: Validator) -> None:
    """A correction does not switch a rule off: a corrected value that is invalid is held."""
    outcome = validate(THREE_ROWS, corrections=agreed({"becomes": "8"}))
    assert outcome.held == [3]
    assert [(f.rule, f.found) for f in outcome.findings] == [("V02", "8"), ("X01", "9")]


def test_a_repair_of_the_corrected_value_is_reported_too(validate: Validator) -> None:
    line = {"row": "2", "column": "contact_medium", "was": "01", "becomes": "1"}
    outcome = validate(THREE_ROWS, corrections=agreed(line))
    assert outcome.values[0]["contact_medium"] == "01"
    assert [(f.rule, f.row, f.suggestion) for f in outcome.findings if f.severity == "warning"] == [
        ("C14", 2, "01"),
        ("X01", 2, "1"),
    ]


@pytest.mark.parametrize("column", ["attended", "F", "f", "ATTENDED", " Attended "])
def test_the_column_may_be_a_heading_or_a_letter(validate: Validator, column: str) -> None:
    assert validate(THREE_ROWS, corrections=agreed({"column": column})).held == []


def test_a_correction_may_fill_or_empty_a_cell(validate: Validator) -> None:
    table = as_csv(contacts({"staff_role": ""}, {}))
    name = {"row": "2", "column": "staff_role", "was": "", "becomes": "key_worker"}
    outcome = validate(table, corrections=agreed(name))
    assert outcome.held == []
    assert correction_findings(outcome) == [Finding("X01", "warning", 2, "staff_role", "(an empty cell)", "key_worker")]
    emptied = validate(
        table, corrections=agreed({"row": "3", "column": "staff_role", "was": "key_worker", "becomes": ""})
    )
    assert emptied.held == [2, 3]


def test_a_correction_may_name_the_sheet(validate: Validator) -> None:
    rows = contacts({}, {"attended": "9"})
    book = workbook({"Contacts": [list(rows[0]), *(list(r.values()) for r in rows)]})
    file = {"file": "MHT-BPL_contacts_201611_v1.xlsx"}
    assert validate(book, suffix="xlsx", corrections=agreed(file | {"sheet": "contacts"})).held == []
    assert validate(book, suffix="xlsx", corrections=agreed(file)).held == []
    other = validate(book, suffix="xlsx", corrections=agreed(file | {"sheet": "October"}))
    assert other.held == [3]
    assert correction_findings(other) == [
        Finding("X02", "warning", None, "attended", "row 3: it is about another sheet", None)
    ]


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ({"was": "8"}, Finding("X02", "warning", 3, "attended", "9", None)),
        ({"row": "4"}, Finding("X02", "warning", 4, "attended", "5", None)),
        ({"row": "40"}, Finding("X02", "warning", None, "attended", "row 40: there is no such row of data", None)),
        ({"row": "1"}, Finding("X02", "warning", None, "attended", "row 1: there is no such row of data", None)),
        ({"column": "ZZ"}, Finding("X02", "warning", None, None, "row 3: there is no such column", None)),
        (
            {"until": "2016-12-01"},
            Finding("X02", "warning", None, "attended", "row 3: it was agreed until 1 December 2016", None),
        ),
    ],
    ids=["another value", "another row", "no row", "the heading", "no column", "lapsed"],
)
def test_a_correction_that_does_not_fit_is_reported_and_not_applied(
    validate: Validator, line: dict[str, str], finding: Finding
) -> None:
    outcome = validate(THREE_ROWS, corrections=agreed(line))
    assert (outcome.accepted, outcome.held) == ([2, 4], [3])
    assert correction_findings(outcome) == [finding]


def test_a_correction_applies_on_its_last_day(validate: Validator) -> None:
    assert validate(THREE_ROWS, corrections=agreed({"until": "2016-12-02"})).held == []


@pytest.mark.parametrize(
    "line",
    [{"file": "MHT-BPL_contacts_201610_v1.csv"}, {"dataset": "referrals"}, {"site_code": "HLT-WMCA"}],
    ids=["file", "dataset", "site"],
)
def test_a_correction_applies_to_one_delivery_only(validate: Validator, line: dict[str, str]) -> None:
    outcome = validate(THREE_ROWS, corrections=agreed(line))
    assert outcome.held == [3] and correction_findings(outcome) == []


def test_a_correction_of_a_personal_cell_is_hidden(validate: Validator) -> None:
    line = {
        "dataset": "participants", "file": "MHT-BPL_participants_201611_v1.csv", "row": "2",
        "column": "participant_ref", "was": "BPL-000001", "becomes": "BPL-000009",
    }  # fmt: skip
    outcome = validate(as_csv(participants({}, {})), "participants", corrections=agreed(line))
    assert outcome.values[0]["participant_ref"] == "BPL-000009"
    assert correction_findings(outcome) == [Finding("X01", "warning", 2, "participant_ref", None, None)]
    assert outcome.stored_findings.filter(outcome.stored_findings["rule_id"] == "X01")["hidden"].to_list() == [True]


def test_a_correction_never_hides_personal_data(validate: Validator) -> None:
    """Only its column makes a date a birth: a line naming the column by letter passes, so the file must be refused."""
    line = {
        "dataset": "participants", "file": "MHT-BPL_participants_201611_v1.csv", "row": "2",
        "column": "C", "was": "14/05/1980", "becomes": "1980",
    }  # fmt: skip
    table = as_csv(participants({"year_of_birth": "14/05/1980"}, {}))
    outcome = validate(table, "participants", corrections=agreed(line))
    assert outcome.result == "refused" and "P03" in outcome.refusals
    assert "14/05/1980" not in outcome.stored_findings.write_csv() and "X01" not in outcome.stored_findings["rule_id"]
    by_heading = parse_corrections(csv_of(line | {"column": "year_of_birth"}), TODAY)
    assert by_heading.lines == () and "was may hold personal data" in by_heading.faults[0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"site_code": "MHT-XXX"}, "there is no site of this site_code"),
        ({"dataset": "contact"}, "there is no dataset of this name"),
        ({"file": ""}, "file is empty"),
        ({"column": ""}, "column is empty"),
        ({"reason": ""}, "reason is empty"),
        ({"agreed_with": ""}, "agreed_with is empty"),
        ({"agreed_with": "Jo Bloggs"}, "agreed_with must be a role in small letters"),
        ({"row": "three"}, "row must be a row's number"),
        ({"row": "0"}, "row must be a row's number"),
        ({"agreed_on": "1/12/2016"}, "agreed_on must be a day such as 2016-12-31"),
        ({"until": ""}, "until must be a day such as 2016-12-31"),
        ({"until": "2016-11-30"}, "until is before agreed_on"),
        ({"becomes": "9"}, "was and becomes are the same"),
    ],
)
def test_an_invalid_line_is_reported_and_the_others_are_used(line: dict[str, str], message: str) -> None:
    corrections = parse_corrections(csv_of({"row": "4"}, line, {"row": "5"}), TODAY)
    assert [c.row for c in corrections.lines] == [4, 5]
    [fault] = corrections.faults
    assert fault.startswith("`corrections.csv`, line 3: ") and message in fault


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("was", "943 476 5919"),
        ("becomes", "AB123456C"),
        ("reason", "asked jo.bloggs@example.org"),
        ("agreed_with", "07700 900123"),
        ("becomes", "FY1 3AD"),
    ],
)
def test_personal_data_in_a_line_is_refused_and_not_repeated(column: str, value: str) -> None:
    corrections = parse_corrections(csv_of({column: value}), TODAY)
    assert corrections.lines == ()
    assert f"{column} may hold personal data" in corrections.faults[0] and value not in corrections.faults[0]


def test_two_lines_for_one_cell_are_both_refused() -> None:
    corrections = parse_corrections(csv_of({"becomes": "6"}, {"row": "4"}, {"column": "ATTENDED"}), TODAY)
    assert [c.row for c in corrections.lines] == [4]
    assert [f.split(": ")[0] for f in corrections.faults] == ["`corrections.csv`, line 2", "`corrections.csv`, line 4"]


def test_a_cell_named_by_heading_and_by_letter_is_corrected_once(validate: Validator) -> None:
    outcome = validate(THREE_ROWS, corrections=agreed({"column": "F"}, {"column": "attended", "becomes": "6"}))
    assert outcome.held == [] and outcome.values[1]["attended"] == "5"
    assert [f.found for f in correction_findings(outcome)] == ["9", "row 3: the cell is corrected twice"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.replace("becomes", "is_now", 1),
            "the heading becomes is missing (cell 8 is not among its headings)",
        ),
        (lambda t: t.replace("was,", "row,", 1), "the heading row appears twice and the heading was is missing"),
        (lambda t: "\n" + t.replace("until", "", 1), "until is missing (cell 12 is not among its headings) on line 2"),
        (lambda t: t.partition("\n")[2], "site_code, dataset, file, sheet, row, column, was, becomes, reason"),
        (lambda t: t.replace(",", ";"), "there is only one cell"),
        (lambda t: t.replace(",", "\t"), "there is only one cell"),
        (lambda t: t + '"MHT-BPL,contacts\n' + t.partition("\n")[2], "from line 3 on it cannot be read"),
    ],
    ids=["another name", "twice", "empty", "no heading", "semicolons", "tabs", "an open quotation mark"],
)
def test_a_file_that_is_not_a_corrections_table_stops_the_run(change: Callable[[str], str], message: str) -> None:
    with pytest.raises(CorrectionsUnusable) as raised:
        parse_corrections(change(csv_of({"reason": "said by the data lead"})), TODAY)
    assert message in str(raised.value) and "said by" not in str(raised.value)
    assert "quotation marks" in str(raised.value) or ",".join(COLUMNS) in str(raised.value)


def test_headings_may_be_reordered_and_extended() -> None:
    reordered = [{**dict(reversed((LINE | {"row": n}).items())), "note": "mine"} for n in ("3", "4")]
    corrections = parse_corrections(as_csv(reordered), TODAY)
    assert corrections.faults == () and [c.row for c in corrections.lines] == [3, 4]


def test_a_malformed_line_leaves_the_others_in_use() -> None:
    valid, malformed = csv_of({}), "MHT-BPL,contacts\n"
    corrections = parse_corrections(valid + "\n" + malformed + csv_of({"row": "9"}).splitlines()[1] + "\n", TODAY)
    assert [c.row for c in corrections.lines] == [3, 9]
    assert corrections.faults == (
        "`corrections.csv`, line 4: it has 2 cells, the heading 12; put text with commas in quotes",
    )


def test_an_empty_file_has_no_corrections() -> None:
    assert parse_corrections("", TODAY) == parse_corrections("\n\n", TODAY) == Corrections(TODAY)


def test_many_cells_in_several_columns_are_corrected(validate: Validator) -> None:
    rows = contacts(*({"attended": "9", "staff_role": "boss"} for _ in range(100)), *({} for _ in range(100)))
    role = {"column": "staff_role", "was": "boss", "becomes": "key_worker"}
    lines = [{"row": str(n)} | more for n in range(2, 102) for more in ({}, role)]
    outcome = validate(as_csv(rows), corrections=agreed(*lines))
    assert outcome.result == "accepted" and len(outcome.accepted) == 200
    assert len(correction_findings(outcome)) == 200
