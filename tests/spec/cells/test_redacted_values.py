"""A finding shows a participant's cell only if it cannot be personal (docs/domain.md 5.2, `redact.py`)."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from file_validator import Row, Validator, as_csv, as_table, awards, contacts, participants, workbook
from shared_file import SharedFiles

from flows.cells.identifiers import personal_rule
from flows.cells.person_names import listed_names
from flows.cells.redact import LATEST_CUT_OFF, is_safe_to_echo, own_headings, redact, redact_headings
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import all_code_lists, code_list
from schemas._contract.model import Contract, Kind

CUT_OFF = date(2016, 11, 30)
CONTACTS = datasets()["contacts"]

SHOWN = [
    *("review", "Review", "REVIEW ", "Face to face", "01", "1 - Face to face", "video call", "Employer contact 2"),
    *("N/K", "unknown", "yes", "#REF!", "#DIV/0!", "#N/A", "<5", "*", "-"),  # words for missing, and spreadsheet errors
    *("7", "900", "-3", "45 min", "45%", "£1,100.50", "12,5"),  # numbers
    *(
        "14/06/2016",
        "2016-13-40",
        "31.04.2016",
        "03/06/16",
        "2016-03-31T23:00Z",
        "2106-06-14",
    ),  # dates too recent for a birth
    *("1 June 2016", "June 2016", "01-Apr", "Apr-16"),
    *("Blackpool", "West London"),  # sites
    *("empty", "blank rows", "thirty", "forty five", "< Select >", "Please choose", "Caseload", "not yet decided"),
    *("£1.2m", "£350k", "£1 million", "Q3 2016/17", "2016/17", "2016-17", "Q1 2017", "FY 2016/17"),
]
HIDDEN = [
    *(
        "Sarah",
        "SARAH",
        "Smith",
        "Zebulon",
        "Quatermass",
        "White",
        "J Smith",
        "s m i t h",
        "s m",
    ),  # names, listed or not
    *("she was seen", "Carrier pigeon", "x" * 41),  # words outside the code lists and headings
    *(
        "12/03/1978",
        "1978-03-12",
        "12.3.78",
        "12 March 1978",
        "12th March 1978",
        "12-Mar-78",
        "March 1978",
        "born 1978",
    ),
    *("28561", "28561.0", "120378", "780312", "19780312", "12031978"),  # dates of birth as numbers
    *(
        "80-11-03",
        "63.01.05",
        "80/11/03",
        "80-Mar-03",
        "8-1-80",
        "1 3 80",
        "81180",
        "801103",
        "80118",
    ),  # dates of birth
    *("943476", "123999", "45678"),  # in a field that is not a number: may be part of an identifier
    *(
        "Faith Black",
        "Faith White",
        "Grace Price",
        "Price, Grace",
        "Grace M Price",
    ),  # each word is listed, the pair is a name
    *("9434765919", "943 476 5919", "QQ123456C", "AB 12 34 56 C", "FY1 1AA", "worker@example.org"),
    *("45m", "1h 15m"),  # not in a field of minutes: an age and a sex, perhaps
    *("1978/79", "Q3 1978", "1978-03", "£1.2m Smith", "she is ill", "Selected Sarah", "blank rows for Grace"),
    *("07700 900123", "01614960000", "0161 496"),
]


def is_hidden(text: str, dataset: str = "contacts", field: str = "contact_type") -> bool:
    """Whether a finding hides this text in a cell of the field."""
    contract = datasets()[dataset]
    redacted = redact(pl.Series([text]), contract.by_name[field], contract, CUT_OFF)
    assert (redacted["found"][0] is None) == redacted["hidden"][0]
    return bool(redacted["hidden"][0])


@pytest.mark.parametrize("text", SHOWN)
def test_a_value_that_cannot_be_personal_is_shown(text: str) -> None:
    assert not is_hidden(text)


@pytest.mark.parametrize("text", HIDDEN)
def test_any_other_value_is_hidden(text: str) -> None:
    assert is_hidden(text)


def test_a_label_is_shown_only_in_the_column_that_lists_it() -> None:
    """White is also a surname: only in the ethnic category column is it safe."""
    assert is_hidden("Black", "contacts", "contact_type")
    assert not is_hidden("White British", "participants", "ethnic_category")


def test_a_date_is_a_possible_birth_relative_to_the_cut_off() -> None:
    field = CONTACTS.by_name["contact_date"]
    for cut_off, hidden in ((date(2016, 11, 30), False), (date(2024, 11, 30), True)):
        assert redact(pl.Series(["14/06/2010"]), field, CONTACTS, cut_off)["hidden"].to_list() == [hidden]


def test_every_listed_label_is_shown_in_its_own_column() -> None:
    for contract in (c for c in datasets().values() if c.participant_level):
        for field in (f for f in contract.fields if f.kind is Kind.CODE and not f.personal):
            texts = [t for e in field.code_list.entries for t in (e.code, e.label, *e.aliases)]
            redacted = redact(pl.Series(texts), field, contract, CUT_OFF)
            assert not [t for t, found in zip(texts, redacted["found"], strict=True) if found is None], field.name


def test_no_label_heading_or_title_is_mistaken_for_personal_data() -> None:
    lists = (*all_code_lists(), *(code_list(n) for n in ("areas", "sites", "programmes")))
    texts = {t for codes in lists for e in codes.entries for t in (e.code, e.label, *e.aliases)}
    texts |= {t for c in datasets().values() for f in c.fields for t in (f.name, f.title, *f.aliases)}
    assert [t for t in sorted(texts) if personal_rule(t)] == []


def test_no_listed_name_is_shown() -> None:
    names = sorted(listed_names())
    redacted = redact(pl.Series(names), CONTACTS.by_name["contact_type"], CONTACTS, CUT_OFF)
    assert [n for n, found in zip(names, redacted["found"], strict=True) if found is not None] == []


HIDDEN_CELLS = [
    {field: text}
    for field in ("contact_type", "contact_date", "duration_minutes", "contact_id")
    for text in ("Sarah", "Zebulon", "28561", "she was seen at home")
]


@pytest.mark.parametrize("case", HIDDEN_CELLS, ids=lambda case: "-".join(*case.items()))
def test_a_hidden_cell_has_no_suggestion_either(in_shared_file: SharedFiles, case: Row) -> None:
    result = in_shared_file(HIDDEN_CELLS, case)
    assert [(f.found, f.suggestion) for f in result.findings] == [(None, None)]
    assert result.file.stored_findings["hidden"].all()


def test_references_are_never_shown(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({}, {"contact_id": "1234"}, {"staff_ref": "?"})))
    assert [(f.row, f.found) for f in outcome.findings] == [(3, None), (4, None)]


def test_cells_of_published_figures_are_shown(validate: Validator) -> None:
    outcome = validate(as_csv(awards({"amount": "About One Million Pounds"})), "funding_awards")
    assert [f.found for f in outcome.findings if f.rule == "V05"] == ["About One Million Pounds"]


@pytest.mark.parametrize(
    ("heading", "reported"), [("Weather", "Weather"), ("Sarah", "column K"), ("Seen with Zebulon", "column K")]
)
def test_an_unknown_heading_that_may_be_a_name_is_reported_by_column_letter(
    validate: Validator, heading: str, reported: str
) -> None:
    outcome = validate(as_csv([{**r, heading: "1"} for r in contacts({}, {})]))
    assert [(f.rule, f.column) for f in outcome.findings] == [("F11", reported)]
    assert [c.heading for c in outcome.verdict.columns][-1] == reported


def test_a_repeated_heading_row_is_recognised_with_a_redacted_heading(validate: Validator) -> None:
    text = as_csv([{**r, "Zebulon": "1"} for r in contacts({}, {})])
    outcome = validate(text + text.splitlines()[0] + "\n")
    assert [(f.rule, f.row) for f in outcome.findings_of("F05")] == [("F05", 4)]


@pytest.mark.parametrize(("name", "reported"), [("Contacts", "Contacts"), ("Zebulon Quatermass", "sheet 2")])
def test_a_sheet_name_that_may_be_a_name_is_reported_by_number(validate: Validator, name: str, reported: str) -> None:
    book = workbook({"Notes": [["about"]], name: as_table(contacts({}, {"attended": "9"}))})
    outcome = validate(book, suffix="xlsx")
    assert (outcome.verdict.sheet, outcome.stored_findings["sheet"].unique().to_list()) == (reported, [reported])


def test_competing_sheets_are_reported_by_number(validate: Validator) -> None:
    sheets = {"Zebulon": as_table(contacts({}, {})), "Contacts": as_table(contacts({}, {}, {}))}
    outcome = validate(workbook(sheets), suffix="xlsx")
    assert [(f.rule, f.found) for f in outcome.findings] == [("U04", "sheet 1 and Contacts")]


@pytest.mark.parametrize(
    ("name", "is_safe"),
    [
        ("MHT-BPL_contacts_201613_v1", True),
        ("contacts v2", True),
        ("Nov 2016", True),
        ("MHT-BPL_contacts_201612_v1_to_fix", True),
        ("MHT-BPL_contacts_201612_v1_to_fix (1)", True),
        ("MHT-BPL_contacts_201612_v1.findings", True),
        ("MHT-BPL_contacts_2016-12_v1", True),
        ("MHT-BPL_contacts_2016-12-31", True),
        ("MHT-BPL_contacts_20161231", True),
        ("MHT-BPL_contacts_2013-12-31", False),
        ("MHT-BPL_contacts_2016-12-31-78", False),
        ("MHT-BPL_contacts_201612_Sarah_to_fix", False),
        ("MHT-BPL_contacts_9434765919_v1", False),
        ("Sarah", False),
        ("referral of Zebulon", False),
        ("12-03-1978", False),
    ],
)
def test_file_names_that_are_safe_to_echo(name: str, is_safe: bool) -> None:
    assert is_safe_to_echo(name, datasets().values()) is is_safe


class TestStoredHeldRow:
    """A held row is stored without its invalid values, as these may be names."""

    def stored_row(self, validate: Validator, dataset: str, row: dict[str, str]) -> dict[str, object]:
        """What is stored of a held row, sent after a valid one."""
        rows_of = {"contacts": contacts, "participants": participants}[dataset]
        outcome = validate(as_csv(rows_of({}, row)), dataset)
        assert outcome.held == [3]
        return outcome.held_values[0]

    def test_has_no_unlisted_code(self, validate: Validator) -> None:
        stored = self.stored_row(validate, "contacts", {"contact_type": "Zebulon"})
        assert (stored["contact_type"], stored["contact_id"]) == (None, "BPL-C000002")

    def test_has_no_malformed_reference(self, validate: Validator) -> None:
        assert self.stored_row(validate, "contacts", {"contact_id": "Zebulon"})["contact_id"] is None

    def test_has_no_number_out_of_range(self, validate: Validator) -> None:
        assert self.stored_row(validate, "contacts", {"duration_minutes": "120378"})["duration_minutes"] is None

    def test_has_no_possible_date_of_birth(self, validate: Validator) -> None:
        assert self.stored_row(validate, "contacts", {"contact_date": "1978-03-12"})["contact_date"] is None


def test_participant_level_fields_have_no_free_text() -> None:
    """Every text field has a pattern, so that no free text can reach the warehouse."""
    free = [
        (c.dataset, f.name)
        for c in datasets().values()
        if c.participant_level
        for f in c.fields
        if f.kind in (Kind.TEXT, Kind.REFERENCE) and not f.pattern
    ]
    assert free == []


@pytest.mark.parametrize(("text", "hidden"), [("943476", False), ("123999", False), ("81180", True), ("801103", True)])
def test_a_long_number_in_a_number_field_is_shown_unless_it_is_a_date(text: str, hidden: bool) -> None:
    assert is_hidden(text, field="duration_minutes") is hidden


@pytest.mark.parametrize(
    ("text", "rows", "is_shown"),
    [
        ("catch-up", 10, True),
        ("drop in / walk_in", 10, True),
        ("catch-up", 9, False),
        ("Catch-up", 10, False),  # capitalised like a name
        ("seen by sarah", 10, False),
        ("white", 10, False),
        ("zz9", 10, False),
        ("so " * 13 + "so", 10, False),
    ],
)
def test_an_unlisted_code_on_many_rows_is_shown(text: str, rows: int, is_shown: bool) -> None:
    redacted = redact(pl.Series([text] * rows), CONTACTS.by_name["contact_type"], CONTACTS, CUT_OFF)
    assert redacted["found"].to_list() == [text if is_shown else None] * rows
    in_date_column = redact(pl.Series([text] * rows), CONTACTS.by_name["contact_date"], CONTACTS, CUT_OFF)
    assert in_date_column["hidden"].all()


def test_an_empty_reference_hides_nothing() -> None:
    redacted = redact(pl.Series(["", None, "BPL-1"]), CONTACTS.by_name["contact_id"], CONTACTS, CUT_OFF)
    assert redacted.rows() == [("", False), (None, False), (None, True)]


def test_a_finding_shows_an_unlisted_code_that_many_rows_have(validate: Validator) -> None:
    outcome = validate(as_csv(contacts(*[{"contact_type": "catch-up"}] * 10, {"contact_type": "zebulon"})))
    assert [f.found for f in outcome.findings_of("V02")] == ["catch-up"] * 10 + [None]


@pytest.mark.parametrize("contract", datasets().values(), ids=lambda c: c.dataset)
def test_agreed_headings_are_shown_in_any_case(contract: Contract) -> None:
    """The agreed spellings take a shortcut; capitals go through the search for names, with the same result."""
    own = sorted(own_headings(contract))
    for cut_off in (date(2014, 1, 31), CUT_OFF, LATEST_CUT_OFF):
        for headings in (own, [heading.upper() for heading in own]):
            assert redact_headings(headings, ["?"] * len(own), contract, cut_off) == headings


@pytest.mark.parametrize("dataset", ["funding_awards", "match_funding", "targets"])
def test_a_long_value_ends_with_a_whole_word(dataset: str) -> None:
    text = "an amount that is written in many words and goes on " * 3
    [found] = redact(pl.Series([text]), None, datasets()[dataset], CUT_OFF)["found"]
    assert found.endswith("…") and len(found) <= 80 and text.startswith(found[:-1] + " ")
    [whole] = redact(pl.Series(["x" * 200]), None, datasets()[dataset], CUT_OFF)["found"]
    assert whole == "x" * 79 + "…"
