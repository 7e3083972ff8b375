"""Blank rows, repeated headings and totals are skipped, and no other row is. Source: docs/domain.md 6.1 (F05-F08)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from file_validator import CONTACT, Finding, Validator, as_csv, as_table, awards, contacts, workbook
from shared_file import SharedFiles
from soak import in_soak

Rows = Callable[..., list[dict[str, str]]]
HEADING = ",".join(CONTACT)
COMMAS = "," * (len(CONTACT) - 1)
VALID = as_csv(contacts({}, {}))


def test_f05_a_repeated_heading_is_skipped(validate: Validator) -> None:
    lines = VALID.splitlines()
    outcome = validate("\n".join([*lines[:2], HEADING, lines[2]]))
    assert (outcome.rules, outcome.accepted) == ([("F05", "warning", 3)], [2, 4])
    assert outcome.verdict.rows.not_data == 1


def test_cells_below_a_skipped_row_stay_on_their_rows(validate: Validator) -> None:
    """With every value distinct, dictionary-encoded text has as many values as cells, in another order."""
    refs = ["W-0001", "W-0002", "", "W-0004"]
    lines = as_csv(contacts(*({"staff_ref": ref} for ref in refs))).splitlines()
    outcome = validate("\n".join([lines[0], COMMAS, *lines[1:]]))
    assert outcome.rules == [("F07", "warning", 2)]
    assert [row["staff_ref"] for row in outcome.values] == [ref or None for ref in refs]


@pytest.mark.parametrize(
    "repeated_heading",
    [
        "\ufeff" + HEADING,
        HEADING.upper().replace("_", " "),
        HEADING.replace("contact_date", "Date of contact"),
        ",".join(f"\u200b{h} " for h in CONTACT),
    ],
    ids=["byte order mark", "capitals", "alias", "invisible characters"],
)
def test_f05_a_repeated_heading_is_recognised_in_any_spelling(validate: Validator, repeated_heading: str) -> None:
    outcome = validate(VALID + repeated_heading + "\n")
    assert (outcome.rules, outcome.accepted) == ([("F05", "warning", 4)], [2, 3])


def test_f05_a_repeated_heading_in_another_order_refuses_the_file(validate: Validator) -> None:
    """Rows below it would be read into the wrong columns."""
    rows = [dict(reversed(row.items())) for row in contacts({}, {})]
    outcome = validate(VALID + as_csv(rows))
    assert (outcome.refusals, outcome.accepted) == (["F05"], [])
    assert ("F05", "file", 4) in outcome.rules
    assert outcome.verdict.rows.not_data == 1


def test_f05_a_row_with_a_heading_in_a_cell_is_a_record(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({}, {"staff_role": "Contact date", "contact_type": "Attended"})))
    assert (outcome.findings_of("F05"), outcome.held) == ([], [3])


def test_f05_and_f06_more_than_a_hundred_are_reported_as_a_count(validate: Validator) -> None:
    outcome = validate(VALID + f"{HEADING}\n" * 101 + f"Total{COMMAS}\n" * 102)
    assert [(f.rule, f.row, f.found) for f in outcome.findings] == [
        ("F05", None, "101 repeated headings"),
        ("F06", None, "102 total rows"),
    ]
    assert (outcome.accepted, outcome.verdict.rows.not_data) == ([2, 3], 203)


def test_f06_a_record_without_its_key_is_not_a_total(validate: Validator) -> None:
    """It has the other values of a record, so it is held and not dropped."""
    outcome = validate(as_csv(contacts({}, {"contact_id": "", "staff_ref": "Total"}, {})))
    assert (outcome.findings_of("F06"), outcome.held, outcome.accepted) == ([], [3], [2, 4])


@pytest.mark.parametrize("word", ["Total", "TOTAL", "Grand total", "Sub-total", "Subtotal", "Totals"])
@pytest.mark.parametrize("field", ["contact_id", "episode_id"])
def test_f06_a_total_is_skipped(validate: Validator, word: str, field: str) -> None:
    total = {**dict.fromkeys(CONTACT, ""), field: word, "duration_minutes": "90"}
    outcome = validate(as_csv([*contacts({}, {}), total]))
    assert (outcome.rules, outcome.accepted, outcome.held) == ([("F06", "warning", 4)], [2, 3], [])
    assert outcome.verdict.rows.not_data == 1


@pytest.mark.parametrize("key", ["TOTAL-C000009", "Totalling", "TOTALS1-C000009"])
def test_f06_a_longer_word_that_begins_with_total_is_not_a_total(validate: Validator, key: str) -> None:
    outcome = validate(as_csv(contacts({}, {"contact_id": key}, {})))
    assert (outcome.findings_of("F06"), outcome.verdict.rows.not_data) == ([], 0)


@pytest.mark.parametrize("key", ["Total:", "Total 2", "total: 2 contacts"])
def test_f06_text_may_follow_the_word_total(validate: Validator, key: str) -> None:
    total = {**dict.fromkeys(CONTACT, ""), "contact_id": key, "duration_minutes": "90", "staff_role": "key_worker"}
    assert validate(as_csv([*contacts({}, {}), total])).rules == [("F06", "warning", 4)]


TOTALS = ("Total", "TOTAL Transport grant 7", "Grand total: 2015-16", "sub-total 3")


@pytest.mark.parametrize("key", TOTALS)
@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
@pytest.mark.parametrize(
    ("dataset", "field", "rule"),
    [
        ("funding_awards", "award_id", "F06"),  # its key may be any text, so a total would be counted as an award
        ("contacts", "contact_id", "V04"),
        ("participants", "participant_ref", "V04"),
    ],
)
def test_f06_a_total_with_every_cell_filled_is_held(
    in_shared_file: SharedFiles, dataset: str, field: str, rule: str, suffix: str, key: str
) -> None:
    """Only the sender knows whether it is a record, or a total row with every cell filled."""
    result = in_shared_file([{field: total} for total in TOTALS], {field: key}, dataset, suffix)
    assert [(f.rule, f.severity, f.column) for f in result.findings] == [(rule, "row", field)]
    assert result.is_held and result.file.verdict.rows.not_data == 0


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_f06_a_total_with_a_few_cells_filled_is_skipped(validate: Validator, suffix: str) -> None:
    total = {**dict.fromkeys(awards({})[0], ""), "award_id": "Total 2015-16", "amount": "2200000.00"}
    rows = [*awards({}, {}), {**total, "financial_year": "2015-16"}]
    content = as_csv(rows).encode() if suffix == "csv" else workbook({"Data": as_table(rows)})
    outcome = validate(content, "funding_awards", suffix=suffix)
    assert (outcome.rules, outcome.accepted) == ([("F06", "warning", 4)], [2, 3])


@pytest.mark.parametrize("line", ["   ", "\t", "\u00a0", "\x1a", " \x1a "])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_f07_a_line_of_white_space_or_an_end_of_file_mark_is_blank(
    validate: Validator, line: str, line_end: str
) -> None:
    heading, *rows = VALID.splitlines()
    outcome = validate(line_end.join([heading, line, *rows, line]))
    assert outcome.rules == [("F07", "warning", 2), ("F07", "warning", 5)]
    assert outcome.accepted == [3, 4]


def test_f07_a_blank_row_is_skipped(validate: Validator) -> None:
    outcome = validate(VALID.replace("\n", f"\n{COMMAS}\n", 1) + "\n   \n")
    assert outcome.findings_of("F07")[0] == Finding("F07", "warning", 2, None, None, None)
    assert outcome.accepted == [3, 4]


def test_f07_an_empty_line_is_skipped(validate: Validator) -> None:
    outcome = validate(VALID.replace("\n", "\n\n", 1))
    assert (outcome.rules, outcome.accepted) == ([("F07", "warning", 2)], [3, 4])


@pytest.mark.parametrize("line", [",", ", ,", "," * 30, " ,\t,"])
@pytest.mark.parametrize("staff_ref", ["W-0012", '"W,1"'], ids=["no quotation marks", "with quotation marks"])
def test_f07_a_line_of_any_number_of_commas_is_blank(validate: Validator, line: str, staff_ref: str) -> None:
    lines = VALID.replace("W-0012", staff_ref).splitlines()
    outcome = validate("\n".join([*lines[:2], line, lines[2], line]))
    assert outcome.findings_of("F13") == []
    assert [f.row for f in outcome.findings_of("F07")] == [3, 5] and outcome.verdict.rows.not_data == 2


def test_f07_more_than_a_hundred_are_one_finding(validate: Validator) -> None:
    outcome = validate(VALID + f"{COMMAS}\n" * 101)
    assert outcome.findings == [Finding("F07", "warning", None, None, "101 blank rows", None)]
    assert (outcome.accepted, outcome.verdict.rows.not_data) == ([2, 3], 101)


def test_f07_blank_rows_are_counted_across_batches(validate: Validator) -> None:
    """Sixty in the first batch and sixty in the last are 120."""
    heading, row, _ = VALID.splitlines()
    rows = [row.replace("BPL-C000001", f"BPL-C{n:07}") for n in range(120_000)]
    outcome = validate("\n".join([heading, *[COMMAS] * 60, *rows, *[COMMAS] * 60]))
    assert [(f.row, f.found) for f in outcome.findings_of("F07")] == [(None, "120 blank rows")]


def test_f07_a_hundred_are_reported_one_by_one(validate: Validator) -> None:
    assert [f.row for f in validate(VALID + f"{COMMAS}\n" * 100).findings_of("F07")] == list(range(4, 104))


def test_f08_an_empty_key_is_never_filled_down(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({}, {"contact_id": ""}, {})))
    assert [(f[:4], f.found or "") for f in outcome.findings] == [(("F08", "row", 3, "contact_id"), "")]
    assert (outcome.accepted, outcome.held) == ([2, 4], [3])


def test_f08_every_row_of_a_merged_block_is_reported(validate: Validator) -> None:
    """Every row of a merged block is reported, so that the sender can fill all of them in."""
    outcome = validate(as_csv(contacts({}, *[{"contact_id": ""}] * 3, {}, {"contact_id": ""})))
    assert outcome.rules == [("F08", "row", row) for row in (3, 4, 5, 7)]
    assert outcome.accepted == [2, 6]
