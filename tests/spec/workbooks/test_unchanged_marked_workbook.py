"""A marked workbook sent back with nothing changed is named as that (F49), and none of our texts loads (C35)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from column_files import FORMATS, ROWS, table
from file_validator import Validator, as_csv, as_table, awards, contacts, participants, workbook
from soak import in_soak

from flows.commands.check import check_file
from schemas._contract.workbook_names import (
    HIDDEN,
    HIDDEN_CELL,
    IN_PLACE_OF_VALUES,
    NO_RESULT,
    OUR_SHEETS,
    READ_ME,
    SEE_OWN_FILE,
)

WRONG = {"contacts": "attended", "referrals": "source_of_referral", "funding_awards": "financial_year"}
SITES = {"funding_awards": "PMO"}


def marked(folder: Path, content: bytes, dataset: str, suffix: str) -> bytes:
    """The marked workbook of a file."""
    path = folder / f"{SITES.get(dataset, 'MHT-BPL')}_{dataset}_201610_v1.{suffix}"
    path.write_bytes(content)
    check_file(path, to=folder / "out")
    [workbook] = (folder / "out").rglob("*_to_fix.xlsx")
    return workbook.read_bytes()


def saved(content: bytes, changes: dict[str, Any] | None = None) -> bytes:
    """The workbook opened and saved by another program, with some cells of its first sheet of data changed."""
    book, out = openpyxl.load_workbook(io.BytesIO(content)), io.BytesIO()
    for cell, value in (changes or {}).items():
        book[next(name for name in book.sheetnames if name not in OUR_SHEETS)][cell].value = value
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("dataset", "suffix"),
    [("referrals", "xlsx"), *in_soak(("contacts", "csv"), ("funding_awards", "xls"), ("contacts", "ods"))],
)
def test_f49_an_unchanged_marked_workbook_is_one_item(
    validate: Validator, tmp_path: Path, dataset: str, suffix: str
) -> None:
    field = WRONG[dataset]
    rows = table(dataset, field, texts=["no such text", *[ROWS[dataset][0][field]] * 9])
    copy, site = marked(tmp_path, FORMATS[suffix](rows), dataset, suffix), SITES.get(dataset, "MHT-BPL")
    for sent in (copy, saved(copy)):
        outcome = validate(sent, dataset, site, suffix="xlsx")
        found = f"our marked copy of {dataset}, October 2016, version 1"
        assert [(f.rule, f.severity, f.found) for f in outcome.findings] == [("F49", "file", found)]
        assert (outcome.result, outcome.verdict.rows_judged, outcome.accepted) == ("refused", False, [])
    letter = "ABCDEFGHIJKLMN"[list(rows[0]).index(field)]
    fixed = validate(saved(copy, {f"{letter}2": rows[1][field]}), dataset, site, suffix="xlsx")
    assert (fixed.refusals, len(fixed.accepted)) == ([], 10)
    other = validate(saved(copy, {f"{letter}3": "no such text"}), dataset, site, suffix="xlsx")
    assert (other.findings_of("F49"), other.held) == ([], [2, 3])


def test_a_copy_with_nothing_to_fix_in_its_cells_may_be_sent_as_it_is(validate: Validator, tmp_path: Path) -> None:
    """Such as a file that its manifest contradicts: with the right manifest it is right."""
    path = tmp_path / "MHT-BPL_contacts_201610_v1.csv"
    path.write_text(as_csv(contacts({"contact_date": "2016-10-03"}, {"contact_date": "2016-10-04"})))
    path.with_name("MHT-BPL_contacts_201610_v1.manifest.json").write_text('{"rows": 3}')
    check_file(path, to=tmp_path / "out")
    [copy] = (tmp_path / "out").rglob("*_to_fix.xlsx")
    assert validate(copy.read_bytes(), suffix="xlsx").findings == []


def test_a_digest_of_something_else_is_no_sign(validate: Validator) -> None:
    rows = [[*contacts({})[0], "Problems in this row"], [*contacts({})[0].values()]]
    for line in ("Marked copy of contacts, October 2016, version 1: 0123456789abcdef", "Marked copy of everything"):
        assert validate(workbook({READ_ME: [[line]], "contacts": rows}), suffix="xlsx").findings == []


@pytest.mark.parametrize(
    ("dataset", "field", "suffix"),
    [
        ("contacts", "staff_ref", "csv"),
        ("contacts", "contact_id", "xlsx"),
        ("participants", "gender", "xls"),
        ("referrals", "exit_date", "ods"),
        ("employment_outcomes", "paid_hours_week", "csv"),
    ],
)
def test_c35_our_texts_in_place_of_values_never_load(
    validate: Validator, dataset: str, field: str, suffix: str
) -> None:
    texts = [HIDDEN_CELL, HIDDEN_CELL.upper(), SEE_OWN_FILE, HIDDEN]
    outcome = validate(FORMATS[suffix](table(dataset, field, texts=texts)), dataset, suffix=suffix)
    assert [(f.rule, f.severity, f.row, f.column) for f in outcome.findings if f.rule != "L01"] == [
        ("C35", "row", row, field) for row in (2, 3, 4, 5)
    ]
    assert (outcome.accepted, [row[field] for row in outcome.held_values]) == ([], [None] * 4)


def test_a_hidden_cell_of_a_marked_workbook_that_is_not_filled_in_again(validate: Validator, tmp_path: Path) -> None:
    """A name in a column of free text is hidden in the copy; with another cell fixed, the copy is a new file."""
    rows = contacts(
        {"staff_ref": "Victoria", "contact_date": "2016-10-03"},
        {"attended": "no such code", "contact_date": "2016-10-04"},
        *({"contact_date": f"2016-09-{n:02}"} for n in range(1, 29)),
    )
    content = marked(tmp_path, as_csv(rows).encode(), "contacts", "csv")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book[book.sheetnames[2]]["I2"].value == HIDDEN_CELL
    outcome = validate(saved(content, {"F3": "5"}), suffix="xlsx")
    assert ("C35", "row", 2) in outcome.rules and 2 in outcome.held
    assert not any(str(text).casefold() in IN_PLACE_OF_VALUES for row in outcome.values for text in row.values())


def test_a_formula_without_a_result_is_said_in_words_which_never_load(validate: Validator, tmp_path: Path) -> None:
    rows = awards(*({"funding_org_name": "#NO VALUE!" if n == 3 else f"Funder {n}"} for n in range(40)))
    copy = marked(tmp_path, workbook({"Data": as_table(rows)}), "funding_awards", "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(copy))
    letter = "ABCDEFGHIJKLMNOPQRST"[list(rows[0]).index("funding_org_name")]
    assert book["Data"][f"{letter}5"].value == NO_RESULT
    assert "not this copy" in str(book[book.sheetnames[0]]["B5"].value)
    fixed = saved(copy, {f"{letter}6": "Another funder"})
    outcome = validate(fixed, "funding_awards", "PMO", suffix="xlsx")
    assert ("F37", "row", 5) in outcome.rules and 5 in outcome.held
    assert not any(str(text).casefold() in IN_PLACE_OF_VALUES for row in outcome.values for text in row.values())


def test_texts_that_only_contain_ours_are_values(validate: Validator) -> None:
    text = "A funder whose name is hidden: see your own file"
    assert validate(as_csv(awards({"funding_org_name": text})), "funding_awards", "PMO").held == []


def test_no_marked_workbook_is_made_of_an_unchanged_one(tmp_path: Path) -> None:
    content = marked(tmp_path, as_csv(participants({"gender": "no such code"}, {})).encode(), "participants", "csv")
    path = tmp_path / "MHT-BPL_participants_201610_v2.xlsx"
    path.write_bytes(content)
    result = check_file(path, to=tmp_path / "again")
    assert [i.rule_id for r in result.reports for i in r.items] == ["F49"]
    assert not list((tmp_path / "again").rglob("*_to_fix.xlsx"))
    assert result.text.startswith("This file would be refused: fix 1 problem before you send it.")


def test_a_heading_that_was_put_right_is_put_right_in_the_copy(validate: Validator, tmp_path: Path) -> None:
    """A lost separator (F43): with the heading as it was sent, each row would have a cell too many."""
    rows = contacts(*({"contact_date": f"2016-10-{n:02}"} for n in range(1, 13)))
    rows[2]["attended"] = "no such code"
    text = as_csv(rows).replace("duration_minutes,staff_role", "duration_minutesstaff_role", 1)
    copy = marked(tmp_path, text.encode(), "contacts", "csv")
    fixed = validate(saved(copy, {"F4": "5"}), suffix="xlsx")
    assert (fixed.findings, len(fixed.accepted)) == ([], 12)
    assert [f.rule for f in validate(copy, suffix="xlsx").findings] == ["F49"]


def test_an_unchanged_copy_is_one_item_whatever_else_is_in_it(validate: Validator, tmp_path: Path) -> None:
    table = [list(contacts({})[0]), *(list(r.values()) for r in contacts({}, {"attended": "no such code"}))]
    more = [["Total", *[""] * 9], ["< Select >", *[""] * 9], [""] * 9 + ["a", "b", "c"]]
    copy = marked(tmp_path, workbook({"Contacts": [*table, *more]}), "contacts", "xlsx")
    assert [f.rule for f in validate(copy, suffix="xlsx").findings] == ["F49"]


def test_a_file_whose_lines_are_one_quoted_cell_each_has_a_copy_in_columns(validate: Validator, tmp_path: Path) -> None:
    rows = contacts(*({"contact_date": f"2016-10-{n:02}"} for n in range(1, 13)))
    rows[2]["attended"] = "no such code"
    text = "".join(f'"{line}"\n' for line in as_csv(rows).splitlines())
    fixed = validate(saved(marked(tmp_path, text.encode(), "contacts", "csv"), {"F4": "5"}), suffix="xlsx")
    assert (fixed.findings, len(fixed.accepted)) == ([], 12)
