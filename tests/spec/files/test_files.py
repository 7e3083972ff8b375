"""Rules for whole files: encoding, headings, manifest, sender, month. Source: docs/domain.md 6.1."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import pytest
from file_validator import (
    CONTACT,
    Finding,
    ValidatedFile,
    Validator,
    as_csv,
    awards,
    contact,
    contacts,
    participants,
    workbook,
)

from flows.deliveries.context import DeliveryContext
from flows.steps.conform import match_headings
from schemas._contract.catalogue import datasets

HEADING = ",".join(CONTACT)
COMMAS = "," * (len(CONTACT) - 1)
VALID = as_csv(contacts({}, {}))


def test_a_valid_file_has_no_finding(validate: Validator) -> None:
    outcome = validate(VALID)
    assert (outcome.result, outcome.accepted, outcome.held, outcome.findings) == ("accepted", [2, 3], [], [])
    assert (outcome.verdict.encoding, outcome.verdict.header_row, outcome.verdict.rows.read) == ("utf-8", 1, 2)


class TestF01NoRows:
    @pytest.mark.parametrize("text", ["", "\n\n", HEADING, f"{HEADING}\n", f"{HEADING}\n{COMMAS}\n"])
    def test_a_file_without_rows_is_refused(self, validate: Validator, text: str) -> None:
        outcome = validate(text)
        assert (outcome.refusals, outcome.accepted) == (["F01"], [])
        assert outcome.result in ("refused", "unreadable")

    @pytest.mark.parametrize("text", ["", HEADING])
    def test_a_nil_return_is_accepted(self, validate: Validator, text: str) -> None:
        outcome = validate(text, manifest='{"nil_return": true}')
        assert (outcome.result, outcome.findings) == ("accepted", [])


class TestF02Encoding:
    ROWS = awards({"funding_org_name": "Café trust", "amount": "£1,100"}, {})

    @pytest.mark.parametrize(
        ("encoding", "name"),
        [("cp1252", "Windows-1252: check the accents and signs on line 2"), ("utf-16", "UTF-16")],
    )
    def test_another_encoding_is_converted_with_a_warning(self, validate: Validator, encoding: str, name: str) -> None:
        outcome = validate(as_csv(self.ROWS).encode(encoding), "funding_awards")
        assert outcome.findings_of("F02") == [Finding("F02", "warning", None, None, name, None)]
        assert (outcome.accepted, outcome.values[0]["funding_org_name"]) == ([2, 3], "Café trust")
        assert outcome.verdict.encoding == encoding

    @pytest.mark.parametrize(
        "data",
        [
            b"\x81\x8d" + VALID.encode(),  # bytes undefined in Windows-1252
            VALID.encode("utf-16")[2:],  # UTF-16 without a byte order mark: half its bytes are zero
            b"\xef\xbb\xbf" + VALID.encode() + b"\xff",  # a UTF-8 byte order mark, and an invalid byte
            VALID.encode("utf-16") + b"\x00",  # half a character
        ],
    )
    def test_undecodable_text_is_refused(self, validate: Validator, data: bytes) -> None:
        outcome = validate(data)
        assert (outcome.result, outcome.refusals, outcome.accepted) == ("unreadable", ["F02"], [])


def test_f03_the_byte_order_mark_is_removed(validate: Validator) -> None:
    outcome = validate(VALID.encode("utf-8-sig"))
    assert (outcome.rules, outcome.accepted) == ([("F03", "warning", None)], [2, 3])
    assert outcome.verdict.columns[0].heading == "contact_id"


class TestF04TitleRows:
    def test_a_heading_of_two_rows_is_joined(self, validate: Validator) -> None:
        """A group heading in the upper row may cover several columns, like a merged cell."""
        upper = VALID.splitlines()[0].split(",")
        lower = list(upper)
        upper[2:5], lower[2:5] = ["contact", "", ""], ["date", "type", "medium"]
        upper[5], lower[5] = "attended", ""
        text = "\n".join([",".join(upper[:6] + [""] * 4), ",".join(lower), *VALID.splitlines()[1:]])
        outcome = validate("A title\n" + text)
        assert outcome.findings_of("F04") == [Finding("F04", "warning", 2, None, "heading on lines 2 to 3", None)]
        assert ({f.rule for f in outcome.findings}, outcome.accepted) == ({"F04", "F10"}, [4, 5])

    def test_a_row_of_group_headings_is_skipped(self, validate: Validator) -> None:
        outcome = validate("Contact,,,,,,,Staff,,\n" + VALID)
        assert outcome.findings == [Finding("F04", "warning", 2, None, "heading on line 2", None)]
        assert outcome.accepted == [3, 4]

    def test_title_rows_are_skipped_and_rows_keep_their_numbers(self, validate: Validator) -> None:
        outcome = validate("Contacts of Blackpool\n\nDraft, not for sharing\n" + VALID)
        assert outcome.findings == [Finding("F04", "warning", 4, None, "heading on line 4", None)]
        assert (outcome.accepted, outcome.verdict.header_row) == ([5, 6], 4)

    def test_a_title_with_a_line_break_counts_as_two_lines(self, validate: Validator) -> None:
        outcome = validate('"Contacts\nof Blackpool"\n' + VALID)
        assert (outcome.rules, outcome.accepted) == ([("F04", "warning", 3)], [4, 5])

    @pytest.mark.parametrize("title", ['Contacts 12" list', '"Contacts of Blackpool', 'Contacts", "new"", list', '"'])
    @pytest.mark.parametrize("last", ["", 'A "last" line'])
    def test_a_stray_quotation_mark_in_a_title_hides_nothing(self, validate: Validator, title: str, last: str) -> None:
        outcome = validate(f"{title}\n{VALID}{last}")
        assert outcome.findings_of("F04") == [Finding("F04", "warning", 2, None, "heading on line 2", None)]
        assert (outcome.accepted, outcome.refusals) == ([3, 4], [])

    @pytest.mark.parametrize("dataset", datasets())
    def test_field_titles_used_in_reports_are_accepted_as_headings(self, dataset: str) -> None:
        contract = datasets()[dataset]
        context = DeliveryContext("MHT-BPL", "MHT", date(2016, 11, 30), "required")
        layout = match_headings([f.title for f in contract.fields], contract, context)
        assert layout.positions == {f.name: i for i, f in enumerate(contract.fields)}
        assert {f.rule_id for f in layout.findings} <= {"F10"}

    @pytest.mark.parametrize("heading", ["contact_id", "contact_medium", "with_employer"])
    def test_a_heading_may_contain_a_line_break(self, validate: Validator, heading: str) -> None:
        outcome = validate(VALID.replace(heading, '"' + heading.replace("_", "_\n") + '"', 1))
        assert outcome.rules == [("F10", "warning", None)]
        assert (outcome.accepted, outcome.verdict.header_row) == ([3, 4], 1)


@pytest.mark.parametrize(
    "text",
    [
        VALID.replace("\n", "\r").rstrip("\r") + "\n",
        VALID.replace("\n", "\r").replace("\r", "\n", 1),
        VALID.replace("\n", "\r").replace("\r", "\r\n", 1),
        VALID.replace("\n", "\r"),
    ],
    ids=["a line feed at the end", "a line feed after the heading", "both after the heading", "none"],
)
def test_lines_may_end_with_carriage_returns(validate: Validator, text: str) -> None:
    """Classic Mac OS line ends: no record is swallowed by another."""
    outcome = validate(text)
    assert (outcome.rules, outcome.accepted, outcome.verdict.rows.read) == ([], [2, 3], 2)


def test_u03_a_file_without_a_heading_is_refused(validate: Validator) -> None:
    outcome = validate(VALID.split("\n", 1)[1])
    assert (outcome.result, outcome.rules) == ("unreadable", [("U03", "file", None)])
    assert not outcome.verdict.rows_judged


class TestHeadings:
    """F09 to F12: missing, renamed, unknown and duplicated columns."""

    def test_f09_a_missing_column_refuses_the_file_and_rows_are_still_validated(self, validate: Validator) -> None:
        """One finding for the column, none for its cells or for rules that need them (K02, K03)."""
        table = contacts({}, {"contact_medium": "zz"}, {"duration_minutes": "481"}, {"duration_minutes": "0"})
        outcome = validate(as_csv([{k: v for k, v in r.items() if k != "attended"} for r in table]))
        assert outcome.stored_findings.sort("rule_id").select("rule_id", "severity", "source_row", "field").rows() == [
            ("F09", "file", None, "attended"),
            ("K03", "row", 4, "duration_minutes"),
            ("V02", "row", 3, "contact_medium"),
        ]
        assert (outcome.result, outcome.verdict.rows_judged, outcome.verdict.rows.held) == ("refused", True, 4)
        assert (outcome.accepted, outcome.held) == ([], [2, 3, 4, 5])

    def test_f09_without_the_key_column_no_row_is_a_duplicate(self, validate: Validator) -> None:
        rows = [{k: v for k, v in r.items() if k != "contact_id"} for r in contacts({}, {}, {"attended": "8"})]
        assert validate(as_csv(rows)).rules == [("V02", "row", 4), ("F09", "file", None)]

    def test_f16_a_total_that_cannot_be_computed_is_not_compared(self, validate: Validator) -> None:
        """With two amount columns, F16 compares the stated rows but not the stated pounds."""
        twice = as_csv([{**r, "Amount Awarded": "5"} for r in awards({}, {})])
        outcome = validate(twice, "funding_awards", manifest='{"gbp_total": 2200000, "rows": 3}')
        assert outcome.findings_of("F16") == [Finding("F16", "file", None, None, "2 rows found, 3 stated", None)]

    def test_f09_an_optional_column_may_be_missing(self, validate: Validator) -> None:
        rows = [{k: v for k, v in r.items() if k != "with_employer"} for r in contacts({}, {})]
        outcome = validate(as_csv(rows))
        assert (outcome.findings, outcome.accepted) == ([], [2, 3])

    @pytest.mark.parametrize("heading", ["Date of contact", "DATE OF CONTACT", "Contact_Date", " Appointment date "])
    def test_f10_a_heading_alias_is_recognised_with_a_warning(self, validate: Validator, heading: str) -> None:
        outcome = validate(VALID.replace("contact_date", heading, 1))
        stripped = heading.strip()
        assert outcome.findings == [Finding("F10", "warning", None, stripped, stripped, None)]
        assert outcome.accepted == [2, 3]

    def test_f10_a_site_may_have_its_own_headings(self, validate: Validator) -> None:
        own = VALID.replace("contact_date", "Seen On", 1)
        assert validate(own, site="MHT-WLA").rules == [("F10", "warning", None)]
        assert validate(own, site="MHT-BPL").refusals == ["F41"]

    def test_f11_an_unknown_column_is_ignored_with_a_warning(self, validate: Validator) -> None:
        outcome = validate(as_csv([{**r, "Weather": "rain"} for r in contacts({}, {})]))
        assert outcome.findings == [Finding("F11", "warning", None, "Weather", None, None)]
        assert outcome.accepted == [2, 3]
        assert "Weather" not in outcome.values[0]

    def test_f11_a_column_without_a_heading_is_reported(self, validate: Validator) -> None:
        lines = VALID.splitlines()
        outcome = validate("\n".join([lines[0] + ",,", lines[1] + ",rain,", lines[2] + ",sun,"]))
        assert outcome.findings == [Finding("F11", "warning", None, "", "a column without a heading", None)]
        assert outcome.stored_findings["column_letter"].to_list() == ["K"]
        assert outcome.accepted == [2, 3]

    @pytest.mark.parametrize("heading", ["Surname", "NHS number", "Date of Birth", "Home address", "Notes", "E-mail"])
    def test_f11_a_personal_heading_refuses_the_file(self, validate: Validator, heading: str) -> None:
        outcome = validate(as_csv([{**r, heading: "x"} for r in contacts({}, {})]))
        assert outcome.rules == [("F11", "file", None)]
        assert outcome.findings[0].column in (
            heading,
            "column K",
        )  # a heading that may be personal is replaced by its letter
        assert (outcome.result, outcome.accepted, outcome.held) == ("refused", [], [])

    def test_f11_a_refused_file_reports_every_fault_and_no_value(self, validate: Validator) -> None:
        rows = contacts({"contact_medium": "zz"}, {"contact_medium": "Telephone"}, {})
        outcome = validate(as_csv([{**r, "Surname": "Made-up"} for r in rows]))
        assert outcome.rules == [("V02", "row", 2), ("C16", "warning", 3), ("F11", "file", None)]
        assert {(f.found, f.suggestion) for f in outcome.findings} == {(None, None)}
        assert outcome.stored_findings["hidden"].all()
        assert (outcome.accepted, outcome.held, outcome.verdict.rows.held) == ([], [], 3)

    def test_f11_a_personal_heading_in_published_figures_is_a_warning(self, validate: Validator) -> None:
        """A grants file may hold the addresses of organisations (docs/domain.md 5.2)."""
        outcome = validate(as_csv([{**r, "Address": "1 High Street"} for r in awards({}, {})]), "funding_awards")
        assert (outcome.rules, outcome.accepted) == ([("F11", "warning", None)], [2, 3])

    @pytest.mark.parametrize("heading", ["contact_date", "Contact Date", "Appointment date"])
    def test_f12_two_columns_for_one_field_refuse_the_file(self, validate: Validator, heading: str) -> None:
        outcome = validate(as_csv([{**r, "again": "x"} for r in contacts({})]).replace("again", heading))
        assert (outcome.refusals, outcome.findings_of("F12")[0].column) == (["F12"], heading)

    def test_f12_only_the_columns_not_duplicated_are_validated(self, validate: Validator) -> None:
        """Which column is intended is unknown, so a finding in either could mislead."""
        rows = contacts({"contact_date": "soon"}, {"contact_medium": "zz"}, {})
        outcome = validate(as_csv([{**r, "Contact Date": "later"} for r in rows]))
        assert outcome.rules == [("V02", "row", 3), ("F12", "file", None)]
        assert (outcome.result, outcome.verdict.rows_judged, outcome.accepted) == ("refused", True, [])

    def test_f12_duplicated_unknown_columns_refuse_the_file_too(self, validate: Validator) -> None:
        outcome = validate(
            as_csv([{**r, "Weather": "x", "again": "x"} for r in contacts({})]).replace("again", "weather")
        )
        assert outcome.refusals == ["F12"]


class TestF15FormatAndName:
    @pytest.mark.parametrize(
        ("content", "suffix"),
        [
            (workbook({"Contacts": [list(CONTACT), list(CONTACT.values())]}), "csv"),  # a renamed workbook
            (VALID.encode(), "xlsx"),  # renamed text
            (VALID.encode(), "pdf"),
        ],
    )
    def test_a_file_of_another_format_than_its_extension_is_refused(
        self, validate: Validator, content: bytes, suffix: str
    ) -> None:
        outcome = validate(content, suffix=suffix)
        assert (outcome.result, outcome.rules) == ("unreadable", [("F15", "file", None)])


class TestF16Manifest:
    ROWS = as_csv(awards({"amount": "1000.25"}, {"amount": "1,500"}, {"amount": "500"}))
    SHA256 = hashlib.sha256(ROWS.encode()).hexdigest()

    def test_a_manifest_that_matches_has_no_finding(self, validate: Validator) -> None:
        manifest = json.dumps({"rows": 3, "sha256": self.SHA256, "gbp_total": "3000.25"})
        outcome = validate(self.ROWS, "funding_awards", manifest=manifest)
        assert (outcome.refusals, outcome.accepted) == ([], [2, 3, 4])

    @pytest.mark.parametrize(
        ("stated", "found"),
        [
            ({"rows": 4}, "3 rows found, 4 stated"),
            ({"rows": 0}, "3 rows found, 0 stated"),
            ({"sha256": "0" * 64}, "the checksum differs"),
            ({"gbp_total": 3000}, "GBP 3000.25 found, GBP 3000 stated"),
        ],
    )
    def test_a_manifest_that_does_not_match_refuses_the_file(
        self, validate: Validator, stated: dict[str, object], found: str
    ) -> None:
        outcome = validate(self.ROWS, "funding_awards", manifest=json.dumps(stated))
        assert outcome.findings_of("F16") == [Finding("F16", "file", None, None, found, None)]
        assert (outcome.result, outcome.accepted) == ("refused", [])

    def test_malformed_lines_count_as_rows(self, validate: Validator) -> None:
        assert validate(VALID + "BPL-C000003,cut o", manifest='{"rows": 3}').refusals == []

    def test_a_manifest_may_state_the_cut_off(self, validate: Validator) -> None:
        """C06 then uses it in place of the end of the month."""
        outcome = validate(VALID, manifest='{"data_cut_date": "2016-11-02"}')
        assert outcome.rules == [("C06", "row", 2), ("C06", "row", 3)]


class TestSender:
    def test_f20_rows_of_another_site_refuse_the_file(self, validate: Validator) -> None:
        outcome = validate(as_csv(participants({}, {"site_code": "MHT-GM"})), "participants")
        assert outcome.findings == [Finding("F20", "file", 3, "site_code", "MHT-GM", None)]
        assert (outcome.result, outcome.accepted, outcome.verdict.rows.held) == ("refused", [], 2)

    def test_l02_a_dataset_not_due_from_the_site_is_refused(self, validate: Validator) -> None:
        outcome = validate(VALID, site="PMO")
        assert (outcome.result, outcome.rules) == ("refused", [("L02", "file", None)])

    def test_t09_randomisation_from_a_programme_without_a_trial_is_refused(self, validate: Validator) -> None:
        outcome = validate("randomisation_id,participant_ref\n", "randomisation", site="PWW-GW")
        assert (outcome.result, outcome.rules) == ("refused", [("T09", "file", None)])


class TestF19Month:
    """The date that counts is the contract's `month_shown_by`: of a contact, a referral, the start of a job."""

    OCTOBER = [f"2016-10-{d:02}" for d in range(1, 31)]

    @staticmethod
    def validate_dates(
        validate: Validator, days: list[str], manifest: str = "", period: str = "201611"
    ) -> ValidatedFile:
        return validate(as_csv(contacts(*({"contact_date": d} for d in days))), manifest=manifest, period=period)

    def test_a_period_extract_with_half_its_dates_outside_the_month_is_refused(self, validate: Validator) -> None:
        outcome = self.validate_dates(
            validate, [*self.OCTOBER[:10], *["2016-11-02"] * 10], '{"extract_type": "period"}'
        )
        found = "10 of 20 dates are outside November 2016"
        assert outcome.findings == [Finding("F19", "file", None, "contact_date", found, None)]

    @pytest.mark.parametrize(("outside", "inside"), [(9, 0), (10, 11)])
    def test_fewer_dates_outside_the_month_are_accepted(self, validate: Validator, outside: int, inside: int) -> None:
        days = [*self.OCTOBER[:outside], *["2016-11-02"] * inside]
        outcome = self.validate_dates(validate, days, '{"extract_type": "period"}')
        assert outcome.result == "accepted"
        assert [(f.rule, f.severity) for f in outcome.findings] == [("F57", "warning")] * outside  # each row by itself

    def test_a_cumulative_extract_may_contain_every_month(self, validate: Validator) -> None:
        assert self.validate_dates(validate, [*self.OCTOBER, "2016-11-01"]).findings == []

    def test_a_gap_of_over_a_month_before_the_cut_off_is_a_warning(self, validate: Validator) -> None:
        outcome = self.validate_dates(validate, self.OCTOBER[:29] + self.OCTOBER[:1])
        found = "the dates end in October 2016, the extract is cut at 30 November 2016"
        assert outcome.findings == [Finding("F19", "warning", None, "contact_date", found, None)]
        assert len(outcome.accepted) == 30

    @pytest.mark.parametrize(("records", "period"), [(29, "201612"), (30, "201611")])
    def test_few_events_or_a_short_gap_are_not_reported(self, validate: Validator, records: int, period: str) -> None:
        """Fewer than thirty events in the last quarter, or a gap of up to 31 days."""
        assert self.validate_dates(validate, self.OCTOBER[:records], period=period).findings == []


class TestF24SchemaVersion:
    @pytest.mark.parametrize("heading", ["schema_version", "Schema version"])
    @pytest.mark.parametrize("version", ["1", "1.0", "", " 1 "])
    def test_the_current_version_is_accepted_and_not_stored(
        self, validate: Validator, heading: str, version: str
    ) -> None:
        outcome = validate(as_csv([{**r, heading: version} for r in contacts({}, {})]))
        assert (outcome.findings, outcome.accepted) == ([], [2, 3])
        assert heading not in outcome.values[0]

    @pytest.mark.parametrize(
        ("versions", "found"),
        [(["2", "2"], "2"), (["1", "2"], "1, 2"), (["1", "A. Person"], "1, a text that is not a number")],
    )
    def test_another_version_or_mixed_versions_refuse_the_file(
        self, validate: Validator, versions: list[str], found: str
    ) -> None:
        rows = contacts({"contact_medium": "zz"}, {})
        outcome = validate(as_csv([{**r, "schema_version": v} for r, v in zip(rows, versions, strict=True)]))
        assert outcome.findings_of("F24") == [Finding("F24", "file", None, "schema_version", found, None)]
        assert outcome.rules == [("V02", "row", 2), ("F24", "file", None)]


class TestL01BadShare:
    """Over a fifth of the rows, and at least twenty of them (docs/domain.md 6.0)."""

    @pytest.mark.parametrize(
        ("bad", "valid", "refused"), [(19, 1, False), (20, 80, False), (20, 79, True), (21, 79, True), (30, 0, True)]
    )
    def test_more_than_a_fifth_and_at_least_twenty_bad_rows_refuse_the_file(
        self, validate: Validator, bad: int, valid: int, refused: bool
    ) -> None:
        outcome = validate(as_csv(contacts(*[{"contact_medium": "zz"}] * bad, *[{}] * valid)))
        assert (outcome.refusals, outcome.result == "refused") == (["L01"] if refused else [], refused)
        assert len(outcome.findings_of("V02")) == bad  # a refusal hides no fault
        assert outcome.verdict.rows.held == (bad + valid if refused else bad)

    def test_a_row_with_two_faults_counts_once(self, validate: Validator) -> None:
        rows = contacts(*[{"contact_medium": "zz", "contact_type": "zz"}] * 15, *[{}] * 10)
        assert validate(as_csv(rows)).refusals == []


class TestP04DuplicateKeys:
    """P04: rows with the same key, either exact repeats or in conflict."""

    def test_exact_repeats_are_skipped_after_the_first(self, validate: Validator) -> None:
        outcome = validate(as_csv([contact(1), contact(2), contact(1), contact(1)]))
        assert (outcome.rules, outcome.accepted, outcome.held) == (
            [("P04", "warning", 4), ("P04", "warning", 5)],
            [2, 3],
            [],
        )
        assert (outcome.verdict.rows.repeats, outcome.result) == (2, "accepted")

    def test_rows_with_one_key_that_differ_are_all_held(self, validate: Validator) -> None:
        outcome = validate(as_csv([contact(1), contact(2), contact(1, attended="6"), contact(1)]))
        assert outcome.rules == [("P04", "row", 2), ("P04", "row", 4), ("P04", "row", 5)]
        assert (outcome.accepted, outcome.held, outcome.verdict.rows.repeats) == ([3], [2, 4, 5], 0)

    def test_a_repeat_of_a_held_row_is_held_too(self, validate: Validator) -> None:
        bad = contact(1, contact_medium="zz")
        outcome = validate(as_csv([bad, contact(2), bad]))
        assert (outcome.rules, outcome.held) == ([("V02", "row", 2), ("V02", "row", 4)], [2, 4])

    def test_a_duplicate_personal_reference_is_not_shown(self, validate: Validator) -> None:
        outcome = validate(as_csv(participants({}, {"participant_ref": "BPL-000001", "gender": "1"})), "participants")
        assert outcome.findings == [
            Finding("P04", "row", row, "participant_ref", f"the same reference as in row {other}", None)
            for row, other in ((2, 3), (3, 2))
        ]
