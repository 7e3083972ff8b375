"""Find a delimited text's heading, and with it the delimiter and the quotation mark (F04, F13, F29, F30, F43).

An unclosed quotation mark in the heading would make a CSV parser take the rows below for part of it. So a heading may
run over several lines only if its quotation marks pair up and none of those lines is a row by itself. Otherwise it is
read as a single line, without the stray mark.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

from flows.cells.column_letters import column_letter
from flows.deliveries.extract import UnreadableFile
from flows.deliveries.findings import Finding
from flows.steps.read.heading import (
    HEADING_SEARCH_ROWS,
    MAX_COLUMNS,
    MIN_KNOWN_HEADINGS,
    count_known_headings,
    find_heading,
    is_complete_heading,
    merge_heading_rows,
)
from flows.steps.read.text.encoding import FileBytes
from flows.steps.read.text.heading_line import (
    broken_heading_finding,
    check_heading_line,
    join_broken_heading,
    width_of_most,
)
from flows.steps.read.text.lines import Dialect, Lines, padding_pattern
from schemas._contract.code_lists import fold
from schemas._contract.model import Severity

MAX_RECORD_LINES = 50  # lines over which one record may run
MAX_LINES_COMPARED = 100  # lines below the heading whose number of cells is compared with it
MAX_HEADING_BYTES = 1 << 20  # the heading is searched for in this much of the file
QUOTE_SAMPLE_LINES = 1_000  # lines in which to look for single quotation marks around cells
DELIMITERS = (",", ";", "\t", "|")
QUOTE, SINGLE_QUOTE = '"', "'"
MIN_QUOTED_CELLS = 2  # in a column or the heading: a single cell in apostrophes is not a sign of a quoting style
# A cell written as ="contact_id" (rule C32) is a quoted cell here: its marks are no stray ones.
_TEXT_FORMULA = re.compile(r'(?<![^,;\t|])="([^"\n]*)"(?=[,;\t|\r\n]|$)')
_DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class TextHeading:
    """The heading of a text file, and the dialect in which the file is written. Lines and columns count from 0."""

    cells: list[str]
    delimiter: str
    quote: str
    first: int  # its first line
    end: int  # the line after its last
    records: list[tuple[int, list[str]]]  # the one or two records it is made of: (first line, cells)
    above: list[str]  # the lines above it
    size: int  # bytes from the start of the file to the heading's end
    stray_quotes: tuple[int, ...] | None  # columns from which a stray quotation mark was removed; None if none was
    has_padding: bool  # whether there are spaces beside its quotation marks
    of_line: list[Finding]  # about separators that are lost or too many
    lines_are_wrapped: bool  # whether each line below it is one quoted cell


def locate_heading(data: FileBytes, known: Set[str], delimiter: str, quote: str) -> TextHeading:
    """Find the record, or the pair of records, with the most known headings; the first of equals.

    Every line is tried as the start of a record, so that a stray quotation mark above the heading cannot swallow it.
    `delimiter` and `quote` are what the site's profile declares; without them, both are detected.
    Raises UnreadableFile: F01 empty, U01 too many columns, U03 no heading.
    """
    raw = re.findall(rb"[^\n]*\n|[^\n]+", data[:MAX_HEADING_BYTES])[:QUOTE_SAMPLE_LINES]
    sample = [_TEXT_FORMULA.sub(r'"\1"', r.decode("utf-8", errors="ignore")) for r in raw]
    lines = sample[: HEADING_SEARCH_ROWS + MAX_RECORD_LINES]  # a record on the last row searched may run on
    found = _best_candidate(lines, known, delimiter, quote or QUOTE)
    if not quote and _is_single_quoted(sample[found.first :], found.delimiter):
        found = _best_candidate(lines, known, found.delimiter, SINGLE_QUOTE)
    if len(found.cells) > MAX_COLUMNS:
        raise UnreadableFile("U01", f"{len(found.cells):,} columns")
    below = [_split_quoted(line, found.delimiter, found.quote) for line in _filled(sample[found.end :])]
    joined = _joined(sample, found, [[cell for cell, _ in cells] for cells in below[1:]], known)
    if joined is not None:
        return TextHeading(
            *joined,
            above=lines[: joined.first],
            size=sum(map(len, raw[: joined.end])),
            stray_quotes=None,
            has_padding=False,
            of_line=[broken_heading_finding(joined.first)],
            lines_are_wrapped=False,
        )
    has_padding = any(found.dialect.has_padding(lines[line]) for line, _ in found.records)
    stray_quotes = _stray_quote_columns(lines, found)
    texts = [[cell for cell, _ in cells] for cells in below]
    cells, of_line = check_heading_line(found.cells, texts, found.first + 1, known)
    return TextHeading(
        *found._replace(cells=cells),
        above=lines[: found.first],
        size=sum(map(len, raw[: found.end])),
        stray_quotes=stray_quotes,
        has_padding=has_padding,
        of_line=of_line,
        lines_are_wrapped=len(cells) > 1 and bool(below) and all(len(c) == 1 and c[0][1] for c in below),
    )


def _filled(lines: list[str]) -> list[str]:
    """The first lines that are not blank."""
    return [line for line in lines if line.strip()][:MAX_LINES_COMPARED]


def _joined(lines: list[str], found: _Candidate, below: list[list[str]], known: Set[str]) -> _Candidate | None:
    """The heading with the line above or below it, if a line break had cut it in two; else None."""
    width = width_of_most(below)
    if width <= len(found.cells) and len(found.records) == 1:
        return None
    pairs = [(first, first + 1) for first in (found.first - 1, found.first)]
    for first, second in pairs:
        if first < 0 or second >= len(lines):
            continue
        cells = join_broken_heading(lines, first, second, found.delimiter, width, known)
        if cells:
            return found._replace(cells=cells, first=first, end=second + 1, records=[(first, cells)])
    return None


def heading_findings(heading: TextHeading, known: Set[str], delimiter: str, quote: str) -> list[Finding]:
    """Warnings about the heading's position (F04), the delimiter (F13) and the quotation marks (F29, F30)."""
    findings, line = [*heading.of_line], heading.first + 1
    if len(heading.records) > 1:
        where = f"heading on lines {line} to {heading.end}"
    else:
        where = f"heading on line {line}" if heading.first else ""
    if where:
        findings.append(Finding("F04", Severity.WARNING, source_row=line, found=where))
    if heading.delimiter not in (",", delimiter):
        name = _DELIMITER_NAMES[heading.delimiter]
        share = f"{count_known_headings(heading.cells, known)} of {len(heading.cells)} headings found that way"
        findings.append(Finding("F13", Severity.WARNING, found=f"separated by {name}: {share}"))
    if heading.stray_quotes is not None:
        letters = " and ".join(f"column {column_letter(i)}" for i in heading.stray_quotes[:3])
        found = f"a quotation mark in the heading of {letters}" if letters else "a quotation mark in the heading"
        findings.append(Finding("F29", Severity.WARNING, source_row=line, found=found))
    if heading.quote == SINGLE_QUOTE != quote:
        findings.append(Finding("F30", Severity.WARNING, found="single quotation marks around texts"))
    return findings


class _Candidate(NamedTuple):
    """A possible heading among the first lines; the fields are those of `TextHeading`."""

    cells: list[str]
    delimiter: str
    quote: str
    first: int
    end: int
    records: list[tuple[int, list[str]]]

    @property
    def dialect(self) -> Dialect:
        return Dialect(self.delimiter, self.quote, len(self.cells))


def _best_candidate(lines: list[str], known: Set[str], declared: str, quote: str) -> _Candidate:
    """The best heading for one quotation mark, over all delimiters. Raises UnreadableFile: F01 empty, U03 no heading.

    The declared delimiter is tried first, so that it wins a tie; a wrong declaration does not make a file unreadable.
    """
    candidates: list[_Candidate] = []
    for delimiter in _possible_delimiters(lines, known, declared):
        records = [_read_record(lines[i:], delimiter, quote, known) for i in range(len(lines))]
        # More records are read than are searched: the second row of a heading may be below the limit.
        searched = range(min(HEADING_SEARCH_ROWS, len(lines)))
        for i in searched:
            length, cells = records[i]
            candidates.append(_Candidate(cells, delimiter, quote, i, i + length, [(i, cells)]))
        if any(is_complete_heading(cells, known) for _, cells in records[:HEADING_SEARCH_ROWS]):
            continue  # no pair of rows could do better
        for i in searched:
            length, upper = records[i]
            if i + length < len(lines):
                more, lower = records[i + length]
                both = [(i, upper), (i + length, lower)]
                cells = merge_heading_rows(upper, lower, known)
                candidates.append(_Candidate(cells, delimiter, quote, i, i + length + more, both))
    candidates.sort(key=lambda c: len(c.records))  # of equals, prefer a heading of one row
    best = find_heading([c.cells for c in candidates], known)
    if best is None:
        raise UnreadableFile("U03" if any(line.strip() for line in lines) else "F01")
    return candidates[best]


def _possible_delimiters(lines: list[str], known: Set[str], declared: str) -> list[str]:
    """The delimiters to try. One that no line has makes lines of one cell, which cannot show two known headings."""
    delimiters = list(dict.fromkeys(filter(None, (declared, *DELIMITERS))))
    text = "".join(lines)
    in_use = [d for d in delimiters if d in text]
    return in_use if in_use and len(known) >= MIN_KNOWN_HEADINGS else delimiters


def _read_record(lines: list[str], delimiter: str, quote: str, known: Set[str]) -> tuple[int, list[str]]:
    """The record that begins on the first of these lines, as (number of lines, cells). The lines may be anything.

    If its quotation marks do not pair up, the first line is read by itself, provided that this shows as many known
    headings. A quotation mark within a known heading is removed.
    """
    length, cells = _parse_csv(lines, delimiter, quote)
    if quote not in lines[0] or (len(parts := _split_quoted(lines[0], delimiter, quote)) == 1 and parts[0][1]):
        return length, cells  # no marks, or the whole line is one quoted cell, as the rows below will be too
    cells = [cell.replace(quote, "") if quote in cell and fold(cell) in known else cell for cell in cells]
    one_line = _cells_of_one_line(lines[0], delimiter, quote, known)
    known_in_line, known_by_csv = count_known_headings(one_line, known), count_known_headings(cells, known)
    if not known_in_line or known_in_line < known_by_csv:
        return length, cells
    swallows_rows = length > 1 and _has_a_row(lines[1:length], delimiter, quote, {len(cells), len(one_line)})
    if known_in_line > known_by_csv or swallows_rows or not _is_well_quoted(lines[:length], delimiter, quote):
        return 1, one_line
    return length, cells


def _parse_csv(lines: list[str], delimiter: str, quote: str) -> tuple[int, list[str]]:
    """The first record as the csv module (RFC 4180) reads it: (number of lines, cells)."""
    dialect = Dialect(delimiter, quote, 1)
    first = [dialect.strip_padding(lines[0])] if dialect.has_padding(lines[0]) else lines[:1]
    reader = csv.reader([*first, *lines[1:MAX_RECORD_LINES]], delimiter=delimiter, quotechar=quote)
    try:
        cells = next(reader, [])
    except csv.Error:  # a carriage return in the middle of the line
        return 1, []
    return reader.line_num, cells


def _is_well_quoted(lines: list[str], delimiter: str, quote: str) -> bool:
    """Whether the lines are one record by RFC 4180, with every quotation closed."""
    dialect = Dialect(delimiter, quote, 1)
    if dialect.has_padding(lines[0]):
        return True
    if re.search(dialect.padded_cell, lines[0]):
        return False
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True))) == 1
    except csv.Error:
        return False


def _has_a_row(lines: list[str], delimiter: str, quote: str, widths: Set[int]) -> bool:
    """Whether one of the lines is certainly a row by itself, with a number of cells that the heading may have."""
    text = "".join(lines).encode()
    return any(Lines.of(text, Dialect(delimiter, quote, width)).certain(width).any() for width in widths if width)


def _cells_of_one_line(line: str, delimiter: str, quote: str, known: Set[str]) -> list[str]:
    """The cells of a single line, without stray quotation marks.

    Two stray marks may seem to enclose a delimiter. So the line is also split at every delimiter, and that is used if
    it shows more known headings.
    """
    parts = _split_quoted(line, delimiter, quote)
    readings = [
        [cell.replace(quote * 2, quote) if is_quoted else cell.strip(f" \t{quote}") for cell, is_quoted in parts],
        [cell.strip(f" \t{quote}") for cell in _split(line, delimiter)],
    ]
    return max(readings, key=lambda cells: count_known_headings(cells, known))


def _split_quoted(line: str, delimiter: str, quote: str) -> list[tuple[str, bool]]:
    """The cells of a line as (text, is_quoted): a fully quoted cell without its marks, any other unchanged."""
    d, q, g = re.escape(delimiter), re.escape(quote), padding_pattern(delimiter)
    cell = re.compile(rf"{g}*{q}([^{q}]*(?:{q}{q}[^{q}]*)*){q}{g}*(?={d}|$)|([^{d}]*)")
    text, parts, at = line.rstrip("\r\n"), [], 0
    while at <= len(text):
        match = cell.match(text, at)
        assert match is not None  # the pattern also matches an empty cell
        is_quoted = match[1] is not None
        parts.append((match[1] if is_quoted else match[2], is_quoted))
        at = match.end() + 1
    return parts


def _stray_quote_columns(lines: list[str], found: _Candidate) -> tuple[int, ...] | None:
    """The columns with a stray quotation mark; None if the heading is well-formed CSV."""
    for line, cells in found.records:
        length, by_csv = _parse_csv(lines[line:], found.delimiter, found.quote)
        if cells == by_csv and _is_well_quoted(lines[line : line + length], found.delimiter, found.quote):
            continue
        parts = _split_quoted(lines[line], found.delimiter, found.quote)
        if len(parts) != len(cells):
            parts = [(cell, False) for cell in _split(lines[line], found.delimiter)]
        return tuple(i for i, (cell, is_quoted) in enumerate(parts) if not is_quoted and cell.count(found.quote) % 2)
    return None


def _is_single_quoted(lines: list[str], delimiter: str) -> bool:
    """Whether the file quotes texts with apostrophes: all headings, or all values of a column, and no other cell.

    An ordinary apostrophe, or one title in quotes, is no such sign. A file with double quotation marks never counts.
    """
    if not any(SINGLE_QUOTE in line for line in lines) or any(QUOTE in line for line in lines):
        return False
    headings, *rows = (_split_quoted(line, delimiter, SINGLE_QUOTE) for line in lines)
    if any(SINGLE_QUOTE in cell for row in (headings, *rows) for cell, is_quoted in row if not is_quoted):
        return False
    for cells in (headings, *zip(*(row for row in rows if len(row) == len(headings)), strict=True)):
        filled = [is_quoted for cell, is_quoted in cells if is_quoted or cell.strip()]
        if len(filled) >= MIN_QUOTED_CELLS and all(filled):
            return True
    return False


def _split(line: str, delimiter: str) -> list[str]:
    """Split a line at every delimiter."""
    return line.rstrip("\r\n").split(delimiter)
