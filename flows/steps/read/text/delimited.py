"""Read CSV and other delimited text in chunks, keeping each record's physical line number.

A chunk without quotation marks goes to pyarrow as it is: each of its lines either has the right number of cells or is
malformed. In a chunk with quotation marks, `lines.py` finds the lines that are records by themselves. A quoted cell may
run over further lines, but never over a line that is a record by itself, nor over one where a record of several lines
begins. So one broken record costs only itself, where a plain CSV parser would swallow the rows below it.

pyarrow parses the good lines in bulk. The number of rows it returns must equal the number of lines it was given, or the
line numbers would be wrong; that is checked for each chunk.
"""

from __future__ import annotations

import codecs
import csv
import io
import string
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.extract import Extract, TextBatch, UnreadableFile
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted
from flows.steps.read.text.encoding import FileBytes, as_utf8
from flows.steps.read.text.line_shifts import LineShifts
from flows.steps.read.text.lines import Dialect, Lines
from flows.steps.read.text.surplus_cells import surplus_cells, surplus_findings
from flows.steps.read.text.text_heading import MAX_RECORD_LINES, TextHeading, heading_findings, locate_heading
from flows.steps.read.text.wrapped_lines import without_wrapping
from schemas._contract.model import Severity

CHUNK_BYTES = 8 << 20
MAX_CHUNK_LINES = 100_000  # validating a batch of this many rows takes about 150 MB, and several are held at once
_END_OF_FILE = "\x1a"  # DOS programs end a file with Ctrl+Z
_BLANKS = f"{string.whitespace}\xa0{_END_OF_FILE}"
csv.field_size_limit(1 << 30)  # the csv module refuses cells over 128 KB by default


def read_delimited(path: Path, known_headings: Set[str], delimiter: str = "", quote: str = "") -> Extract:
    """Open a delimited text file; its rows are read as the extract's batches are consumed.

    `delimiter` and `quote` are what the site's profile declares; without them, both are detected.
    Raises UnreadableFile: F01 empty, F02 encoding, U01 a line too long or too many columns, U03 no heading.
    """
    data, encoding, findings = as_utf8(path)
    data, heading, wrapped = heading_of_text(data, known_headings, delimiter, quote)
    findings += wrapped
    findings += heading_findings(heading, known_headings, delimiter, quote)
    surplus = surplus_cells(data, heading)
    findings += surplus_findings(surplus)
    reader = _RecordReader(data, heading, surplus)
    shifts = reader.shifts
    if not wrapped:  # a line that is one cell is one row
        shifts.add_top(data[: heading.size].decode("utf-8", errors="replace"))
    return Extract(
        "",
        encoding,
        heading.first + 1,
        (*(h.strip() for h in heading.cells), *[""] * surplus),
        reader.batches(),
        findings,
        row_findings=reader.row_findings,
        line_shifts=lambda: () if wrapped else shifts.found,
    )


def heading_of_text(
    data: FileBytes, known_headings: Set[str], delimiter: str, quote: str
) -> tuple[FileBytes, TextHeading, list[Finding]]:
    """Locate the heading; if every line is one quoted cell, in the text within the marks (F44)."""
    unreadable = None
    try:
        heading = locate_heading(data, known_headings, delimiter, quote)
        if not heading.lines_are_wrapped:
            return data, heading, []
    except UnreadableFile as error:
        if error.rule_id != "U03":
            raise
        unreadable = error
    inner = without_wrapping(data)
    if inner is not None:
        with suppress(UnreadableFile):
            return inner, locate_heading(inner, known_headings, delimiter, quote), [Finding("F44", Severity.WARNING)]
    if unreadable:
        raise unreadable
    return data, heading, []


class _LineKind(IntEnum):
    """What a physical line holds."""

    CONTINUATION = 0  # part of a record that began on an earlier line
    GOOD = 1
    MALFORMED = 2
    BLANK = 3
    MULTILINE = 4  # the first line of a record with line breaks in its cells, which is parsed apart from the good lines


MultilineRecords = list[tuple[int, list[str]]]  # (first line within the chunk, cells)


class _RecordReader:
    """A single pass over the records below the heading."""

    def __init__(self, data: FileBytes, heading: TextHeading, surplus: int) -> None:
        self.data, self.offset, self.line = data, heading.size, heading.end + 1
        self.padded = int(heading.has_padding)  # number of lines with spaces beside quotation marks, for rule F30
        self.dialect = Dialect(heading.delimiter, heading.quote, len(heading.cells) + surplus, surplus)
        self.above = [(n, text) for n, text in enumerate(heading.above, 1) if text.strip()]
        self.shifts = LineShifts(heading.delimiter)

    def batches(self) -> Iterator[TextBatch]:
        """Yield the records in batches of about 8 MB of the file each, and close the file after the last."""
        try:
            yield from self._batches()
        finally:
            self.data.close()  # Windows cannot delete the temporary copy of a zipped file while it is open

    def _batches(self) -> Iterator[TextBatch]:
        reach = CHUNK_BYTES
        while self.offset < len(self.data):
            chunk = self._chunk(reach)
            if chunk and self.dialect.is_plain(chunk):
                batch = self._plain_batch(chunk)
                self.offset += len(chunk)
                self.line += len(batch.source_rows) + len(batch.malformed)
                yield batch
                reach = CHUNK_BYTES
                continue
            is_last = self.offset + len(chunk) == len(self.data)
            lines = Lines.of(chunk, self.dialect) if chunk else None
            kinds, multiline = self._classify(chunk, lines, is_last=is_last) if lines else (np.empty(0), [])
            if lines is None or not len(kinds):  # a single record is longer than the chunk: read a larger one
                reach *= 2
                continue
            self._count_lines(chunk, lines, kinds)
            yield self._batch(chunk, lines, kinds, multiline)
            self.offset += int(lines.nexts[len(kinds) - 1])
            self.line += len(kinds)
            reach = CHUNK_BYTES

    def _count_lines(self, chunk: bytes, lines: Lines, kinds: np.ndarray) -> None:
        """Note the lines that may not be one row each in a spreadsheet."""
        is_known_row = (kinds == _LineKind.GOOD) | (kinds == _LineKind.BLANK)
        for i in np.flatnonzero(~is_known_row & (kinds != _LineKind.CONTINUATION)).tolist():
            end = i + 1
            while end < len(kinds) and kinds[end] == _LineKind.CONTINUATION:
                end += 1
            text = chunk[lines.starts[i] : lines.ends[end - 1]]
            if lines.quoted[i] or b"\r" in text:
                self.shifts.add(self.line + i, text.decode("utf-8"))

    def row_findings(self) -> list[Finding]:
        """The findings that are known once all rows are read: spaces removed beside quotation marks (F30)."""
        found = f"spaces beside the quotation marks on {counted(self.padded, 'line')}"
        return [Finding("F30", Severity.WARNING, found=found)] if self.padded else []

    def _chunk(self, reach: int) -> bytes:
        """The whole lines among the next `reach` bytes, at most MAX_CHUNK_LINES; empty if the first line is longer."""
        chunk = self.data[self.offset : self.offset + reach]
        if self.offset + reach < len(self.data):
            chunk = chunk[: chunk.rfind(b"\n") + 1]
        is_end = np.frombuffer(chunk, np.uint8) == ord("\n")
        if np.count_nonzero(is_end) > MAX_CHUNK_LINES:
            chunk = chunk[: np.flatnonzero(is_end)[MAX_CHUNK_LINES - 1] + 1]
        return chunk

    def _plain_batch(self, chunk: bytes) -> TextBatch:
        """Parse a chunk without quotation marks in one call; only the lines that pyarrow rejects are looked at."""
        cells, others = self._parse(chunk, False)
        good = np.delete(np.arange(len(cells["0"]) + len(others)), [*others])
        batch = TextBatch(cells, pl.Series("source_row", self.line + good))
        # pyarrow also rejects blank lines, for having too few cells. As empty rows they are reported by conform (F07).
        blank = [i for i, text in others.items() if self._is_blank(text)]
        if blank:
            batch = self._combine([batch], [], np.array(blank))
        lines = int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord("\n"))) + (not chunk.endswith(b"\n"))
        if lines != len(good) + len(others):
            raise RuntimeError(f"{lines} lines gave {len(good)} rows and {len(others)} others")
        malformed = {i: text for i, text in others.items() if not self._is_blank(text)}
        return self._with_malformed(batch, malformed, None if chunk.endswith(b"\n") else lines - 1)

    def _classify(self, chunk: bytes, lines: Lines, *, is_last: bool) -> tuple[np.ndarray, MultilineRecords]:
        """The `_LineKind` of each line, and the records that run over several lines.

        Lines at the end of a chunk are left for the next one where a record might run on beyond it.
        """
        kinds = np.where(lines.good, _LineKind.GOOD, _LineKind.MALFORMED).astype(np.uint8)
        kinds[lines.empty & (lines.ends == lines.starts)] = _LineKind.BLANK
        for i in np.flatnonzero(lines.empty & (lines.ends > lines.starts)).tolist():
            if self._is_blank(self._text(chunk, lines, i)):
                kinds[i] = _LineKind.BLANK
        # No record runs over a line that is certainly a record by itself.
        stops = np.append(np.flatnonzero(lines.certain(self.dialect.width)), len(kinds))
        multiline: MultilineRecords = []
        done = 0
        for i in np.flatnonzero(lines.quoted & ~lines.good | lines.opens).tolist():
            if i < done:
                continue
            # Twice the limit: the record itself, and one that begins on its last line and would rule it out.
            if not is_last and i + 2 * MAX_RECORD_LINES >= len(kinds):
                return kinds[:i], multiline
            end = self._end_of_record(chunk, lines, stops, i)
            if end is None:
                continue
            kinds[i], kinds[i + 1 : end + 1] = _LineKind.MULTILINE, _LineKind.CONTINUATION
            multiline.append((i, self._cells(chunk[lines.starts[i] : lines.ends[end]])))
            done = end + 1
        return kinds, multiline

    def _end_of_record(self, chunk: bytes, lines: Lines, stops: np.ndarray, first: int) -> int | None:
        """The last line of a record of several lines that begins on `first`; None if its quotation never closes.

        It may not run over a line where another such record begins: if this one is broken, the other would be lost.
        """
        end = self._closing_line(chunk, lines, stops, first)
        if end is None or b"\x00" in chunk[lines.starts[first] : lines.ends[end]]:
            return None  # a zero byte makes a record malformed, as it does a single line
        if self.dialect.width == 1:  # every line with a mark might begin a record, so only RFC 4180 can decide
            return end
        inside = (i for i in range(first + 1, end + 1) if lines.quoted[i])
        return None if any(self._closing_line(chunk, lines, stops, i) is not None for i in inside) else end

    def _closing_line(self, chunk: bytes, lines: Lines, stops: np.ndarray, first: int) -> int | None:
        """The line on which a record that begins on `first` is complete, searched up to the next of `stops`."""
        limit = min(first + MAX_RECORD_LINES, stops[np.searchsorted(stops, first)])
        if limit == first + 1:
            return None
        record = self.dialect.record.match(chunk, lines.starts[first], lines.ends[limit - 1])
        return int(np.searchsorted(lines.starts, record.end(), "right")) - 1 if record else None

    def _is_blank(self, text: str) -> bool:
        """Whether a line holds nothing but delimiters and white space."""
        return not text.replace(self.dialect.delimiter, "").strip(_BLANKS)

    def _text(self, chunk: bytes, lines: Lines, line: int) -> str:
        return chunk[lines.starts[line] : lines.ends[line]].decode("utf-8")

    def _cells(self, record: bytes) -> list[str]:
        text = io.StringIO(self.dialect.strip_padding(record.decode("utf-8")), newline="")
        return next(csv.reader(text, delimiter=self.dialect.delimiter, quotechar=self.dialect.quote, strict=True))

    def _batch(self, chunk: bytes, lines: Lines, kinds: np.ndarray, multiline: MultilineRecords) -> TextBatch:
        good, plain = kinds == _LineKind.GOOD, lines.plain[: len(kinds)]
        # Plain lines are parsed without a quote character: a mark within them is an ordinary one, as in 12".
        quotes: tuple[str | Literal[False], ...] = (self.dialect.quote, False)
        groups = zip((good & ~plain, good & plain), quotes, strict=True)
        parts = [self._parse_good(chunk, lines, np.flatnonzero(some), quote) for some, quote in groups if some.any()]
        texts = {i: self._text(chunk, lines, i) for i in np.flatnonzero(kinds == _LineKind.MALFORMED).tolist()}
        malformed = {i: text for i, text in texts.items() if not self._is_blank(text)}
        blank = np.array(
            sorted({*np.flatnonzero(kinds == _LineKind.BLANK).tolist(), *(texts.keys() - malformed.keys())}), int
        )
        batch = (
            parts[0] if len(parts) == 1 and not (multiline or len(blank)) else self._combine(parts, multiline, blank)
        )
        unterminated = next((i for i in malformed if self.offset + lines.ends[i] == len(self.data)), None)
        return self._with_malformed(batch, malformed, unterminated)

    def _with_malformed(self, batch: TextBatch, malformed: dict[int, str], unterminated: int | None) -> TextBatch:
        """Add the malformed lines and their reasons. `unterminated` is the file's last line, if it has no line break.

        The first batch also takes the text above the heading.
        """
        why = {self.line + i: self.dialect.why_malformed(text, last=i == unterminated) for i, text in malformed.items()}
        above, self.above = self.above, []
        return replace(
            batch, malformed=why, stray_text=above + [(self.line + i, text) for i, text in malformed.items()]
        )

    def _combine(self, parts: list[TextBatch], multiline: MultilineRecords, blank: np.ndarray) -> TextBatch:
        """Rows that were parsed in different ways as one batch, in the order of the file; blank lines as empty rows."""
        types = {**dict.fromkeys(self._names, pl.String), "source_row": pl.Int64}
        records = [[*cells, self.line + i] for i, cells in multiline]
        frames = [part.rows for part in parts]
        frames.append(pl.DataFrame(records, schema=types, orient="row"))
        frames.append(pl.DataFrame({"source_row": self.line + blank.astype(np.int64)}))
        return TextBatch.of(pl.concat(frames, how="diagonal").sort("source_row"))

    @property
    def _names(self) -> list[str]:
        return [str(i) for i in range(self.dialect.width)]

    def _parse_good(self, chunk: bytes, lines: Lines, good: np.ndarray, quote: str | Literal[False]) -> TextBatch:
        """Parse the good lines. Raises RuntimeError if the number of rows differs from the number of lines."""
        records = _concatenate(chunk, lines, good)
        if lines.padded[good].any():  # pyarrow would take the spaces, and then the marks, for part of the cell
            records = self.dialect.strip_padding(records.decode("utf-8")).encode()
            self.padded += int(lines.padded[good].sum())
        cells, others = self._parse(records, quote)
        if others or len(cells["0"]) != len(good):
            raise RuntimeError(f"{len(good)} good lines gave {len(cells['0'])} rows and {len(others)} others")
        return TextBatch(cells, pl.Series("source_row", self.line + good.astype(np.int64)))

    def _parse(self, lines: bytes, quote: str | Literal[False]) -> tuple[dict[str, DistinctColumn], dict[int, str]]:
        """The cells of lines, column by column; and the lines with too many or too few cells, by index."""
        others: dict[int, str] = {}

        def skip_invalid(row: pa_csv.InvalidRow) -> str:
            others[row.number - 1] = row.text
            return "skip"

        # pyarrow drops a byte-order mark at the start, which in the middle of a file is part of a cell: give it two.
        mark = codecs.BOM_UTF8 if lines.startswith(codecs.BOM_UTF8) else b""
        table = pa_csv.read_csv(
            pa.BufferReader(mark + lines),
            # One thread, because only then does pyarrow number the invalid rows; the other cores validate earlier
            # batches. One block, larger than any chunk, so that each column has a single dictionary.
            read_options=pa_csv.ReadOptions(column_names=self._names, block_size=1 << 30, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                quote_char=quote,
                ignore_empty_lines=False,
                invalid_row_handler=skip_invalid,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.dictionary(pa.int32(), pa.string())),
                strings_can_be_null=False,  # 'NA' and the like stay text: conform decides what they mean
            ),
        )
        return {name: DistinctColumn.encoded(table[name].combine_chunks()) for name in self._names}, others


def _concatenate(chunk: bytes, lines: Lines, good: np.ndarray) -> bytes:
    """The bytes of the good lines; consecutive lines are copied as one slice."""
    breaks = np.flatnonzero(np.diff(good) > 1)
    firsts = good[np.concatenate(([0], breaks + 1))]
    lasts = good[np.append(breaks, len(good) - 1)]
    return b"".join(chunk[lines.starts[a] : lines.nexts[b]] for a, b in zip(firsts, lasts, strict=True))
