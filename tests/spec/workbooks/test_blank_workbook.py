"""Blank return workbooks: filled-in rows are accepted, and the project's own sheets are never read as data."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from file_validator import CONTACT, PARTICIPANT, Validator, as_csv
from soak import in_soak, iterations
from workbook_bytes import zip_of

from flows.workbooks import styles
from flows.workbooks.blank import write_blank_workbook
from flows.workbooks.example_rows import example_rows
from flows.workbooks.for_site import for_site
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import code_list
from schemas._contract.expected import expected
from schemas._contract.model import Contract, Kind
from schemas._contract.registry import NONE, SiteProfile, profile, returns_for, sites
from schemas._contract.workbook_names import CODES, EXAMPLES, FORM_VERSION, NOTES, OUR_SHEETS
from schemas._rules.files import CURRENT_FORM

SENDERS = ("MHT-BPL", "HLT-SCR", "WC-CPA01", "PMO", "NHSE", "GRANTNAV")
ALL = list(datasets().values())
NAMES = list(datasets())
PERIOD = "201912"


def sender_of(contract: Contract) -> str:
    """Return a site that sends the dataset."""
    return next(s for s in SENDERS if returns_for(s).get(contract.dataset, NONE) != NONE)


@cache
def written(*names: str, site: str = "") -> bytes:
    """A blank return workbook for these datasets."""
    out = io.BytesIO()
    write_blank_workbook(out, [datasets()[name] for name in names], "MHT-BPL_contacts_201611_v1.xlsx", site)
    return out.getvalue()


def blank(*contracts: Contract, site: str = "") -> openpyxl.Workbook:
    """A blank return workbook, as openpyxl reads it."""
    return openpyxl.load_workbook(io.BytesIO(written(*(c.dataset for c in contracts), site=site)))


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def fill(book: openpyxl.Workbook, contract: Contract, rows: list[dict[str, str]]) -> None:
    """Fill in rows as if typed: a spreadsheet turns what looks like a number or a date into one."""
    sheet = book[contract.dataset]
    headings = [c.value for c in sheet[1]]
    for n, row in enumerate(rows, 2):
        for name, text in row.items():
            if text != "":
                cell = sheet.cell(n, headings.index(name) + 1)
                cell.value = as_typed(text, format_of(sheet, cell.column))


def format_of(sheet: Any, column: int) -> str:
    """The number format of a column's empty cells; openpyxl merges neighbouring columns of one format."""
    found = [d for d in sheet.column_dimensions.values() if d.min <= column <= d.max]
    return str(found[0].number_format)


def as_typed(text: str, number_format: str) -> Any:
    """The value that a spreadsheet stores for a text typed into a cell of this format."""
    if number_format == "@":
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


VALID_ROWS: dict[str, dict[str, str]] = {"contacts": {**CONTACT}, "participants": {**PARTICIPANT}}


@pytest.mark.parametrize("contract", ALL, ids=NAMES)
def test_a_filled_in_workbook_has_no_finding(contract: Contract, validate: Validator) -> None:
    book = blank(contract)
    rows = example_rows(contract)
    fill(book, contract, rows)
    outcome = validate(saved(book), contract.dataset, sender_of(contract), PERIOD, "xlsx")
    assert (outcome.result, outcome.findings) == ("accepted", [])
    assert outcome.accepted == [2, 3, 4] and outcome.verdict.sheet == contract.dataset


@pytest.mark.parametrize("dataset", VALID_ROWS)
def test_rows_other_than_the_examples_have_no_finding_either(dataset: str, validate: Validator) -> None:
    book = blank(datasets()[dataset])
    fill(book, datasets()[dataset], [VALID_ROWS[dataset]])
    outcome = validate(saved(book), dataset, "MHT-BPL", PERIOD, "xlsx")
    assert (outcome.result, outcome.findings, outcome.accepted) == ("accepted", [], [2])


@pytest.mark.parametrize("contract", ALL, ids=NAMES)
def test_the_examples_are_valid_and_marked_as_made_up(contract: Contract, validate: Validator) -> None:
    outcome = validate(as_csv(example_rows(contract)), contract.dataset, sender_of(contract), PERIOD)
    assert (outcome.result, outcome.findings, outcome.accepted) == ("accepted", [], [2, 3, 4])
    sheet = blank(contract)[EXAMPLES]
    assert "made up" in sheet["A1"].value
    assert [c.value for c in sheet[4]] == [f.name for f in contract.fields]
    assert sheet["A5"].value == example_rows(contract)[0][contract.fields[0].name]


# One site of each programme and one with a profile; `make soak` tests all sites.
FIRST_SITES = {s.programme_code: code for code, s in reversed(sites().items())}.values()
EVERYDAY = [*FIRST_SITES, *[code for code in sites() if profile(code) != SiteProfile() and code not in FIRST_SITES][:1]]


def returns(tested: Iterable[str]) -> list[Any]:
    """The datasets that sites send. What is alike for many sites is tested every day for one."""
    pairs = [(s, d) for s in tested for d, need in returns_for(s).items() if need != NONE and d in datasets()]
    first = {dataset: site for site, dataset in reversed(pairs)}
    of_a_profile = ("participants", "contacts")  # the datasets whose headings a site's profile may change
    alike = [
        (s, d)
        for s, d in pairs
        if s != first[d]
        and (not datasets()[d].participant_level or (profile(s) != SiteProfile() and d not in of_a_profile))
    ]
    return [*(pair for pair in pairs if pair not in alike), *in_soak(*alike)]


@pytest.mark.parametrize(("site", "dataset"), returns(sites() if iterations(everyday=0, soak=1) else EVERYDAY))
def test_the_examples_for_each_site_are_valid_for_that_site(site: str, dataset: str, validate: Validator) -> None:
    outcome = validate(as_csv(example_rows(for_site(datasets()[dataset], site))), dataset, site, PERIOD)
    assert (outcome.result, outcome.findings, outcome.accepted) == ("accepted", [], [2, 3, 4])


def test_the_example_of_an_eligible_referral_has_no_reason_for_ineligibility() -> None:
    for row in example_rows(datasets()["referrals"]):
        assert (row["eligibility_outcome"], row["ineligible_reason"]) == ("eligible", "")


def needed(dataset: str, field: str, site: str = "") -> str:
    """The answer in the notes to whether a column must be filled in."""
    book = openpyxl.load_workbook(io.BytesIO(written(dataset, site=site)), read_only=True)
    return next(str(r[3]) for r in book[NOTES].iter_rows(max_col=4, values_only=True) if r[1] == field)


def test_the_notes_say_which_columns_a_programme_needs() -> None:
    assert needed("participants", "gp_area_code", "HLT-SCR") == "Yes"
    assert needed("participants", "gp_area_code", "MHT-BPL") == "No"
    assert needed("participants", "gp_area_code").startswith("No. In some rows it must: the area where")
    attended = "In some rows it must: a whole number of minutes from 1 to 480 for a contact that was attended"
    assert needed("contacts", "duration_minutes", "MHT-BPL") == f"No, but the column must be there. {attended}"
    assert needed("contacts", "with_employer", "MHT-BPL") == "No"


def test_headings_that_the_site_must_fill_in_are_highlighted() -> None:
    for site, is_highlighted in (("HLT-SCR", True), ("MHT-BPL", False)):
        cells = {c.value: c.fill.fgColor.rgb for c in blank(datasets()["participants"], site=site)["participants"][1]}
        assert (cells["gp_area_code"] == cells["participant_ref"]) is is_highlighted


def test_the_example_of_a_long_code_list_is_chosen_for_the_field() -> None:
    """The first code of the list would be England, which is no local authority."""
    assert expected(datasets()["participants"].by_name["la_code"]) == (
        "a code from the list 'areas', for example E06000009 (Blackpool)"
    )


@pytest.mark.parametrize("contract", ALL, ids=NAMES)
def test_an_empty_workbook_has_no_rows(contract: Contract, validate: Validator) -> None:
    """Neither the examples nor the notes, which name every column, are read as data."""
    outcome = validate(written(contract.dataset), contract.dataset, sender_of(contract), PERIOD, "xlsx")
    assert (outcome.refusals, outcome.accepted, outcome.held) == (["F01"], [], [])


@pytest.mark.parametrize("contract", ALL, ids=NAMES)
def test_headings_notes_and_drop_down_lists_follow_the_contract(contract: Contract) -> None:
    book = blank(contract)
    sheet, notes = book[contract.dataset], book[NOTES]
    assert book.sheetnames[0] == contract.dataset and set(book.sheetnames[1:]) <= OUR_SHEETS
    assert [c.value for c in sheet[1]] == [f.name for f in contract.fields]
    assert sheet.freeze_panes == "B2"
    heading = next(r for r, cells in enumerate(notes.iter_rows(values_only=True), 1) if cells[0] == "Sheet")
    noted = {r[1]: r for r in notes.iter_rows(min_row=heading + 1, values_only=True) if r[1]}
    lists = {str(v.sqref).split("2")[0]: v for v in sheet.data_validations.dataValidation}
    for cell, field in zip(sheet[1], contract.fields, strict=True):
        assert field.description in noted[field.name][2] and noted[field.name][4] == expected(field)
        assert noted[field.name][3].startswith("Yes" if field.required else "No")
        validation = lists[cell.column_letter]
        assert validation.prompt and len(validation.prompt) <= 255 and (validation.error or validation.type is None)
        if field.kind is Kind.CODE:
            cells = validation.formula1.split("!")[1].replace("$", "")
            assert [c[0].value for c in book[CODES][cells]] == list(code_list(field.codes).codes)
            assert format_of(sheet, cell.column) == "@"
        if field.kind is Kind.DATE:
            assert format_of(sheet, cell.column) == "yyyy-mm-dd"


OFFERED = [  # site, month, the codes of contact medium that are not offered
    ("", "", set()),
    ("MHT-BPL", "", set()),
    ("MHT-BPL", "202109", {"11"}),  # in use from October 2021 on
    ("MHT-BPL", "202110", set()),
]


@pytest.mark.parametrize(("site", "period", "not_offered"), OFFERED)
def test_a_code_that_fits_no_row_of_the_return_is_not_offered(site: str, period: str, not_offered: set[str]) -> None:
    out = io.BytesIO()
    write_blank_workbook(out, [datasets()["contacts"]], "x.xlsx", site, period)
    rows = openpyxl.load_workbook(out)[CODES].iter_rows(values_only=True)
    offered = {code: meaning for name, code, meaning in rows if name == "contact_medium"}
    assert {*code_list("contact_medium").codes} - offered.keys() == not_offered
    assert offered["03"] == "Telemedicine (until 2021-09-30)"


def test_a_code_that_ended_before_the_programme_began_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = code_list("contact_medium")
    retired = tuple(replace(e, valid_to=date(2013, 12, 31)) if e.code == "03" else e for e in codes.entries)
    monkeypatch.setattr(styles, "code_list", lambda name: replace(codes, entries=retired))
    for site, is_offered in (("MHT-BPL", False), ("", True)):
        book = openpyxl.load_workbook(io.BytesIO(written.__wrapped__("contacts", site=site)))
        assert ("03" in {row[1] for row in book[CODES].iter_rows(values_only=True)}) is is_offered


def test_required_headings_are_highlighted() -> None:
    sheet = blank(datasets()["contacts"])["contacts"]
    fills = {c.value: c.fill.fgColor.rgb for c in sheet[1]}
    assert fills["contact_id"] == fills["attended"] != fills["with_employer"]


def test_several_datasets_have_a_sheet_each(validate: Validator) -> None:
    contracts = [datasets()[n] for n in ("participants", "contacts")]
    book = blank(*contracts)
    assert book.sheetnames[:2] == ["participants", "contacts"]
    for contract in contracts:
        fill(book, contract, example_rows(contract))
    for contract in contracts:
        outcome = validate(saved(book), contract.dataset, "MHT-BPL", PERIOD, "xlsx", sheet=contract.dataset)
        assert (outcome.result, outcome.findings, outcome.accepted) == ("accepted", [], [2, 3, 4])


def test_the_same_contract_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_blank_workbook(tmp_path / name, [datasets()["contacts"]], "x.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def type_over_examples(book: openpyxl.Workbook, rows: list[dict[str, str]]) -> None:
    """Fill in rows on the sheet of examples, from its first row of them on."""
    sheet = book[EXAMPLES]
    for n, row in enumerate(rows, 5):
        for column, text in enumerate(row.values(), 1):
            sheet.cell(n, column).value = text


class TestF45RowsOnTheSheetOfExamples:
    @pytest.mark.parametrize("dataset", ["contacts", "participants", *in_soak("employment_outcomes", "targets")])
    @pytest.mark.parametrize("number", [1, 12, *in_soak(2)])
    def test_rows_filled_in_there_are_reported(self, dataset: str, number: int, validate: Validator) -> None:
        contract = datasets()[dataset]
        book = blank(contract)
        row = example_rows(contract)[0]
        key = contract.key[0]
        type_over_examples(book, [{**row, key: f"OTHER-{n:06}"} for n in range(number)])
        site = sender_of(contract)
        outcome = validate(saved(book), dataset, site, PERIOD, "xlsx", sheet=dataset)
        assert [(f.rule, f.severity) for f in outcome.findings] == [("F45", "file")]
        assert str(outcome.findings[0].found).startswith(f"{number} row")

    def test_rows_filled_in_there_are_reported_from_a_zip_too(self, validate: Validator) -> None:
        book = blank(datasets()["contacts"])
        type_over_examples(book, [{**CONTACT, "contact_id": f"BPL-C9{n:05}"} for n in range(5)])
        zipped = zip_of({"return.xlsx": saved(book)})
        outcome = validate(zipped, "contacts", "MHT-BPL", PERIOD, "zip", sheet="contacts")
        assert [(f.rule, f.severity) for f in outcome.findings] == [("F45", "file")]

    def test_beside_rows_on_the_right_sheet_they_are_a_warning(self, validate: Validator) -> None:
        contract = datasets()["contacts"]
        book = blank(contract)
        fill(book, contract, [CONTACT])
        type_over_examples(book, [{**CONTACT, "contact_id": f"BPL-C9{n:05}"} for n in range(5)])
        outcome = validate(saved(book), "contacts", "MHT-BPL", PERIOD, "xlsx", sheet="contacts")
        assert ([(f.rule, f.severity) for f in outcome.findings], outcome.accepted) == ([("F45", "warning")], [2])

    def test_personal_data_among_the_examples_refuses_the_file(self, validate: Validator) -> None:
        contract = datasets()["contacts"]
        book = blank(contract)
        fill(book, contract, [CONTACT])
        type_over_examples(book, [{**CONTACT, "staff_ref": "943 476 5919"}])
        outcome = validate(saved(book), "contacts", "MHT-BPL", PERIOD, "xlsx", sheet="contacts")
        assert "P01" in outcome.refusals


class TestF47VersionOfTheForm:
    @pytest.mark.parametrize("dataset", ["contacts", "participants", "targets"])
    def test_a_blank_workbook_states_the_current_version(self, dataset: str) -> None:
        notes = [row[0] for row in blank(datasets()[dataset])[NOTES].iter_rows(values_only=True)]
        assert f"{FORM_VERSION}{CURRENT_FORM}" in notes

    @pytest.mark.parametrize("dataset", ["contacts", "participants", "employment_outcomes"])
    def test_another_version_that_lacks_columns_is_reported_as_that_alone(
        self, dataset: str, validate: Validator
    ) -> None:
        contract = datasets()[dataset]
        book = other_version(contract)
        lacking = [f for f in contract.fields if f.column_is_required][-1]
        headings = [c.value for c in book[dataset][1]]
        book[dataset].delete_cols(headings.index(lacking.name) + 1)
        outcome = validate(saved(book), dataset, "MHT-BPL", PERIOD, "xlsx", sheet=dataset)
        assert [(f.rule, f.found) for f in outcome.findings] == [("F47", f"version 0.9, without {lacking.title}")]
        assert outcome.result == "refused"

    def test_another_version_with_every_column_is_read(self, validate: Validator) -> None:
        outcome = validate(saved(other_version(datasets()["contacts"])), "contacts", "MHT-BPL", PERIOD, "xlsx")
        assert [(f.rule, f.severity) for f in outcome.findings] == [("F47", "warning")]
        assert outcome.accepted == [2, 3, 4]


def other_version(contract: Contract) -> openpyxl.Workbook:
    """A filled-in workbook whose notes state another version of the form."""
    book = blank(contract)
    fill(book, contract, example_rows(contract))
    for cell in book[NOTES]["A"]:
        if str(cell.value).startswith(FORM_VERSION):
            cell.value = f"{FORM_VERSION}0.9"
    return book
