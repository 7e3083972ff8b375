"""Text files that are made to do harm, or look like it: refused in words or read, in bounded time and memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_validator import CONTACT, Validator, as_csv, contacts

from flows.cells.person_names import holds_full_name
from flows.deliveries.extract import TextBatch, UnreadableFile
from flows.steps.read import read
from flows.steps.read.heading import MAX_COLUMNS
from flows.steps.read.text.delimited import CHUNK_BYTES, MAX_CHUNK_LINES
from flows.steps.read.text.encoding import MAX_LINE_BYTES, FileShrunkError
from flows.steps.read.whole import as_sheets
from schemas._contract.code_lists import fold

KNOWN = frozenset(map(fold, CONTACT))
SOUND = as_csv(contacts({}, {})).encode()
HEADING, LINE = (line + b"\n" for line in SOUND.splitlines()[:2])
LONG = MAX_LINE_BYTES + 1


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[object]:
    """Reads bytes as a text file, and fails where that takes longer than a minute."""
    started = time.process_time()

    def open_it(data: bytes) -> list[TextBatch]:
        path = tmp_path / "contacts.csv"
        path.write_bytes(data)
        return list(read(path, KNOWN).batches)

    yield open_it
    assert time.process_time() - started < 60


@pytest.mark.parametrize(
    ("data", "rule", "why"),
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
def test_it_is_refused_in_words(opened, data: bytes, rule: str, why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnreadableFile) as refused:
        opened(data)
    assert (refused.value.rule_id, refused.value.found) == (rule, why)


def test_a_file_that_is_cut_while_it_is_read_is_no_file_of_its_own(tmp_path: Path) -> None:
    """Somebody writes it at that moment: what was read of it is not to be taken for the whole."""
    path = tmp_path / "contacts.csv"
    path.write_bytes(HEADING + LINE * (2 * CHUNK_BYTES // len(LINE)))
    batches = read(path, KNOWN).batches
    next(batches)
    os.truncate(path, CHUNK_BYTES)
    with pytest.raises(FileShrunkError):
        list(batches)


def test_as_many_columns_as_are_allowed_are_read(opened) -> None:  # type: ignore[no-untyped-def]
    more = MAX_COLUMNS - len(CONTACT)
    data = HEADING.rstrip() + b"".join(b",c%d" % i for i in range(more)) + b"\n"
    line = LINE.rstrip().replace(b"review", b'"review"') + b',"1"' * more + b"\n"
    (batch,) = opened(data + line * 200 + line.replace(b'"1"\n', b'"1\n') + line)
    assert (len(batch.rows), batch.malformed) == (201, {202: "quotation marks that do not pair"})


@pytest.mark.parametrize(
    ("line", "malformed"),
    [(b"\n", False), (b"," * 9 + b"\n", False), (b'"\n', True), (b'"a\n', True), (b',"""\n', True)],
)
def test_a_long_tail_of_one_line_is_read_part_by_part(opened, line: bytes, malformed: bool) -> None:  # type: ignore[no-untyped-def]
    batches = opened(SOUND + line * (MAX_CHUNK_LINES + 10))
    assert len(batches) == 2
    assert sum(len(b.malformed) for b in batches) == malformed * (MAX_CHUNK_LINES + 10)
    assert sum(len(b.rows) for b in batches) == 2 + (not malformed) * (MAX_CHUNK_LINES + 10)


def test_blank_lines_without_number_are_judged_at_once(validate: Validator) -> None:
    """They cost neither a finding each nor the memory for it."""
    started = time.process_time()
    outcome = validate(SOUND + b"\n" * 300_000)
    assert [(f.rule, f.found) for f in outcome.findings] == [("F07", "300000 blank rows")]
    assert (outcome.accepted, outcome.verdict.rows.read) == ([2, 3], 300_002)
    assert time.process_time() - started < 10


def test_a_word_without_end_is_no_name() -> None:
    started = time.process_time()
    assert not holds_full_name("jane" * 100_000)
    assert time.process_time() - started < 1


def test_a_heading_with_odd_breaks_is_given_back_whole(tmp_path: Path) -> None:
    """A form feed or the like in a heading ends no line: only a line feed does."""
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"made up\x0c\n" + HEADING.replace(b"staff_ref", "staff\u2028ref".encode()) + LINE)
    (sheet,) = as_sheets(path, KNOWN, "Data")
    assert [len(row) for row in sheet.rows] == [1, 10, 10]
    assert sheet.rows[1][8] == "staff\u2028ref"


def test_a_few_zero_bytes_cost_their_lines(opened) -> None:  # type: ignore[no-untyped-def]
    (batch,) = opened(HEADING + LINE * 20 + LINE.replace(b"review", b"rev\0iew") + LINE)
    assert batch.malformed == {22: "a zero byte, which stands for no character"}
    assert batch.rows["source_row"].to_list() == [*range(2, 22), 23]


def test_an_open_quotation_runs_over_so_many_lines_and_no_more(opened) -> None:  # type: ignore[no-untyped-def]
    """Else one mark at the top would make a single cell of a whole file without a record in it."""
    (batch,) = opened(SOUND.replace(b"review", b'"review', 1) + b"a word\n" * 60 + b'"')
    assert (set(batch.malformed), batch.rows["source_row"].to_list()) == ({2, *range(4, 65)}, [3])
