"""Files that went wrong on their way: whatever happens to the bytes, nothing shifts, nothing is lost, nothing crashes.

Every cell of the made-up files says which column and row it belongs to, so a value that moved would give itself away.
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
    return [f"c{column}r{row:04}{ending if column == 2 else ''}" for column in range(len(COLUMNS))]


@dataclass(frozen=True)
class Sound:
    """A sound file, record by record: its bytes could be those of any spreadsheet."""

    records: tuple[str, ...]

    @classmethod
    def of(cls, endings: list[str], quoting: int, line_end: str) -> Sound:
        def record(cells: list[str]) -> str:
            out = io.StringIO()
            csv.writer(out, quoting=quoting, lineterminator=line_end).writerow(cells)  # type: ignore[arg-type]
            return out.getvalue()

        return cls((record(list(COLUMNS)), *(record(tags(n, e)) for n, e in enumerate(endings, 1))))


sound_files = st.builds(
    Sound.of,
    st.lists(st.sampled_from(["", "", "", ",more", "\nmore"]), min_size=6, max_size=14),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)


@st.composite
def broken_once(draw: st.DrawFn) -> tuple[Sound, int, str]:
    """A sound file, the number of one of its records, and that record with one mark too many or too few."""
    file = draw(sound_files)
    number = draw(st.integers(1, len(file.records) - 1))
    record = file.records[number]
    body = record.rstrip("\r\n")
    at = draw(st.integers(0, len(body) - 1))
    kind = draw(st.sampled_from(["insert", "delete", "replace"]))
    mark = draw(st.sampled_from(STRUCTURE))
    changed = body[:at] + ("" if kind == "delete" else mark) + body[at + (kind != "insert") :]
    return file, number, changed + record[len(body) :]


def assert_nothing_shifted(outcome: ValidatedFile) -> None:
    for row in outcome.values:
        told = [(i, TAG.fullmatch(row[name] or "")) for i, name in enumerate(COLUMNS)]
        whole = [(i, int(tag[1]), tag[2]) for i, tag in told if tag]
        assert all(i == column for i, column, _ in whole), f"a value stands in another column: {row}"
        assert len({number for *_, number in whole}) <= 1, f"two records were taken for one: {row}"


@settings(max_examples=iterations(everyday=40, soak=1000))
@given(broken_once())
def test_one_broken_record_costs_no_other(validate: Validator, case: tuple[Sound, int, str]) -> None:
    file, number, broken = case
    records = [*file.records[:number], broken, *file.records[number + 1 :]]
    outcome = validate("".join(records).encode(), contract=TABLE)
    assert_nothing_shifted(outcome)
    assert outcome.is_conserved
    kept = {row["first"] for row in outcome.values}
    others = {f"c0r{n:04}" for n in range(1, len(file.records)) if n != number}
    if outcome.result not in ("refused", "unreadable"):
        assert others <= kept, f"record {number} was broken, and others are gone"


def mutated(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    """Bytes after each of some changes: a piece deleted, doubled, overwritten or put in, or the end cut off."""
    for kind, start, size, piece in changes:
        at = start % (len(data) + 1)
        end = at + size
        data = {
            "delete": data[:at] + data[end:],
            "double": data[:end] + data[at:end] + data[end:],
            "overwrite": data[:at] + piece + data[at + len(piece) :],
            "insert": data[:at] + piece + data[at:],
            "cut": data[:at],
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
@settings(max_examples=iterations(everyday=12, soak=300))
@given(st.data())
def test_whatever_happens_to_the_bytes_the_verdict_is_about_the_file(
    validate: Validator, data: bytes, suffix: str, chance: st.DataObject
) -> None:
    """Never an exception; every row is counted once; what is not accepted has a reason; nothing is made up."""
    outcome = validate(mutated(data, chance.draw(changes)), suffix=suffix)
    assert outcome.is_conserved
    if outcome.result != "accepted":
        assert outcome.findings
    known = {row["contact_id"] for row in ROWS}
    made_up = {row["contact_id"] for row in outcome.values} - known
    assert all(re.fullmatch(r"[A-Z]{2,8}-[A-Z0-9]{6,16}", reference) for reference in made_up)
    assert set(CONTACT) <= set(outcome.values[0]) if outcome.values else True
