"""CSV and its kin, line by true line.

Where a part of a file has no quotation mark each line is a record or none, and pyarrow says which. Elsewhere most lines
are records by themselves: `lines.py` says which. An open quotation mark may run over further lines, but
never over one that is a good record by itself, nor over one where a good record begins. So one broken record costs
itself alone, and every other record keeps its physical line. The good lines are then parsed in bulk by pyarrow, and
the number of rows must agree with the number of lines: nothing can have shifted.
"""

from __future__ import annotations

import codecs
import csv
import io
import string
from collections.abc import Iterator, Set
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.extract import Extract, TextBatch
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted
from flows.steps.read.text.encoding import Data, as_utf8
from flows.steps.read.text.lines import Grammar, Lines
from flows.steps.read.text.text_heading import LONGEST_RECORD, Heading, about_heading, heading_of
from schemas._contract.model import Severity

CHUNK = 8 << 20
MOST_LINES = 100_000  # of a chunk: a batch of as many rows is validated in some 150 MB, and several are at hand at once
_END_OF_FILE = "\x1a"  # how DOS marks it
_BLANKS = f"{string.whitespace}\xa0{_END_OF_FILE}"
csv.field_size_limit(1 << 30)  # by default csv stops at a cell of 128 KB


def read_delimited(path: Path, known_headings: Set[str], delimiter: str = "", quote: str = "") -> Extract:
    """Open a delimited text file. A site's profile may declare the delimiter (else it is detected) and the quote.

    Raises Unreadable: F01 empty, F02 encoding, U01 a line without end or columns without number, U03 no heading.
    """
    data, encoding, findings = as_utf8(path)
    heading = heading_of(data, known_headings, delimiter, quote)
    findings += about_heading(heading, known_headings, delimiter, quote)
    scan = _Scan(data, heading)
    return Extract(
        "",
        encoding,
        heading.first + 1,
        tuple(h.strip() for h in heading.cells),
        scan.batches(),
        findings,
        found_in_rows=scan.found,
    )


class _Line(IntEnum):
    """What a physical line is."""

    INSIDE = 0  # the further lines of a record that began above
    GOOD = 1
    TORN = 2
    BLANK = 3
    JOINED = 4  # the first line of a good record that pyarrow cannot take: it holds a line break


Joined = list[tuple[int, list[str]]]  # the line a record begins on, and its cells


class _Scan:
    """One pass over the records below the heading."""

    def __init__(self, data: Data, heading: Heading) -> None:
        self.data, self.offset, self.line = data, heading.size, heading.end + 1
        self.spaced = int(heading.is_spaced)  # lines with spaces beside quotation marks
        self.grammar = Grammar(heading.delimiter, heading.quote, len(heading.cells))
        self.above = [(n, text) for n, text in enumerate(heading.above, 1) if text.strip()]

    def batches(self) -> Iterator[TextBatch]:
        """The records as text batches, each of about 8 MB of the file. After the last, the file is closed."""
        try:
            yield from self._batches()
        finally:
            self.data.close()  # on Windows, a copy out of a zip cannot be removed while it is open

    def _batches(self) -> Iterator[TextBatch]:
        reach = CHUNK
        while self.offset < len(self.data):
            chunk = self._chunk(reach)
            if chunk and self.grammar.is_plain(chunk):
                batch = self._plain_batch(chunk)
                self.offset += len(chunk)
                self.line += len(batch.source_rows) + len(batch.malformed)
                yield batch
                reach = CHUNK
                continue
            last = self.offset + len(chunk) == len(self.data)
            lines = Lines.of(chunk, self.grammar) if chunk else None
            kinds, joined = self._settle(chunk, lines, last=last) if lines else (np.empty(0), [])
            if lines is None or not len(kinds):  # one record is longer than the chunk: look further
                reach *= 2
                continue
            yield self._batch(chunk, lines, kinds, joined)
            self.offset += int(lines.nexts[len(kinds) - 1])
            self.line += len(kinds)
            reach = CHUNK

    def found(self) -> list[Finding]:
        """What to tell of the rows once all are read: that spaces beside quotation marks were taken off (F30)."""
        told = f"spaces beside the quotation marks on {counted(self.spaced, 'line')}"
        return [Finding("F30", Severity.WARNING, found=told)] if self.spaced else []

    def _chunk(self, reach: int) -> bytes:
        """The whole lines within reach, up to MOST_LINES of them; nothing, if the first is longer."""
        chunk = self.data[self.offset : self.offset + reach]
        if self.offset + reach < len(self.data):
            chunk = chunk[: chunk.rfind(b"\n") + 1]
        is_end = np.frombuffer(chunk, np.uint8) == ord("\n")
        if np.count_nonzero(is_end) > MOST_LINES:
            chunk = chunk[: np.flatnonzero(is_end)[MOST_LINES - 1] + 1]
        return chunk

    def _plain_batch(self, chunk: bytes) -> TextBatch:
        """The lines of a chunk that is plain, without a closer look at any that is a record."""
        cells, others = self._parse(chunk, False)
        good = np.delete(np.arange(len(cells["0"]) + len(others)), [*others])
        batch = TextBatch(cells, pl.Series("source_row", self.line + good))
        blank = [i for i, text in others.items() if self._is_blank(text)]
        if blank:
            batch = self._together([batch], [], np.array(blank))
        lines = int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord("\n"))) + (not chunk.endswith(b"\n"))
        if lines != len(good) + len(others):
            raise RuntimeError(f"{lines} lines gave {len(good)} rows and {len(others)} others")
        malformed = {i: text for i, text in others.items() if not self._is_blank(text)}
        return self._with_malformed(batch, malformed, None if chunk.endswith(b"\n") else lines - 1)

    def _settle(self, chunk: bytes, lines: Lines, *, last: bool) -> tuple[np.ndarray, Joined]:
        """What each line is, and the records that run over several. Lines that need the next chunk are left."""
        kinds = np.where(lines.good, _Line.GOOD, _Line.TORN).astype(np.uint8)
        kinds[lines.empty & (lines.ends == lines.starts)] = _Line.BLANK
        for i in np.flatnonzero(lines.empty & (lines.ends > lines.starts)).tolist():
            if self._is_blank(self._text(chunk, lines, i)):
                kinds[i] = _Line.BLANK
        stops = np.append(np.flatnonzero(lines.certain(self.grammar.width)), len(kinds))
        joined: Joined = []
        done = 0
        for i in np.flatnonzero(lines.quoted & ~lines.good | lines.opens).tolist():
            if i < done:
                continue
            if not last and i + 2 * LONGEST_RECORD >= len(kinds):
                return kinds[:i], joined
            end = self._end_of_record(chunk, lines, stops, i)
            if end is None:
                continue
            kinds[i], kinds[i + 1 : end + 1] = _Line.JOINED, _Line.INSIDE
            joined.append((i, self._cells(chunk[lines.starts[i] : lines.ends[end]])))
            done = end + 1
        return kinds, joined

    def _end_of_record(self, chunk: bytes, lines: Lines, stops: np.ndarray, first: int) -> int | None:
        """The last line of a record that begins on `first` and runs over several; None if it never closes.

        It may not run over a line where another record of several lines begins: a break in this one would cost that.
        """
        end = self._closes(chunk, lines, stops, first)
        if end is None or b"\x00" in chunk[lines.starts[first] : lines.ends[end]]:
            return None
        if self.grammar.width == 1:  # any further quotation mark might begin a record: the standard decides
            return end
        inside = (i for i in range(first + 1, end + 1) if lines.quoted[i])
        return None if any(self._closes(chunk, lines, stops, i) is not None for i in inside) else end

    def _closes(self, chunk: bytes, lines: Lines, stops: np.ndarray, first: int) -> int | None:
        """Where a record that begins on `first` is complete, if that is before the next line certain to be one."""
        limit = min(first + LONGEST_RECORD, stops[np.searchsorted(stops, first)])
        if limit == first + 1:
            return None
        record = self.grammar.record.match(chunk, lines.starts[first], lines.ends[limit - 1])
        return int(np.searchsorted(lines.starts, record.end(), "right")) - 1 if record else None

    def _is_blank(self, text: str) -> bool:
        """Whether a line that is no record holds nothing but, perhaps, delimiters."""
        return not text.replace(self.grammar.delimiter, "").strip(_BLANKS)

    def _text(self, chunk: bytes, lines: Lines, line: int) -> str:
        return chunk[lines.starts[line] : lines.ends[line]].decode("utf-8")

    def _cells(self, record: bytes) -> list[str]:
        text = io.StringIO(self.grammar.unspaced(record.decode("utf-8")), newline="")
        return next(csv.reader(text, delimiter=self.grammar.delimiter, quotechar=self.grammar.quote, strict=True))

    def _batch(self, chunk: bytes, lines: Lines, kinds: np.ndarray, joined: Joined) -> TextBatch:
        good, plain = kinds == _Line.GOOD, lines.plain[: len(kinds)]
        quotes: tuple[str | Literal[False], ...] = (self.grammar.quote, False)
        chosen = zip((good & ~plain, good & plain), quotes, strict=True)
        parts = [self._good(chunk, lines, np.flatnonzero(some), quote) for some, quote in chosen if some.any()]
        texts = {i: self._text(chunk, lines, i) for i in np.flatnonzero(kinds == _Line.TORN).tolist()}
        malformed = {i: text for i, text in texts.items() if not self._is_blank(text)}
        blank = np.array(
            sorted({*np.flatnonzero(kinds == _Line.BLANK).tolist(), *(texts.keys() - malformed.keys())}), int
        )
        batch = parts[0] if len(parts) == 1 and not (joined or len(blank)) else self._together(parts, joined, blank)
        without_end = next((i for i in malformed if self.offset + lines.ends[i] == len(self.data)), None)
        return self._with_malformed(batch, malformed, without_end)

    def _with_malformed(self, batch: TextBatch, malformed: dict[int, str], without_end: int | None) -> TextBatch:
        """A batch with the lines that are no records, and why; the last of the file may have no line break."""
        why = {self.line + i: self.grammar.why_malformed(text, last=i == without_end) for i, text in malformed.items()}
        above, self.above = self.above, []
        return replace(
            batch, malformed=why, stray_text=above + [(self.line + i, text) for i, text in malformed.items()]
        )

    def _together(self, parts: list[TextBatch], joined: Joined, blank: np.ndarray) -> TextBatch:
        """Rows that were read in different ways, in the order of the file."""
        types = {**dict.fromkeys(self._names, pl.String), "source_row": pl.Int64}
        records = [[*cells, self.line + i] for i, cells in joined]
        frames = [part.rows for part in parts]
        frames.append(pl.DataFrame(records, schema=types, orient="row"))
        frames.append(pl.DataFrame({"source_row": self.line + blank.astype(np.int64)}))
        return TextBatch.of(pl.concat(frames, how="diagonal").sort("source_row"))

    @property
    def _names(self) -> list[str]:
        return [str(i) for i in range(self.grammar.width)]

    def _good(self, chunk: bytes, lines: Lines, good: np.ndarray, quote: str | Literal[False]) -> TextBatch:
        """The good lines as text columns. Raises RuntimeError if a row were gained or lost: nothing may shift."""
        records = _joined_runs(chunk, lines, good)
        if lines.spaced[good].any():
            records = self.grammar.unspaced(records.decode("utf-8")).encode()
            self.spaced += int(lines.spaced[good].sum())
        cells, others = self._parse(records, quote)
        if others or len(cells["0"]) != len(good):
            raise RuntimeError(f"{len(good)} good lines gave {len(cells['0'])} rows and {len(others)} others")
        return TextBatch(cells, pl.Series("source_row", self.line + good.astype(np.int64)))

    def _parse(self, lines: bytes, quote: str | Literal[False]) -> tuple[dict[str, DistinctColumn], dict[int, str]]:
        """The cells of lines, column by column; and the lines that have too many or too few, by their numbers."""
        others: dict[int, str] = {}

        def leave_out(row: pa_csv.InvalidRow) -> str:
            others[row.number - 1] = row.text
            return "skip"

        mark = codecs.BOM_UTF8 if lines.startswith(codecs.BOM_UTF8) else b""  # pyarrow takes one away
        table = pa_csv.read_csv(
            pa.BufferReader(mark + lines),
            # in one thread: only then has a row its number, and the cores are busy with the batches before
            read_options=pa_csv.ReadOptions(column_names=self._names, block_size=1 << 30, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.grammar.delimiter,
                quote_char=quote,
                ignore_empty_lines=False,
                invalid_row_handler=leave_out,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.dictionary(pa.int32(), pa.string())),
                strings_can_be_null=False,
            ),
        )
        return {name: DistinctColumn.encoded(table[name].combine_chunks()) for name in self._names}, others


def _joined_runs(chunk: bytes, lines: Lines, good: np.ndarray) -> bytes:
    """The bytes of the good lines, taken run by run."""
    breaks = np.flatnonzero(np.diff(good) > 1)
    firsts = good[np.concatenate(([0], breaks + 1))]
    lasts = good[np.append(breaks, len(good) - 1)]
    return b"".join(chunk[lines.starts[a] : lines.nexts[b]] for a, b in zip(firsts, lasts, strict=True))
