"""Personal data stops a participant-level file, is never shown, and is not kept (rules P01-P03; amendment 5)."""

from __future__ import annotations

import pytest
from judging import Found, Judge, as_csv, awards, contacts, participants

NHS_NUMBER = "943 476 5919"  # the NHS's own example: its check digit is right, and it is nobody's

PERSONAL = [
    ("P01", "contacts", "staff_ref", NHS_NUMBER),
    ("P01", "contacts", "staff_ref", NHS_NUMBER.replace(" ", "")),
    ("P01", "contacts", "contact_type", f"review of {NHS_NUMBER}"),
    ("P01", "contacts", "staff_ref", "AB 12 34 56 C"),
    ("P01", "contacts", "staff_ref", "ab123456c"),
    ("P01", "contacts", "staff_ref", "worker@example.org"),
    ("P01", "contacts", "staff_ref", "020 7946 0018"),
    ("P01", "contacts", "staff_ref", "+44 7700 900123"),
    ("P02", "participants", "participant_ref", NHS_NUMBER.replace(" ", "")),
    ("P03", "participants", "year_of_birth", "14/03/1980"),
    ("P03", "participants", "year_of_birth", "1980-03-14"),
    ("P03", "participants", "year_of_birth", "14 March 1980"),
    ("P03", "participants", "la_code", "FY1 1AA"),
    ("P03", "participants", "lsoa", "fy11aa"),
]


@pytest.mark.parametrize(("rule", "dataset", "field", "text"), PERSONAL)
def test_the_file_is_refused_and_not_kept(judge: Judge, rule: str, dataset: str, field: str, text: str) -> None:
    """Another finding on the same cell would show what stands there: there is none."""
    sound, spoilt = {"contacts": contacts, "participants": participants}[dataset]({}, {})
    outcome = judge(as_csv([{field: "", **sound}, {field: "", **spoilt} | {field: text}]), dataset)
    assert outcome.findings == [Found(rule, "file", 3, field, None, None)]
    assert text not in outcome.texts.write_csv()
    assert (outcome.result, outcome.accepted, outcome.held) == ("refused", [], [])
    assert (outcome.verdict.rows.read, outcome.verdict.rows.held) == (2, 2)


@pytest.mark.parametrize("text", [NHS_NUMBER, "AB123456C", "FY1 1AA"])
def test_columns_nobody_knows_are_searched_too(judge: Judge, text: str) -> None:
    outcome = judge(as_csv([{**r, "Other": text} for r in contacts({})]))
    assert outcome.result == "refused"
    assert (outcome.held, text in outcome.texts.write_csv()) == ([], False)


@pytest.mark.parametrize("text", ["9999999999", "9434765918", "BPL-0943476591", "E01012345", "QQ123456C"])
def test_what_only_looks_like_it_stops_nothing(judge: Judge, text: str) -> None:
    """Well-known dummies, a wrong check digit, our own references, an area code, a prefix that is never given out."""
    assert judge(as_csv([{**r, "Other": text} for r in contacts({})])).refusals == []


def test_published_figures_are_not_searched(judge: Judge) -> None:
    """They hold organisations' addresses (DOMAIN.md amendment 4)."""
    outcome = judge(as_csv(awards({"source_document": "A made-up trust, FY1 1AA"})), "funding_awards")
    assert (outcome.findings, outcome.accepted) == ([], [2])


def test_every_personal_cell_is_told_by_its_address(judge: Judge) -> None:
    outcome = judge(as_csv(contacts({"staff_ref": NHS_NUMBER}, {}, {"staff_ref": "AB123456C"})))
    assert [f[:4] for f in outcome.of("P01")] == [("P01", "file", 2, "staff_ref"), ("P01", "file", 4, "staff_ref")]
