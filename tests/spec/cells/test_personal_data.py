"""Personal data refuses a participant-level file, is never shown and is not stored (P01-P03; docs/domain.md 5.3)."""

from __future__ import annotations

import pytest
from file_validator import Finding, Validator, as_csv, as_table, awards, contacts, participants, workbook
from shared_file import SharedFiles

NHS_NUMBER = "943 476 5919"  # the NHS's own example: a valid check digit, issued to nobody

PERSONAL = [
    ("P01", "contacts", "staff_ref", NHS_NUMBER),
    ("P01", "contacts", "staff_ref", NHS_NUMBER.replace(" ", "")),
    ("P01", "contacts", "contact_type", f"review of {NHS_NUMBER}"),
    ("P01", "contacts", "staff_ref", "AB 12 34 56 C"),
    ("P01", "contacts", "staff_ref", "ab123456c"),
    ("P01", "contacts", "staff_ref", "worker@example.org"),
    ("P01", "contacts", "staff_ref", "020 7946 0018"),
    ("P01", "contacts", "staff_ref", "+44 7700 900123"),
    # in other spellings
    *(
        ("P01", "contacts", "contact_type", text)
        for text in (
            "NHS9434765919",
            "ref_9434765919",
            "9434 765 919",
            "943-476-5919",
            "943.476.5919",
            "943/476/5919",
            "943\u00a0476\u20095919",
            "943\u200b4765919",
            "９４３４７６５９１９",
            "9434765919.0",
            "seen 2016 943 476 5919",
            "AB-12-34-56-C",
            "AB.12.34.56.C",
            "(0161) 496 0000",
            "+44 (0)7700 900123",
            "07700.900.123",
            "00447700900123",
            "447700900123",
            "tel:07700-900123",
            "worker＠example.org",
        )
    ),
    ("P03", "contacts", "contact_type", "FY1  1AA"),
    ("P03", "contacts", "contact_type", "FY1\u00a01AA"),
    # in a reference that matches its pattern
    *(
        ("P01", "contacts", field, text)
        for field, text in (
            ("contact_id", "BPL-AB123456C"),
            ("contact_id", "AB-123456C"),
            ("contact_id", "BPL-07700900123"),
            ("episode_id", "BPL-447700900123"),
            ("staff_ref", "AB-12-34-56-C"),
            ("staff_ref", "0161-496-0000"),
            ("staff_ref", "943-476-5919"),
            ("staff_ref", "NHS9434765919"),
        )
    ),
    ("P02", "participants", "participant_ref", "NHS-9434765919"),
    ("P02", "participants", "participant_ref", NHS_NUMBER.replace(" ", "")),
    ("P02", "participants", "participant_ref", NHS_NUMBER),
    ("P02", "participants", "participant_ref", "ref_9434765919"),
    *(
        ("P03", "participants", field, text)
        for field in ("year_of_birth", "age_at_referral")
        for text in (
            "12/03/1978",
            "12th March 1978",
            "March 12 1978",
            "12-Mar-78",
            "19780312",
            "12031978",
            "28561",
            "28561.0",
            "1978-03-12 00:00:00",
            "born 12.3.1978",
        )
    ),
    ("P03", "participants", "year_of_birth", "14/03/1980"),
    ("P03", "participants", "year_of_birth", "1980-03-14"),
    ("P03", "participants", "year_of_birth", "14 March 1980"),
    ("P03", "participants", "la_code", "FY1 1AA"),
    ("P03", "participants", "lsoa", "fy11aa"),
]


@pytest.mark.parametrize(("rule", "dataset", "field", "text"), PERSONAL)
def test_personal_data_refuses_the_file_and_is_not_stored(
    in_shared_file: SharedFiles, rule: str, dataset: str, field: str, text: str
) -> None:
    """No other finding on the cell may show its value."""
    cases = [{f: t} for _, d, f, t in PERSONAL if d == dataset]
    result = in_shared_file(cases, {field: text}, dataset)
    assert result.findings == [Finding(rule, "file", result.row, field, None, None)]
    assert text not in result.file.stored_findings.write_csv()
    assert (result.file.result, result.file.accepted, result.file.held) == ("refused", [], [])
    rows = result.file.verdict.rows
    assert rows.read == rows.held > len(cases)


@pytest.mark.parametrize("text", [NHS_NUMBER, "AB123456C", "FY1 1AA"])
def test_unknown_columns_are_searched_too(validate: Validator, text: str) -> None:
    outcome = validate(as_csv([{**r, "Other": text} for r in contacts({})]))
    assert outcome.result == "refused"
    assert (outcome.held, text in outcome.stored_findings.write_csv()) == ([], False)


@pytest.mark.parametrize("text", ["9999999999", "9434765918", "BPL-0943476591", "E01012345"])
def test_numbers_that_resemble_identifiers_are_accepted(validate: Validator, text: str) -> None:
    """Well-known dummies, a wrong check digit, the project's own references, an area code."""
    assert validate(as_csv([{**r, "Other": text} for r in contacts({})])).refusals == []


@pytest.mark.parametrize(
    "text",
    [
        "2016-11-03 10:30:00",
        "03/11/2016 10:30",
        "03-11-2016 10",
        "53.4765919",
        "0.1234567890",
        "1234567.89",
        "BPL-00000000123",
        "BPL-C0943476591",
    ],
)
def test_dates_numbers_and_references_are_not_identifiers(validate: Validator, text: str) -> None:
    assert validate(as_csv([{**r, "Other": text} for r in contacts({})])).refusals == []


YEAR_AND_AGE = (("year_of_birth", "1978"), ("age_at_referral", "38"))
ENDINGS = ("", " ", ".0", " or so", "/79")


@pytest.mark.parametrize(("field", "text"), YEAR_AND_AGE)
@pytest.mark.parametrize("more", ENDINGS)
def test_a_year_or_an_age_is_not_a_date_of_birth(in_shared_file: SharedFiles, field: str, text: str, more: str) -> None:
    cases = [{f: t + ending} for f, t in YEAR_AND_AGE for ending in ENDINGS]
    assert in_shared_file(cases, {field: text + more}, "participants").file.refusals == []


def tails(*numbers: str) -> str:
    """Participants, as CSV, whose references end in these digits."""
    return as_csv(
        [{**r, "participant_ref": f"BPL-{n}"} for r, n in zip(participants(*[{}] * 9), numbers, strict=False)]
    )


NHS_TAILS = ["9434765919", "4010232137", "9990000018", "9990000026"]
OTHER_TAILS = ["0000000012", "0000000013", "0000000014", "0000000015"]


class TestTenDigitsAtTheEndOfReferences:
    """One ten-digit number in eleven is a valid NHS number by chance; several together are not."""

    def test_a_majority_of_nhs_numbers_refuses_the_file(self, validate: Validator) -> None:
        outcome = validate(tails(*NHS_TAILS[:3], OTHER_TAILS[0]), "participants")
        assert outcome.refusals == ["P02"]
        assert not [t for t in NHS_TAILS if t in outcome.stored_findings.write_csv()]
        assert (outcome.accepted, outcome.held) == ([], [])

    @pytest.mark.parametrize("numbers", [NHS_TAILS[:2], NHS_TAILS[:1] * 4, NHS_TAILS[:2] + OTHER_TAILS[:2]])
    def test_a_few_are_taken_for_chance(self, validate: Validator, numbers: list[str]) -> None:
        assert validate(tails(*numbers), "participants").findings_of("P02") == []

    def test_one_among_other_references_holds_its_row(self, validate: Validator) -> None:
        """Among references of another pattern, ten digits with a valid check digit are no numbering scheme."""
        outcome = validate(tails("000001", "000002", NHS_TAILS[0], "000004", OTHER_TAILS[0]), "participants")
        assert (outcome.rules, outcome.held) == ([("P01", "row", 4)], [4])
        assert (outcome.accepted, outcome.held_values[0]["participant_ref"]) == ([2, 3, 5, 6], None)

    def test_a_postcode_behind_a_prefix_holds_its_row(self, validate: Validator) -> None:
        outcome = validate(tails("000001", "FY14XX", "QX14XX", "000004"), "participants")
        assert (outcome.rules, outcome.held) == ([("P01", "row", 3)], [3])  # no postcode area is QX
        assert "FY14XX" not in outcome.stored_findings.write_csv()

    @pytest.mark.parametrize("tail", ["19801103", "03111980"])
    def test_a_day_of_birth_holds_its_row(self, validate: Validator, tail: str) -> None:
        outcome = validate(tails("000001", tail, "20161103", "99999999"), "participants")
        assert (outcome.rules, outcome.held) == ([("P01", "row", 3)], [3])
        assert outcome.held_values[0]["participant_ref"] is None

    def test_many_dates_of_birth_refuse_the_file(self, validate: Validator) -> None:
        assert validate(tails("19801103", "19790214", "05061985", "000001"), "participants").refusals == ["P03"]

    STAFF_REFERENCES = ("FY38EZ", "FY3-8EZ", "BPL-JSMITH", "SMITHJ01", "1980-11-03")

    @pytest.mark.parametrize("text", STAFF_REFERENCES)
    def test_personal_data_in_a_staff_reference_holds_the_row(self, in_shared_file: SharedFiles, text: str) -> None:
        cases = [{"staff_ref": t} for t in (*self.STAFF_REFERENCES, "QX38EZ")]
        result = in_shared_file(cases, {"staff_ref": text})
        assert (result.rules, result.is_held) == ([("P01", "row")], True)
        assert in_shared_file(cases, {"staff_ref": "QX38EZ"}).findings == []  # no postcode area is QX

    def test_nhs_numbers_in_other_columns_refuse_the_file(self, validate: Validator) -> None:
        rows = [{**r, "staff_ref": f"W-{n}"} for r, n in zip(contacts({}, {}, {}), NHS_TAILS, strict=False)]
        assert validate(as_csv(rows)).refusals == ["P01"]
        rows = [{**r, "Other": f"BPL-{n}"} for r, n in zip(contacts({}, {}, {}), NHS_TAILS, strict=False)]
        assert validate(as_csv(rows)).refusals == ["P01"]


class TestNames:
    """A full name refuses the file; a single name, which may be a coincidence, holds its row (docs/domain.md 5.2)."""

    FULL_NAMES = (
        *("John Smith", "SMITH John", "Smith, J", "J. Smith", "johnsmith", "Mary A Jones", "Siân Jones"),
        *("Mr Zebulon", "Mrs. A Nobody", "Dr Patel", "seen with David Jones today"),
    )

    @pytest.mark.parametrize("text", FULL_NAMES)
    def test_a_full_name_refuses_the_file(self, in_shared_file: SharedFiles, text: str) -> None:
        cases = [{column: t} for column in ("contact_type", "Other") for t in self.FULL_NAMES]
        for column in ("contact_type", "Other"):
            result = in_shared_file(cases, {column: text})
            assert result.refusals == ["P01"] and text not in result.file.stored_findings.write_csv()
            assert (result.file.accepted, result.file.held) == ([], [])

    NAMED_IDS = ("SMITH-JOHN01", "JOHN-SMITH0001", "BPL-JOHNSMITH")

    @pytest.mark.parametrize("text", NAMED_IDS)
    def test_a_full_name_in_a_valid_reference_refuses_the_file(self, in_shared_file: SharedFiles, text: str) -> None:
        assert in_shared_file([{"contact_id": t} for t in self.NAMED_IDS], {"contact_id": text}).refusals == ["P01"]

    SINGLE_NAMES = ("BPL-SARAH01", "SARAH-000001", "BPL-WILSON")

    @pytest.mark.parametrize("text", SINGLE_NAMES)
    def test_a_single_name_in_a_reference_holds_the_row(self, in_shared_file: SharedFiles, text: str) -> None:
        result = in_shared_file([{"contact_id": t} for t in self.SINGLE_NAMES], {"contact_id": text})
        assert result.findings == [Finding("P01", "row", result.row, "contact_id", None, None)]
        assert result.is_held and result.held_values["contact_id"] is None

    @pytest.mark.parametrize("text", ["Mary Jones", "prepared by Mary Jones"])
    def test_a_full_name_outside_the_rows_refuses_the_file(self, validate: Validator, text: str) -> None:
        valid = as_csv(contacts({}, {}))
        for content in (f"{text}\n\n{valid}", valid + f"BPL-C000003,{text}\n", valid + f"Total,{text}" + "," * 8):
            assert validate(content).refusals == ["P01"]

    NO_NAMES = (
        *("Victoria Park", "Stanley Park", "Grace Road", "Price", "White British", "West London"),
        *("John Lewis", "MS Office", "Sarah", "a will may help", "James Street", "Dr"),
    )

    @pytest.mark.parametrize("text", NO_NAMES)
    def test_places_words_and_organisations_are_accepted(self, in_shared_file: SharedFiles, text: str) -> None:
        result = in_shared_file([{"Other": t} for t in self.NO_NAMES], {"Other": text})
        assert (result.findings, result.is_accepted, result.file.refusals) == ([], True, [])


class TestPossibleDatesOfBirth:
    """P03: a date 14 years before the cut-off may be a birth: no pilot is so old, and no participant under 16."""

    @pytest.mark.parametrize(("day", "held"), [("2002-11-30", True), ("1978-03-12", True), ("2002-12-01", False)])
    def test_the_row_is_held_without_the_date(self, validate: Validator, day: str, held: bool) -> None:
        outcome = validate(as_csv(contacts({}, {"contact_date": day}, {})))
        assert outcome.findings_of("P03") == ([Finding("P03", "row", 3, "contact_date", None, None)] if held else [])
        assert [v["contact_date"] for v in outcome.held_values] == [None] * len(outcome.held)

    def test_a_tenth_of_the_dates_refuses_the_file(self, validate: Validator) -> None:
        def refusals(many: int, of: int) -> list[str]:
            births = [{"contact_date": "1978-03-12"}] * many
            return validate(as_csv(contacts(*births, *[{}] * (of - many)))).refusals

        assert (refusals(10, 100), refusals(9, 100), refusals(10, 1000)) == (["P03"], [], [])

    def test_published_figures_may_have_old_dates(self, validate: Validator) -> None:
        assert validate(as_csv(awards({"financial_year": "1999-00"})), "funding_awards").findings_of("P03") == []


class TestBareDigits:
    """Ten or eleven digits are taken for identifiers if more than half of their column could be."""

    def refusals_of(self, validate: Validator, *texts: str) -> list[str]:
        """The rules that refuse a file whose unknown column has these texts."""
        return validate(as_csv([{**r, "Other": t} for r, t in zip(contacts(*[{}] * 20), texts, strict=False)])).refusals

    def test_a_column_of_nhs_numbers_refuses_the_file(self, validate: Validator) -> None:
        assert self.refusals_of(validate, NHS_TAILS[0]) == ["P01"]
        assert self.refusals_of(validate, *NHS_TAILS) == ["P01"]
        assert self.refusals_of(validate, NHS_TAILS[0], *(f"00000000{n}" for n in range(12, 23))) == []

    def test_a_column_of_telephone_numbers_refuses_the_file(self, validate: Validator) -> None:
        assert self.refusals_of(validate, "07700900123", "07700900124") == ["P01"]
        assert self.refusals_of(validate, "07700900123", "12345678901", "12345678902") == []

    def test_eleven_digit_pseudonyms_are_not_telephone_numbers(self, validate: Validator) -> None:
        def refusals(*digits: str) -> list[str]:
            return validate(as_csv(contacts(*({"contact_id": f"BPL-{d}"} for d in digits)))).refusals

        assert refusals("07700900123", "41234567890", "51234567890") == []
        assert refusals("07700900123", "07700900124", "51234567890") == ["P01"]


def test_a_nino_with_the_test_prefix_is_refused_too(validate: Validator) -> None:
    assert validate(as_csv([{**r, "Other": "QQ123456C"} for r in contacts({})])).refusals == ["P01"]


class TestTextOutsideRows:
    """Personal data anywhere in the file refuses it, not only in rows of data."""

    VALID = as_csv(contacts({}, {}))

    def assert_refused(self, validate: Validator, content: str | bytes, rule: str, suffix: str = "csv") -> None:
        """Assert that the rule refuses the file and that no output repeats the number."""
        outcome = validate(content, suffix=suffix)
        assert outcome.refusals == [rule]
        assert outcome.result == "refused"
        assert "943" not in outcome.stored_findings.write_csv() + str(outcome.verdict.to_json())
        assert (outcome.accepted, outcome.held) == ([], [])

    def test_in_a_malformed_line(self, validate: Validator) -> None:
        self.assert_refused(validate, self.VALID + f"BPL-C000003,{NHS_NUMBER}\n", "P01")

    def test_in_a_title(self, validate: Validator) -> None:
        self.assert_refused(validate, f"Contacts of {NHS_NUMBER}\n\n{self.VALID}", "P01")
        self.assert_refused(
            validate, workbook({"S": [[f"Of {NHS_NUMBER}"], *as_table(contacts({}, {}))]}), "P01", "xlsx"
        )

    def test_in_a_total_row(self, validate: Validator) -> None:
        self.assert_refused(validate, self.VALID + f"Total,{NHS_NUMBER}" + "," * 8, "P01")

    def test_in_a_heading(self, validate: Validator) -> None:
        rows = [{**r, f"Visits of {NHS_NUMBER}": "2"} for r in contacts({}, {})]
        self.assert_refused(validate, as_csv(rows), "F11")
        assert validate(as_csv(rows)).findings_of("F11") == [Finding("F11", "file", None, "column K", None, None)]

    def test_malformed_lines_and_titles_without_personal_data_are_accepted(self, validate: Validator) -> None:
        line = self.VALID.splitlines()[1]
        outcome = validate(f"Contacts of November 2016\n{self.VALID}{line},more\n{line[:30]}\n")
        assert outcome.refusals == []


FIELDS = ("contact_type", "contact_date", "duration_minutes", "contact_id")
POSSIBLE_NAMES = ("Mary Made-Up", "MADE UP, MARY", "she was seen at home", "x" * 41, "Mr. Smith")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("text", POSSIBLE_NAMES)
def test_a_possible_name_or_sentence_is_hidden(in_shared_file: SharedFiles, field: str, text: str) -> None:
    result = in_shared_file([{f: t} for f in FIELDS for t in POSSIBLE_NAMES], {field: text})
    assert [f.found for f in result.findings] == [None]
    assert result.file.stored_findings["hidden"].all()
    assert text not in result.file.stored_findings.write_csv()


def test_a_suggestion_never_contains_a_possible_name(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({}, {"contact_id": "Mary Made-Up  "}, {})))
    assert "Mary" not in outcome.stored_findings.write_csv()


def test_published_figures_are_shown(validate: Validator) -> None:
    outcome = validate(as_csv(awards({"amount": "About One Million Pounds In All"})), "funding_awards")
    assert [f.found for f in outcome.findings if f.rule == "V05"] == ["About One Million Pounds In All"]


def test_published_figures_are_not_searched_for_personal_data(validate: Validator) -> None:
    """They may hold organisations' addresses (docs/domain.md 5.2)."""
    outcome = validate(as_csv(awards({"source_document": "A made-up trust, FY1 1AA"})), "funding_awards")
    assert (outcome.findings, outcome.accepted) == ([], [2])


def test_every_personal_cell_is_reported_by_address(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({"staff_ref": NHS_NUMBER}, {}, {"staff_ref": "AB123456C"})))
    assert [f[:4] for f in outcome.findings_of("P01")] == [
        ("P01", "file", 2, "staff_ref"),
        ("P01", "file", 4, "staff_ref"),
    ]
