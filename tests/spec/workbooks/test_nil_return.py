"""A workbook with a box to tick says that there is nothing to send, as a manifest's nil_return does (F01, F48)."""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl
import pytest
from file_validator import CONTACT, PARTICIPANT, Row, Validator, workbook
from soak import in_soak
from workbook_bytes import ods, ods_row, xls

from flows.workbooks.blank import write_blank_workbook
from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import NIL_RETURN

ROWS: dict[str, Row] = {"contacts": CONTACT, "participants": PARTICIPANT}
EACH_DATASET = pytest.mark.parametrize("dataset", ["contacts", *in_soak("participants")])


def form(*names: str, boxes: dict[str, object], rows: dict[str, list[Row]] | None = None) -> bytes:
    """Our blank form of some datasets, with something in the boxes, and rows on sheets."""
    out = io.BytesIO()
    write_blank_workbook(out, [datasets()[name] for name in names], "a name")
    book = openpyxl.load_workbook(out)
    for line in book[NIL_RETURN].iter_rows(min_row=6, max_row=5 + len(names)):
        line[2].value = boxes.get(line[0].value)
    for name, filled in (rows or {}).items():
        headings = [cell.value for cell in book[name][1]]
        for n, row in enumerate(filled, 2):
            for field, text in row.items():
                book[name].cell(n, headings.index(field) + 1).value = text or None
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def tables(dataset: str, answer: str) -> dict[str, list[list[str]]]:
    """A sheet with headings alone, and one with a box."""
    return {"Data": [list(ROWS[dataset])], NIL_RETURN: [["Sheet", "Dataset", "Box"], [dataset, "its title", answer]]}


def as_ods(sheets: dict[str, list[list[str]]]) -> bytes:
    data, box = ("".join(ods_row(*row) for row in rows) for rows in sheets.values())
    return ods(data, more=f'<table:table table:name="{NIL_RETURN}">{box}</table:table>')


FORMATS: dict[str, Callable[[dict[str, list[list[str]]]], bytes]] = {"xlsx": workbook, "xls": xls, "ods": as_ods}


@EACH_DATASET
@pytest.mark.parametrize("answer", ["yes", " Y.", True, "✓", *in_soak("Yes", "x", 1)])
def test_a_ticked_box_on_our_form_is_a_nil_return(validate: Validator, dataset: str, answer: object) -> None:
    outcome = validate(form(dataset, boxes={dataset: answer}), dataset, suffix="xlsx")
    assert (outcome.result, outcome.findings, outcome.verdict.rows.read) == ("accepted", [], 0)


@EACH_DATASET
@pytest.mark.parametrize("suffix", FORMATS)
def test_in_every_format(validate: Validator, dataset: str, suffix: str) -> None:
    ticked, empty = (validate(FORMATS[suffix](tables(dataset, a)), dataset, suffix=suffix) for a in ("yes", ""))
    assert (ticked.result, ticked.findings) == ("accepted", [])
    assert (empty.result, [f.rule for f in empty.findings]) == ("refused", ["F01"])


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (None, "the box is not ticked"),
        ("no", "the box is not ticked"),
        (False, "the box is not ticked"),
        ("maybe", "the box says neither yes nor no"),
    ],
)
def test_an_empty_form_without_a_tick_asks_for_it(validate: Validator, answer: object, found: str) -> None:
    outcome = validate(form("contacts", boxes={"contacts": answer}), suffix="xlsx")
    assert [(f.rule, f.severity, f.found) for f in outcome.findings] == [("F01", "file", found)]


@EACH_DATASET
def test_rows_and_a_tick_contradict_each_other(validate: Validator, dataset: str) -> None:
    rows = {dataset: [ROWS[dataset]]}
    outcome = validate(form(dataset, boxes={dataset: "yes"}, rows=rows), dataset, suffix="xlsx")
    assert (outcome.result, [(f.rule, f.severity) for f in outcome.findings]) == ("refused", [("F48", "file")])
    assert validate(form(dataset, boxes={}, rows=rows), dataset, suffix="xlsx").findings == []


def test_the_box_of_another_dataset_says_nothing(validate: Validator) -> None:
    content = form("contacts", "participants", boxes={"participants": "yes"})
    assert validate(content, suffix="xlsx", sheet="contacts").refusals == ["F01"]
    assert validate(content, "participants", suffix="xlsx", sheet="participants").findings == []


def test_a_form_without_the_sheet_is_accepted_as_before(validate: Validator) -> None:
    headings = [list(CONTACT)]
    assert validate(workbook({"contacts": [*headings, list(CONTACT.values())]}), suffix="xlsx").findings == []
    assert validate(workbook({"contacts": headings}), suffix="xlsx", manifest='{"nil_return": true}').findings == []
    [asked] = validate(workbook({"contacts": headings}), suffix="xlsx").findings
    assert (asked.rule, asked.found) == ("F01", None)


def test_the_data_sheet_may_be_gone(validate: Validator) -> None:
    sheets = tables("contacts", "yes")
    del sheets["Data"]
    outcome = validate(workbook(sheets), suffix="xlsx")
    assert (outcome.result, outcome.findings) == ("accepted", [])


def test_what_is_written_beside_the_box_is_searched_for_personal_data(validate: Validator) -> None:
    sheets = tables("contacts", "yes")
    sheets[NIL_RETURN].append(["call me: jo@example.org"])
    assert validate(workbook(sheets), suffix="xlsx").verdict.holds_personal_data
