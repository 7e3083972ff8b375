"""Who signs off a file of money, in a manifest or on our own sheet: role, date and total, never a name (F16, X04)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from file_validator import ValidatedFile, Validator, as_csv, as_table, awards, contact, workbook
from workbook_bytes import ods, ods_row, xls, zip_of

from flows.steps.receive.manifest import InvalidManifest
from flows.workbooks.blank import write_blank_workbook
from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import SIGN_OFF
from schemas.audit.deliveries import NOT_SIGNED_OFF, SignOff

Sheets = Mapping[str, Sequence[Sequence[Any]]]
DATASET = "funding_awards"
ROWS = awards({"amount": "12000.00"}, {"amount": "500"})
SIGNED = SignOff("finance_lead", date(2016, 12, 1), "12500.00")
HEADING = ["Sheet", "Dataset", "Total in pounds", "Signed off by (role)", "Signed off on"]
LINE = [DATASET, "Funding awards", "12500.00", "Finance lead", "2016-12-01"]


def form(total: object, role: object, day: object, dataset: str = DATASET) -> dict[str, list[list[Any]]]:
    """A sheet of awards, and our sheet with a line for a dataset."""
    return {"Data": as_table(ROWS), SIGN_OFF: [HEADING, [dataset, "its title", total, role, day]]}


def as_ods(sheets: Sheets) -> bytes:
    data, signed = ("".join(ods_row(*row) for row in rows) for rows in sheets.values())
    return ods(data, more=f'<table:table table:name="{SIGN_OFF}">{signed}</table:table>')


DAY_CELLS = {  # 1 December 2016 as a true date
    "xlsx": datetime(2016, 12, 1),
    "xls": 42705.0,
    "ods": '<table:table-cell office:value-type="date" office:date-value="2016-12-01"/>',
}
FORMATS: dict[str, Callable[[Any], bytes]] = {"xlsx": workbook, "xls": xls, "ods": as_ods}


def signed(validate: Validator, total: object, role: object, day: object, suffix: str = "xlsx") -> ValidatedFile:
    """The outcome of a workbook in which this is filled in. It came on 3 December 2016."""
    return validate(FORMATS[suffix](form(total, role, day)), DATASET, suffix=suffix)


def about(outcome: ValidatedFile) -> list[tuple[str, str, str | None]]:
    """What was found about the sign-off."""
    return [(f.rule, f.severity, f.found) for f in outcome.findings if f.rule in ("F16", "X04")]


class TestSheet:
    @pytest.mark.parametrize("suffix", FORMATS)
    def test_is_read_in_every_format(self, validate: Validator, suffix: str) -> None:
        for day in ("2016-12-01", DAY_CELLS[suffix]):
            outcome = signed(validate, *LINE[2:4], day, suffix=suffix)
            assert (outcome.result, about(outcome), outcome.verdict.sign_off) == ("accepted", [], SIGNED)

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_a_total_that_is_not_the_sum_refuses_the_file(self, validate: Validator, suffix: str) -> None:
        outcome = signed(validate, "12,600", *LINE[3:], suffix=suffix)
        found = "GBP 12500.00 found, GBP 12600.00 stated on the sheet 'Sign-off'"
        assert (outcome.result, about(outcome)) == ("refused", [("F16", "file", found)])

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_a_name_is_neither_stored_nor_shown(self, validate: Validator, suffix: str) -> None:
        outcome = signed(validate, "", "Joan Madeup", "yesterday", suffix=suffix)
        found = "sheet 'Sign-off', cell D2: not a role of the list; cell E2: not a date that can be read"
        assert (outcome.result, about(outcome)) == ("accepted", [("X04", "warning", found)])
        assert outcome.verdict.sign_off == NOT_SIGNED_OFF
        assert "Madeup" not in str(outcome.stored_findings.rows()) + str(outcome.verdict)

    @pytest.mark.parametrize(
        ("total", "role", "day", "expected"),
        [
            (12500, "finance_lead", datetime(2016, 12, 1), SIGNED),
            ("£12,500.00", "CFO", "1 December 2016", SignOff("finance_director", SIGNED.on, "12500.00")),
            ("", "Funder", "30/11/2016", SignOff("funder", None)),
            ("", "", "", NOT_SIGNED_OFF),
        ],
    )  # fmt: skip
    def test_cells_are_read_as_people_write_them(
        self, validate: Validator, total: object, role: object, day: object, expected: SignOff
    ) -> None:
        assert signed(validate, total, role, day).verdict.sign_off == expected

    @pytest.mark.parametrize(
        ("total", "role", "day", "found"),
        [
            ("12500", "", "", "sheet 'Sign-off', cell D2: no role; cell E2: no date"),
            ("", "Funder", "", "sheet 'Sign-off', cell E2: no date"),
            ("", "", "2016-12-01", "sheet 'Sign-off', cell D2: no role"),
            ("12.5 of it", "Funder", "2016-12-01", "sheet 'Sign-off', cell C2: not an amount in pounds"),
            ("9434765919", "Funder", "2016-12-01", "sheet 'Sign-off', cell C2: not an amount in pounds"),
            ("", "Funder", "2016-12-04", "sheet 'Sign-off', cell E2: a date after the day on which the file came"),
            ("", "Funder", "2016-10-31", "sheet 'Sign-off', cell E2: a date before the month of the file"),
            ("", "Funder", "03/12/2016", "sheet 'Sign-off', cell E2: not a date that can be read"),
        ],
    )
    def test_what_is_missing_or_cannot_be_used_is_a_warning(
        self, validate: Validator, total: str, role: str, day: str, found: str
    ) -> None:
        outcome = signed(validate, total, role, day)
        assert (outcome.result, about(outcome)) == ("accepted", [("X04", "warning", found)])

    def test_lines_of_other_datasets_say_nothing(self, validate: Validator) -> None:
        content = workbook(form("1", "Funder", "2016-12-01", dataset="claims"))
        outcome = validate(content, DATASET, suffix="xlsx")
        assert (about(outcome), outcome.verdict.sign_off) == ([], NOT_SIGNED_OFF)

    def test_a_dataset_without_amounts_is_not_signed_off(self, validate: Validator) -> None:
        sheets = {"Data": as_table([contact()]), SIGN_OFF: [HEADING, ["contacts", "", "1", "somebody", "some day"]]}
        assert validate(workbook(sheets), suffix="xlsx").findings == []

    def test_in_a_zip(self, validate: Validator) -> None:
        content = zip_of({"a.xlsx": workbook(form(*LINE[2:]))})
        assert validate(content, DATASET, suffix="zip").verdict.sign_off == SIGNED

    def test_is_searched_for_numbers_of_people_but_not_for_names(self, validate: Validator) -> None:
        sheets = {
            "Data": as_table([contact()]),
            SIGN_OFF: [HEADING, LINE, [DATASET, "", "", "Joan Smith", "1/12/2016"]],
        }
        assert not validate(workbook(sheets), suffix="xlsx").verdict.holds_personal_data
        sheets[SIGN_OFF].append(["", "", "", "call jo@example.org"])
        assert validate(workbook(sheets), suffix="xlsx").verdict.holds_personal_data

    def test_the_blank_workbook_has_a_line_for_each_dataset_of_money(self, validate: Validator) -> None:
        out = io.BytesIO()
        write_blank_workbook(out, [datasets()[name] for name in ("contacts", DATASET, "claims")], "a name")
        book = openpyxl.load_workbook(out)
        lines = [[cell.value for cell in row] for row in book[SIGN_OFF].iter_rows(min_row=5)]
        about = {n: f"{datasets()[n].title}: total of {datasets()[n].control_total}" for n in (DATASET, "claims")}
        assert lines == [HEADING, *([name, text, *[None] * 3] for name, text in about.items())]
        assert {v.type for v in book[SIGN_OFF].data_validations.dataValidation} == {"decimal", "list", "date"}
        for row, cells in enumerate(ROWS, 2):
            for column, heading in enumerate([cell.value for cell in book[DATASET][1]], 1):
                book[DATASET].cell(row, column).value = cells.get(heading) or None
        for column, value in enumerate((12500, "finance_lead", date(2016, 12, 1)), 3):
            book[SIGN_OFF].cell(6, column).value = value
        saved = io.BytesIO()
        book.save(saved)
        outcome = validate(saved.getvalue(), DATASET, suffix="xlsx", sheet=DATASET)
        assert outcome.verdict.sign_off == SignOff("finance_lead", date(2016, 12, 1), "12500.00")

    def test_without_money_the_blank_workbook_has_no_such_sheet(self) -> None:
        out = io.BytesIO()
        write_blank_workbook(out, [datasets()["contacts"]], "a name")
        assert SIGN_OFF not in openpyxl.load_workbook(out).sheetnames


class TestManifest:
    def test_states_role_date_and_total(self, validate: Validator) -> None:
        stated = {"signed_off_by_role": "Finance lead", "signed_off_on": "2016-12-01", "gbp_total": "12500.00"}
        outcome = validate(as_csv(ROWS), DATASET, manifest=json.dumps(stated))
        assert (outcome.refusals, about(outcome), outcome.verdict.sign_off) == ([], [], SIGNED)

    @pytest.mark.parametrize(
        ("stated", "found"),
        [
            ({"signed_off_by_role": "s151"}, "in the manifest: no date"),
            ({"signed_off_on": "2016-11-01"}, "in the manifest: no role"),
        ],
    )
    def test_half_a_sign_off_is_a_warning(self, validate: Validator, stated: dict[str, str], found: str) -> None:
        assert about(validate(as_csv(ROWS), DATASET, manifest=json.dumps(stated))) == [("X04", "warning", found)]

    def test_a_total_alone_is_no_sign_off(self, validate: Validator) -> None:
        outcome = validate(as_csv(ROWS), DATASET, manifest='{"gbp_total": 12500}')
        assert (about(outcome), outcome.verdict.sign_off.is_given) == ([], False)

    @pytest.mark.parametrize(
        ("stated", "why"),
        [
            (
                {"signed_off_by_role": "Joan Madeup"},
                "is not in the list approving_role: state one of finance_director,",
            ),
            (
                {"signed_off_on": "2016-12-04"},
                "signed_off_on in its manifest is a date after the day on which the file",
            ),
            ({"signed_off_on": "2016-10-31"}, "signed_off_on in its manifest is a date before the month of the file"),
            ({"signed_off_on": "Joan Madeup"}, "is not in the agreed form"),
        ],
    )
    def test_what_cannot_be_used_keeps_the_file_out(
        self, validate: Validator, stated: dict[str, str], why: str
    ) -> None:
        with pytest.raises(InvalidManifest) as raised:
            validate(as_csv(ROWS), DATASET, manifest=json.dumps(stated))
        assert why in str(raised.value) and "Madeup" not in str(raised.value)

    def test_comes_before_the_sheet(self, validate: Validator) -> None:
        """A role of one is never put beside the date of the other."""
        outcome = validate(
            workbook(form("12500", "Funder", "2016-12-02")),
            DATASET,
            suffix="xlsx",
            manifest='{"signed_off_by_role": "s151"}',
        )
        assert outcome.verdict.sign_off == SignOff("section_151_officer", None, "12500.00")
