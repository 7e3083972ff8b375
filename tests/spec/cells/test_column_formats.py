"""One format for a whole column: each is one item, and read where every cell has one reading (C27-C34, C14).

Each file is made from known values, written as a sender or a spreadsheet would write them. No wrong value may load, and
where the values can be derived, the file with every suggestion entered holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from column_files import FORMATS, ROWS, Row, corrected, items, table, values
from file_validator import Validator, as_csv, contacts
from shared_file import OnceValidator, SharedFiles
from soak import in_soak

DAYS = [date(2016, 1, 4) + timedelta(days=13 * n) for n in range(24)]


def ordinal(day: date) -> str:
    """A day of the month such as 1st, 2nd, 3rd or 4th."""
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}.get(day.day, "th")
    return f"{day.day}{ending}"


class TestDates:
    """C27: the year first, with other marks than dashes. C28: in words."""

    DATE_FIELDS = (
        ("contacts", ("contact_date",)),
        ("participants", ("consent_date",)),
        ("referrals", ("referral_received_date", "eligibility_date", "programme_start_date")),
        ("employment_outcomes", ("job_start_date",)),
        ("funding_awards", ("award_date",)),
    )
    IN_FORMATS = (
        ("contacts", ("contact_date",), "csv"),
        *((dataset, fields, "xlsx") for dataset, fields in DATE_FIELDS[1:2]),
        *in_soak(
            *((dataset, fields, "csv") for dataset, fields in DATE_FIELDS[2:]),
            *(("contacts", ("contact_date",), suffix) for suffix in ("ods", "xls")),
        ),
    )

    @pytest.mark.parametrize(("dataset", "fields", "suffix"), IN_FORMATS)
    @pytest.mark.parametrize(
        ("rule", "written"),
        [
            ("C27", lambda day: f"{day:%Y/%m/%d}"),
            ("C28", lambda day: f"{ordinal(day)} {day:%B %Y}"),
        ],
        ids=["year first", "in words"],
    )
    def test_a_column_of_one_reading_loads_with_one_warning(
        self,
        validate: Validator,
        rule: str,
        written: Callable[[date], str],
        dataset: str,
        fields: tuple[str, ...],
        suffix: str,
    ) -> None:
        rows = table(dataset, *fields, texts=[written(day) for day in DAYS])
        outcome = validate(FORMATS[suffix](rows), dataset, suffix=suffix)
        assert (outcome.result, outcome.is_conserved) == ("accepted", True)
        # the columns of one file are written from the same dates, which is asked about (F55)
        assert {i for i in items(outcome) if i[0] != "F55"} == {(rule, "warning", field) for field in fields}
        for field in fields:
            assert values(outcome, field) == DAYS
            suggested = [f.suggestion for f in outcome.findings_of(rule) if f.column == field]
            assert suggested == [str(day) for day in DAYS]
        resent = validate(FORMATS[suffix](corrected(rows, outcome)), dataset, suffix=suffix)
        assert ({f.rule for f in resent.findings} - {"F55"}, resent.values) == (set(), outcome.values)

    ONE_READING = (
        *(("C27", t) for t in ("2016/11/03", "2016.11.03", "20161103", "2016/11/3", "2016-11-3", "2016 11 03")),
        ("C27", "2016/11/03 00:00:00"),
        ("C04", "2016/11/03 14:30"),
        *(("C28", t) for t in ("3rd November 2016", "3 Nov 2016", "3-Nov-2016", "Thursday 3 November 2016")),
        *(("C28", t) for t in ("Thu, 3rd Nov. 2016", "November 3, 2016", "3 of November, 2016", "2016-Nov-03")),
        *(("C28", t) for t in ("Thursday the 3rd of November 2016", "3 NOVEMBER 2016", "3/Nov/2016 00:00")),
        ("C04", "3 November 2016 09:15"),
    )
    SEVERAL_READINGS = (
        ("C28", "3 November", None),  # of which year?
        ("C28", "Monday 3 November 2016", None),  # it was a Thursday: the weekday may be right
        ("C28", "3-Nov-16", "2016-11-03"),
        ("C28", "3-Nov-18", None),  # after the extract
        ("C28", "31 November 2016", None),
        ("C05", "2016/11/31", None),
        ("C05", "20161131", None),
        ("C02", "November 2016", None),
        ("C02", "3 Smith 2016", None),
    )

    @pytest.mark.parametrize(("rule", "text"), ONE_READING)
    def test_every_way_of_writing_a_date_is_read(self, in_shared_file: SharedFiles, rule: str, text: str) -> None:
        result = in_shared_file([{"contact_date": t} for _, t in self.ONE_READING], {"contact_date": text})
        assert (result.rules, result.findings[0].suggestion) == ([(rule, "warning")], "2016-11-03")
        assert result.values["contact_date"] == date(2016, 11, 3)

    @pytest.mark.parametrize(("rule", "text", "suggestion"), SEVERAL_READINGS)
    def test_a_date_without_one_reading_is_held(
        self, in_shared_file: SharedFiles, rule: str, text: str, suggestion: str | None
    ) -> None:
        result = in_shared_file([{"contact_date": t} for _, t, _ in self.SEVERAL_READINGS], {"contact_date": text})
        assert (result.rules, result.findings[0].suggestion) == ([(rule, "row")], suggestion)
        assert result.is_held

    def test_a_column_that_is_year_day_month_loads_no_date(self, validate: Validator) -> None:
        """Days up to the 12th could be read year-month-day, and would be wrong."""
        rows = table("contacts", "contact_date", texts=[f"{day:%Y/%d/%m}" for day in DAYS])
        outcome = validate(as_csv(rows))
        assert (outcome.result, outcome.accepted) == ("refused", [])
        assert items(outcome) == {("C27", "file", "contact_date")}
        resent = validate(as_csv(corrected(rows, outcome)))
        assert (resent.findings, values(resent, "contact_date")) == ([], DAYS)

    def test_a_column_in_both_orders_gets_no_suggestion(self, validate: Validator) -> None:
        texts = ["2016/11/03", "2016/14/11", "2016/15/10", "2016/10/16", *["2016-11-03"] * 30]
        outcome = validate(as_csv(table("contacts", "contact_date", texts=texts)))
        assert items(outcome) == {("C27", "row", "contact_date")}
        assert {f.suggestion for f in outcome.findings} == {None}
        assert outcome.held == [2, 3, 4, 5]

    def test_dates_in_words_are_no_evidence_of_a_swap(self, validate: Validator) -> None:
        """They were typed: no spreadsheet has read them the wrong way round."""
        texts = [f"{day:%d %B %Y}" if day.day <= 12 else f"{day:%d/%m/%Y}" for day in DAYS]
        outcome = validate(as_csv(table("contacts", "contact_date", texts=texts)), site="MHT-GM")
        assert items(outcome) == {("C02", "warning", "contact_date"), ("C28", "warning", "contact_date")}
        assert values(outcome, "contact_date") == DAYS

    def test_a_spreadsheet_may_have_swapped_dates_that_it_shows_year_first(self, validate: Validator) -> None:
        """C25: true dates in the format yyyy/mm/dd beside texts that it could not read."""
        texts = [f"{day:%Y/%d/%m}" if day.day <= 12 else f"{day:%d/%m/%Y}" for day in DAYS]
        rows = table("contacts", "contact_date", texts=texts)
        outcome = validate(as_csv(rows))
        assert items(outcome) == {("C25", "file", "contact_date")}
        assert values(validate(as_csv(corrected(rows, outcome))), "contact_date") == DAYS

    def test_dates_of_birth_are_found_in_any_format(self, validate: Validator) -> None:
        """P03: nothing of the cell is shown."""
        for text in ("1970/05/03", "19700503", "3rd May 1970"):
            outcome = validate(as_csv(contacts({"contact_date": text}, {})))
            assert (outcome.rules, outcome.findings[0].found) == ([("P03", "row", 2)], None)


class TestCodes:
    """C14: codes that passed through a column of decimal numbers. C34: several codes in one cell."""

    @pytest.mark.parametrize("suffix", ["csv", "xlsx", *in_soak("ods", "xls")])
    @pytest.mark.parametrize(
        ("dataset", "field", "codes"),
        [
            ("contacts", "contact_medium", ["01", "02", "04", "98"]),
            ("referrals", "employment_status_at_start", ["02", "03", "04", "05"]),
            ("participants", "gender", ["1", "2", "9", "1"]),
        ],
    )
    def test_codes_written_as_decimals_are_read(
        self, validate: Validator, suffix: str, dataset: str, field: str, codes: list[str]
    ) -> None:
        rows = table(dataset, field, texts=[f"{int(code)}.0" for code in codes])
        outcome = validate(FORMATS[suffix](rows), dataset, suffix=suffix)
        assert (outcome.result, items(outcome)) == ("accepted", {("C14", "warning", field)})
        assert values(outcome, field) == codes
        assert validate(FORMATS[suffix](corrected(rows, outcome)), dataset, suffix=suffix).findings == []

    SEVERAL_CODES = (
        *(("contacts", "contact_medium", t) for t in ("01; 02", "01,02", "01/02", "01 02", "01 and 02", "01|11")),
        *(("contacts", "contact_medium", t) for t in ("Telephone, video", "Face to face & telephone", "1 + 2")),
        ("contacts", "contact_medium", "01\n02"),
        ("contacts", "attended", "5,6"),
        ("participants", "benefit_at_start", "jsa / esa_wrag"),
        ("referrals", "employment_status_at_start", "02;03"),
    )

    @pytest.mark.parametrize(("dataset", "field", "text"), SEVERAL_CODES)
    def test_several_codes_in_a_cell_hold_the_row(
        self, in_shared_file: SharedFiles, dataset: str, field: str, text: str
    ) -> None:
        cases = [{f: t} for d, f, t in self.SEVERAL_CODES if d == dataset]
        [finding] = in_shared_file(cases, {field: text}, dataset).findings
        assert (finding.rule, finding.severity, finding.suggestion) == ("C34", "row", None)

    ONE_CODE = ("Health, not listed", "01; carrier pigeon", "carrier pigeon and owl")

    @pytest.mark.parametrize("text", ONE_CODE)
    def test_other_texts_with_such_signs_are_not_several_codes(self, in_shared_file: SharedFiles, text: str) -> None:
        result = in_shared_file([{"contact_medium": t} for t in self.ONE_CODE], {"contact_medium": text})
        assert result.rules == [("V02", "row")]


class TestReferences:
    """C33: references in small letters, with other dashes or spaces, or without the hyphen."""

    WRITTEN = (
        str.lower,
        lambda ref: ref.replace("-", "\u2013"),
        lambda ref: ref.replace("-", " "),
        lambda ref: ref.replace("-", " - "),
        lambda ref: ref.replace("-", "_"),
        lambda ref: ref.replace("-", ""),
        lambda ref: f"{ref[:7]} {ref[7:]}",
    )
    WAYS = ("small letters", "an en dash", "a space", "spaces beside the hyphen", "an underscore", "no hyphen", "a gap")

    @pytest.mark.parametrize(
        ("dataset", "suffix"),
        [("contacts", "csv"), *in_soak(("participants", "xlsx"), ("employment_outcomes", "csv"))],
    )  # fmt: skip
    @pytest.mark.parametrize("written", WRITTEN, ids=WAYS)
    def test_a_column_of_references_is_repaired(
        self, validate: Validator, written: Callable[[str], str], dataset: str, suffix: str
    ) -> None:
        _, key, reference = ROWS[dataset]
        rows = table(dataset, texts=[""] * 5)
        outcome = validate(FORMATS[suffix]([row | {key: written(row[key])} for row in rows]), dataset, suffix=suffix)
        assert (outcome.result, items(outcome)) == ("accepted", {("C33", "warning", key)})
        assert values(outcome, key) == [reference.format(n) for n in range(1, 6)]
        assert outcome.stored_findings["hidden"].all()

    def test_in_other_formats(self, validate: Validator) -> None:
        rows = [row | {"contact_id": row["contact_id"].lower()} for row in table("contacts", texts=[""] * 3)]
        for suffix in ("ods", "xls"):
            outcome = validate(FORMATS[suffix](rows), suffix=suffix)
            assert (items(outcome), outcome.accepted) == ({("C33", "warning", "contact_id")}, [2, 3, 4])

    def test_rows_that_would_get_the_same_reference_are_held(self, validate: Validator) -> None:
        """Which of them is right is not known, even where all other cells agree."""
        ids = ["BPL-C000001", "bpl-c000001", "bpl-c000002", "BPL-C000003"]
        rows = contacts(*({"contact_id": one} for one in ids))
        outcome = validate(as_csv(rows))
        assert [(f.rule, f.row) for f in outcome.findings if f.severity == "row"] == [("P04", 2), ("P04", 3)]
        assert (outcome.accepted, outcome.held, outcome.is_conserved) == ([4, 5], [2, 3], True)

    DOUBTFUL = (
        ("staff_ref", "smith"),  # no digit: it may be a name
        ("staff_ref", "W 0012"),  # W0012 or W-0012
        ("contact_id", "bpl-c00000l"),  # l may be meant for 1
        ("contact_id", "GMC000002"),  # of another site, so the place of the hyphen is not known
        ("contact_id", "bpl-000"),
    )

    @pytest.mark.parametrize(("field", "text"), DOUBTFUL)
    def test_a_reference_that_may_be_several_is_held(self, in_shared_file: SharedFiles, field: str, text: str) -> None:
        result = in_shared_file([{f: t} for f, t in self.DOUBTFUL], {field: text})
        assert result.is_held and "C33" not in dict(result.rules)

    def test_a_reference_of_another_form_is_left_alone(self, validate: Validator) -> None:
        """360Giving identifiers have no agreed capitals."""
        outcome = validate(as_csv(table("funding_awards", texts=["", ""])), "funding_awards")
        assert (outcome.findings, values(outcome, "award_id")) == ([], ["360G-madeup-1", "360G-madeup-2"])


class TestTextFormulas:
    """C32: cells written as ="01", by programs that want to keep a spreadsheet from reading numbers."""

    @staticmethod
    def as_formulas(rows: Sequence[Row]) -> list[dict[str, str]]:
        return [{name: f'="{text}"' if text else "" for name, text in row.items()} for row in rows]

    @pytest.mark.parametrize("suffix", ["csv", "raw csv", "xlsx", *in_soak("ods", "xls")])
    @pytest.mark.parametrize("dataset", ["contacts", *in_soak("funding_awards")])
    def test_a_whole_file_of_them_is_read_with_one_warning(
        self, validate: Validator, validate_once: OnceValidator, dataset: str, suffix: str
    ) -> None:
        rows = table(dataset, texts=[""] * 4)
        written = self.as_formulas(rows)
        if suffix == "raw csv":  # without the quotation marks that CSV asks for, as such programs mostly write
            if any("," in text for row in rows for text in row.values()):
                pytest.skip("a comma within such a cell separates")
            content = "\n".join(",".join(f'="{name}"' if line == 0 else text for name, text in row.items())
                                for line, row in enumerate([rows[0], *written])).encode()  # fmt: skip
        else:
            content = FORMATS[suffix](written)
        outcome = validate(content, dataset, suffix=suffix.split()[-1])
        assert (outcome.result, items(outcome)) == ("accepted", {("C32", "warning", None)})
        assert len(outcome.findings) == 1
        assert outcome.values == validate_once(as_csv(rows), dataset).values

    def test_the_finding_says_in_which_columns_they_are(self, validate: Validator) -> None:
        rows = contacts({"contact_medium": '="01"', "attended": '="5"'}, {"contact_medium": '="02"'}, {})
        outcome = validate(as_csv(rows))
        assert [(f.rule, f.found) for f in outcome.findings] == [("C32", "3 cells in columns E to F")]
        assert values(outcome, "contact_medium") == ["01", "02", "01"]

    def test_other_faults_of_the_text_are_found(self, validate: Validator) -> None:
        """What is inside is checked as if it had been written plainly, personal data too."""
        outcome = validate(as_csv(contacts({"contact_date": '="2016-02-30"'}, {"staff_ref": '="someone@example.org"'})))
        found = {(f.rule, f.severity, f.found) for f in outcome.findings}
        assert {("C05", "row", None), ("P01", "file", None)} <= found

    @pytest.mark.parametrize("text", ["=1+1", '="a"&"b"', '=HYPERLINK("x")', '="open'])
    def test_another_formula_stays_as_it_is(self, validate: Validator, text: str) -> None:
        outcome = validate(as_csv(table("funding_awards", "funding_org_name", texts=[text])), "funding_awards")
        assert [f.rule for f in outcome.findings] == ["C23"]
        assert values(outcome, "funding_org_name") == [text]
