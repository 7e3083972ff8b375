"""Half-converted dates (C25), month-first dates (C26), and mixed orders within a column (C02).

Each file is made from known dates, written as such a site or spreadsheet would write them. No wrong date may load.
After the suggestions are entered, the file must validate with the original dates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
import workbook_bytes
from file_validator import (
    AWARD,
    CONTACT,
    JOB,
    PARTICIPANT,
    REFERRAL,
    ValidatedFile,
    Validator,
    as_csv,
    as_table,
    workbook,
)
from soak import in_soak

import flows.steps.read.workbook.dataset_sheet
from flows.cells.reading import as_written

WrittenDate = date | str
Row = Mapping[str, Any]

# Days of the month on both sides of 12, and one date whose day equals its month, which swapping leaves unchanged.
DAYS = [date(2016, 1, 4) + timedelta(days=13 * n) for n in range(24)] + [date(2016, 8, 8)]
# Dataset: a valid row, its key field, the key's format, and the date fields that the test fills.
DATASETS: dict[str, tuple[Row, str, str, tuple[str, ...]]] = {
    "contacts": (CONTACT, "contact_id", "BPL-C{:06}", ("contact_date",)),
    "participants": (PARTICIPANT, "participant_ref", "BPL-{:06}", ("consent_date",)),
    "referrals": (
        REFERRAL,
        "episode_id",
        "BPL-E{:06}",
        ("referral_received_date", "eligibility_date", "programme_start_date"),
    ),
    "employment_outcomes": (JOB, "outcome_id", "BPL-J{:06}", ("job_start_date",)),
    "funding_awards": (AWARD | {"award_date": ""}, "award_id", "360G-madeup-{}", ("award_date",)),
}
REFUSED = ("refused", [])


def table(dataset: str, days: Sequence[WrittenDate]) -> list[dict[str, Any]]:
    """Valid rows of a dataset, one for each date, with the date in every date field."""
    row, key, reference, fields = DATASETS[dataset]
    return [{**row, key: reference.format(n), **dict.fromkeys(fields, day)} for n, day in enumerate(days, 1)]


def csv_of(rows: Sequence[Row]) -> bytes:
    return as_csv([{k: as_written(v) for k, v in row.items()} for row in rows]).encode()


def xlsx_of(rows: Sequence[Row]) -> bytes:
    return workbook({"Data": as_table(rows)})


def ods_of(rows: Sequence[Row]) -> bytes:
    def cell(value: Any) -> Any:
        if not isinstance(value, date):
            return value
        typed = f'office:value-type="date" office:date-value="{value}"'
        return f"<table:table-cell {typed}><text:p>?</text:p></table:table-cell>"

    return workbook_bytes.ods("".join(workbook_bytes.ods_row(*map(cell, row)) for row in as_table(rows)))


def xls_of(rows: Sequence[Row]) -> bytes:
    def cell(value: Any) -> Any:
        return float((value - date(1899, 12, 30)).days) if isinstance(value, date) else value

    return workbook_bytes.xls({"Data": [list(map(cell, row)) for row in as_table(rows)]})


FORMATS: dict[str, Callable[[Sequence[Row]], bytes]] = {"csv": csv_of, "xlsx": xlsx_of, "ods": ods_of, "xls": xls_of}
DATASETS_AND_FORMATS = [
    *(("contacts", "csv"), ("referrals", "xlsx"), ("funding_awards", "csv")),
    *in_soak(("contacts", "ods"), ("contacts", "xls"), ("participants", "csv"), ("employment_outcomes", "xlsx")),
]


def swapped(day: date) -> date:
    """The date with day and month exchanged."""
    return date(day.year, day.day, day.month)


def half_converted(day: date) -> WrittenDate:
    """A day-first text such as 03/11/2016 after a spreadsheet has read it month first, where it could."""
    return swapped(day) if day.day <= 12 else f"{day:%d/%m/%Y}"


def half_converted_from_month_first(day: date) -> WrittenDate:
    """A month-first text such as 11/03/2016 after a spreadsheet has read it day first, where it could."""
    return swapped(day) if day.day <= 12 else f"{day:%m/%d/%Y}"


def month_first(day: date) -> WrittenDate:
    return f"{day:%m/%d/%Y}"


def corrected(rows: Sequence[Row], outcome: ValidatedFile) -> list[dict[str, Any]]:
    """The rows with every suggestion entered, except those of warnings."""
    fixed = [dict(row) for row in rows]
    for found in outcome.findings:
        if found.severity != "warning" and found.suggestion and found.row and found.column:
            fixed[found.row - 2][found.column] = found.suggestion
    return fixed


def to_fix(outcome: ValidatedFile) -> set[tuple[str, str, str | None]]:
    """The findings other than warnings: (rule, severity, column)."""
    return {(f.rule, f.severity, f.column) for f in outcome.findings if f.severity != "warning"}


def days_of(outcome: ValidatedFile, field: str) -> list[date]:
    """The dates accepted for a field, in row order."""
    return [row[field] for row in outcome.values]


class TestHalfConverted:
    """C25: a spreadsheet swapped day and month where both are 12 or less, and left the rest as text."""

    @pytest.mark.parametrize("written", [half_converted, half_converted_from_month_first])
    @pytest.mark.parametrize(("dataset", "suffix"), DATASETS_AND_FORMATS)
    def test_no_date_loads_and_each_has_the_correct_suggestion(
        self, validate: Validator, dataset: str, suffix: str, written: Callable[[date], WrittenDate]
    ) -> None:
        fields, rows = DATASETS[dataset][3], table(dataset, [written(day) for day in DAYS])
        outcome = validate(FORMATS[suffix](rows), dataset, suffix=suffix)
        assert (outcome.result, outcome.accepted, outcome.is_conserved) == (*REFUSED, True)
        assert to_fix(outcome) == {("C25", "file", field) for field in fields}
        for field in fields:
            assert [f.suggestion for f in outcome.findings if f.column == field] == [as_written(day) for day in DAYS]
        resent = validate(FORMATS[suffix](corrected(rows, outcome)), dataset, suffix=suffix)
        # the columns of one file are written from the same dates, which is asked about (F55)
        assert (resent.result, {f.rule for f in resent.findings} - {"F55"}) == ("accepted", set())
        assert all(days_of(resent, field) == DAYS for field in fields)

    def test_dates_are_compared_across_batches(self, validate: Validator, monkeypatch: pytest.MonkeyPatch) -> None:
        """Sorting by day puts the converted dates and the texts in different batches."""
        monkeypatch.setattr(flows.steps.read.workbook.dataset_sheet, "BATCH_ROWS", 6)
        days = sorted(DAYS, key=lambda day: day.day)
        outcome = validate(xlsx_of(table("contacts", [half_converted(d) for d in days])), suffix="xlsx")
        assert [f.suggestion for f in outcome.findings_of("C25")] == [as_written(day) for day in days]
        assert outcome.accepted == []

    def test_a_site_with_a_declared_date_order_is_checked_too(self, validate: Validator) -> None:
        outcome = validate(csv_of(table("contacts", [half_converted(d) for d in DAYS])), site="MHT-GM")
        assert to_fix(outcome) == {("C25", "file", "contact_date")}

    @pytest.mark.parametrize(
        "written",
        [
            lambda day: f"{swapped(day)}T10:30:00" if day.day <= 12 else f"{day:%d/%m/%Y} 10:30",
            lambda day: f"{swapped(day)} 00:00:00" if day.day <= 12 else f"{day:%d.%m.%Y}",
            lambda day: half_converted(day) if day.day <= 12 else f"{day:%d/%m/%y}",
            lambda day: half_converted(day) if day.day <= 12 else f" {day:%d/%m/%Y} ",
            lambda day: half_converted(day) if day.day <= 12 else f"{day:%d/%m/%Y} 12:00:00 AM",
            lambda day: f"{swapped(day):%d-%b-%Y}" if day.day <= 12 else f"{day:%d/%m/%Y}",
            lambda day: str((swapped(day) - date(1899, 12, 30)).days) if day.day <= 12 else f"{day:%d/%m/%Y}",
        ],
        ids=[
            "with times",
            "with midnights",
            "years of two digits",
            "between spaces",
            "with midnights of twelve hours",
            "months by name",
            "numbers of days",
        ],
    )
    def test_every_way_of_writing_the_dates_is_recognised(
        self, validate: Validator, written: Callable[[date], WrittenDate]
    ) -> None:
        rows = table("contacts", [written(day) for day in DAYS])
        outcome = validate(csv_of(rows))
        assert to_fix(outcome) == {("C25", "file", "contact_date")}
        resent = validate(csv_of(corrected(rows, outcome)))
        assert (resent.findings, days_of(resent, "contact_date")) == ([], DAYS)

    def test_a_column_of_true_dates_beside_a_half_converted_one_is_suspect(self, validate: Validator) -> None:
        """The spreadsheet swapped this column too: it has no texts only because every exit was before the 13th."""
        rows = table("referrals", [half_converted(d) for d in DAYS])
        exits = {n: date(2016, 11, n + 1) for n in (2, 5)}
        for n, day in exits.items():
            rows[n] |= {"exit_date": swapped(day), "exit_reason": "support_completed"}
        outcome = validate(xlsx_of(rows), "referrals", suffix="xlsx")
        suggested = {f.row: (f.rule, f.suggestion) for f in outcome.findings if f.column == "exit_date"}
        assert suggested == {n + 2: ("C25", as_written(day)) for n, day in exits.items()}

    # MHT-GM declares day-first dates, so its texts would load
    @pytest.mark.parametrize(
        ("dataset", "suffix", "site"),
        [
            *(("contacts", "csv", "MHT-GM"), ("referrals", "xlsx", "MHT-BPL")),
            *in_soak(("contacts", "csv", "MHT-BPL"), ("referrals", "xlsx", "MHT-GM")),
        ],
    )
    def test_one_correct_date_does_not_hide_half_converted_ones(
        self, validate: Validator, dataset: str, suffix: str, site: str
    ) -> None:
        days = [*DAYS, date(2016, 10, 20)]
        rows = table(dataset, [*(half_converted(day) for day in DAYS), days[-1]])
        outcome = validate(FORMATS[suffix](rows), dataset, site, suffix=suffix)
        assert (outcome.accepted, to_fix(outcome)) == ([], {("C25", "file", f) for f in DATASETS[dataset][3]})
        resent = validate(FORMATS[suffix](corrected(rows, outcome)), dataset, site, suffix=suffix)
        assert all(days_of(resent, field) == days for field in DATASETS[dataset][3])

    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    def test_with_several_correct_dates_ambiguous_ones_get_no_suggestion(
        self, validate: Validator, suffix: str
    ) -> None:
        typed = [date(2016, 10, n) for n in (14, 18, 20, 21, 25)]
        rows = table("contacts", [*(half_converted(day) for day in DAYS), *typed])
        outcome = validate(FORMATS[suffix](rows), site="MHT-GM", suffix=suffix)
        assert (outcome.accepted, to_fix(outcome)) == ([], {("C25", "file", "contact_date")})
        suggested = {f.row: f.suggestion for f in outcome.findings_of("C25")}
        assert suggested == {
            n: as_written(day) if day.day > 12 or day.day == day.month else None for n, day in enumerate(DAYS, 2)
        }

    def test_a_few_cells_hold_only_their_rows(self, validate: Validator) -> None:
        rows = [row | {"consent_withdrawn_date": ""} for row in table("participants", DAYS * 4)]
        withdrawn = {5: date(2016, 9, 3), 9: date(2016, 7, 11), 20: date(2016, 9, 21), 33: date(2016, 8, 17)}
        for n, day in withdrawn.items():
            rows[n]["consent_withdrawn_date"] = half_converted(day)
        outcome = validate(xlsx_of(rows), "participants", suffix="xlsx")
        assert to_fix(outcome) == {("C25", "row", "consent_withdrawn_date")}
        assert (outcome.held, len(outcome.accepted)) == ([n + 2 for n in withdrawn], len(rows) - 4)
        resent = validate(xlsx_of(corrected(rows, outcome)), "participants", suffix="xlsx")
        assert {n: resent.values[n]["consent_withdrawn_date"] for n in withdrawn} == withdrawn

    def test_a_possible_date_of_birth_stays_hidden(self, validate: Validator) -> None:
        rows = table("contacts", [half_converted(d) for d in [*DAYS, date(1971, 3, 5), date(1971, 3, 25)]])
        outcome = validate(xlsx_of(rows), suffix="xlsx")
        births = outcome.stored_findings.filter(outcome.stored_findings["source_row"] >= len(DAYS) + 2)
        assert births["rule_id"].to_list() == ["P03", "P03"] and births["hidden"].all()
        assert births["found"].to_list() == births["suggestion"].to_list() == [None, None]


class TestMonthFirst:
    """C26: every date in the column is written month/day/year."""

    @pytest.mark.parametrize(("dataset", "suffix"), DATASETS_AND_FORMATS)
    @pytest.mark.parametrize("site", ["MHT-GM", *in_soak("MHT-BPL")])  # MHT-GM declares day/month/year
    def test_no_date_loads_and_each_has_the_correct_suggestion(
        self, validate: Validator, dataset: str, suffix: str, site: str
    ) -> None:
        fields, rows = DATASETS[dataset][3], table(dataset, [month_first(day) for day in DAYS])
        rows = [row | ({"site_code": site} if "site_code" in row else {}) for row in rows]
        outcome = validate(FORMATS[suffix](rows), dataset, site, suffix=suffix)
        assert (outcome.result, outcome.accepted, outcome.is_conserved) == (*REFUSED, True)
        assert to_fix(outcome) == {("C26", "file", field) for field in fields}
        for field in fields:
            assert [f.suggestion for f in outcome.findings if f.column == field] == [as_written(day) for day in DAYS]
        resent = validate(FORMATS[suffix](corrected(rows, outcome)), dataset, site, suffix=suffix)
        # the columns of one file are written from the same dates, which is asked about (F55)
        assert (resent.result, {f.rule for f in resent.findings} - {"F55"}) == ("accepted", set())
        assert all(days_of(resent, field) == DAYS for field in fields)

    @pytest.mark.parametrize(
        "form",
        ["%m/%d/%y", "%m-%d-%Y", "%m/%d/%Y 09:30", "%m/%d/%Y 9:30 AM", "%m/%d/%Y 12:00:00 AM", "%m/%d/%y 1:05 pm"],
    )
    @pytest.mark.parametrize(("dataset", "suffix"), [("contacts", "csv"), *in_soak(("funding_awards", "xlsx"))])
    def test_every_way_of_writing_the_dates_is_recognised(
        self, validate: Validator, dataset: str, suffix: str, form: str
    ) -> None:
        fields, rows = DATASETS[dataset][3], table(dataset, [f"{day:{form}}" for day in DAYS])
        outcome = validate(FORMATS[suffix](rows), dataset, suffix=suffix)
        assert to_fix(outcome) == {("C26", "file", field) for field in fields}
        assert [f.suggestion for f in outcome.findings_of("C26")] == [as_written(day) for day in DAYS]

    def test_an_ambiguous_column_takes_the_order_of_the_others(self, validate: Validator) -> None:
        rows = table("referrals", [month_first(d) for d in DAYS])
        exits = {2: date(2016, 9, 5), 5: date(2016, 10, 7)}
        for n, day in exits.items():
            rows[n] |= {"exit_date": month_first(day), "exit_reason": "support_completed"}
        outcome = validate(csv_of(rows), "referrals", site="MHT-GM")
        suggested = {f.row: (f.rule, f.suggestion) for f in outcome.findings if f.column == "exit_date"}
        assert suggested == {n + 2: ("C26", as_written(day)) for n, day in exits.items()}

    def test_an_ambiguous_column_is_not_read_if_the_others_disagree(self, validate: Validator) -> None:
        rows = table("referrals", DAYS)
        for n, row in enumerate(rows):
            row["referral_received_date"] = month_first(DAYS[n])
            row["eligibility_date"] = f"{DAYS[n]:%d/%m/%Y}"
        rows[2] |= {"exit_date": "05/09/2016", "exit_reason": "support_completed"}
        outcome = validate(csv_of(rows), "referrals", site="MHT-GM")
        assert [f[::5] for f in outcome.findings if f.column == "exit_date"] == [("C02", None)]
        assert {f.rule for f in outcome.findings if f.column == "referral_received_date"} == {"C26"}


class TestBothOrders:
    """C02: a suggestion is given only where one reading is possible."""

    @pytest.mark.parametrize("site", ["MHT-GM", "MHT-BPL"])
    def test_only_unambiguous_dates_have_a_suggestion(self, validate: Validator, site: str) -> None:
        texts = ["14/11/2016", "11/14/2016", "03/11/2016", "08/08/2016", "25/10/2016"]
        outcome = validate(csv_of(table("contacts", texts)), site=site)
        assert (outcome.refusals, outcome.accepted) == (["C02"], [])
        suggested = {f.found: (f.severity, f.suggestion) for f in outcome.findings_of("C02") if f.found}
        days = ["2016-11-14", "2016-11-14", None, "2016-08-08", "2016-10-25"]
        assert suggested == {text: ("row", day) for text, day in zip(texts, days, strict=True)}

    def test_one_month_first_date_does_not_decide_the_column(self, validate: Validator) -> None:
        """The one month-first date may be a slip, so the ambiguous date gets no suggestion."""
        outcome = validate(csv_of(table("contacts", ["11/14/2016", "03/11/2016", *DAYS])))
        assert [(f.rule, f.row, f.suggestion) for f in outcome.findings] == [
            ("C02", 2, "2016-11-14"),
            ("C02", 3, None),
        ]


NOT_HALF_CONVERTED = {
    "true dates that are all before the 13th": [date(2016, 11, 3), date(2016, 10, 5), date(2016, 9, 12)],
    "a text among true dates": [*DAYS, "25/11/2016"],
    "texts among true dates": [*DAYS, "25/11/2016", "24/11/2016", "23/10/2016", "29/09/2016"],
    "the first of each month": [*(date(2016, month, 1) for month in range(1, 12)), "15/07/2016"],
    "dates that would lie ahead": [date(2016, 1, 12), date(2016, 2, 11), date(2016, 3, 12), "15/07/2016", "17/07/2016"],
    "some texts, and true dates of which most are before the 13th": [
        *(date(2016, n, n + 2) for n in range(3, 7)),
        date(2016, 10, 20),
        "25/10/2016",
        "24/10/2016",
        "20/09/2016",
    ],
    "one text and one day": [*[date(2016, 11, 3)] * 30, "14/11/2016"],
}


class TestFalsePositives:
    """Correct files that resemble half-converted ones are not reported as such."""

    @pytest.mark.parametrize("days", NOT_HALF_CONVERTED.values(), ids=NOT_HALF_CONVERTED)
    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    def test_true_dates_load_and_each_text_holds_its_row(
        self, validate: Validator, days: Sequence[WrittenDate], suffix: str
    ) -> None:
        outcome = validate(FORMATS[suffix](table("contacts", days)), suffix=suffix)
        texts = [n for n, day in enumerate(days, 2) if isinstance(day, str)]
        assert [(f.rule, f.severity, f.row) for f in outcome.findings] == [("C02", "row", n) for n in texts]
        assert days_of(outcome, "contact_date") == [day for day in days if isinstance(day, date)]

    @pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
    def test_day_first_texts_load_for_a_site_that_declares_them(self, validate: Validator, suffix: str) -> None:
        written = [f"{day:%d/%m/%Y}" for day in DAYS]
        outcome = validate(FORMATS[suffix](table("contacts", written)), site="MHT-GM", suffix=suffix)
        assert {(f.rule, f.severity) for f in outcome.findings} == {("C02", "warning")}
        assert days_of(outcome, "contact_date") == DAYS

    def test_day_first_texts_and_true_dates_load_together_for_such_a_site(self, validate: Validator) -> None:
        written = [day if n % 3 else f"{day:%d/%m/%Y}" for n, day in enumerate(DAYS)]
        outcome = validate(xlsx_of(table("contacts", written)), site="MHT-GM", suffix="xlsx")
        assert (outcome.result, days_of(outcome, "contact_date")) == ("accepted", DAYS)

    def test_a_slip_in_one_column_does_not_affect_the_others(self, validate: Validator) -> None:
        rows = table("referrals", ["04/01/2016", "05/01/2016"])
        for row, eligible in zip(rows, ("01/14/2016", "2016-01-05"), strict=True):
            row |= {"eligibility_date": eligible, "programme_start_date": ""}
        outcome = validate(csv_of(rows), "referrals", site="MHT-GM")
        assert (outcome.held, days_of(outcome, "referral_received_date")) == ([2], [date(2016, 1, 5)])


def test_validation_that_restarts_reports_each_finding_once(validate: Validator) -> None:
    """Detecting C25 restarts validation; findings of other columns, exact repeats included, appear once."""
    rows = table("contacts", [half_converted(d) for d in DAYS])
    rows[3]["contact_medium"] = "zz"
    rows[4]["contact_medium"] = "1"
    outcome = validate(csv_of([*rows, rows[0]]))
    others = [(f.rule, f.severity, f.row) for f in outcome.findings if f.rule != "C25"]
    assert others == [("V02", "row", 5), ("C14", "warning", 6), ("P04", "warning", len(rows) + 2)]
    assert outcome.is_conserved and len(outcome.findings_of("C25")) == len(rows) + 1
