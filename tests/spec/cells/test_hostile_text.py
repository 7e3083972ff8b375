"""Hostile or degenerate text files are read or refused in bounded time and memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_validator import CONTACT, Validator, as_csv, contacts
from soak import in_soak, iterations

import flows.steps.read.text.delimited
from flows.cells.person_names import holds_full_name
from flows.deliveries.extract import TextBatch, UnreadableFile
from flows.steps.read import read
from flows.steps.read.heading import MAX_COLUMNS
from flows.steps.read.raw_sheets import read_raw_sheets
from flows.steps.read.text.delimited import CHUNK_BYTES
from flows.steps.read.text.encoding import MAX_LINE_BYTES, FileShrunkError
from schemas._contract.code_lists import fold

KNOWN = frozenset(map(fold, CONTACT))
VALID = as_csv(contacts({}, {})).encode()
HEADING, LINE = (line + b"\n" for line in VALID.splitlines()[:2])
LONG = MAX_LINE_BYTES + 1
MAX_CHUNK_LINES = 10_000  # in place of a hundred thousand


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[object]:
    """Read bytes as a text file; fail if the test takes more than a minute of CPU time."""
    started = time.process_time()

    def open_bytes(data: bytes) -> list[TextBatch]:
        path = tmp_path / "contacts.csv"
        path.write_bytes(data)
        return list(read(path, KNOWN).batches)

    yield open_bytes
    assert time.process_time() - started < 60


@pytest.mark.parametrize(
    ("data", "rule", "found"),
    [
        (HEADING + LINE.replace(b"review", b"x" * LONG) + LINE, "U01", "a line is longer than 4 MB, after 124 bytes"),
        (HEADING + b"x" * LONG, "U01", "a line is longer than 4 MB, after 124 bytes"),
        (b'"' * LONG, "U01", "a line is longer than 4 MB, after 0 bytes"),
        (b'"' * 1000, "U03", ""),
        (b"\n" * 3_000_000, "F01", ""),
        (b"\r" * 3_000_000, "F01", ""),
        (b"\0" * 3_000_000, "F02", "100% of the file are zero bytes"),
        (HEADING + LINE + b"\0" * 300, "F02", "61% of the file are zero bytes"),
        (HEADING.rstrip() + b",x" * 9_990 + b"\n" + LINE, "U01", "10,000 columns"),
    ],
    ids=["long cell", "no end", "long quote", "quotes", "newlines", "returns", "zeros", "zero tail", "columns"],
)
def test_a_hostile_file_is_refused_with_a_reason(opened, data: bytes, rule: str, found: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnreadableFile) as refused:
        opened(data)
    assert (refused.value.rule_id, refused.value.found) == (rule, found)


def test_a_file_that_shrinks_while_it_is_read_raises(tmp_path: Path) -> None:
    """Someone is writing the file while it is read: the part read so far must not be taken for the whole."""
    path = tmp_path / "contacts.csv"
    path.write_bytes(HEADING + LINE * (2 * CHUNK_BYTES // len(LINE)))
    batches = read(path, KNOWN).batches
    next(batches)
    os.truncate(path, CHUNK_BYTES)
    with pytest.raises(FileShrunkError):
        list(batches)


@pytest.mark.soak
def test_the_maximum_number_of_columns_is_read(opened) -> None:  # type: ignore[no-untyped-def]
    more = MAX_COLUMNS - len(CONTACT)
    data = HEADING.rstrip() + b"".join(b",c%d" % i for i in range(more)) + b"\n"
    line = LINE.rstrip().replace(b"review", b'"review"') + b',"1"' * more + b"\n"
    (batch,) = opened(data + line * 50 + line.replace(b'"1"\n', b'"1\n') + line)
    assert (len(batch.rows), batch.malformed) == (51, {52: "quotation marks that do not pair"})


@pytest.mark.parametrize(
    ("line", "malformed"),
    [(b"\n", False), (b"," * 9 + b"\n", False), (b'"\n', True), (b'"a\n', True), (b',"""\n', True)],
)
def test_a_long_run_of_identical_lines_is_read_in_chunks(  # type: ignore[no-untyped-def]
    opened, monkeypatch: pytest.MonkeyPatch, line: bytes, malformed: bool
) -> None:
    monkeypatch.setattr(flows.steps.read.text.delimited, "MAX_CHUNK_LINES", MAX_CHUNK_LINES)
    batches = opened(VALID + line * (MAX_CHUNK_LINES + 10))
    assert len(batches) == 2
    assert sum(len(b.malformed) for b in batches) == malformed * (MAX_CHUNK_LINES + 10)
    assert sum(len(b.rows) for b in batches) == 2 + (not malformed) * (MAX_CHUNK_LINES + 10)


def test_very_many_blank_lines_are_one_finding(validate: Validator) -> None:
    """One finding covers them all, without memory for each."""
    started = time.process_time()
    outcome = validate(VALID + b"\n" * 300_000)
    assert [(f.rule, f.found) for f in outcome.findings] == [("F07", "300000 blank rows")]
    assert (outcome.accepted, outcome.verdict.rows.read) == ([2, 3], 300_002)
    assert time.process_time() - started < 10


def test_searching_a_very_long_word_for_names_is_fast() -> None:
    started = time.process_time()
    assert not holds_full_name("jane" * 100_000)
    assert time.process_time() - started < 1


# Texts that could make a pattern backtrack: of names, e-mail addresses, numbers and dates.
LENGTH = iterations(everyday=250_000, soak=1_000_000)
LONG_TEXTS = {text: (part * LENGTH)[:LENGTH] for text, part in
              {"letters": "a", "signs": "a@", "digits": "1", "months": "jan"}.items()}  # fmt: skip


@pytest.mark.parametrize("text", ["signs", *in_soak("letters", "digits", "months")])
@pytest.mark.parametrize("field", ["staff_ref", *in_soak("contact_date", "duration_minutes")])
def test_a_long_cell_is_validated_in_bounded_time(validate: Validator, field: str, text: str) -> None:
    started = time.process_time()
    assert validate(as_csv(contacts({}, {field: LONG_TEXTS[text]}, {}))).accepted == [2, 4]
    assert time.process_time() - started < 30  # if quadratic, far longer


def test_a_heading_with_unusual_line_separators_stays_one_line(tmp_path: Path) -> None:
    """A form feed or U+2028 in a heading does not end the line."""
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"made up\x0c\n" + HEADING.replace(b"staff_ref", "staff\u2028ref".encode()) + LINE)
    (sheet,) = read_raw_sheets(path, KNOWN, "Data")
    assert [len(row) for row in sheet.rows] == [1, 10, 10]
    assert sheet.rows[1][8] == "staff\u2028ref"


def test_a_few_zero_bytes_make_only_their_lines_malformed(opened) -> None:  # type: ignore[no-untyped-def]
    (batch,) = opened(HEADING + LINE * 20 + LINE.replace(b"review", b"rev\0iew") + LINE)
    assert batch.malformed == {22: "a zero byte, which stands for no character"}
    assert batch.rows["source_row"].to_list() == [*range(2, 22), 23]


def test_an_unclosed_quotation_mark_affects_a_limited_number_of_lines(opened) -> None:  # type: ignore[no-untyped-def]
    """Otherwise one mark at the top could turn the whole file into a single cell."""
    (batch,) = opened(VALID.replace(b"review", b'"review', 1) + b"a word\n" * 60 + b'"')
    assert (set(batch.malformed), batch.rows["source_row"].to_list()) == ({2, *range(4, 65)}, [3])
