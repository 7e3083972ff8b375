"""What holds for any table, however it is broken. The tables are made up, piece by piece, by Hypothesis."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from file_validator import CONTACT, ValidatedFile, Validator, as_csv, as_table, contact, contacts, workbook
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from soak import iterations

import flows.steps.read.text.delimited
import flows.steps.read.workbook.dataset_sheet
from flows.steps.read import read
from schemas._contract.code_lists import fold

HEADING = ",".join(CONTACT) + "\n"
FIELDS = tuple(CONTACT)
BAD_CELLS = {
    "contact_id": ["", "BPL-1", "#N/A"],
    "contact_date": ["", "03/11/2016", "2016-11-31", "2016-12-01", "soon"],
    "contact_medium": ["", "zz", "01-Apr"],
    "duration_minutes": ["", "*", "-5", "481", "4\n5"],
    "staff_ref": ["?", 'W-"12"'],
    "with_employer": ["perhaps"],
}
REPAIRED_CELLS = {
    "contact_medium": ["1", "Telephone", " 01", "0\n1"],
    "with_employer": ["yes", "N/K"],
    "contact_date": ["2016-11-03 09:30", "2016-11-03 "],
}


def line(cells: list[str] | tuple[str, ...], quoting: Any = csv.QUOTE_MINIMAL) -> str:
    """Cells as one record of CSV."""
    return as_csv([dict(zip(FIELDS, cells, strict=True))], quoting=quoting).split("\n", 1)[1]


def row(number: int, **changes: str) -> str:
    """A contact as one record."""
    return line(list(contact(number, **changes).values()))


def changed(cells: dict[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    """One field and an odd text for it."""
    return st.sampled_from([{field: text} for field, texts in cells.items() for text in texts])


numbers = st.integers(1, 8)  # few, so that references repeat
good = st.builds(row, numbers)
bad = st.builds(lambda n, c: row(n, **c), numbers, changed(BAD_CELLS))
repaired = st.builds(lambda n, c: row(n, **c), numbers, changed(REPAIRED_CELLS))
no_data = st.sampled_from(
    ["\n", "  \n", "," * (len(FIELDS) - 1) + "\n", HEADING, "Total" + "," * (len(FIELDS) - 1) + "\n"]
)
malformed = st.sampled_from(["BPL-C000001,cut\n", row(2)[:-1] + ",more\n", row(3).replace("review", "review, again")])
open_quotes = st.sampled_from([row(4).replace("review", '"review'), row(5)[:-1] + '"\n', '"\n'])
whole_rows = st.one_of(good, good, bad, repaired)
tables = st.lists(st.one_of(whole_rows, whole_rows, no_data, malformed, open_quotes), max_size=16)
tables_of_lines = st.lists(
    st.one_of(whole_rows, whole_rows, no_data, malformed), max_size=16
)  # whose order does not matter
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


def contents(outcome: ValidatedFile) -> Counter[str]:
    """The accepted rows by what they hold, not by where they lie."""
    return Counter(repr({k: v for k, v in row.items() if k != "source_row"}) for row in outcome.values)


def told(outcome: ValidatedFile) -> pl.DataFrame:
    """The findings in an order that does not depend on batches."""
    return outcome.stored_findings.sort(pl.all(), nulls_last=True)


@given(tables)
def test_no_row_is_lost_or_gained(validate: Validator, table: list[str]) -> None:
    """Read = accepted + held + repeats + not data; each row is in one place only; what is held has a reason."""
    outcome = validate(HEADING + "".join(table))
    counts = outcome.verdict.rows
    assert outcome.is_conserved
    assert counts.accepted == len(outcome.accepted) == len(set(outcome.accepted))
    assert not set(outcome.accepted) & set(outcome.held)
    torn_rows = {f.row for f in outcome.findings_of("F13") if f.severity == "row"}
    not_data = {f.row for r in ("F05", "F06", "F07") for f in outcome.findings_of(r)}
    left_out = {f.row for f in outcome.findings_of("P04") if f.severity == "warning"}
    assert counts.not_data == len(not_data)
    if outcome.result != "refused":
        assert counts.held == len(outcome.held) + len(torn_rows)
        assert counts.repeats == len(left_out)
        places = [*outcome.accepted, *outcome.held, *torn_rows, *not_data, *left_out]
        assert len(places) == len(set(places)) == counts.read
        assert {*outcome.held, *torn_rows} == {f.row for f in outcome.findings if f.severity == "row"}


@given(tables)
def test_the_same_bytes_give_the_same_judgement(validate: Validator, table: list[str]) -> None:
    text = HEADING + "".join(table)
    once, again = validate(text), validate(text)
    assert once.verdict.to_json() == again.verdict.to_json()
    assert once.stored_findings.write_csv() == again.stored_findings.write_csv()
    assert once.values == again.values


@given(tables_of_lines, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(validate: Validator, table: list[str], chance: Any) -> None:
    """The same contents are accepted; of exact copies, whichever comes first."""
    shuffled = chance.sample(table, len(table))
    once, again = validate(HEADING + "".join(table)), validate(HEADING + "".join(shuffled))
    assert contents(once) == contents(again)
    assert once.verdict.rows == again.verdict.rows
    assert Counter(f[:2] for f in once.findings) == Counter(f[:2] for f in again.findings)


@given(st.integers(2, 9), st.data(), st.sampled_from(FIELDS), any_text)
def test_one_odd_cell_changes_no_other_row(validate: Validator, rows: int, data: Any, field: str, text: str) -> None:
    """Whatever stands in it: any text at all."""
    spoilt = data.draw(st.integers(1, rows))
    table = contacts(*[{}] * rows)
    others = [r["contact_id"] for n, r in enumerate(table, 1) if n != spoilt]
    table[spoilt - 1][field] = text
    outcome = validate(as_csv(table))
    assume(outcome.result != "refused")  # by chance, personal data
    assert [r["contact_id"] for r in outcome.values if r["contact_id"] in others] == others
    assert {f.column for f in outcome.findings} <= {field, "attended", "duration_minutes", None}


@given(tables)
def test_another_good_row_changes_no_other_finding(validate: Validator, table: list[str]) -> None:
    text = HEADING + "".join(table)
    before, after = validate(text), validate(text + row(99))
    assume(before.result in ("accepted", "accepted_with_held_rows"))
    assert after.findings == before.findings
    added = after.values[-1]["contact_id"]
    assert (added, len(after.values)) == ("BPL-C000099", len(before.values) + 1)
    assert not contents(before) - contents(after)


@given(tables, st.integers(60, 400))
def test_the_size_of_a_batch_does_not_matter(validate: Validator, table: list[str], size: int) -> None:
    """Nor does a record that runs over the border of two."""
    text = HEADING + "".join(table)
    whole = validate(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.steps.read.text.delimited, "CHUNK_BYTES", size)
        parts = validate(text)
    assert parts.verdict == whole.verdict
    assert (parts.accepted, parts.held, parts.values) == (whole.accepted, whole.held, whole.values)
    assert told(parts).equals(told(whole))


@settings(max_examples=iterations(everyday=5, soak=100))
@given(st.lists(st.one_of(st.just({}), changed(BAD_CELLS), changed(REPAIRED_CELLS)), min_size=1, max_size=8))
def test_nor_does_it_in_a_workbook(validate: Validator, changes: list[dict[str, str]]) -> None:
    data = workbook({"Contacts": as_table(contacts(*changes))})
    whole = validate(data, suffix="xlsx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.steps.read.workbook.dataset_sheet, "BATCH_ROWS", 2)
        parts = validate(data, suffix="xlsx")
    assert parts.verdict == whole.verdict
    assert (parts.values, parts.held) == (whole.values, whole.held)
    assert told(parts).equals(told(whole))


def broken(record: str, kind: str, place: float) -> str:
    """A quoted record with one break, somewhere."""
    marks = [i for i, mark in enumerate(record) if mark == '"']
    here = int(place * (len(marks) - 1))
    if kind == "surplus cell":
        return record.replace('","', '","surplus","', 1) if place < 0.5 else record + ',""'
    if kind == "missing cell":
        cells = record.split(",")
        return ",".join(cells[: (gone := int(place * (len(cells) - 1)))] + cells[gone + 1 :])
    if kind == "stray mark":
        at = int(place * len(record))
        return record[:at] + '"' + record[at:]
    return record[: marks[here]] + record[marks[here] + 1 :]  # a quotation mark too few


KINDS = ["surplus cell", "missing cell", "stray mark", "mark too few"]


def records_of(folder: Path, text: str, size: int) -> tuple[dict[int, tuple[str, ...]], list[int]]:
    """The records of a file by their lines, read in chunks of a size, and its torn lines."""
    path = folder / "contacts.csv"
    path.write_text(text, newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.steps.read.text.delimited, "CHUNK_BYTES", size)
        batches = list(read(path, frozenset(map(fold, FIELDS))).batches)
    rows = pl.concat([b.rows for b in batches], how="diagonal")
    return {r[-1]: r[:-1] for r in rows.iter_rows()}, [n for b in batches for n in b.malformed]


@settings(max_examples=iterations(everyday=100, soak=2000))
@given(st.integers(0, 59), st.sampled_from(KINDS), st.floats(0, 1), st.integers(100, 8000))
def test_one_break_costs_one_record(tmp_path: Path, at: int, kind: str, place: float, size: int) -> None:
    """In a file whose records have a line each: every other record is there, with its own cells and its own line."""
    table = contacts(*[{}] * 60)
    lines = as_csv(table, quoting=csv.QUOTE_ALL).splitlines()
    lines[at + 1] = broken(lines[at + 1], kind, place)
    records, malformed = records_of(tmp_path, "\n".join(lines) + "\n", size)
    assert malformed == [at + 2]
    assert records == {n: tuple(r.values()) for n, r in enumerate(table, 2) if n != at + 2}


@settings(max_examples=iterations(everyday=60, soak=2000))
@given(st.sets(st.integers(0, 19)), st.integers(0, 19), st.sampled_from(KINDS), st.floats(0, 1), st.integers(100, 3000))
def test_nor_does_it_cost_more_among_records_of_several_lines(
    tmp_path: Path, long: set[int], at: int, kind: str, place: float, size: int
) -> None:
    """Some records have line breaks in a cell: the broken one does not."""
    table = contacts(*[{"staff_role": "key\n\nworker"} if n in long - {at} else {} for n in range(20)])
    lines = [line(list(r.values()), csv.QUOTE_ALL) for r in table]
    lines[at] = broken(lines[at][:-1], kind, place) + "\n"
    records, malformed = records_of(tmp_path, HEADING + "".join(lines), size)
    starts = [2 + sum(t.count("\n") for t in lines[:n]) for n in range(20)]
    assert malformed == [starts[at]]
    assert records == {starts[n]: tuple(r.values()) for n, r in enumerate(table) if n != at}
