"""The marked workbook: the sender's own file, every cell where it was, with what is wrong written beside it.

In front are what to do and the list of problems; a workbook that is fixed and sent again is read like any other, and
what is ours in it (see `workbook_names.py`) is passed over. Of personal data no copy is made (docs/domain.md 5.3): such
a file gets no marked workbook. Source: docs/reports.md 1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from xlsxwriter.worksheet import Worksheet

from flows.cells.column_letters import column_letter, index_of
from flows.deliveries.extract import SheetCells
from flows.reporting.report import Part, Report
from flows.reporting.words import page
from flows.reporting.words import workbook as words
from flows.workbooks.returned_cells import given_back, merged_areas, tabs
from flows.workbooks.styles import (
    DATE,
    LONGEST_CELL,
    MOST_COLUMNS,
    TEXT,
    Book,
    height_of,
    number_format,
    quoted_sheet,
    sheet_names,
    width_of,
)
from schemas._contract.model import Field, Kind, Severity
from schemas._contract.workbook_names import OUR_SHEETS, PROBLEMS, READ_ME, ROW_PROBLEMS
from schemas._rules.explain import RuleText, explain
from schemas._rules.privacy import RULES_OF_PERSONAL_FILES
from schemas.audit.deliveries import Result
from schemas.audit.findings import Outcome

MOST_ROWS_MARKED = 50_000  # of data: a larger workbook is no help, and its findings are in findings.csv
MOST_PROBLEMS = 100_000  # on the list
MOST_LINKS = 60_000  # Excel takes 65,530 on one sheet
MOST_COMMENTS = 5_000
ROWS_TO_ADD = 200  # below the last one, where the lists still open
_ROWS_MEASURED = 2_000  # for the width of a column
_BESIDE = 62  # the width of the last column


def why_not(parts: Sequence[Part]) -> str:
    """Why a file gets no marked workbook, as far as that is known before it is opened; '' where it may have one."""
    personal = pl.col("rule_id").is_in(RULES_OF_PERSONAL_FILES) & (pl.col("severity") == Severity.FILE)
    if any(p.verdict.holds_personal_data or p.findings.filter(personal).height for p in parts):
        return words.MAY_BE_PERSONAL
    if all(p.verdict.result is Result.UNREADABLE for p in parts):
        return words.COULD_NOT_BE_READ
    if not any(p.verdict.rows.read for p in parts):
        return words.NO_ROW
    if max(p.verdict.rows.read for p in parts) > MOST_ROWS_MARKED:
        return words.too_many_rows(MOST_ROWS_MARKED)
    return ""


def write_marked_workbook(path: Path, sheets: Sequence[SheetCells], parts: Sequence[Part]) -> str:
    """Write a sender's sheets with their bad cells marked. Gives why nothing was written, or ''."""
    of = {_sheet_of(p, sheets): p for p in reversed(parts) if p.verdict.rows_judged}
    people = next((p.contract for p in parts if p.contract.participant_level), None)
    safe_names = tabs(sheets, people)
    own = [s for s in sheets if s.name in safe_names and (people is None or s.name in of)]
    if why := why_not(parts) or (_why_not_these(own, safe_names) if own else words.COULD_NOT_BE_READ):
        return why
    given = sheet_names([safe_names[s.name] for s in own], OUR_SHEETS)
    names = {s.name: given[safe_names[s.name]] for s in own}
    problems = sorted((found for p in parts for found in _problems(p, sheets)), key=lambda p: p.order)
    made = Book(path, parts[0].report.received_at)
    _read_me(made, parts, problems, [safe_names[s] for s in safe_names if s not in names])
    _list(made, problems, names)
    made.open_lists(f for p in parts for f in p.contract.fields)
    comments = Comments()
    for sheet in own:
        part, here = of.get(sheet.name), [p for p in problems if p.sheet == sheet.name]
        safe = given_back(sheet, part.verdict, part.contract, part.findings) if part else sheet
        _marked_sheet(made, safe, names[sheet.name], part, here, comments)
    made.codes()
    made.book.close()
    return ""


def _why_not_these(own: Sequence[SheetCells], safe_names: Mapping[str, str]) -> str:
    """Why these very sheets cannot be given back."""
    for sheet in own:
        if len(sheet.rows) > MOST_ROWS_MARKED + 1_000:
            return words.too_long_a_sheet(safe_names[sheet.name], MOST_ROWS_MARKED)
        if any(len(row) >= MOST_COLUMNS for row in sheet.rows):
            return words.TOO_WIDE
        if any(len(cell) > LONGEST_CELL for row in sheet.rows for cell in row if isinstance(cell, str)):
            return words.too_long_a_cell(LONGEST_CELL)
    return ""


def _sheet_of(part: Part, sheets: Sequence[SheetCells]) -> str:
    """The sheet that a dataset was read from; a file that is no workbook has one.

    A name that may be personal is given as its place in the workbook ('sheet 2').
    """
    name = part.report.sheet
    place = re.fullmatch(r"sheet (\d+)", name)
    if place and name not in [s.name for s in sheets] and int(place[1]) <= len(sheets):
        return sheets[int(place[1]) - 1].name
    return name or next(s.name for s in sheets if s.name not in OUR_SHEETS)


@dataclass(frozen=True)
class Problem:
    """One finding, where it is and what to say of it."""

    sheet: str
    row: int  # from 1; 0 for the file
    letter: str  # '' for the whole row or file
    column: str
    found: str
    hidden: bool
    suggestion: str
    must: bool
    text: RuleText
    rule_id: str

    @property
    def order(self) -> tuple[Any, ...]:
        """What must be fixed first, then as it stands in the file."""
        return not self.must, self.sheet, self.row, len(self.letter), self.letter, self.rule_id

    @property
    def cell(self) -> str:
        """Its address: 'E5', 'row 5' or 'whole file'."""
        return words.place(self.letter, self.row)

    @property
    def target(self) -> str:
        """The cell that a link jumps to."""
        return f"{self.letter or 'A'}{self.row or 1}"

    @property
    def comment(self) -> str:
        """What the cell's own note says."""
        return words.note(self.text, self.rule_id, self.suggestion, must=self.must)


def _problems(part: Part, sheets: Sequence[SheetCells]) -> Iterator[Problem]:
    """What was found in one dataset."""
    text = cache(lambda *asked: explain(part.contract, *asked))
    for f in part.findings.filter(pl.col("outcome") == Outcome.BROKEN).iter_rows(named=True):
        row = f["source_row"] or (part.verdict.header_row if f["column_letter"] else 0)
        yield Problem(
            sheet=_sheet_of(part, sheets),
            row=row,
            letter=f["column_letter"] or "",
            column=f["column_name"] or f["field"] or "",
            found="" if f["hidden"] else f["found"] or "",
            hidden=f["hidden"],
            suggestion="" if f["hidden"] else f["suggestion"] or "",
            must=f["severity"] != Severity.WARNING,
            text=text(f["rule_id"], f["field"], f["severity"]),
            rule_id=f["rule_id"],
        )


def _read_me(made: Book, parts: Sequence[Part], problems: Sequence[Problem], left_out: Sequence[str]) -> None:
    """What to do, in five steps, and which sheets are not given back."""
    sheet = made.sheet(READ_ME)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 5)
    sheet.set_column(1, 1, 110)
    first = parts[0].report
    row = 0
    for report in (p.report for p in parts):
        instruction = page.instruction(report)
        sheet.write_string(row, 0, page.caption(report), made.look("caption"))
        sheet.merge_range(row + 1, 0, row + 1, 1, instruction, made.look("title", wrap=True))
        sheet.set_row(row + 1, 54 if len(instruction) > 62 else 30)
        sheet.write_string(row + 2, 0, words.rows_in_short(report), made.look("caption"))
        row += 4
    to_fix = sum(p.must for p in problems)
    for number, (what, how) in enumerate(words.steps(first, to_fix, name_to_send(first)), 1):
        sheet.write_number(row, 0, number, made.look("step"))
        sheet.write_string(row, 1, what, made.look("section"))
        sheet.write_string(row + 1, 1, how, made.look("lead"))
        sheet.set_row(row, 22)
        sheet.set_row(row + 1, height_of([how], [90], line=16))
        row += 2
    if first.due:
        sheet.write_string(row + 1, 1, words.deadline_in_words(first), made.look("section"))
        row += 1
    if left_out:
        sentence = words.left_out(left_out)
        sheet.write_string(row + 1, 1, sentence, made.look("lead"))
        sheet.set_row(row + 1, height_of([sentence], [90]))
        row += 1
    sheet.write_string(row + 1, 0, words.report_number(first), made.look("caption"))
    sheet.activate()


def name_to_send(report: Report) -> str:
    """The name under which the fixed workbook is sent."""
    stem = report.next_name.rpartition(".")[0]
    return f"{stem or f'{report.site}_{report.dataset}_{report.period}_v{report.version + 1}'}.xlsx"


_WIDTHS = (10, 14, 8, 21, 30, 19, 34, 40, 16, 16, 8)  # of the columns of the list


def _list(made: Book, problems: Sequence[Problem], names: Mapping[str, str]) -> None:
    """Every problem with its address, those that must be fixed first."""
    sheet = made.sheet(PROBLEMS)
    listed = problems[:MOST_PROBLEMS]
    rows: list[Sequence[Any]] = [
        (
            p.cell,
            names.get(p.sheet, ""),
            p.row or "",
            p.column,
            p.text.title,
            words.HIDDEN if p.hidden else p.found,
            p.text.expected,
            p.text.fix,
            p.suggestion,
            words.YES if p.must else words.WORTH_CHECKING,
            p.rule_id,
        )
        for p in listed
    ]
    end = made.table(sheet, 0, list(words.COLUMNS), list(_WIDTHS), rows)
    kind = words.COLUMNS.index(words.MUST_BE_FIXED)
    for row, p in enumerate(listed, 1):
        sheet.write_string(row, kind, rows[row - 1][kind], made.look("must cell" if p.must else "check cell"))
        if row <= MOST_LINKS and p.row and p.sheet in names:
            sheet.write_url(row, 0, f"internal:{quoted_sheet(names[p.sheet])}!{p.target}", made.look("link"), p.cell)
    if len(problems) > len(listed):
        sheet.write_string(end, 0, words.more_problems(len(problems) - len(listed)), made.look("caption"))


@dataclass
class Comments:
    """How many notes a workbook has by now: too many would make it slow to open."""

    written: int = 0

    def write(self, sheet: Worksheet, row: int, column: int, problems: Sequence[Problem]) -> None:
        """Write what is wrong with a cell as its note, as long as there are not too many."""
        if self.written >= MOST_COMMENTS:
            return
        self.written += 1
        text = "\n\n".join(p.comment for p in problems)[: LONGEST_CELL - 1]
        lines = sum(1 + len(part) // 48 for part in text.split("\n"))
        size = {"width": 330, "height": min(18 * lines + 12, 420)}
        sheet.write_comment(row, column, text, {"author": words.AUTHOR, "font_size": 9, **size})


class _Marks:
    """The problems of one sheet, by row and by cell (both from 0). What is wrong with a row is told in its first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.rows: dict[int, list[Problem]] = defaultdict(list)
        self.cells: dict[tuple[int, int], list[Problem]] = defaultdict(list)
        self.last: dict[int, int] = defaultdict(int)  # of each row, the number of columns up to its last mark
        for p in problems:
            if p.row:
                column = index_of(p.letter) if p.letter else 0
                self.rows[p.row - 1].append(p)
                self.cells[p.row - 1, column].append(p)
                self.last[p.row - 1] = max(self.last[p.row - 1], column + 1)
        self.whole = {row for row, found in self.rows.items() if any(p.must and not p.letter for p in found)}

    def look(self, row: int, column: int, otherwise: str) -> str:
        """How a cell looks."""
        found = [p for p in self.cells.get((row, column), ()) if p.letter]
        if row in self.whole or any(p.must for p in found):
            return "must"
        return "check" if found else otherwise


def _marked_sheet(
    made: Book,
    sheet: SheetCells,
    name: str,
    part: Part | None,
    problems: Sequence[Problem],
    comments: Comments,
) -> None:
    """One of the sender's sheets: each cell where it was, with its kind; the bad ones filled and explained."""
    out = made.sheet(name)
    fields = _fields(part)
    header = part.verdict.header_row - 1 if part else -1
    rows = [_without_ours(row, sheet, header) for row in sheet.rows]
    marks = _Marks(problems)
    width = max((len(row) for row in rows), default=0)
    widths = []
    for column in range(width):
        shown = (str(row[column]) for row in rows[:_ROWS_MEASURED] if column < len(row) and row[column] is not None)
        widths.append(width_of(shown))
        out.set_column(column, column, widths[-1], made.column_look(fields.get(column)))
    for area in merged_areas(sheet, header, width):
        out.merge_range(*area, "", made.look("own heading" if area[0] == header else "plain"))
    for i, row in enumerate(rows):
        cells = [*row, *[None] * (marks.last.get(i, 0) - len(row))]
        for j, cell in enumerate(cells):
            look = marks.look(i, j, "own heading" if i == header else "plain")
            _write(made, out, (i, j), cell, look, fields.get(j) if i > header else None)
    for (i, j), found in sorted(marks.cells.items(), key=lambda m: not any(p.must for p in m[1])):
        comments.write(out, i, j, found)
    if header >= 0:
        _beside(made, out, header, width, len(rows), marks)
        made.fit(out, [*widths, _BESIDE], header)
        for column, f in fields.items():
            if f.kind in (Kind.CODE, Kind.YES_NO):
                made.expect(out, f, column, header + 1, len(rows) + ROWS_TO_ADD)
    out.ignore_errors({"number_stored_as_text": f"A1:{column_letter(width)}{len(rows) + ROWS_TO_ADD}"})
    if sheet.hidden:
        out.hide()


def _fields(part: Part | None) -> dict[int, Field]:
    """The field of each column (from 0) that a dataset was read from."""
    if part is None:
        return {}
    known = part.contract.by_name
    return {i: known[c.field] for i, c in enumerate(part.verdict.columns) if c.field in known}


def _without_ours(row: list[Any], sheet: SheetCells, header: int) -> list[Any]:
    """A row without the column that an earlier marked workbook added."""
    headings = sheet.rows[header] if 0 <= header < len(sheet.rows) else []
    if ROW_PROBLEMS not in headings:
        return row
    ours = headings.index(ROW_PROBLEMS)
    kept = [cell if i != ours else "" for i, cell in enumerate(row)]
    while kept and kept[-1] in ("", None):
        kept.pop()
    return kept


def _beside(made: Book, out: Worksheet, header: int, width: int, rows: int, marks: _Marks) -> None:
    """The last column: what is wrong with each row, in words, to be filtered by."""
    out.set_column(width, width, _BESIDE)
    out.write_string(header, width, ROW_PROBLEMS, made.look("heading"))
    for row, found in marks.rows.items():
        rules = {p.rule_id for p in found}
        if row > header and "F05" in rules:
            out.write_string(row, width, ROW_PROBLEMS, made.look("beside", TEXT))  # a heading again, ours included
        elif row > header and "F07" not in rules:  # an empty row stays one, wherever this column is moved to
            said = "\n".join(f"{p.cell}: {p.text.title}" for p in found)
            out.set_row(row, height_of([said], [_BESIDE]))
            out.write_string(row, width, said[:LONGEST_CELL], made.look("beside", TEXT))
    out.freeze_panes(header + 1, 0)
    out.autofilter(header, 0, max(rows - 1, header + 1), width)


def _write(made: Book, out: Worksheet, at: tuple[int, int], cell: Any, look: str, f: Field | None) -> None:
    """Write one cell as what it is: a text stays a text, also one that looks like a formula, a number or a link."""
    shape = number_format(f)
    if isinstance(cell, date | time | timedelta) and shape == TEXT:
        cell = _iso(cell)  # a code that a spreadsheet took for a date: as text it can be fixed
    if cell is None or cell == "":
        if look not in ("plain", "own heading"):
            out.write_blank(*at, None, made.look(look, shape))
    elif isinstance(cell, bool):
        out.write_boolean(*at, cell, made.look(look))
    elif isinstance(cell, int | float):
        out.write_number(*at, cell, made.look(look, "" if shape == DATE else shape))
    elif isinstance(cell, timedelta):
        out.write_datetime(*at, cell, made.look(look, "[h]:mm:ss"))
    elif isinstance(cell, time):
        out.write_datetime(*at, cell, made.look(look, "hh:mm:ss"))
    elif isinstance(cell, date) and cell.year >= 1900:
        has_time = isinstance(cell, datetime) and cell.time() != time()
        out.write_datetime(*at, cell, made.look(look, f"{DATE} hh:mm:ss" if has_time else DATE))
    else:
        text = cell if isinstance(cell, str) else _iso(cell)
        out.write_string(*at, text, made.look(look, TEXT if len(text) <= 255 else ""))


def _iso(cell: Any) -> str:
    """A date or time as text, in the form in which it would be read."""
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return str(cell) if isinstance(cell, timedelta) else cell.isoformat()
