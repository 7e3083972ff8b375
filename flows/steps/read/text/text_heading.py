"""The heading of a delimited text: which line it is, what parts its cells, and what quotes them (F04, F13, F29, F30).

A quotation mark in the heading that nothing closes would take the rows below for a part of it. So a heading runs over
several lines only where it is sound quoting, and where none of these lines is a row by itself; else it is read as the
one line that it is, without the mark.
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
from flows.steps.read.heading import MOST_COLUMNS, ROWS_SEARCHED, find_heading, is_whole, joined, matches
from flows.steps.read.text.encoding import Data
from flows.steps.read.text.lines import Grammar, Lines, gap
from schemas._contract.code_lists import fold
from schemas._contract.model import Severity

LONGEST_RECORD = 50  # lines that one quoted value may run over
HEADING_WITHIN = 1 << 20  # bytes
ROWS_SAMPLED = 1_000  # to see whether single quotation marks are used
DELIMITERS = (",", ";", "\t", "|")
QUOTE, SINGLE_QUOTE = '"', "'"
LEAST_QUOTED = 2  # cells of a column, or of the heading, that are quoted before a single quotation mark is one
_DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class Heading:
    """Where the heading is: its cells, the lines it takes (from `first` up to `end`, from 0), and what parts its cells.

    `records` are the records it is made of, each with its first line, `above` the text of the lines before it, `size`
    the bytes up to its end. `stray` are the columns with a quotation mark that was left out, None where there is none;
    `is_spaced` says whether spaces stand beside its quotation marks.
    """

    cells: list[str]
    delimiter: str
    quote: str
    first: int
    end: int
    records: list[tuple[int, list[str]]]
    above: list[str]
    size: int
    stray: tuple[int, ...] | None
    is_spaced: bool


def heading_of(data: Data, known: Set[str], delimiter: str, quote: str) -> Heading:
    """The record, or the two that make one, with the most known headings: the first of several.

    A record may begin on any line, so that a stray quotation mark above the heading cannot swallow it. `delimiter` and
    `quote` are what the site's profile declares; else both are detected.
    Raises Unreadable: F01 empty, U01 too many columns, U03 no heading.
    """
    raw = re.findall(rb"[^\n]*\n|[^\n]+", data[:HEADING_WITHIN])[:ROWS_SAMPLED]
    sample = [r.decode("utf-8", errors="ignore") for r in raw]
    lines = sample[: ROWS_SEARCHED + LONGEST_RECORD]
    found = _find(lines, known, delimiter, quote or QUOTE)
    if not quote and _is_single_quoted(sample[found.first :], found.delimiter):
        found = _find(lines, known, found.delimiter, SINGLE_QUOTE)
    if len(found.cells) > MOST_COLUMNS:
        raise UnreadableFile("U01", f"{len(found.cells):,} columns")
    size = sum(map(len, raw[: found.end]))
    is_spaced = any(found.grammar.is_spaced(lines[line]) for line, _ in found.records)
    return Heading(*found, above=lines[: found.first], size=size, stray=_stray(lines, found), is_spaced=is_spaced)


def about_heading(heading: Heading, known: Set[str], delimiter: str, quote: str) -> list[Finding]:
    """What to tell of where the heading is (F04), of what parts its cells (F13), and of what quotes them (F29, F30)."""
    findings, line = [], heading.first + 1
    if len(heading.records) > 1:
        where = f"heading on lines {line} to {heading.end}"
    else:
        where = f"heading on line {line}" if heading.first else ""
    if where:
        findings.append(Finding("F04", Severity.WARNING, source_row=line, found=where))
    if heading.delimiter not in (",", delimiter):
        name = _DELIMITER_NAMES[heading.delimiter]
        named = f"{matches(heading.cells, known)} of {len(heading.cells)} headings found that way"
        findings.append(Finding("F13", Severity.WARNING, found=f"separated by {name}: {named}"))
    if heading.stray is not None:
        letters = " and ".join(f"column {column_letter(i)}" for i in heading.stray[:3])
        told = f"a quotation mark in the heading of {letters}" if letters else "a quotation mark in the heading"
        findings.append(Finding("F29", Severity.WARNING, source_row=line, found=told))
    if heading.quote == SINGLE_QUOTE != quote:
        findings.append(Finding("F30", Severity.WARNING, found="single quotation marks around texts"))
    return findings


class _Found(NamedTuple):
    """The heading among the first lines: what `Heading` says of it, as far as it is known."""

    cells: list[str]
    delimiter: str
    quote: str
    first: int
    end: int
    records: list[tuple[int, list[str]]]

    @property
    def grammar(self) -> Grammar:
        return Grammar(self.delimiter, self.quote, len(self.cells))


def _find(lines: list[str], known: Set[str], declared: str, quote: str) -> _Found:
    """The heading, by one quotation mark. Raises Unreadable: F01 empty, U03 no heading."""
    candidates: list[_Found] = []
    for delimiter in dict.fromkeys(filter(None, (declared, *DELIMITERS))):
        records = [_record(lines[i:], delimiter, quote, known) for i in range(len(lines))]
        searched = range(min(ROWS_SEARCHED, len(lines)))
        for i in searched:
            length, cells = records[i]
            candidates.append(_Found(cells, delimiter, quote, i, i + length, [(i, cells)]))
        if any(is_whole(cells, known) for _, cells in records[:ROWS_SEARCHED]):
            continue
        for i in searched:
            length, upper = records[i]
            if i + length < len(lines):
                more, lower = records[i + length]
                both = [(i, upper), (i + length, lower)]
                cells = joined(upper, lower, known)
                candidates.append(_Found(cells, delimiter, quote, i, i + length + more, both))
    candidates.sort(key=lambda c: len(c.records))  # of equals, a heading in one row
    best = find_heading([c.cells for c in candidates], known)
    if best is None:
        raise UnreadableFile("U03" if any(line.strip() for line in lines) else "F01")
    return candidates[best]


def _record(lines: list[str], delimiter: str, quote: str, known: Set[str]) -> tuple[int, list[str]]:
    """The record that begins on the first of these lines, which may be anything: how many lines it takes, its cells.

    Where its quotation marks are not sound it is that line alone, if so it holds as many known headings. A mark within
    a known heading is no part of it.
    """
    length, cells = _by_standard(lines, delimiter, quote)
    if quote not in lines[0] or (len(parts := _parts(lines[0], delimiter, quote)) == 1 and parts[0][1]):
        return length, cells  # without a mark, or one quoted cell as a whole: then so are the rows
    cells = [cell.replace(quote, "") if quote in cell and fold(cell) in known else cell for cell in cells]
    alone = _alone(lines[0], delimiter, quote, known)
    held, by_standard = matches(alone, known), matches(cells, known)
    if not held or held < by_standard:
        return length, cells
    runs_over_rows = length > 1 and _has_a_row(lines[1:length], delimiter, quote, {len(cells), len(alone)})
    if held > by_standard or runs_over_rows or not _is_sound(lines[:length], delimiter, quote):
        return 1, alone
    return length, cells


def _by_standard(lines: list[str], delimiter: str, quote: str) -> tuple[int, list[str]]:
    grammar = Grammar(delimiter, quote, 1)
    first = [grammar.unspaced(lines[0])] if grammar.is_spaced(lines[0]) else lines[:1]
    reader = csv.reader([*first, *lines[1:LONGEST_RECORD]], delimiter=delimiter, quotechar=quote)
    try:
        cells = next(reader, [])
    except csv.Error:  # a carriage return in the middle
        return 1, []
    return reader.line_num, cells


def _is_sound(lines: list[str], delimiter: str, quote: str) -> bool:
    """Whether lines are one record of the standard, whose quotation marks all are closed."""
    grammar = Grammar(delimiter, quote, 1)
    if grammar.is_spaced(lines[0]):
        return True
    if re.search(grammar.spaced_cell, lines[0]):
        return False
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True))) == 1
    except csv.Error:
        return False


def _has_a_row(lines: list[str], delimiter: str, quote: str, widths: Set[int]) -> bool:
    """Whether one of these lines is for certain a row by itself, of as many cells as the heading might have."""
    text = "".join(lines).encode()
    return any(Lines.of(text, Grammar(delimiter, quote, width)).certain(width).any() for width in widths if width)


def _alone(line: str, delimiter: str, quote: str, known: Set[str]) -> list[str]:
    """The cells of a line by itself, without the quotation marks that open or close none.

    A mark may be closed by another stray one: then all delimiters part cells, if more headings are known that way.
    """
    parts = _parts(line, delimiter, quote)
    ways = [
        [cell.replace(quote * 2, quote) if is_quoted else cell.strip(f" \t{quote}") for cell, is_quoted in parts],
        [cell.strip(f" \t{quote}") for cell in _split(line, delimiter)],
    ]
    return max(ways, key=lambda cells: matches(cells, known))  # of equals, the first


def _parts(line: str, delimiter: str, quote: str) -> list[tuple[str, bool]]:
    """The cells of a line, each with whether it is quoted as a whole: then without its marks, else as it stands."""
    d, q, g = re.escape(delimiter), re.escape(quote), gap(delimiter)
    cell = re.compile(rf"{g}*{q}([^{q}]*(?:{q}{q}[^{q}]*)*){q}{g}*(?={d}|$)|([^{d}]*)")
    text, parts, at = line.rstrip("\r\n"), [], 0
    while at <= len(text):
        match = cell.match(text, at)
        assert match is not None  # an empty cell is one too
        is_quoted = match[1] is not None
        parts.append((match[1] if is_quoted else match[2], is_quoted))
        at = match.end() + 1
    return parts


def _stray(lines: list[str], found: _Found) -> tuple[int, ...] | None:
    """The columns with a stray quotation mark, where the heading was not read by the standard; else None."""
    for line, cells in found.records:
        length, by_standard = _by_standard(lines[line:], found.delimiter, found.quote)
        if cells == by_standard and _is_sound(lines[line : line + length], found.delimiter, found.quote):
            continue
        parts = _parts(lines[line], found.delimiter, found.quote)
        if len(parts) != len(cells):
            parts = [(cell, False) for cell in _split(lines[line], found.delimiter)]
        return tuple(i for i, (cell, is_quoted) in enumerate(parts) if not is_quoted and cell.count(found.quote) % 2)
    return None


def _is_single_quoted(lines: list[str], delimiter: str) -> bool:
    """Whether texts stand in single quotation marks: all headings, or all that a column holds, and no other has one.

    So neither an apostrophe is a sign of it nor one title in such marks; nor is anything in a file with double ones.
    """
    if not any(SINGLE_QUOTE in line for line in lines) or any(QUOTE in line for line in lines):
        return False
    headings, *rows = (_parts(line, delimiter, SINGLE_QUOTE) for line in lines)
    if any(SINGLE_QUOTE in cell for row in (headings, *rows) for cell, is_quoted in row if not is_quoted):
        return False
    for cells in (headings, *zip(*(row for row in rows if len(row) == len(headings)), strict=True)):
        filled = [is_quoted for cell, is_quoted in cells if is_quoted or cell.strip()]
        if len(filled) >= LEAST_QUOTED and all(filled):
            return True
    return False


def _split(line: str, delimiter: str) -> list[str]:
    return line.rstrip("\r\n").split(delimiter)
