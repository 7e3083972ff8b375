"""Hours for minutes, times, units and amounts in words (C29-C31), and codes of bands written as decimals (C14).

No wrong number may load, and where the numbers can be derived, the file with every suggestion entered holds them.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from column_files import FORMATS, corrected, items, table, values
from file_validator import Validator, as_csv, as_table, workbook
from shared_file import SharedFiles
from soak import in_soak

MINUTES = [20, 75, 45, 5, 120, 90, 10, 60, 30, 40, 15, 50, 100, 35]


def durations(*texts: str) -> list[dict[str, str]]:
    """Contacts with these durations."""
    return table("contacts", "duration_minutes", texts=texts)


class TestDurations:
    """C30: hours in a column of minutes. C29: times, and numbers with their unit."""

    @pytest.mark.parametrize("suffix", ["csv", "xlsx", *in_soak("ods", "xls")])
    @pytest.mark.parametrize("decimals", [2, 9, *in_soak(4)])
    def test_a_column_of_hours_is_held_with_the_minutes_suggested(
        self, validate: Validator, suffix: str, decimals: int
    ) -> None:
        """Whole hours too: 1 would load as one minute."""
        rows = durations(*(f"{minutes / 60:.{decimals}f}" for minutes in MINUTES))
        outcome = validate(FORMATS[suffix](rows), suffix=suffix)
        assert (outcome.result, outcome.accepted, outcome.is_conserved) == ("refused", [], True)
        assert items(outcome) == {("C30", "file", "duration_minutes")}
        resent = validate(FORMATS[suffix](corrected(rows, outcome)), suffix=suffix)
        assert (resent.findings, values(resent, "duration_minutes")) == ([], MINUTES)

    def test_numbers_in_a_workbook(self, validate: Validator) -> None:
        rows = [row | {"duration_minutes": m / 60} for row, m in zip(durations(*[""] * 14), MINUTES, strict=True)]
        outcome = validate(workbook({"Data": as_table(rows)}), suffix="xlsx")
        assert items(outcome) == {("C30", "file", "duration_minutes")}
        assert [f.suggestion for f in outcome.findings] == [str(m) for m in MINUTES]

    def test_a_few_minutes_among_hours_leave_whole_hours_in_doubt(self, validate: Validator) -> None:
        texts = [f"{m / 60:.2f}".removesuffix(".00") for m in MINUTES] + ["45"]
        outcome = validate(as_csv(durations(*texts)))
        suggested = {f.found: f.suggestion for f in outcome.findings}
        assert (suggested["0.33"], suggested["1"], suggested["2"], "45" in suggested) == ("20", None, None, False)
        assert {f.rule for f in outcome.findings} == {"C30"}

    @pytest.mark.parametrize("texts", [["45", "7.5", "60", "30"], ["1", "2", "3", "5"], ["0.5", "45", "50", "60"]])
    def test_a_column_of_minutes_is_left_alone(self, validate: Validator, texts: list[str]) -> None:
        outcome = validate(as_csv(durations(*texts)))
        assert {f.rule for f in outcome.findings} <= {"V06"}
        assert not outcome.refusals

    @pytest.mark.parametrize("suffix", ["csv", "xlsx", *in_soak("ods", "xls")])
    @pytest.mark.parametrize("form", ["{}:{:02}", "{:02}:{:02}:00"])
    def test_a_column_of_times_is_held_with_the_minutes_suggested(
        self, validate: Validator, suffix: str, form: str
    ) -> None:
        rows = durations(*(form.format(*divmod(m, 60)) for m in MINUTES))
        outcome = validate(FORMATS[suffix](rows), suffix=suffix)
        assert (outcome.result, items(outcome)) == ("refused", {("C29", "file", "duration_minutes")})
        resent = validate(FORMATS[suffix](corrected(rows, outcome)), suffix=suffix)
        assert (resent.findings, values(resent, "duration_minutes")) == ([], MINUTES)

    def test_times_of_a_workbook(self, validate: Validator) -> None:
        """A spreadsheet takes 0:20 for a time of day, and 45:00 for 45 hours."""
        rows = [
            row | {"duration_minutes": timedelta(minutes=m)}
            for row, m in zip(durations(*[""] * 14), MINUTES, strict=True)
        ]
        outcome = validate(workbook({"Data": as_table(rows)}), suffix="xlsx")
        assert items(outcome) == {("C29", "file", "duration_minutes")}
        assert [f.suggestion for f in outcome.findings] == [str(m) for m in MINUTES]

    def test_hours_of_a_week_written_as_times(self, validate: Validator) -> None:
        rows = table("employment_outcomes", "paid_hours_week", texts=["18:30", "20:00", "16:15"])
        outcome = validate(as_csv(rows), "employment_outcomes")
        assert items(outcome) == {("C29", "file", "paid_hours_week")}
        assert [f.suggestion for f in outcome.findings] == ["18.5", "20.0", None]  # one decimal: 16.25 has none

    def test_a_column_of_minutes_and_seconds(self, validate: Validator) -> None:
        """45:00 cannot be 45 hours, so 5:00 beside it is five minutes."""
        outcome = validate(as_csv(durations("45:00", "5:00", "30:00", "20:00")))
        assert [f.suggestion for f in outcome.findings] == ["45", "5", "30", "20"]
        assert items(outcome) == {("C29", "file", "duration_minutes")}

    @pytest.mark.parametrize("texts", [["5:00", "8:00"], ["45:00", "1:15", "5:00"], ["0:20:30", "0:45:10"]])
    def test_times_that_may_be_either_get_no_suggestion(self, validate: Validator, texts: list[str]) -> None:
        outcome = validate(as_csv(durations(*texts)))
        assert {f.suggestion for f in outcome.findings} == {None}
        assert (items(outcome), outcome.accepted) == ({("C29", "file", "duration_minutes")}, [])

    WITH_UNITS = [
        ("contacts", "duration_minutes", ["45 mins", "1 hr", "1h 15m", "45m"], [45, 60, 75, 45]),
        ("contacts", "duration_minutes", ["1.5 hours", "half an hour", "1hr15", "2 hours and 5 minutes"],
         [90, 30, 75, 125]),
        ("employment_outcomes", "paid_hours_week", ["18.5 hours", "16 hrs a week", "22h 30m"], [18.5, 16, 22.5]),
        ("employment_outcomes", "hourly_pay", ["£7.20 an hour", "8.25/hr", "9 ph"], [7.2, 8.25, 9]),
        ("participants", "months_out_of_work", ["18 months", "2 years", "1y 6m"], [18, 24, 18]),
        ("participants", "age_at_referral", ["36 years", "36 yrs old"], [36, 36]),
    ]  # fmt: skip

    @pytest.mark.parametrize(("dataset", "field", "texts", "numbers"), WITH_UNITS)
    @pytest.mark.parametrize("suffix", ["csv", "xlsx"])
    def test_numbers_with_their_unit_are_read(
        self, in_shared_file: SharedFiles, suffix: str, dataset: str, field: str, texts: list[str], numbers: list[float]
    ) -> None:
        cases = [{f: t} for d, f, ts, _ in self.WITH_UNITS if d == dataset for t in ts]
        read = [in_shared_file(cases, case, dataset, suffix) for case in cases]
        suggested = [{f.column: f.suggestion} for result in read for f in result.findings if f.column and f.suggestion]
        for text, number in zip(texts, numbers, strict=True):
            result = read[cases.index({field: text})]
            [finding] = result.findings
            assert (finding.rule, finding.severity, finding.column) == ("C29", "warning", field)
            assert float(result.values[field]) == number
            resent = in_shared_file(suggested, {field: str(finding.suggestion)}, dataset, suffix)
            assert (resent.findings, resent.values[field]) == ([], result.values[field])

    OTHER_UNITS = (
        ("0.33 hours", "C30", "20"),
        ("45 months", "V05", None),
        ("45.5 mins", "V06", None),
        ("90 hours", "K03", None),
        ("15m 1h", "V05", None),
        ("about 45 mins", "V05", None),
        ("nineteen eighty", "V05", None),
    )

    @pytest.mark.parametrize(("text", "rule", "suggestion"), OTHER_UNITS)
    def test_another_unit_or_no_whole_number_is_held(
        self, in_shared_file: SharedFiles, text: str, rule: str, suggestion: str | None
    ) -> None:
        cases = [{"duration_minutes": t} for t, *_ in self.OTHER_UNITS]
        [finding] = in_shared_file(cases, {"duration_minutes": text}).findings
        assert (finding.rule, finding.severity, finding.suggestion) == (rule, "row", suggestion)


class TestAmounts:
    """C31: numbers in words or with letters."""

    AMOUNTS = (
        *((t, 1_100_000) for t in ("£1.1m", "1.1M", "1.1 million", "GBP 1,100,000", "1100k", "£1.1 mn")),
        *((t, 1_200) for t in ("1.2k", "GBP 1,200", "1,200 pounds", "one thousand two hundred", "1.2 thousand")),
        *((t, 2_000_000) for t in ("two million", "£2m", "two million pounds")),
    )

    @pytest.mark.parametrize(("text", "pounds"), AMOUNTS)
    @pytest.mark.parametrize("suffix", ["csv", "xlsx"])
    def test_an_amount_is_read(self, in_shared_file: SharedFiles, suffix: str, text: str, pounds: int) -> None:
        cases = [{"amount": t} for t, _ in self.AMOUNTS]
        result = in_shared_file(cases, {"amount": text}, "funding_awards", suffix)
        assert (result.file.result, result.rules) == ("accepted", [("C31", "warning")])
        assert result.findings[0].column == "amount"
        assert result.values["amount"] == pounds

    OTHER_READINGS = ("$1.1m", "€2k", "GBP 1.200", "1.1m a year", "5£", "1.1x", "12k5", "five six")

    @pytest.mark.parametrize("text", OTHER_READINGS)
    def test_another_currency_or_reading_is_held(self, in_shared_file: SharedFiles, text: str) -> None:
        result = in_shared_file([{"amount": t} for t in self.OTHER_READINGS], {"amount": text}, "funding_awards")
        assert [(f.rule, f.severity, f.suggestion) for f in result.findings] == [("V05", "row", None)]

    def test_a_number_in_words_is_read_in_any_column_of_numbers(self, validate: Validator) -> None:
        outcome = validate(as_csv(durations("thirty", "forty-five", "a hundred")))
        assert [(f.rule, f.row, f.suggestion) for f in outcome.findings][:2] == [("C31", 2, "30"), ("C31", 3, "45")]
        assert outcome.findings[2].rule == "V05"


def test_bands_written_as_decimals_are_codes_where_the_column_shows_it(validate: Validator) -> None:
    """C14: 3.0 may be three hours, unless 98.0 and no other number of hours stands beside it."""
    field = "weekly_hours_at_start"
    codes = validate(as_csv(table("referrals", field, texts=["98.0", "98.0", "99.0"])), "referrals")
    assert values(codes, field) == ["98", "98", "99"]
    job = "weekly_hours_worked"
    shown = validate(as_csv(table("employment_outcomes", job, texts=["2.0", "2.0", "99.0"])), "employment_outcomes")
    assert [f.suggestion for f in shown.findings_of("C14")] == ["02", "02", "99"]
    for texts in (["3.0", "2.0"], ["3.0", "37.5", "99.0"]):
        outcome = validate(as_csv(table("employment_outcomes", job, texts=texts)), "employment_outcomes")
        assert [f.rule for f in outcome.findings if f.found == "3.0"] == ["V02"]
