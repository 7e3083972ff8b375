"""A workbook of any kind: which sheet holds the dataset, where its heading is, and the rows below, each where it is.

Hidden sheets are never read; hidden rows and columns are, for they are as much data as those that are shown, and are
told (F27): whoever sends a file may not know of them. Any other sheet, hidden or not, is given for the search for
personal data alone. Merged cells are never filled down; only in a heading does a merged cell stand for its whole block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate

import polars as pl

from flows.cells.column_letters import column_letter
from flows.cells.garbled import CONTROL
from flows.deliveries.extract import Extract, TextBatch, TextOnOtherSheet, UnreadableFile
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted, listed, ranges, spans
from flows.steps.read.heading import LEAST_MATCHES, MOST_COLUMNS, ROWS_SEARCHED, find_heading, joined, matches
from flows.steps.read.values import text_of
from flows.steps.read.workbook.sheet import NameOfSheet, Sheet, Table, by_place, called
from flows.steps.read.workbook.stray_sheets import left_out
from schemas._contract.code_lists import fold
from schemas._contract.model import Severity
from schemas._contract.workbook_names import OUR_SHEETS, ROW_PROBLEMS

BATCH_ROWS = 50_000
MOST_HEADING_ROWS = 10
BATCH_CELLS = 4_000_000
LEAST_NUMBER = 100_000_000  # that may be somebody's: identifiers have nine digits and more
LONGEST_PLACES = 44  # characters: where hidden rows are, before their number alone is told
LIKE_THE_BEST = 0.8  # of the best sheet's headings: with as many, another may hold the dataset as well


def read_workbook(
    sheets: Sequence[Sheet], known_headings: Set[str], wanted: str = "", name_of: NameOfSheet = by_place
) -> Extract:
    """Read the sheet that holds the dataset.

    Raises Unreadable: U01 damaged or too large, U03 no heading, U04 several sheets would do or it is hidden, F01 empty.
    """
    name, table = _sheet_with_data(sheets, known_headings, wanted, name_of)
    candidates = _candidates(table, known_headings)
    best = find_heading([c.cells for c in candidates], known_headings)
    if best is None:
        raise UnreadableFile("U03" if any(any(c.cells) for c in candidates) else "F01")
    heading = candidates[best]
    headings = [cell.strip() for cell in heading.cells]
    used = max((i + 1 for i, h in enumerate(headings) if h), default=0)
    width = table.width(heading.last + 1, used)
    if width > MOST_COLUMNS:
        raise UnreadableFile("U01", f"{width:,} columns")
    headings = (headings + [""] * (width - len(headings)))[:width]
    is_marked = headings[-1] == ROW_PROBLEMS  # ours, from a marked workbook that came back
    if is_marked:
        width, headings = width - 1, headings[:-1]
    findings = _about_heading(heading) + _about_name(name) + (left_out(sheets, wanted, name_of) if wanted else [])
    number = next(n for n, sheet in enumerate(sheets, 1) if sheet.name == name)
    hidden_rows: list[int] = []
    hidden_columns = [i for i in sorted(set(table.hidden.columns)) if i < len(headings) and headings[i]]
    batches = _batches(table, heading, width, hidden_rows)
    return Extract(
        name,
        "",
        heading.first + 1,
        tuple(headings),
        batches,
        findings,
        is_marked=is_marked,
        sheet_number=number,
        other_sheets=_other_sheets(sheets, name),
        found_in_rows=lambda: _about_hidden(hidden_rows, hidden_columns),
    )


def _other_sheets(sheets: Sequence[Sheet], read: str) -> Iterator[TextOnOtherSheet]:
    """The texts and the long whole numbers on every other sheet that is not ours. Raises Unreadable (U01)."""
    for number, sheet in enumerate(sheets, 1):
        if sheet.name == read or sheet.name in OUR_SHEETS:
            continue
        for row, cells in enumerate(sheet.as_it_is().rows(), 1):
            for cell in cells:
                if (isinstance(cell, str) and cell) or _may_identify(cell):
                    yield TextOnOtherSheet(sheet.name, number, row, text_of(cell))


def _may_identify(cell: object) -> bool:
    return isinstance(cell, int | float) and abs(cell) >= LEAST_NUMBER and cell == cell // 1


@dataclass(frozen=True)
class _Heading:
    """Rows that may be the heading, from `first` to `last` (from 0), as one."""

    first: int
    last: int
    cells: list[str]


def _about_heading(heading: _Heading) -> list[Finding]:
    row = heading.first + 1
    where = f"heading on row {row}" if heading.first else ""
    if heading.last > heading.first:
        where = f"heading on rows {row} to {heading.last + 1}"
    return [Finding("F04", Severity.WARNING, source_row=row, found=where)] if where else []


def _about_name(name: str) -> list[Finding]:
    """What to tell of a sheet's name with control characters in it (F28)."""
    return [Finding("F28", Severity.WARNING, found="the name of the sheet")] if CONTROL.search(name) else []


def _candidates(table: Table, known: Set[str]) -> list[_Heading]:
    """Each of the first rows, and each two of them, as the heading that they might be; of equals, one in one row first.

    Rows that a merged cell binds together are one heading or none.
    """
    head = table.head(ROWS_SEARCHED)
    bound = [(top, bottom) for top, _, bottom, _ in table.merged if top < bottom and top < len(head)]
    spans = {_span(first, last, bound) for first in range(len(head)) for last in (first, first + 1)}
    return [
        _Heading(first, last, reduce(lambda upper, lower: joined(upper, lower, known), head[first : last + 1]))
        for first, last in sorted(spans, key=lambda s: (s[1] - s[0], s))
        if last < len(head) and last - first < MOST_HEADING_ROWS
    ]


def _span(first: int, last: int, bound: list[tuple[int, int]]) -> tuple[int, int]:
    """The rows from `first` to `last`, and those that merged cells bind to them."""
    for top, bottom in sorted(bound):
        if top <= last and bottom >= first:
            first, last = min(first, top), max(last, bottom)
    return first, last


def _sheet_with_data(sheets: Sequence[Sheet], known: Set[str], wanted: str, name_of: NameOfSheet) -> tuple[str, Table]:
    """The visible sheet that looks most like the dataset, if no other looks much like it too."""
    asked_for = [s for s in sheets if wanted and fold(s.name) == fold(wanted)]
    candidates = asked_for or [s for s in sheets if s.name not in OUR_SHEETS]
    scores: dict[str, int] = {}
    best: tuple[str, Table] | None = None
    for sheet in (s for s in candidates if not s.hidden):
        table = sheet.open()
        scores[sheet.name] = _score(table, known)
        if best is None or scores[sheet.name] > scores[best[0]]:
            best = (sheet.name, table)
    if best is None or scores[best[0]] < LEAST_MATCHES:
        hidden = [s.name for s in candidates if s.hidden and _score(s.open(), known) >= LEAST_MATCHES]
        if hidden:
            names = " and ".join(called(sheets, hidden, name_of))
            raise UnreadableFile("U04", f"{names}: hidden, and hidden sheets are not read")
    if best is None:
        raise UnreadableFile("F01")
    alike = [n for n, score in scores.items() if score >= max(LEAST_MATCHES, LIKE_THE_BEST * scores[best[0]])]
    if len(alike) > 1:
        raise UnreadableFile("U04", " and ".join(called(sheets, alike, name_of)))
    return best


def _score(table: Table, known: Set[str]) -> int:
    return max((matches(c.cells, known) for c in _candidates(table, known)), default=0)


def _about_hidden(rows: list[int], columns: Sequence[int]) -> list[Finding]:
    """What to tell of hidden rows that hold something (by their numbers), and of hidden columns (from 0): F27."""
    told = []
    if rows:
        told.append(f"{counted(len(rows), 'row')}: {_in_short(spans(ranges(rows)))}")
    if columns:
        letters = [(column_letter(first), column_letter(last)) for first, last in ranges(columns)]
        places = [first if first == last else f"{first} to {last}" for first, last in letters]
        told.append(f"{'column' if len(columns) == 1 else 'columns'} {_in_short(places)}")
    return [Finding("F27", Severity.WARNING, found=text) for text in told]


def _in_short(places: Sequence[str]) -> str:
    """The first places, and how many others there are."""
    ends = list(accumulate(len(place) + 2 for place in places))
    first = max(1, sum(end <= LONGEST_PLACES for end in ends))
    rest = [counted(len(places) - first, "more place")] if len(places) > first else []
    return listed([*places[:first], *rest])


def _batches(table: Table, heading: _Heading, width: int, hidden: list[int]) -> Iterator[TextBatch]:
    """The rows below the heading, batch by batch. The numbers of those that hold something and are hidden are put
    into `hidden`.
    """
    size = max(1, min(BATCH_ROWS, BATCH_CELLS // max(width, 1)))
    first = heading.last + 1
    of_hidden = pl.Series(table.hidden.rows, dtype=pl.Int64) + 1
    above = [(n, text) for n, row in enumerate(table.head(first)[: heading.first], 1) for text in row if text]
    for frame in table.texts(first, size):
        columns = [frame[str(i)] if i < frame.width else pl.lit("").alias(str(i)) for i in range(width)]
        source_rows = pl.int_range(first + 1, first + 1 + len(frame), dtype=pl.Int64, eager=True).alias("source_row")
        rows = frame.select(*columns, source_rows)
        hidden += _filled(rows.filter(source_rows.is_in(of_hidden.implode()))) if len(of_hidden) else []
        yield TextBatch.of(rows, stray_text=above)
        first, above = first + len(frame), []


def _filled(rows: pl.DataFrame) -> list[int]:
    """The numbers of the rows that hold something."""
    cells = pl.exclude("source_row").str.strip_chars() != ""
    return rows.filter(pl.any_horizontal(cells))["source_row"].to_list()
