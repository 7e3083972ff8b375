"""Write the marked workbook: the sender's own file, every cell in its place, the bad ones marked and explained.

Before the sender's sheets come the instructions, the list of problems and, where a warning can be confirmed, the sheet
for that (`confirm_sheet.py`). The sender can fix the workbook and send it as it is:
the sheets and the column that we added (see `workbook_names.py`) are skipped when it is read. A file with personal data
gets none, because no copy of personal data is made (docs/domain.md 5.3). Source: docs/reports.md 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl
from xlsxwriter.worksheet import Worksheet

from flows.cells.column_letters import column_letter, index_of
from flows.cells.parse import NOT_CALCULATED
from flows.deliveries.extract import SheetCells
from flows.reporting.render.marked.confirm_sheet import write_confirm_sheet
from flows.reporting.render.marked.problems import Problem, problems_of
from flows.reporting.render.marked.redacted_sheet import merged_areas, redacted_sheet, safe_sheet_names, sheet_of
from flows.reporting.render.spreadsheet_rows import in_spreadsheet_rows
from flows.reporting.report import DatasetReport, Report
from flows.reporting.words import page
from flows.reporting.words import workbook as words
from flows.steps.read.workbook.marked_copy import sheet_digest
from flows.workbooks.sign_off import sign_off_fields, write_sign_off
from flows.workbooks.styles import (
    DATE,
    MAX_CELL_LENGTH,
    MAX_COLUMNS,
    TEXT,
    WorkbookWriter,
    height_of,
    number_format,
    quoted_sheet,
    sheet_names,
    width_of,
)
from schemas._contract.model import Field, Kind, Severity
from schemas._contract.workbook_names import HIDDEN, NO_RESULT, OUR_SHEETS, PROBLEMS, READ_ME, ROW_PROBLEMS
from schemas._rules.headings import RENAMED_RULE
from schemas._rules.misplaced import GROUPED_RULE
from schemas._rules.privacy import REFUSING_RULE_IDS
from schemas.audit.deliveries import Result

MAX_ROWS_MARKED = 50_000  # rows of data: a larger workbook does not help, and findings.csv has all its findings
MAX_PROBLEMS = 100_000  # in the list of problems
MAX_LINKS = 60_000  # Excel allows 65,530 on one sheet
MAX_COMMENTS = 5_000  # more make a workbook slow to open
MAX_TEXT_LENGTH = 255  # characters: Excel shows a longer text in the format for texts as #####
ROWS_TO_ADD = 200  # rows below the last one in which drop-down lists still work
_ROWS_MEASURED = 2_000  # rows from which the width of a column is estimated
_ROW_PROBLEMS_WIDTH = 62  # characters


def why_no_workbook(parts: Sequence[DatasetReport]) -> str:
    """Why a file gets no marked workbook, as far as is known before it is opened; '' where it may get one."""
    personal = pl.col("rule_id").is_in(REFUSING_RULE_IDS) & (pl.col("severity") == Severity.FILE)
    if any(p.verdict.holds_personal_data or p.findings.filter(personal).height for p in parts):
        return words.MAY_BE_PERSONAL
    if all(p.verdict.result is Result.UNREADABLE for p in parts):
        return words.COULD_NOT_BE_READ
    if not any(p.verdict.rows.read and p.verdict.rows_judged for p in parts):
        return words.NO_ROW
    # below a heading that is not known, no value may be shown: the copy would lack what its sender has to send
    if any(p.findings.filter(pl.col("rule_id") == RENAMED_RULE).height for p in parts):
        return words.HEADINGS_NOT_KNOWN
    if max(p.verdict.rows.read for p in parts) > MAX_ROWS_MARKED:
        return words.too_many_rows(MAX_ROWS_MARKED)
    return ""


def write_marked_workbook(path: Path, sheets: Sequence[SheetCells], parts: Sequence[DatasetReport]) -> str:
    """Write a sender's sheets with their bad cells marked. Returns why nothing was written, or ''."""
    sheets, parts = in_spreadsheet_rows(sheets, parts)
    # of two datasets on one sheet, the first wins
    part_of = {sheet_of(p, sheets): p for p in reversed(parts) if p.verdict.rows_judged}
    people = next((p.contract for p in parts if p.contract.participant_level), None)
    safe_names = safe_sheet_names(sheets, people)
    own = [s for s in sheets if s.name in safe_names and (people is None or s.name in part_of)]
    if why := why_no_workbook(parts) or (_why_not_sheets(own, safe_names) if own else words.COULD_NOT_BE_READ):
        return why
    excel_names = sheet_names([safe_names[s.name] for s in own], OUR_SHEETS)
    names = {s.name: excel_names[safe_names[s.name]] for s in own}
    problems = sorted((problem for p in parts for problem in problems_of(p, sheets)), key=lambda p: p.order)
    written = [_as_written(sheet, part_of.get(sheet.name)) for sheet in own]
    # where only the file as a whole is at fault, its cells may be sent back as they are
    has_cells_to_fix = any(p.must and p.row for p in problems)
    digests = [sheet_digest(sheet.rows) for sheet in written] if has_cells_to_fix else []
    contracts = [p.contract for p in parts]
    workbook = WorkbookWriter(path, parts[0].report.received_at)
    _write_read_me(workbook, parts, problems, [safe_names[s] for s in safe_names if s not in names], digests)
    _write_problems(workbook, problems, names)
    write_confirm_sheet(workbook, [p for p in problems if p.code], names)
    workbook.reserve_code_lists([*(f for p in parts for f in p.contract.fields), *sign_off_fields(contracts)])
    write_sign_off(workbook, contracts)  # empty: what was signed off is not what will be sent
    comments = Comments()
    for sheet in written:
        on_sheet = [p for p in problems if p.sheet == sheet.name]
        _write_marked_sheet(workbook, sheet, names[sheet.name], part_of.get(sheet.name), on_sheet, comments)
    workbook.write_code_sheet()
    workbook.book.close()
    return ""


def _as_written(sheet: SheetCells, part: DatasetReport | None) -> SheetCells:
    """The cells of a sheet as they are given back: redacted, and without what an earlier marked workbook added."""
    safe = redacted_sheet(sheet, part.verdict, part.contract, part.findings) if part else sheet
    if part and part.report.lacks_results:
        safe = replace(
            safe, rows=[[NO_RESULT if cell == NOT_CALCULATED else cell for cell in row] for row in safe.rows]
        )
    header = part.verdict.header_row - 1 if part else -1
    headings = safe.rows[header] if 0 <= header < len(safe.rows) else []
    if ROW_PROBLEMS not in headings:
        return safe
    return replace(safe, rows=[_without_cell(row, headings.index(ROW_PROBLEMS)) for row in safe.rows])


def _why_not_sheets(own: Sequence[SheetCells], safe_names: Mapping[str, str]) -> str:
    """Why these sheets do not fit into a workbook; '' where they do."""
    for sheet in own:
        if len(sheet.rows) > MAX_ROWS_MARKED + 1_000:
            return words.too_long_a_sheet(safe_names[sheet.name], MAX_ROWS_MARKED)
        if any(len(row) >= MAX_COLUMNS for row in sheet.rows):
            return words.TOO_WIDE
        if any(max(map(len, map(str, row)), default=0) > MAX_CELL_LENGTH for row in sheet.rows):
            return words.too_long_a_cell(MAX_CELL_LENGTH)
    return ""


def _write_read_me(
    workbook: WorkbookWriter,
    parts: Sequence[DatasetReport],
    problems: Sequence[Problem],
    left_out: Sequence[str],
    digests: Sequence[str],
) -> None:
    """Write the first sheet: what to do in five steps, which sheets are left out, and what those given back hold."""
    sheet = workbook.add_sheet(READ_ME)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 5)
    sheet.set_column(1, 1, 110)
    first = parts[0].report
    row = 0
    for report in (p.report for p in parts):
        instruction = page.instruction(report)
        sheet.write_string(row, 0, page.caption(report), workbook.style("caption"))
        sheet.merge_range(row + 1, 0, row + 1, 1, instruction, workbook.style("title", wrap=True))
        sheet.set_row(row + 1, 54 if len(instruction) > 66 else 30)
        sheet.write_string(row + 2, 0, words.rows_in_short(report), workbook.style("caption"))
        row += 4
    to_fix = sum(p.must for p in problems)
    to_confirm = sum(bool(p.code) for p in problems)
    # the rows that hold the values to be copied down have no problem themselves
    may_filter = all(p.rule_id != GROUPED_RULE for p in problems)
    to_check = len(problems) - to_fix
    steps = words.steps(first, to_fix, name_to_send(first), to_confirm, may_filter=may_filter, to_check=to_check)
    if any(p.report.lacks_results for p in parts):
        steps = words.steps_in_own_file(first, to_fix)
    for number, (step, detail) in enumerate(steps, 1):
        sheet.write_number(row, 0, number, workbook.style("step"))
        sheet.write_string(row, 1, step, workbook.style("section"))
        sheet.write_string(row + 1, 1, detail, workbook.style("lead"))
        sheet.set_row(row, 22)
        sheet.set_row(row + 1, height_of([detail], [90], line=16))
        row += 2
    if first.due:
        sheet.write_string(row + 1, 1, words.deadline_in_words(first), workbook.style("section"))
        row += 1
    if left_out:
        sentence = words.left_out(left_out)
        sheet.write_string(row + 1, 1, sentence, workbook.style("lead"))
        sheet.set_row(row + 1, height_of([sentence], [90]))
        row += 1
    sheet.write_string(row + 1, 0, words.report_number(first), workbook.style("caption"))
    if digests:
        sheet.write_string(row + 2, 0, words.copy_line(first, digests), workbook.style("caption"))
    sheet.activate()


def name_to_send(report: Report) -> str:
    """The file name under which the fixed workbook is to be sent."""
    stem = report.next_name.rpartition(".")[0]
    return f"{stem or f'{report.site}_{report.dataset}_{report.period}_v{report.version + (not report.is_check)}'}.xlsx"


_WIDTHS = (10, 14, 8, 21, 30, 19, 34, 40, 16, 16, 8)  # of the columns of the list of problems


def _write_problems(workbook: WorkbookWriter, problems: Sequence[Problem], names: Mapping[str, str]) -> None:
    """Write the list of problems, each with a link to its cell; what must be fixed comes first."""
    sheet = workbook.add_sheet(PROBLEMS)
    listed = problems[:MAX_PROBLEMS]
    rows: list[Sequence[Any]] = [
        (
            p.cell,
            names.get(p.sheet, ""),
            words.row_and_line(p.row, p.line),
            p.column,
            p.text.title,
            HIDDEN if p.hidden else p.found,
            p.text.expected,
            p.text.fix,
            p.suggestion,
            words.YES if p.must else words.WORTH_CHECKING,
            p.rule_id,
        )
        for p in listed
    ]
    end = workbook.write_table(sheet, 0, list(words.COLUMNS), list(_WIDTHS), rows)
    must_column = words.COLUMNS.index(words.MUST_BE_FIXED)
    for row, p in enumerate(listed, 1):
        sheet.write_string(
            row, must_column, rows[row - 1][must_column], workbook.style("must cell" if p.must else "check cell")
        )
        if row <= MAX_LINKS and p.row and p.sheet in names:
            sheet.write_url(
                row, 0, f"internal:{quoted_sheet(names[p.sheet])}!{p.target}", workbook.style("link"), p.cell
            )
    if len(problems) > len(listed):
        sheet.write_string(end, 0, words.more_problems(len(problems) - len(listed)), workbook.style("caption"))


@dataclass
class Comments:
    """Writes cell comments, up to a limit for the whole workbook: too many make it slow to open."""

    written: int = 0

    def write(self, sheet: Worksheet, row: int, column: int, problems: Sequence[Problem]) -> None:
        """Write what is wrong with a cell as its comment, unless the limit is reached."""
        if self.written >= MAX_COMMENTS:
            return
        self.written += 1
        text = "\n\n".join(p.comment for p in problems)[: MAX_CELL_LENGTH - 1]
        # a comment does not grow with its text, so its height is estimated from 48 characters a line
        lines = sum(1 + len(part) // 48 for part in text.split("\n"))
        size = {"width": 330, "height": min(18 * lines + 12, 420)}
        sheet.write_comment(row, column, text, {"author": words.AUTHOR, "font_size": 9, **size})


class _Marks:
    """The problems of one sheet, by row and by cell (both from 0). A problem of a whole row is at its first cell."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.rows: dict[int, list[Problem]] = defaultdict(list)
        self.cells: dict[tuple[int, int], list[Problem]] = defaultdict(list)
        self.width: dict[int, int] = defaultdict(int)  # row -> the number of columns up to its last marked cell
        for p in problems:
            if p.row:
                column = index_of(p.letter) if p.letter else 0
                self.rows[p.row - 1].append(p)
                self.cells[p.row - 1, column].append(p)
                self.width[p.row - 1] = max(self.width[p.row - 1], column + 1)
        self.bad_rows = {row for row, found in self.rows.items() if any(p.must and not p.letter for p in found)}

    def style(self, row: int, column: int, otherwise: str) -> str:
        """The style of a cell; `otherwise` where nothing is wrong with it."""
        found = [p for p in self.cells.get((row, column), ()) if p.letter]
        if row in self.bad_rows or any(p.must for p in found):
            return "must"
        return "check" if found else otherwise


def _write_marked_sheet(
    workbook: WorkbookWriter,
    sheet: SheetCells,
    name: str,
    part: DatasetReport | None,
    problems: Sequence[Problem],
    comments: Comments,
) -> None:
    """Write one of the sender's sheets: each cell in its place and of its type, the bad ones filled and explained."""
    out = workbook.add_sheet(name)
    fields = _fields(part)
    header = part.verdict.header_row - 1 if part else -1
    rows = sheet.rows
    marks = _Marks(problems)
    width = max((len(row) for row in rows), default=0)
    widths = [width_of(map(str, filter(None, column))) for column in zip_longest(*rows[:_ROWS_MEASURED])]
    widths += [width_of(())] * (width - len(widths))
    for column in range(width):
        out.set_column(column, column, widths[column], workbook.column_style(fields.get(column)))
    for area in merged_areas(sheet, header, width):
        out.merge_range(*area, "", workbook.style("own heading" if area[0] == header else "plain"))
    for i, row in enumerate(rows):
        if i > header and i not in marks.rows:
            _write_sound_row(workbook, out, i, row, fields)
            continue
        cells = [*row, *[None] * (marks.width.get(i, 0) - len(row))]
        for j, cell in enumerate(cells):
            style = marks.style(i, j, "own heading" if i == header else "plain")
            _write_cell(workbook, out, (i, j), cell, style, fields.get(j) if i > header else None)
    # cells that must be fixed come first, in case the limit of comments is reached
    for (i, j), found in sorted(marks.cells.items(), key=lambda m: not any(p.must for p in m[1])):
        comments.write(out, i, j, found)
    if header >= 0:
        _write_row_problems(workbook, out, header, width, len(rows), marks)
        workbook.fit_to_print(out, [*widths, _ROW_PROBLEMS_WIDTH], header)
        for column, f in fields.items():
            if f.kind in (Kind.CODE, Kind.YES_NO):
                workbook.add_validation(out, f, column, header + 1, len(rows) + ROWS_TO_ADD)
    out.ignore_errors({"number_stored_as_text": f"A1:{column_letter(width)}{len(rows) + ROWS_TO_ADD}"})
    if sheet.hidden:
        out.hide()


def _fields(part: DatasetReport | None) -> dict[int, Field]:
    """Column (from 0) -> the field that was read from it."""
    if part is None:
        return {}
    known = part.contract.by_name
    return {i: known[c.field] for i, c in enumerate(part.verdict.columns) if c.field in known}


def _without_cell(row: Sequence[Any], column: int) -> list[Any]:
    """The row with the cell of one column emptied, and without empty cells at its end."""
    cells = [cell if i != column else "" for i, cell in enumerate(row)]
    while cells and cells[-1] in ("", None):
        cells.pop()
    return cells


def _write_row_problems(
    workbook: WorkbookWriter, out: Worksheet, header: int, width: int, rows: int, marks: _Marks
) -> None:
    """Write the last column: what is wrong with each row, so that the sender can filter by it."""
    out.set_column(width, width, _ROW_PROBLEMS_WIDTH)
    out.write_string(header, width, ROW_PROBLEMS, workbook.style("heading"))
    for row, found in marks.rows.items():
        rules = {p.rule_id for p in found}
        if row > header and "F05" in rules:
            # a repeated heading, so that ours is repeated too
            out.write_string(row, width, ROW_PROBLEMS, workbook.style("row problems", TEXT))
        elif row > header and "F07" not in rules:  # a blank row stays blank, even if this column is moved
            text = "\n".join(f"{p.cell}: {p.text.title}" for p in found)
            out.set_row(row, height_of([text], [_ROW_PROBLEMS_WIDTH]))
            out.write_string(row, width, text[:MAX_CELL_LENGTH], workbook.style("row problems", TEXT))
    out.freeze_panes(header + 1, 0)
    out.autofilter(header, 0, max(rows - 1, header + 1), width)


def _write_sound_row(
    workbook: WorkbookWriter, out: Worksheet, at: int, row: Sequence[Any], fields: Mapping[int, Field]
) -> None:
    """Write a row in which nothing is wrong. Most cells of most files are short texts, and quick to write."""
    text_style = workbook.style("plain", TEXT)
    for column, cell in enumerate(row):
        if cell is None or cell == "":
            continue
        if isinstance(cell, str) and len(cell) <= MAX_TEXT_LENGTH:
            out.write_string(at, column, cell, text_style)
        else:
            _write_cell(workbook, out, (at, column), cell, "plain", fields.get(column))


def _write_cell(
    workbook: WorkbookWriter, out: Worksheet, at: tuple[int, int], cell: Any, style: str, field: Field | None
) -> None:
    """Write one cell with its own type: text stays text even if it looks like a formula, a number or a link."""
    shape = number_format(field)
    if isinstance(cell, date | time | timedelta) and shape == TEXT:
        cell = _iso(cell)  # a code that a spreadsheet turned into a date: as text it can be fixed
    if cell is None or cell == "":
        if style not in ("plain", "own heading"):
            out.write_blank(*at, None, workbook.style(style, shape))
    elif isinstance(cell, bool):
        out.write_boolean(*at, cell, workbook.style(style))
    elif isinstance(cell, int | float):
        out.write_number(*at, cell, workbook.style(style, "" if shape == DATE else shape))
    elif isinstance(cell, timedelta):
        out.write_datetime(*at, cell, workbook.style(style, "[h]:mm:ss"))
    elif isinstance(cell, time):
        out.write_datetime(*at, cell, workbook.style(style, "hh:mm:ss"))
    elif isinstance(cell, date) and cell.year >= 1900:  # Excel has no earlier dates
        has_time = isinstance(cell, datetime) and cell.time() != time()
        out.write_datetime(*at, cell, workbook.style(style, f"{DATE} hh:mm:ss" if has_time else DATE))
    else:
        text = cell if isinstance(cell, str) else _iso(cell)
        out.write_string(*at, text, workbook.style(style, TEXT if len(text) <= MAX_TEXT_LENGTH else ""))


def _iso(cell: Any) -> str:
    """A date or time as text, in the form that the reader accepts."""
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return str(cell) if isinstance(cell, timedelta) else cell.isoformat()
