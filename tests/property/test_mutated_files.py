"""Corrupted files never crash validation, shift values between columns or lose rows unaccounted for.

Every cell of the made-up files names its own column and row, so a shifted value is detected.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import pytest
from file_validator import CONTACT, ValidatedFile, Validator, as_csv, as_table, contacts, workbook
from hypothesis import given, settings
from hypothesis import strategies as st
from soak import iterations

from schemas._contract.model import Contract, Field, Kind

COLUMNS = ("first", "second", "third", "fourth")
TABLE = Contract(
    dataset="contacts",
    title="A table of texts",
    description="Made up: any text may stand in any column, so no rule but those of structure can save a row.",
    grain="one row",
    key=("first",),
    fields=tuple(
        Field(name, Kind.TEXT, name, "A text.", required=False, column_required=True, free_text=True)
        for name in COLUMNS
    ),
    bad_share_limit=1,
)
TAG = re.compile(r"c(\d)r(\d{4})(?:[,\n]more)?")
STRUCTURE = list(",;\t\"'\n\r |")


def tags(row: int, ending: str) -> list[str]:
    """The cells of a row, each with the numbers of its column and row."""
    return [f"c{column}r{row:04}{ending if column == 2 else ''}" for column in range(len(COLUMNS))]


@dataclass(frozen=True)
class ValidFile:
    """A valid CSV file, record by record, as a spreadsheet would write it."""

    records: tuple[str, ...]

    @classmethod
    def of(cls, endings: list[str], quoting: int, line_end: str) -> ValidFile:
        def record(cells: list[str]) -> str:
            out = io.StringIO()
            csv.writer(out, quoting=quoting, lineterminator=line_end).writerow(cells)  # type: ignore[arg-type]
            return out.getvalue()

        return cls((record(list(COLUMNS)), *(record(tags(n, e)) for n, e in enumerate(endings, 1))))


valid_files = st.builds(
    ValidFile.of,
    st.lists(st.sampled_from(["", "", "", ",more", "\nmore"]), min_size=6, max_size=14),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)


@st.composite
def files_with_a_broken_record(draw: st.DrawFn) -> tuple[ValidFile, int, str]:
    """A valid file, the index of one record, and that record with one character inserted, deleted or replaced."""
    file = draw(valid_files)
    number = draw(st.integers(1, len(file.records) - 1))
    record = file.records[number]
    body = record.rstrip("\r\n")
    position = draw(st.integers(0, len(body) - 1))
    kind = draw(st.sampled_from(["insert", "delete", "replace"]))
    mark = draw(st.sampled_from(STRUCTURE))
    changed = body[:position] + ("" if kind == "delete" else mark) + body[position + (kind != "insert") :]
    return file, number, changed + record[len(body) :]


def assert_nothing_shifted(outcome: ValidatedFile) -> None:
    """Assert that every value is in its own column and that no row mixes two records."""
    for row in outcome.values:
        found = [(i, TAG.fullmatch(row[name] or "")) for i, name in enumerate(COLUMNS)]
        intact = [(i, int(tag[1]), tag[2]) for i, tag in found if tag]
        assert all(i == column for i, column, _ in intact), f"a value is in another column: {row}"
        assert len({number for *_, number in intact}) <= 1, f"two records were taken for one: {row}"


@settings(max_examples=iterations(everyday=6, soak=1000))
@given(files_with_a_broken_record())
def test_one_broken_record_affects_no_other(validate: Validator, case: tuple[ValidFile, int, str]) -> None:
    file, number, broken = case
    records = [*file.records[:number], broken, *file.records[number + 1 :]]
    outcome = validate("".join(records).encode(), contract=TABLE)
    assert_nothing_shifted(outcome)
    assert outcome.is_conserved
    accepted = {row["first"] for row in outcome.values}
    others = {f"c0r{n:04}" for n in range(1, len(file.records)) if n != number}
    if outcome.result not in ("refused", "unreadable"):
        assert others <= accepted, f"record {number} was broken, and others are missing"


def mutate(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    """Apply changes to bytes: a piece is deleted, doubled, overwritten or inserted, or the end is cut off."""
    for kind, start, size, piece in changes:
        position = start % (len(data) + 1)
        end = position + size
        data = {
            "delete": data[:position] + data[end:],
            "double": data[:end] + data[position:end] + data[end:],
            "overwrite": data[:position] + piece + data[position + len(piece) :],
            "insert": data[:position] + piece + data[position:],
            "cut": data[:position],
        }[kind]
    return data


changes = st.lists(
    st.tuples(
        st.sampled_from(["delete", "double", "overwrite", "insert", "cut"]),
        st.integers(0, 1 << 16),
        st.integers(1, 64),
        st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b'"', b"\x00", b"\n", b",", b"\r", b"\xff\xfe"])),
    ),
    min_size=1,
    max_size=4,
)
ROWS = contacts(*[{}] * 12)


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (as_csv(ROWS).encode(), "csv"),
        (as_csv(ROWS, quoting=csv.QUOTE_ALL).encode("utf-16"), "csv"),
        (as_csv(ROWS, delimiter=";").encode("cp1252"), "csv"),
        (workbook({"contacts": as_table(ROWS)}), "xlsx"),
    ],
    ids=["csv", "utf-16", "semicolons", "workbook"],
)
@settings(max_examples=iterations(everyday=3, soak=300))
@given(st.data())
def test_any_change_of_bytes_gives_a_consistent_verdict(
    validate: Validator, data: bytes, suffix: str, data_source: st.DataObject
) -> None:
    """No exception; every row is counted once; a file not accepted has a finding; no value is invented."""
    outcome = validate(mutate(data, data_source.draw(changes)), suffix=suffix)
    assert outcome.is_conserved
    if outcome.result != "accepted":
        assert outcome.findings
    known = {row["contact_id"] for row in ROWS}
    other_ids = {row["contact_id"] for row in outcome.values} - known
    assert all(re.fullmatch(r"[A-Z]{2,8}-[A-Z0-9]{6,16}", reference) for reference in other_ids)
    assert set(CONTACT) <= set(outcome.values[0]) if outcome.values else True
