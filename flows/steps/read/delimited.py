"""CSV and its kin, line by true line.

A line without quotation marks is a record; one with them is a record if it parses strictly; an open quotation mark may
run over further lines, but never over one that is a good record by itself. So one broken record costs itself alone,
and every other record keeps its physical line. The good lines are then parsed in bulk by pyarrow, and the number of
rows must agree with the number of lines: nothing can have shifted.
"""

from __future__ import annotations

import codecs
import csv
import io
import mmap
import re
import string
from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from flows.steps.read.heading import ROWS_SEARCHED, find_heading
from schemas.contract import Severity
from schemas.shapes import Extract, Finding, TextBatch, Unreadable

CHUNK = 16 << 20
DELIMITERS = (",", ";", "\t", "|")
_END_OF_FILE = "\x1a"  # how DOS marks it
LONGEST_RECORD = 50  # lines that one quoted value may run over
csv.field_size_limit(1 << 30)  # by default csv stops at a cell of 128 KB
_DELIMITER_NAMES = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def read_delimited(path: Path, known_headings: Set[str]) -> Extract:
    """Open a delimited text file. Raises Unreadable (F01 empty, F02 encoding, U03 no heading)."""
    data, encoding, findings = _as_utf8(path)
    heading = _heading(data, known_headings)
    line, delimiter = heading.first + 1, heading.delimiter
    if heading.first:
        findings.append(Finding("F04", Severity.WARNING, source_row=line, found=f"heading on line {line}"))
    if delimiter != ",":
        findings.append(Finding("F13", Severity.WARNING, found=f"separated by {_DELIMITER_NAMES[delimiter]}"))
    above = [(n, text) for n, text in enumerate(heading.above, 1) if text.strip()]
    scan = _Scan(data, heading.size, heading.end + 1, delimiter, len(heading.cells), above)
    return Extract("", encoding, line, tuple(h.strip() for h in heading.cells), scan.batches(), findings)


def _as_utf8(path: Path) -> tuple[bytes | mmap.mmap, str, list[Finding]]:
    """The file's text as UTF-8 bytes, by a strict ladder: byte-order mark, UTF-8, Windows-1252."""
    if path.stat().st_size == 0:
        raise Unreadable("F01")
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _converted(data[:], "utf-16")
    if data.find(b"\x00") >= 0:
        raise Unreadable("F02", "the file holds zero bytes")
    if data.find(b"\n") < 0 and data.find(b"\r") >= 0:  # saved on an old Macintosh
        return _converted(data[:].replace(b"\r", b"\n"), "utf-8" if _is_utf8(data) else "cp1252")
    if data[:3] == codecs.BOM_UTF8:
        if not _is_utf8(data):
            raise Unreadable("F02")
        return data[3:], "utf-8-sig", [Finding("F03", Severity.WARNING)]
    if _is_utf8(data):
        return data, "utf-8", []
    return _converted(data[:], "cp1252")


def _converted(data: bytes, encoding: str) -> tuple[bytes, str, list[Finding]]:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("F02") from None
    name = {"cp1252": "Windows-1252", "utf-16": "UTF-16"}.get(encoding)
    return text.encode("utf-8"), encoding, [Finding("F02", Severity.WARNING, found=name)] if name else []


def _is_utf8(data: bytes | mmap.mmap) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for start in range(0, len(data), CHUNK):
            decoder.decode(data[start : start + CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class _Heading:
    """Where the heading is: its cells, the lines it takes (from `first` up to `end`, from 0), and what parts its cells.

    `above` is the text of the lines before it, `size` the bytes up to its end.
    """

    cells: list[str]
    delimiter: str
    first: int
    end: int
    above: list[str]
    size: int


def _heading(data: bytes | mmap.mmap, known: Set[str]) -> _Heading:
    """The record that holds the most known headings, the first of several. Raises Unreadable (F01 empty, U03 none).

    A record may begin on any line, so that a stray quotation mark above the heading cannot swallow it; it runs over
    several lines only where it holds a quoted line break.
    """
    raw = re.findall(rb"[^\n]*\n|[^\n]+", data[: 1 << 18])[: ROWS_SEARCHED + LONGEST_RECORD]
    lines = [r.decode("utf-8", errors="ignore") for r in raw]
    records = [(d, i, *_record(lines[i:], d)) for d in DELIMITERS for i in range(len(lines[:ROWS_SEARCHED]))]
    best = find_heading([cells for *_, cells in records], known)
    if best is None:
        raise Unreadable("U03" if any(line.strip() for line in lines) else "F01")
    delimiter, first, length, cells = records[best]
    end = first + length
    return _Heading(cells, delimiter, first, end, lines[:first], sum(map(len, raw[:end])))


def _record(lines: list[str], delimiter: str) -> tuple[int, list[str]]:
    """The record that begins on the first of these lines, which may be anything: how many lines it takes, its cells."""
    reader = csv.reader(lines[:LONGEST_RECORD], delimiter=delimiter)
    try:
        cells = next(reader, [])
    except csv.Error:  # a carriage return in the middle
        return 1, []
    return reader.line_num, cells


class _Line(IntEnum):
    """What a physical line is."""

    INSIDE = 0  # the further lines of a record that began above
    GOOD = 1
    TORN = 2
    BLANK = 3
    JOINED = 4  # the first line of a good record that runs over several


@dataclass
class _Lines:
    """The lines of a chunk: where each begins, its end without and with the line break, and what it holds."""

    starts: np.ndarray
    ends: np.ndarray
    nexts: np.ndarray
    delimiters: np.ndarray
    quotes: np.ndarray
    inner_returns: np.ndarray  # carriage returns that do not end the line

    @classmethod
    def of(cls, chunk: bytes, delimiter: str) -> _Lines:
        """Count the marks of each line, without looking at any line one by one."""
        marks = np.frombuffer(chunk, np.uint8)
        breaks = np.flatnonzero(marks == 10)
        nexts = breaks + 1
        if not chunk.endswith(b"\n"):
            breaks, nexts = np.append(breaks, len(chunk)), np.append(nexts, len(chunk))
        starts = np.concatenate(([0], nexts[:-1]))
        ends = breaks - (marks[np.maximum(breaks - 1, 0)] == 13) * (breaks > starts)

        def count(mark: int) -> np.ndarray:
            return np.diff(np.searchsorted(np.flatnonzero(marks == mark), np.append(starts, len(chunk))))

        ends_with_return = (breaks > ends).astype(np.int64)
        return cls(starts, ends, nexts, count(ord(delimiter)), count(34), count(13) - ends_with_return)


class _Scan:
    """One pass over the records below the heading."""

    def __init__(
        self,
        data: bytes | mmap.mmap,
        offset: int,
        line: int,
        delimiter: str,
        width: int,
        above: list[tuple[int, str]],
    ) -> None:
        self.data, self.offset, self.line, self.above = data, offset, line, above
        self.delimiter, self.width = delimiter, width
        d = re.escape(delimiter.encode())
        cell = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^"\r\n' + d + rb"]*+)"
        self.record = re.compile(cell + rb"(?:" + d + cell + rb"){%d}\r?" % (width - 1))

    def batches(self) -> Iterator[TextBatch]:
        """The records as text batches, each of about 16 MB of the file."""
        reach = CHUNK
        while self.offset < len(self.data):
            end = min(self.offset + reach, len(self.data))
            last = end == len(self.data)
            if not last:
                end = self.data.rfind(b"\n", self.offset, end) + 1
            chunk = self.data[self.offset : end]
            lines = _Lines.of(chunk, self.delimiter) if chunk else None
            kinds, records = self._settle(chunk, lines, last) if lines else (np.empty(0), [])
            if lines is None or not len(kinds):  # one record is longer than the chunk: look further
                reach *= 2
                continue
            yield self._batch(chunk, lines, kinds, records)
            self.offset += int(lines.nexts[len(kinds) - 1])
            self.line += len(kinds)
            reach = CHUNK

    def _settle(self, chunk: bytes, lines: _Lines, last: bool) -> tuple[np.ndarray, list[tuple[int, list[str]]]]:
        """What each line is, and the records that run over several lines. Lines that need the next chunk are left."""
        fits = (lines.delimiters == self.width - 1) & (lines.inner_returns == 0)
        kinds = np.where(fits, _Line.GOOD, _Line.TORN).astype(np.uint8)
        kinds[(lines.ends == lines.starts)] = _Line.BLANK
        for i in np.flatnonzero((kinds == _Line.TORN) & (lines.delimiters == 0) & (lines.quotes == 0)).tolist():
            if (
                not chunk[lines.starts[i] : lines.ends[i]]
                .decode("utf-8")
                .strip(f"{string.whitespace}\xa0{_END_OF_FILE}")
            ):
                kinds[i] = _Line.BLANK
        quoted = np.flatnonzero(lines.quotes)
        joined: list[tuple[int, list[str]]] = []
        done = 0
        for i in quoted.tolist():
            if i < done:
                continue
            if self.record.fullmatch(chunk, lines.starts[i], lines.ends[i]):
                kinds[i] = _Line.GOOD
                continue
            end = self._end_of_record(chunk, lines, i)
            if end is None and not last and i + LONGEST_RECORD >= len(lines.starts):
                return kinds[:i], joined
            if end is None:
                kinds[i] = _Line.TORN
                continue
            kinds[i], kinds[i + 1 : end + 1] = _Line.JOINED, _Line.INSIDE
            joined.append((i, self._cells(chunk[lines.starts[i] : lines.ends[end]])))
            done = end + 1
        return kinds, joined

    def _end_of_record(self, chunk: bytes, lines: _Lines, first: int) -> int | None:
        """The last line of a record that starts on `first` with an open quotation mark, or None if it never closes.

        It does not close where it would swallow a line that is a good record by itself.
        """
        for i in range(first + 1, min(first + LONGEST_RECORD, len(lines.starts))):
            plain = lines.quotes[i] == 0
            if plain and lines.delimiters[i] == self.width - 1 and self.width > 1:
                return None
            if plain:
                continue
            if self.record.fullmatch(chunk, lines.starts[i], lines.ends[i]):
                return None
            if self.record.fullmatch(chunk, lines.starts[first], lines.ends[i]):
                return i
        return None

    def _cells(self, record: bytes) -> list[str]:
        text = io.StringIO(record.decode("utf-8"), newline="")
        return next(csv.reader(text, delimiter=self.delimiter, strict=True))

    def _batch(self, chunk: bytes, lines: _Lines, kinds: np.ndarray, joined: list[tuple[int, list[str]]]) -> TextBatch:
        good = np.flatnonzero(kinds == _Line.GOOD)
        frames = [self._parse(chunk, lines, good)]
        if joined:
            records = [[*cells, self.line + i] for i, cells in joined]
            frames.append(pl.DataFrame(records, schema=frames[0].schema, orient="row"))
        blank = np.flatnonzero(kinds == _Line.BLANK)
        if len(blank):
            frames.append(pl.DataFrame({"source_row": self.line + blank.astype(np.int64)}))
        rows = pl.concat(frames, how="diagonal").sort("source_row") if len(frames) > 1 else frames[0]
        torn = np.flatnonzero(kinds == _Line.TORN).tolist()
        beside = [(self.line + i, chunk[lines.starts[i] : lines.ends[i]].decode("utf-8")) for i in torn]
        above, self.above = self.above, []
        return TextBatch(rows, [self.line + i for i in torn], above + beside)

    def _parse(self, chunk: bytes, lines: _Lines, good: np.ndarray) -> pl.DataFrame:
        """The good lines as text columns. Raises RuntimeError if a row were gained or lost: nothing may shift."""
        names = [str(i) for i in range(self.width)]
        if not len(good):
            return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), "source_row": pl.Int64})
        table = pa_csv.read_csv(
            pa.BufferReader(_joined_runs(chunk, lines, good)),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=1 << 30),
            parse_options=pa_csv.ParseOptions(delimiter=self.delimiter, quote_char='"', ignore_empty_lines=False),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        if table.num_rows != len(good):
            raise RuntimeError(f"{len(good)} good lines gave {table.num_rows} rows")
        rows = pl.from_arrow(table)
        assert isinstance(rows, pl.DataFrame)
        return rows.with_columns(pl.Series("source_row", self.line + good.astype(np.int64)))


def _joined_runs(chunk: bytes, lines: _Lines, good: np.ndarray) -> bytes:
    """The bytes of the good lines, taken run by run."""
    breaks = np.flatnonzero(np.diff(good) > 1)
    firsts = good[np.concatenate(([0], breaks + 1))]
    lasts = good[np.append(breaks, len(good) - 1)]
    return b"".join(chunk[lines.starts[a] : lines.nexts[b]] for a, b in zip(firsts, lasts, strict=True))
