"""Which code stands for a thing on a day, in made-up lists, and the rules that follow from the dates of a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import duckdb
import polars as pl
import pytest

from flows.steps.load import fill_reference
from schemas._contract.catalogue import datasets, reference_tables
from schemas._contract.code_dates import dated_in_words, with_code_dates
from schemas._contract.code_lists import Code, CodeList
from schemas._contract.derive import create_table
from schemas._contract.model import Contract, Field, Kind, Rule, Severity


def code(name: str, first: str = "", last: str = "", then: str = "") -> Code:
    days = (date.fromisoformat(day) if day else None for day in (first, last))
    return Code(name, f"Label {name}", (), "made up", then, *days)


# A, then B, then C; D and E were merged into F; G came after a gap, in place of H; I ended, and nothing took its place.
CODES = CodeList(
    "made_up",
    (
        code("A", last="2015-12-31", then="B"), code("B", "2016-01-01", "2016-12-31", "C"), code("C", "2017-01-01"),
        code("D", last="2015-12-31", then="F"), code("E", last="2015-12-31", then="F"), code("F", "2016-01-01"),
        code("H", last="2015-12-31", then="G"), code("G", "2016-07-01"),
        code("I", last="2015-12-31"), code("J"),
    ),
)  # fmt: skip
BEFORE, BETWEEN, AFTER = "2015-12-31", "2016-01-01", "2017-01-01"
STANDS = [  # code, and what stands for the same thing on each of the three days
    ("A", "A", "B", "C"),
    ("B", "A", "B", "C"),
    ("C", "A", "B", "C"),
    ("D", "D", "F", "F"),
    ("F", "", "F", "F"),  # D or E: nobody knows which
    ("H", "H", "", "G"),
    ("G", "H", "", "G"),
    ("I", "I", "", ""),
    ("J", "J", "J", "J"),
]


@pytest.mark.parametrize("case", STANDS, ids=lambda case: case[0])
def test_the_code_of_a_day(case: tuple[str, ...]) -> None:
    entry = next(e for e in CODES.entries if e.code == case[0])
    assert tuple(CODES.code_on(entry, date.fromisoformat(day)) for day in (BEFORE, BETWEEN, AFTER)) == case[1:]


def test_the_dates_of_a_registry_table_judge_no_code() -> None:
    areas = replace(CODES, of_registry=True)
    assert areas.dated == ()
    assert areas.replaced == {e.code: e.active_code for e in CODES.entries if e.active_code}
    assert CODES.replaced == {}
    assert len(CODES.dated) == len(CODES.entries) - 1


class _Listed(Field):
    """A field with the made-up list."""

    @property
    def code_list(self) -> CodeList:
        return CODES


def contract_of(listed: Field) -> Contract:
    day = Field("day", Kind.DATE, "Day", "When.", required=False)
    return with_code_dates(Contract("made_up", "Made up", "", "", ("day",), (day, listed), event_date="day"))


def passes(rule: Rule, rows: pl.DataFrame) -> list[bool | None]:
    assert rule.check
    return rows.select(rule.check()).to_series().to_list()


def test_the_rules_follow_from_the_list() -> None:
    """One rule for each outcome, and they agree with `code_on` on every code and day; other codes break none."""
    warning, held = contract_of(_Listed("code", Kind.CODE, "Code", "A code.", codes="made_up")).rules
    assert (warning.severity, held.severity) == (Severity.WARNING, Severity.ROW)
    cases = [(c, day, stands) for c, *of in STANDS for day, stands in zip((BEFORE, BETWEEN, AFTER), of, strict=True)]
    rows = pl.DataFrame(
        [(c, date.fromisoformat(day)) for c, day, _ in cases], schema=["code", "day"], orient="row"
    ).with_columns(pl.lit(None, pl.Date).alias("data_cut_date"))
    assert passes(held, rows) == [stands != "" for *_, stands in cases]
    assert passes(warning, rows) == [stands in ("", c) for c, _, stands in cases]
    assert warning.suggested
    assert rows.select(warning.suggested()).to_series().to_list() == [stands for *_, stands in cases]
    unlisted = pl.DataFrame(
        {"code": ["Z", None], "day": [date(2016, 1, 1)] * 2, "data_cut_date": [date(2016, 1, 1)] * 2}
    )
    assert {*passes(held, unlisted), *passes(warning, unlisted)} <= {True, None}


def test_a_list_without_dates_costs_nothing() -> None:
    undated = [n for n, c in datasets().items() if not any(f.codes and f.code_list.dated for f in c.fields)]
    assert undated and not any(r.rule_id == "C37" for n in undated for r in datasets()[n].rules)
    contract = contract_of(Field("code", Kind.CODE, "Code", "A code.", codes="gender"))
    assert contract.rules == ()


def test_a_code_is_shown_with_its_dates_and_the_one_that_took_its_place() -> None:
    assert dated_in_words(replace(CODES, entries=CODES.entries[:3])) == [
        "A (Label A) until 2015-12-31, then B (Label B) in its place",
        "B (Label B) from 2016-01-01 until 2016-12-31, then C (Label C) in its place",
        "C (Label C) from 2017-01-01",
    ]


def test_the_dates_of_codes_are_in_the_warehouse() -> None:
    db = duckdb.connect()
    db.execute("create schema core")
    db.execute(create_table("core", reference_tables()["codes"]))
    fill_reference(db, reference_tables()["codes"])
    found = db.execute("""select code, active_code, valid_from, valid_to from core.codes
                          where list_name = 'contact_medium' and code in ('01', '03', '11') order by code""").fetchall()
    assert found == [
        ("01", None, None, None),
        ("03", "11", None, date(2021, 9, 30)),
        ("11", None, date(2021, 10, 1), None),
    ]
