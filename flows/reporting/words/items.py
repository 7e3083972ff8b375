"""The wording of one item of a report: where it is, what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.cells.column_letters import column_letter, index_of
from flows.deliveries.formats import Format, format_named
from flows.reporting.words.check import HOW_TO_IMPROVE
from flows.reporting.words.pieces import PLAIN, SENDERS, VALUE, Pieces, in_pieces, plain
from flows.runtime.wording import counted, listed, ranges, shortened, spans
from schemas._contract.workbook_names import PROBLEMS
from schemas._rules.cells import MONTH_FIRST_RULE

if TYPE_CHECKING:
    from flows.reporting.report import Report
    from flows.reporting.report_item import Change, Item, Ranges

SEPARATOR_LINE_SHIFT = (2, 1)  # of a first line such as sep=;, which Excel does not show
GROUPS_SHOWN = 3
RANGES_SHOWN = 6  # of rows: more numbers than 12 are not read
CELLS_SHOWN = 5
CHECKS_SHOWN = 12  # of those that could not be made
ABOUT_HEADINGS_TOGETHER = ("F09", "F41")
ABOUT_HEADINGS = ("F10", "F11", "F12", "F28", "F40", "F41")
HIDDEN = "hidden (may be personal data)"
EMPTY = "empty"
NO_HEADING = "none"
SUGGESTED = "Change to {}. {}"  # the value, then what the rule says
AS_SUGGESTED = "This cell is as suggested. {}"  # what the rule says
COULD_NOT_BE_CHECKED = "could not be checked"
NOTHING_TO_FIX = "Nothing to fix: it is checked when what it needs is there."
WHOLE_FILE = "whole file"
SUGGESTED_VALUE = "Suggested value"
FEW_CELLS = 5  # to be changed: so many are quickly typed
RULES_WITH_A_RECIPE = (MONTH_FIRST_RULE,)
WHERE, FOUND, EXPECTED, WHAT_WE_DID, NEXT_TIME, HOW_TO_FIX = (
    "Where", "Found", "Expected", "What we did", "Next time", "How to fix"
)  # fmt: skip


def where_in_short(item: Item) -> str:
    """The location in a few words: 'column I, 42 rows'."""
    size = counted(item.rows_affected, "row") if item.rows_affected else ""
    return ", ".join(part for part in (_column_in_short(item), size) if part) or WHOLE_FILE


def columns_in_short(item: Item) -> str:
    """The columns of an item that has several: 'columns A and B', '4 columns, C, E to G'."""
    places = ranges(sorted(index_of(part.column_letter) for part in item.parts if part.column_letter))
    if len(item.parts) == 2 and all(part.column_letter for part in item.parts):
        return f"columns {listed([part.column_letter for part in item.parts])}"
    if not places:
        return ""
    letters = [column_letter(a) if a == b else f"{column_letter(a)} to {column_letter(b)}" for a, b in places]
    if item.rule_id in ABOUT_HEADINGS_TOGETHER:  # the title has their number
        return f"columns {listed(letters)}"
    return ", ".join(filter(None, (counted(len(item.parts), "column"), listed(letters))))


def _column_in_short(item: Item) -> str:
    if item.parts:
        return columns_in_short(item)
    if item.column_letter:
        return f"column {item.column_letter}"
    if item.field_title and item.field_title not in item.title:
        return f"column {item.field_title}"
    return f"column {shortened(item.column, 40)}" if item.column else ""


def where(item: Item) -> str:
    """The full location: sheet, column letter, the sender's heading, and rows."""
    return plain(where_in_pieces(item))


def where_in_pieces(item: Item) -> Pieces:
    """The full location in pieces: the sheet's name and the heading are the sender's text."""
    parts: list[Pieces] = [
        (("sheet ", PLAIN), (item.sheet, SENDERS)) if item.sheet else (),
        _column(item),
        ((_rows(item), PLAIN),) if item.rows else (),
    ]
    pieces: list[tuple[str, str]] = []
    for part in filter(None, parts):
        pieces += [(", ", PLAIN), *part] if pieces else part
    first = pieces[0][0] if pieces else "the file as a whole"
    return ((first[0].upper() + first[1:], PLAIN), *pieces[1:])


def _rows(item: Item) -> str:
    """The rows, or the grants; where a spreadsheet and a text editor number rows differently, in both ways."""
    if item.in_json:
        return _numbered("grant", grant_numbers(item.rows))
    if item.spreadsheet_rows is None:
        return _numbered("row", item.rows)
    lines = f"{_numbered('line', item.rows)} in a text editor"
    return f"{_numbered('row', item.spreadsheet_rows)} in a spreadsheet, {lines}" if item.spreadsheet_rows else lines


def grant_numbers(rows: Ranges) -> Ranges:
    """The numbers of the grants of a JSON file, whose heading counts as row 1."""
    return tuple((first - 1, last - 1) for first, last in rows)


def _numbered(noun: str, rows: Ranges) -> str:
    """'row 5', 'rows 5 to 9'; of several ranges their number first: '12 rows (5 to 9, 12, 20 to 25)'."""
    shown = spans(rows[:RANGES_SHOWN])
    number = sum(last - first + 1 for first, last in rows)
    if len(rows) == 1:
        return f"{noun}{'s' if number > 1 else ''} {shown[0]}"
    more = sum(last - first + 1 for first, last in rows[RANGES_SHOWN:])
    return f"{counted(number, noun)}: {', '.join(shown)}{f' and {more:,} more' if more else ''}"


def _column(item: Item) -> Pieces:
    if item.parts:
        columns = columns_in_short(item)
        return ((columns, PLAIN),) if columns else ()
    heading, title = shortened(item.column), item.field_title
    if not item.column_letter:
        if title and heading == item.field:
            return ((f"column {title} (", PLAIN), (heading, SENDERS), (")", PLAIN))
        return (("column ", PLAIN), (heading, SENDERS)) if heading else ()
    lettered = (f"column {item.column_letter}", PLAIN)
    if heading and heading != lettered[0] and item.rule_id in ABOUT_HEADINGS and item.heading_row:
        cell = f", cell {item.column_letter}{item.heading_row} (", PLAIN
        return (lettered, cell, (heading, SENDERS), (")", PLAIN))
    if title and heading == item.field != title:  # our own name of the column, which says less than its title
        return ((f"column {item.column_letter}, {title} (", PLAIN), (heading, SENDERS), (")", PLAIN))
    if heading == lettered[0]:  # a heading that may be personal has been replaced by 'column C'
        return (lettered,)
    return (lettered, (" (", PLAIN), (heading, SENDERS), (")", PLAIN)) if heading else (lettered,)


def row_numbers(report: Report) -> str:
    """How the rows of a text file, or the grants of a JSON file, are numbered."""
    if format_named(report.file_name) is Format.JSON:
        return "Grants are numbered from 1 in the order of the file. Where a row is named, row 2 is grant 1."
    if not report.line_shifts:
        return "Row numbers are lines of the file; the first line is row 1."
    sentences = []
    if known := [shift for shift in report.line_shifts if shift.rows is not None]:
        if any(shift != SEPARATOR_LINE_SHIFT for shift in known):
            sentences.append("Some cells hold a line break, so a spreadsheet has fewer rows than a text editor lines.")
        sentences.append("Where a spreadsheet and a text editor number a row differently, both numbers are given.")
    if len(known) < len(report.line_shifts):
        sentences.append("Below a quotation mark that is not closed, rows are numbered as lines of a text editor.")
    return " ".join(sentences)


def hidden(item: Item) -> str:
    """The text in place of values that may be personal, with where to find them; '' where none is hidden."""
    if not item.hidden_rows:
        return HIDDEN if item.hides_values else ""
    if item.in_json:
        return f"{HIDDEN} - see {_numbered('grant', grant_numbers(item.hidden_rows))} in your own file"
    has_row = item.spreadsheet_rows != ()
    noun = "line" if not has_row else "cell" if item.column_letter else "row"
    cells = spans(item.hidden_rows[:CELLS_SHOWN], item.column_letter if has_row else "")
    several = len(cells) > 1 or " to " in cells[0]
    more = ", ..." if len(item.hidden_rows) > CELLS_SHOWN else ""
    text = ", ".join(cells) + more if more else listed(cells)
    return f"{HIDDEN} - see {noun}{'s' if several else ''} {text} in your own file"


def expected(item: Item) -> str:
    """What was expected, with a capital letter."""
    return item.expected[0].upper() + item.expected[1:]


def expected_by_column(item: Item) -> tuple[tuple[str, str], ...]:
    """What was expected in each column of an item, where that differs: the column's title, and the text."""
    texts = [(part.field_title, part.expected) for part in item.parts]
    # some columns may be empty besides: that alone is no difference
    differ = len({t for _, t in texts}) > 1 and item.expected not in {t for _, t in texts}
    differ = differ and item.rule_id not in ABOUT_HEADINGS_TOGETHER
    return tuple(texts) if differ and all(title for title, _ in texts) else ()


def change(item: Item, found: str, suggestion: str) -> Pieces:
    """'Change 01/11/16 to 2016-11-01', or 'Read ... as ...' where that was done already."""
    sentence = "Read {found} as {suggestion}" if item.suggestions_used else "Change {found} to {suggestion}"
    return in_pieces(sentence, {"found": found, "suggestion": suggestion}, VALUE)


def nearest(found: str, entries: Sequence[str]) -> Pieces:
    """'Nearest to video call on the list: 11 (Video), 02 (Telephone) or 98 (Other)'."""
    return in_pieces(f"Nearest to {{found}} on the list: {listed(entries, 'or')}", {"found": found}, VALUE)


def in_rows(item: Item, count: int) -> str:
    """In how many rows, or cells, a value was found, in brackets; '' where the item has one row at most."""
    return f" ({counted(count, 'cell' if item.parts else 'row')})" if item.rows_affected > 1 else ""


def in_place(item: Item, made: Change) -> str:
    """Where a change is to be made or was made, in brackets: its cell, or how many rows; '' in an item of one row."""
    if made.cell and item.rows_affected > 1:
        return f" (cell {made.cell})"
    return in_rows(item, made.count)


def renaming(item: Item) -> str:
    """'Type contact_date in cell C1, in place of When seen'."""
    in_its_place = f", in place of {shortened(item.column)}" if item.column and not _is_hidden(item) else ""
    return f"Type {item.field} in {heading_cell(item)}{in_its_place}"


def your_heading(item: Item) -> str:
    """The heading as the sender wrote it; in its place, that there is none, or that it may be personal."""
    return "hidden" if _is_hidden(item) else shortened(item.column) or NO_HEADING


def meaning(item: Item) -> str:
    """What belongs below a new heading: the field's title, and what a cell of it may hold."""
    return f"{item.field_title}: {item.holds}" if item.holds else item.field_title


def _is_hidden(item: Item) -> bool:
    """Whether the column's letter stands for a heading that may be personal."""
    return item.column == f"column {item.column_letter}"


def heading_cell(item: Item) -> str:
    """The cell of a column's heading: 'cell C1'."""
    return f"cell {heading_address(item)}" if item.heading_row else f"column {item.column_letter}"


def heading_address(item: Item) -> str:
    """The same without the word: 'C1'."""
    return f"{item.column_letter}{item.heading_row or ''}"


def how_to_fix(item: Item, *, is_check: bool = False) -> str:
    """The label above the fix. A file that was not sent can still be improved this time."""
    if not item.suggestions_used and not item.is_deletion:
        return HOW_TO_FIX
    return HOW_TO_IMPROVE if is_check else NEXT_TIME


def how_to_apply(item: Item, report: Report) -> list[str]:
    """Sentences on the suggestions for the cells of an item: the evidence, where they are, how to enter them all."""
    if item.suggestions_used or not item.changes:
        return []
    sentences = [_evidence(item), _where_all_are(item, report)]
    if item.rows_affected > FEW_CELLS:
        sentences += [_at_once(item, report)]
    return [sentence for sentence in sentences if sentence]


def _evidence(item: Item) -> str:
    """How many dates can only be month first."""
    if item.rule_id != MONTH_FIRST_RULE or not item.only_month_first:
        return ""
    of = counted(item.rows_affected, "date")
    return f"{item.only_month_first:,} of these {of} can only be month first, and none can only be day first."


def _where_all_are(item: Item, report: Report) -> str:
    """Where every suggestion is, if the page gives examples."""
    if not item.changes_left_out:
        return ""
    right = item.cells_as_suggested
    as_they_are = f" {counted(right, 'cell is', 'cells are')} as suggested already." if right else ""
    if report.marked_workbook:
        return (
            f"All {item.cells_suggested:,} suggestions are on the sheet {PROBLEMS} of {report.marked_workbook}, in the "
            f"column '{SUGGESTED_VALUE}', with the cell of each.{as_they_are}"
        )
    return (
        f"All {item.cells_suggested:,} suggestions are in the file that ends in findings.csv, with the cell of each."
        f"{as_they_are}"
    )


def _at_once(item: Item, report: Report) -> str:
    """How to enter all suggestions of one column in few steps; '' where there is no safe way."""
    column = "these columns" if item.parts else f"column {item.column_letter}"
    has_recipe = item.rule_id in RULES_WITH_A_RECIPE
    if item.fills_its_column and not has_recipe and len(report.must_fix) == 1 and report.marked_workbook:
        return (
            f"Every row has one, in the same order: you can copy those of {column} from '{SUGGESTED_VALUE}' in one go, "
            f"and paste them as values over {column}, from {item.first_cell} down."
        )
    why = "it has those of every column" if item.parts else "cells without one lie between"
    warning = f"Do not paste the list of suggestions over {column}: {why}, and values would land in the wrong rows."
    gaps = "" if item.fills_its_column else warning
    if has_recipe or item.changes_left_out or not item.replaces_without_clash:
        return gaps
    return (
        f"To change them all: select {column}, press Ctrl+H and tick 'Match entire cell contents' under Options. Then "
        f"replace each value on the left below by the one on its right, with 'Replace All'. {gaps}"
    ).rstrip()


def checks_not_made(items: Sequence[Item], *, is_check: bool) -> list[str]:
    """One sentence for all checks that were not made for want of the same thing: what they need, and their titles."""
    by_need: dict[str, list[Item]] = {}
    for item in items:
        by_need.setdefault(_needs(item, is_check=is_check), []).append(item)
    return [_not_made(need, of_need) for need, of_need in by_need.items()]


def _not_made(need: str, items: Sequence[Item]) -> str:
    titles = dict.fromkeys(f"{item.title} ({item.rule_id})" for item in items)
    shown, more = [*titles][:CHECKS_SHOWN], len(titles) - CHECKS_SHOWN
    checks = "; ".join([*shown, *([others(more, "check")] if more > 0 else [])])
    return f"These need {need}: {checks}." if need else f"Not checked: {checks}."


def _needs(item: Item, *, is_check: bool) -> str:
    """What a check needs that was not made; '' where that is not known.

    `pilots check` knows no other file: those it needs were sent before.
    """
    if item.lacks or not item.needs:
        return item.lacks or ("what else was sent" if is_check else "")
    return f"{'your accepted files' if is_check else 'an accepted file'} of {listed(item.needs)}"


def others(number: int, noun: str, see: str = "") -> str:
    """How many more there are than are shown, and where to see them."""
    return f"and {counted(number, f'other {noun}')}{f': see {see}' if see else ''}"


def groups(rows: Ranges, letter: str) -> str:
    """Which cells are to be filled down, as a sentence: 'There are 21 groups: B2 to B6, B7 to B10, and so on.'

    `rows` are those without a value, a range for each group; the value of a group is in the row above.
    """
    cells = [f"{letter}{first - 1} to {letter}{last}" for first, last in rows[:GROUPS_SHOWN]]
    of = "" if letter else "rows "
    more = ", and so on" if len(rows) > GROUPS_SHOWN else ""
    places = f"{', '.join(cells)}{more}" if more else listed(cells)
    return f"There {'is' if len(rows) == 1 else 'are'} {counted(len(rows), 'group')} to fill: {of}{places}."
