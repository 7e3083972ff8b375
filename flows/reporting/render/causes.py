"""Order the items of a report so that causes come before what they explain, and leave out what they explain in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flows.deliveries.months import WRONG_MONTH
from flows.reporting.report_item import HEADING_LINE_RULES, TOO_MANY_ROWS_RULE, Item
from schemas._contract.model import Severity
from schemas._rules.misplaced import MISPLACED_RULE_IDS
from schemas._rules.months import OTHER_MONTH_RULE

# Rules about how cells or headings are written. A file is written in one way, so one item names all columns, with one
# fix. Not here: a value that is missing, not on its list or out of range, which has a cause of its own in each column.
RULES_OF_FORM = frozenset(
    {
        *("C01", "C02", "C03", "C04"),  # dates
        *("C25", "C26", "C27", "C28"),
        *("C11", "C12", "C13", "C29", "C30", "C31"),  # numbers and amounts
        *("C14", "C15", "C16", "C18", "C20", "C33", "M06", "P08", "P10"),  # codes and references
        *("C09", "C17", "C23", "C24", "F14"),  # any text
        *("C07", "C10"),  # suppressed figures, spreadsheet errors
        *("F37", "F39"),  # formulas without results, unfilled choices
        *("F10", "F11", "F28", "F40"),  # headings
        *("F50", "F56"),  # two columns swapped
        "F53",  # filled in on the first row of each group
    }
)
HINT_RULE = "F40"  # a hint after a heading says how the column's dates are read
SEPARATED_BY_BLANK_ROWS = ("F05", "F06", "F33", "F34", "F35", "F38")  # content that is not data
BLANK_ROWS_RULE = "F07"
_WORST_FIRST = (Severity.FILE, Severity.ROW, Severity.WARNING)
_EXPLAIN_OTHERS = (OTHER_MONTH_RULE, *WRONG_MONTH, *MISPLACED_RULE_IDS, HINT_RULE)


def in_order(item: Item) -> tuple[Any, ...]:
    """Sort key: what refuses the file, holds rows, or is only to be checked.

    In each of these the heading line comes first, then causes of others, then what affects the most rows.
    """
    is_sum = item.rule_id == TOO_MANY_ROWS_RULE  # it counts the rows that the items before it hold back
    severity = Severity.ROW if is_sum else item.severity
    return (
        _WORST_FIRST.index(severity),
        item.rule_id not in HEADING_LINE_RULES,
        is_sum or item.rule_id == BLANK_ROWS_RULE,
        item.rule_id not in _EXPLAIN_OTHERS,
        -item.rows_affected,
        item.rule_id,
        *place(item),
    )


def place(item: Item) -> tuple[Any, ...]:
    """Sort key: the order of the columns."""
    return len(item.column_letter), item.column_letter, item.column, item.sheet


def without_explained(items: Sequence[Item]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Split items into those to list, and those that one of the others explains in full.

    The share of rows at fault (L01) is explained if one problem holds all of these rows; blank rows (F07), if they
    stand between the table and what else is on the sheet.
    """
    held = _rows(items, [i.rule_id for i in items if i.severity is Severity.ROW])
    by_one = any(i.severity is not Severity.WARNING and held <= _rows([i], [i.rule_id]) for i in items)
    other_content = _rows(items, SEPARATED_BY_BLANK_ROWS)
    explained = tuple(
        i
        for i in items
        if (i.rule_id == TOO_MANY_ROWS_RULE and by_one and held)
        or (i.rule_id == BLANK_ROWS_RULE and i.rows and all({a - 1, b + 1} & other_content for a, b in i.rows))
    )
    return tuple(i for i in items if i not in explained), explained


def _rows(items: Iterable[Item], rule_ids: Iterable[str]) -> set[int]:
    """The rows of the items of some rules."""
    wanted = set(rule_ids)
    return {n for i in items if i.rule_id in wanted for first, last in i.rows for n in range(first, last + 1)}
