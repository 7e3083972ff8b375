"""What a finding shows of a cell about a person: only what cannot be personal (docs/domain.md 5.2, `redact.py`)."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from file_validator import Validator, as_csv, as_table, awards, contacts, participants, workbook

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
    *("N/K", "unknown", "yes", "#REF!", "#DIV/0!", "#N/A", "<5", "*", "-"),  # words for nothing, and errors
    *("7", "900", "-3", "45 min", "45%", "£1,100.50", "12,5"),  # numbers
    *("14/06/2016", "2016-13-40", "31.04.2016", "03/06/16", "2016-03-31T23:00Z", "2106-06-14"),  # late dates
    *("1 June 2016", "June 2016", "01-Apr", "Apr-16"),
    *("Blackpool", "West London"),  # sites
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
    *("she was seen", "Carrier pigeon", "x" * 41),  # words that are not ours
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
    *("28561", "28561.0", "120378", "780312", "19780312", "12031978"),  # days of birth as numbers
    *("80-11-03", "63.01.05", "80/11/03", "80-Mar-03", "8-1-80", "1 3 80", "81180", "801103", "80118"),  # days of birth
    *("943476", "123999", "45678"),  # where no number is asked for: a part of somebody's
    *("Faith Black", "Faith White", "Grace Price", "Price, Grace", "Grace M Price"),  # each word is one of ours
    *("9434765919", "943 476 5919", "QQ123456C", "AB 12 34 56 C", "FY1 1AA", "worker@example.org"),
    *("07700 900123", "01614960000", "0161 496"),
]


def hides(text: str, dataset: str = "contacts", field: str = "contact_type") -> bool:
    contract = datasets()[dataset]
    told = redact(pl.Series([text]), contract.by_name[field], contract, CUT_OFF)
    assert (told["found"][0] is None) == told["hidden"][0]
    return bool(told["hidden"][0])


@pytest.mark.parametrize("text", SHOWN)
def test_what_cannot_be_personal_is_shown(text: str) -> None:
    assert not hides(text)


@pytest.mark.parametrize("text", HIDDEN)
def test_everything_else_is_hidden(text: str) -> None:
    assert hides(text)


def test_a_label_is_shown_where_its_column_lists_it() -> None:
    """'White' alone is a surname too: only the column of ethnic categories may mean another thing."""
    assert hides("Black", "contacts", "contact_type")
    assert not hides("White British", "participants", "ethnic_category")


def test_a_date_is_a_birth_or_not_by_the_cut_off() -> None:
    field = CONTACTS.by_name["contact_date"]
    for cut_off, hidden in ((date(2016, 11, 30), False), (date(2024, 11, 30), True)):
        assert redact(pl.Series(["14/06/2010"]), field, CONTACTS, cut_off)["hidden"].to_list() == [hidden]


def test_every_label_of_a_list_is_shown_in_its_own_column() -> None:
    for contract in (c for c in datasets().values() if c.participant_level):
        for field in (f for f in contract.fields if f.kind is Kind.CODE and not f.personal):
            texts = [t for e in field.code_list.entries for t in (e.code, e.label, *e.aliases)]
            told = redact(pl.Series(texts), field, contract, CUT_OFF)
            assert not [t for t, found in zip(texts, told["found"], strict=True) if found is None], field.name


def test_no_word_of_ours_is_taken_for_personal_data() -> None:
    lists = (*all_code_lists(), *(code_list(n) for n in ("areas", "sites", "programmes")))
    texts = {t for codes in lists for e in codes.entries for t in (e.code, e.label, *e.aliases)}
    texts |= {t for c in datasets().values() for f in c.fields for t in (f.name, f.title, *f.aliases)}
    assert [t for t in sorted(texts) if personal_rule(t)] == []


def test_no_name_of_the_list_is_shown_by_itself() -> None:
    names = sorted(listed_names())
    told = redact(pl.Series(names), CONTACTS.by_name["contact_type"], CONTACTS, CUT_OFF)
    assert [n for n, found in zip(names, told["found"], strict=True) if found is not None] == []


@pytest.mark.parametrize("text", ["Sarah", "Zebulon", "28561", "she was seen at home"])
@pytest.mark.parametrize("field", ["contact_type", "contact_date", "duration_minutes", "contact_id"])
def test_neither_the_cell_nor_what_it_may_mean_is_told(validate: Validator, field: str, text: str) -> None:
    outcome = validate(as_csv(contacts({}, {field: text}, {})))
    assert [(f.row, f.found, f.suggestion) for f in outcome.findings] == [(3, None, None)]
    assert outcome.stored_findings["hidden"].to_list() == [True]


def test_references_are_never_shown(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({}, {"contact_id": "1234"}, {"staff_ref": "?"})))
    assert [(f.row, f.found) for f in outcome.findings] == [(3, None), (4, None)]


def test_published_figures_are_shown_as_they_stand(validate: Validator) -> None:
    outcome = validate(as_csv(awards({"amount": "About One Million Pounds"})), "funding_awards")
    assert [f.found for f in outcome.findings if f.rule == "V05"] == ["About One Million Pounds"]


@pytest.mark.parametrize(
    ("heading", "told"), [("Weather", "Weather"), ("Sarah", "column K"), ("Seen with Zebulon", "column K")]
)
def test_a_heading_of_other_words_is_told_by_its_column(validate: Validator, heading: str, told: str) -> None:
    outcome = validate(as_csv([{**r, heading: "1"} for r in contacts({}, {})]))
    assert [(f.rule, f.column) for f in outcome.findings] == [("F11", told)]
    assert [c.heading for c in outcome.verdict.columns][-1] == told


def test_a_repeated_heading_is_known_though_a_part_of_it_is_not_told(validate: Validator) -> None:
    text = as_csv([{**r, "Zebulon": "1"} for r in contacts({}, {})])
    outcome = validate(text + text.splitlines()[0] + "\n")
    assert [(f.rule, f.row) for f in outcome.findings_of("F05")] == [("F05", 4)]


@pytest.mark.parametrize(("name", "told"), [("Contacts", "Contacts"), ("Zebulon Quatermass", "sheet 2")])
def test_a_sheet_of_another_name_is_told_by_its_place(validate: Validator, name: str, told: str) -> None:
    book = workbook({"Notes": [["about"]], name: as_table(contacts({}, {"attended": "9"}))})
    outcome = validate(book, suffix="xlsx")
    assert (outcome.verdict.sheet, outcome.stored_findings["sheet"].unique().to_list()) == (told, [told])


def test_sheets_that_would_both_do_are_told_by_their_place(validate: Validator) -> None:
    table = as_table(contacts({}, {}))
    outcome = validate(workbook({"Zebulon": table, "Contacts": table}), suffix="xlsx")
    assert [(f.rule, f.found) for f in outcome.findings] == [("U04", "sheet 1 and Contacts")]


@pytest.mark.parametrize(
    ("name", "may"),
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
def test_names_of_files(name: str, may: bool) -> None:
    assert is_safe_to_echo(name, datasets().values()) is may


class TestWhatIsKeptOfARowThatIsHeld:
    """A held row keeps what is as agreed: its fault may be somebody's name, and the store repeats none."""

    def kept(self, validate: Validator, dataset: str, row: dict[str, str]) -> dict[str, object]:
        made = {"contacts": contacts, "participants": participants}[dataset]
        outcome = validate(as_csv(made({}, row)), dataset)
        assert outcome.held == [3]
        return outcome.held_values[0]

    def test_a_code_that_is_not_listed(self, validate: Validator) -> None:
        kept = self.kept(validate, "contacts", {"contact_type": "Zebulon"})
        assert (kept["contact_type"], kept["contact_id"]) == (None, "BPL-C000002")

    def test_a_reference_of_another_form(self, validate: Validator) -> None:
        assert self.kept(validate, "contacts", {"contact_id": "Zebulon"})["contact_id"] is None

    def test_a_number_out_of_range(self, validate: Validator) -> None:
        assert self.kept(validate, "contacts", {"duration_minutes": "120378"})["duration_minutes"] is None

    def test_a_date_of_long_ago(self, validate: Validator) -> None:
        assert self.kept(validate, "contacts", {"contact_date": "1978-03-12"})["contact_date"] is None


def test_no_text_of_people_is_free() -> None:
    """Each text has a form, so that none can carry a sentence into the warehouse."""
    free = [
        (c.dataset, f.name)
        for c in datasets().values()
        if c.participant_level
        for f in c.fields
        if f.kind in (Kind.TEXT, Kind.REFERENCE) and not f.pattern
    ]
    assert free == []


@pytest.mark.parametrize(("text", "hidden"), [("943476", False), ("123999", False), ("81180", True), ("801103", True)])
def test_where_a_number_is_asked_for_a_long_one_is_shown_unless_it_is_a_day(text: str, hidden: bool) -> None:
    assert hides(text, field="duration_minutes") is hidden


@pytest.mark.parametrize(
    ("text", "rows", "is_shown"),
    [
        ("catch-up", 10, True),
        ("drop in / walk_in", 10, True),
        ("catch-up", 9, False),
        ("Catch-up", 10, False),  # a name is written so
        ("seen by sarah", 10, False),
        ("white", 10, False),
        ("zz9", 10, False),
        ("so " * 13 + "so", 10, False),
    ],
)
def test_a_code_that_many_rows_hold_is_shown_so_that_its_list_can_be_extended(
    text: str, rows: int, is_shown: bool
) -> None:
    told = redact(pl.Series([text] * rows), CONTACTS.by_name["contact_type"], CONTACTS, CUT_OFF)
    assert told["found"].to_list() == [text if is_shown else None] * rows
    other_sheets = redact(pl.Series([text] * rows), CONTACTS.by_name["contact_date"], CONTACTS, CUT_OFF)
    assert other_sheets["hidden"].all()


def test_an_empty_reference_hides_nothing() -> None:
    told = redact(pl.Series(["", None, "BPL-1"]), CONTACTS.by_name["contact_id"], CONTACTS, CUT_OFF)
    assert told.rows() == [("", False), (None, False), (None, True)]


def test_an_unlisted_code_of_many_rows_is_told_in_the_report(validate: Validator) -> None:
    outcome = validate(as_csv(contacts(*[{"contact_type": "catch-up"}] * 10, {"contact_type": "zebulon"})))
    assert [f.found for f in outcome.findings_of("V02")] == ["catch-up"] * 10 + [None]


@pytest.mark.parametrize("contract", datasets().values(), ids=lambda c: c.dataset)
def test_the_agreed_headings_are_shown_as_they_would_be_in_other_letters(contract: Contract) -> None:
    """They are known from the start; the same in capitals is looked at as any other heading."""
    own = sorted(own_headings(contract))
    for cut_off in (date(2014, 1, 31), CUT_OFF, LATEST_CUT_OFF):
        for headings in (own, [heading.upper() for heading in own]):
            assert redact_headings(headings, ["?"] * len(own), contract, cut_off) == headings
