"""No listed name and no reference is ever shown, whatever stands around it (docs/domain.md 5.2, `redact.py`)."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from soak import iterations

from flows.cells.person_names import listed_names
from flows.cells.redact import ordinary_words, own_labels, redact
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field
from schemas._contract.registry import sites

CUT_OFF = date(2016, 11, 30)
ABOUT_PEOPLE = [c for c in datasets().values() if c.participant_level]
FIELDS: list[tuple[Contract, Field | None]] = [(c, f) for c in ABOUT_PEOPLE for f in (*c.fields, None)]
NAMES, WORDS = sorted(listed_names()), sorted(ordinary_words())
LETTERS = sorted({part for site in sites() for part in site.split("-")} | {"W", "KW", "EA", "S"})

ordinary = st.lists(st.sampled_from(WORDS), max_size=3)
written = st.sampled_from([str.lower, str.upper, str.title])
gaps = st.sampled_from([" ", "  ", "-", ", ", "/", "_", "\u00a0", " < ", ". "])


@st.composite
def around(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """A text with some ordinary words before and after it."""
    words = [*draw(ordinary), draw(inner), *draw(ordinary)]
    return draw(written)(draw(gaps).join(words))


def shown(texts: list[str], contract: Contract, field: Field | None) -> list[str]:
    """The texts of which a finding in the field would show anything."""
    found = redact(pl.Series(texts), field, contract, CUT_OFF)["found"]
    return [text for text, shown in zip(texts, found, strict=True) if shown is not None]


def is_own(text: str, contract: Contract, field: Field | None) -> bool:
    """Whether the text as a whole is a label, a heading or a place of ours, or a date: June is a name too."""
    own = set(field.code_list.spellings) if field is not None and field.codes else set()
    return fold(text) in own_labels(contract) | own or bool(re.fullmatch(r"(?i)(jan|may|june)", text))


@settings(max_examples=iterations(everyday=20, soak=300))
@given(texts=st.lists(around(st.sampled_from(NAMES)), min_size=10, max_size=40), where=st.sampled_from(FIELDS))
def test_no_listed_name_is_shown(texts: list[str], where: tuple[Contract, Field | None]) -> None:
    assert [text for text in shown(texts, *where) if not is_own(text, *where)] == []


references = st.builds(
    "{}-{}{:0{}}".format,
    st.sampled_from(LETTERS),
    st.sampled_from(["", "C", "E", "J", "R"]),
    st.integers(0, 9999),
    st.integers(4, 8),
)


@settings(max_examples=iterations(everyday=20, soak=300))
@given(texts=st.lists(around(references), min_size=10, max_size=40), where=st.sampled_from(FIELDS))
def test_no_reference_is_shown(texts: list[str], where: tuple[Contract, Field | None]) -> None:
    assert shown(texts, *where) == []


def test_the_ordinary_words_hold_no_name_no_month_and_nothing_twice() -> None:
    words = WORDS
    assert not listed_names().intersection(words)
    assert not {"may", "june", "april", "august"}.intersection(words)
    assert all(re.fullmatch(r"[a-z]+", w) for w in words) and len(words) > 1_500


def test_every_name_by_itself_is_hidden_in_every_field() -> None:
    for contract, field in FIELDS:
        assert [name for name in shown(NAMES, contract, field) if not is_own(name, contract, field)] == []
