"""Find the sheet of a workbook that holds the dataset, find its heading, and read the rows below.

Hidden sheets are never read. Hidden rows and columns are, as they hold data like any other; the sender may not know
of them, so they are reported (F27). The other sheets, hidden or not, are only searched for personal data. Merged cells
are never filled down; only in a heading does a merged cell stand for its whole area.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, takewhile

import polars as pl

from flows.cells.column_letters import column_letter
from flows.cells.garbled import CONTROL
from flows.deliveries.extract import Extract, TextBatch, TextOnOtherSheet, UnreadableFile
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted, listed, ranges, spans
from flows.steps.read.heading import (
    HEADING_SEARCH_ROWS,
    MAX_COLUMNS,
    MIN_KNOWN_HEADINGS,
    count_known_headings,
    find_heading,
    merge_heading_rows,
)
from flows.steps.read.values import text_of
from flows.steps.read.workbook.confirm_sheet import confirm_lines, may_identify_on_confirm_sheet
from flows.steps.read.workbook.marked_copy import unchanged_copy_findings
from flows.steps.read.workbook.nil_return import nil_return_boxes
from flows.steps.read.workbook.sheet import Sheet, SheetNamer, Table, safe_sheet_names, same_cells, sheet_by_number
from flows.steps.read.workbook.sign_off import may_identify_on_sign_off_sheet, sign_off_lines
from flows.steps.read.workbook.stray_sheets import unclaimed_sheet_findings
from schemas._contract.code_lists import fold
from schemas._contract.model import Severity
from schemas._contract.workbook_names import EXAMPLES, FORM_VERSION, NIL_RETURN, NOTES, OUR_SHEETS, ROW_PROBLEMS

BATCH_ROWS = 50_000
BATCH_CELLS = 4_000_000
MAX_HEADING_ROWS = 10
MIN_IDENTIFIER = 100_000_000  # a person's identifier has nine digits or more
MAX_LISTED_CHARACTERS = 44  # a longer list of hidden rows or columns is cut short, and the rest counted
SEPARATORS = ",;\t|"  # of text that was put into one column
RIVAL_SHARE = 0.8  # another sheet with this share of the best sheet's known headings may be the dataset as well


def read_workbook(
    sheets: Sequence[Sheet], known_headings: Set[str], wanted: str = "", name_sheet: SheetNamer = sheet_by_number
) -> Extract:
    """Read the sheet that holds the dataset; `wanted` names it, in a workbook with several datasets.

    Raises UnreadableFile: F01 empty, U01 damaged or too large, U03 no heading, U04 sheet ambiguous or hidden.
    """
    name, table, candidates, copies = _find_dataset_sheet(sheets, known_headings, wanted, name_sheet)
    best = find_heading([c.cells for c in candidates], known_headings)
    if best is None and _rows_are_in_one_column(table, known_headings):
        raise UnreadableFile("F44")
    if best is None:
        raise UnreadableFile("U03" if any(any(c.cells) for c in candidates) else "F01")
    heading = candidates[best]
    headings = [cell.strip() for cell in heading.cells]
    used = max((i + 1 for i, h in enumerate(headings) if h), default=0)
    width = table.width(heading.last + 1, used)
    if width > MAX_COLUMNS:
        raise UnreadableFile("U01", f"{width:,} columns")
    headings = (headings + [""] * (width - len(headings)))[:width]
    is_marked = headings[-1] == ROW_PROBLEMS  # the column we add to a marked workbook, which has been sent back
    if is_marked:
        width, headings = width - 1, headings[:-1]
    unclaimed = unclaimed_sheet_findings(sheets, wanted, name_sheet) if wanted else []
    copied = [Finding("F46", Severity.WARNING, found=copy) for copy in safe_sheet_names(sheets, copies, name_sheet)]
    confirms = confirm_lines(sheets)
    # to confirm a warning is a change, too
    unchanged = unchanged_copy_findings(sheets) if is_marked and not confirms else []
    findings = unchanged + _heading_findings(heading) + _sheet_name_findings(name) + copied + unclaimed
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
        row_findings=lambda: _hidden_findings(hidden_rows, hidden_columns),
        form_version=_form_version(sheets),
        confirm_lines=confirms,
        rows_on_examples=lambda: _rows_on_examples(sheets, known_headings),
        nil_boxes=lambda: nil_return_boxes(sheets),
        sign_off_lines=lambda: sign_off_lines(sheets),
    )


def _form_version(sheets: Sequence[Sheet]) -> str:
    """The version of the form that our own notes in a workbook state; '' where they are not there."""
    notes = next((s for s in sheets if s.name == NOTES), None)
    texts = [row[0] for row in notes.open().head(HEADING_SEARCH_ROWS) if row] if notes else []
    stated = next((t for t in texts if t.startswith(FORM_VERSION)), "")
    return stated.removeprefix(FORM_VERSION).strip()


def _rows_are_in_one_column(table: Table, known: Set[str]) -> bool:
    """Whether each row is the text of a line of CSV in a single cell."""
    texts = [[cell for cell in row if cell] for row in table.head(HEADING_SEARCH_ROWS)]
    lines = [cells[0] for cells in texts if len(cells) == 1]
    return any(find_heading([line.split(d) for line in lines], known) is not None for d in SEPARATORS)


def _rows_on_examples(sheets: Sequence[Sheet], known: Set[str]) -> list[tuple[int, list[str]]]:
    """The rows below the dataset's headings on our own sheet of examples, up to the first blank one, with numbers."""
    for sheet in (s for s in sheets if s.name == EXAMPLES):
        rows = [list(map(str.strip, row)) for frame in sheet.open().texts(0, BATCH_ROWS) for row in frame.iter_rows()]
        heading = find_heading(rows, known)
        below = [] if heading is None else [*enumerate(rows, 1)][heading + 1 :]
        return list(takewhile(lambda row: any(row[1]), below))
    return []


def _other_sheets(sheets: Sequence[Sheet], read: str) -> Iterator[TextOnOtherSheet]:
    """Yield the cells of the other sheets that may hold personal data: texts and long whole numbers.

    Sheets that we add to a workbook are skipped, but for those on which somebody may have written.
    Raises UnreadableFile (U01).
    """
    yield from may_identify_on_confirm_sheet(sheets)
    yield from may_identify_on_sign_off_sheet(sheets)
    for number, sheet in enumerate(sheets, 1):
        if sheet.name == read or sheet.name in OUR_SHEETS - {EXAMPLES, NIL_RETURN}:
            continue
        for row, cells in enumerate(sheet.open_raw().rows(), 1):
            for cell in cells:
                if (isinstance(cell, str) and cell) or _may_identify(cell):
                    yield TextOnOtherSheet(sheet.name, number, row, text_of(cell))


def _may_identify(cell: object) -> bool:
    """Whether a cell is a whole number that is long enough to be a person's identifier."""
    return isinstance(cell, int | float) and abs(cell) >= MIN_IDENTIFIER and cell == cell // 1


@dataclass(frozen=True)
class _Heading:
    """A possible heading: the rows from `first` to `last` (from 0), merged into one row of cells."""

    first: int
    last: int
    cells: list[str]


def _heading_findings(heading: _Heading) -> list[Finding]:
    """A warning if the heading is not row 1 alone (F04)."""
    row = heading.first + 1
    where = f"heading on row {row}" if heading.first else ""
    if heading.last > heading.first:
        where = f"heading on rows {row} to {heading.last + 1}"
    return [Finding("F04", Severity.WARNING, source_row=row, found=where)] if where else []


def _sheet_name_findings(name: str) -> list[Finding]:
    """A warning for a sheet name with control characters (F28)."""
    return [Finding("F28", Severity.WARNING, found="the name of the sheet")] if CONTROL.search(name) else []


def _candidates(table: Table, known: Set[str]) -> list[_Heading]:
    """Each of the first rows, and each pair of them, as a possible heading; single rows come first.

    Rows that share a merged cell are tried only together. Where one row has a known heading in every column, no pair
    has more, and pairs are not tried.
    """
    head = table.head(HEADING_SEARCH_ROWS)
    width = max((i for row in head for i, cell in enumerate(row, 1) if cell), default=0)
    bound = [(top, bottom) for top, _, bottom, _ in table.merged if top < bottom and top < len(head)]
    spans = {_span(first, last, bound) for first in range(len(head)) for last in (first, first + 1)}
    if any(first == last and count_known_headings(head[first], known) == width for first, last in spans):
        spans = {(first, last) for first, last in spans if first == last}
    return [
        _Heading(
            first, last, reduce(lambda upper, lower: merge_heading_rows(upper, lower, known), head[first : last + 1])
        )
        for first, last in sorted(spans, key=lambda s: (s[1] - s[0], s))
        if last < len(head) and last - first < MAX_HEADING_ROWS
    ]


def _span(first: int, last: int, bound: list[tuple[int, int]]) -> tuple[int, int]:
    """Widen the range of rows so that it cuts through no merged cell."""
    for top, bottom in sorted(bound):
        if top <= last and bottom >= first:
            first, last = min(first, top), max(last, bottom)
    return first, last


def _find_dataset_sheet(
    sheets: Sequence[Sheet], known: Set[str], wanted: str, name_sheet: SheetNamer
) -> tuple[str, Table, list[_Heading], list[str]]:
    """The visible sheet with the most known headings, its possible headings, and the sheets that are copies of it.

    Raises UnreadableFile (U04) if another sheet has nearly as many, and other cells.
    """
    named = [s for s in sheets if wanted and fold(s.name) == fold(wanted)]
    candidates = named or [s for s in sheets if s.name not in OUR_SHEETS]
    scores: dict[str, int] = {}
    best: tuple[str, Table, list[_Heading]] | None = None
    for sheet in (s for s in candidates if not s.hidden):
        table = sheet.open()
        possible = _candidates(table, known)
        scores[sheet.name] = _score(possible, known)
        if best is None or scores[sheet.name] > scores[best[0]]:
            best = (sheet.name, table, possible)
    # Only if no visible sheet will do is a hidden one looked at, to tell the sender what is wrong.
    if best is None or scores[best[0]] < MIN_KNOWN_HEADINGS:
        hidden = [
            s.name for s in candidates if s.hidden and _score(_candidates(s.open(), known), known) >= MIN_KNOWN_HEADINGS
        ]
        if hidden:
            names = " and ".join(safe_sheet_names(sheets, hidden, name_sheet))
            raise UnreadableFile("U04", f"{names}: hidden, and hidden sheets are not read")
    if best is None:
        raise UnreadableFile("F01")
    alike = [n for n, score in scores.items() if score >= max(MIN_KNOWN_HEADINGS, RIVAL_SHARE * scores[best[0]])]
    copies = [s.name for s in candidates if s.name in alike and s.name != best[0] and same_cells(s.open(), best[1])]
    if len(alike) > 1 + len(copies):
        raise UnreadableFile("U04", " and ".join(safe_sheet_names(sheets, alike, name_sheet)))
    return *best, copies


def _score(candidates: list[_Heading], known: Set[str]) -> int:
    """The most known headings in any possible heading of a sheet."""
    return max((count_known_headings(c.cells, known) for c in candidates), default=0)


def _hidden_findings(rows: list[int], columns: Sequence[int]) -> list[Finding]:
    """Warnings about hidden rows with content (row numbers from 1) and hidden columns (positions from 0): F27."""
    texts = []
    if rows:
        texts.append(f"{counted(len(rows), 'row')}: {_listed_briefly(spans(ranges(rows)))}")
    if columns:
        letters = [(column_letter(first), column_letter(last)) for first, last in ranges(columns)]
        spanned = [first if first == last else f"{first} to {last}" for first, last in letters]
        texts.append(f"{'column' if len(columns) == 1 else 'columns'} {_listed_briefly(spanned)}")
    return [Finding("F27", Severity.WARNING, found=text) for text in texts]


def _listed_briefly(spanned: Sequence[str]) -> str:
    """The first spans of rows or columns, and how many more there are."""
    ends = list(accumulate(len(span) + 2 for span in spanned))
    first = max(1, sum(end <= MAX_LISTED_CHARACTERS for end in ends))
    rest = [counted(len(spanned) - first, "more place")] if len(spanned) > first else []
    return listed([*spanned[:first], *rest])


def _batches(table: Table, heading: _Heading, width: int, hidden: list[int]) -> Iterator[TextBatch]:
    """Yield the rows below the heading in batches, and append the numbers of hidden rows with content to `hidden`."""
    size = max(1, min(BATCH_ROWS, BATCH_CELLS // max(width, 1)))  # fewer rows if they are wide, to bound the memory
    first = heading.last + 1
    of_hidden = pl.Series(table.hidden.rows, dtype=pl.Int64) + 1
    above = [(n, text) for n, row in enumerate(table.head(first)[: heading.first], 1) for text in row if text]
    for frame in table.texts(first, size):
        # A batch may use fewer columns than the heading, or more, if there are cells beyond `width`.
        columns = [frame[str(i)] if i < frame.width else pl.lit("").alias(str(i)) for i in range(width)]
        source_rows = pl.int_range(first + 1, first + 1 + len(frame), dtype=pl.Int64, eager=True).alias("source_row")
        rows = frame.select(*columns, source_rows)
        hidden += _filled(rows.filter(source_rows.is_in(of_hidden.implode()))) if len(of_hidden) else []
        yield TextBatch.of(rows, stray_text=above)
        first, above = first + len(frame), []


def _filled(rows: pl.DataFrame) -> list[int]:
    """The numbers of the rows that are not empty."""
    cells = pl.exclude("source_row").str.strip_chars() != ""
    return rows.filter(pl.any_horizontal(cells))["source_row"].to_list()
