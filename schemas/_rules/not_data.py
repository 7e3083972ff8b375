"""Rules about what is in a file and is no data: notes, footers, other tables, cells that nobody filled in (F32-F39).

They are our own, like F27-F31. All but F37 and F39 are warnings: what they name is left out, and the rows of data load.
"""

from __future__ import annotations

from schemas._contract.model import Rule, Severity

_ONLY_DATA = "rows of data only"
CALCULATE = (
    "Open your own file in Excel, and press F9 so that it calculates. Type the value into a cell that still shows no"
    " result. Fix what else is wrong in that file too; then save it and send it."
)

NOT_DATA_RULES: tuple[Rule, ...] = (
    Rule(
        "F32",
        Severity.WARNING,
        "Lines end with an empty cell that the heading does not have",
        "as many cells as the heading has",
        "Nothing needs doing: the empty cells were left out. To avoid this, remove the separator at the end of each"
        " line.",
    ),
    Rule(
        "F33",
        Severity.WARNING,
        "A note, signature or section title among the rows was left out",
        _ONLY_DATA,
        "Put notes, signatures and titles on another sheet, or leave them out.",
    ),
    Rule(
        "F34",
        Severity.WARNING,
        "A line that a program added to the rows was left out",
        _ONLY_DATA,
        "Nothing needs doing. Where the program allows it, export the rows without its messages.",
    ),
    Rule(
        "F35",
        Severity.WARNING,
        "Another table among the rows was left out",
        "one table, with one heading",
        "Put each table on a sheet or in a file of its own. If these rows are records of this table, put them below its"
        " heading, in its columns, and send the file again.",
    ),
    Rule(
        "F36",
        Severity.WARNING,
        "Cells beside the table were left out",
        "nothing to the right of the table",
        "Move them to another sheet, or delete them. If they belong to the rows, tell the data team what they hold.",
    ),
    Rule(
        "F37",
        Severity.FILE,
        "Many formulas were saved without their results",
        "cells with values, or with formulas and their results",
        CALCULATE,
    ),
    Rule(
        "F38",
        Severity.WARNING,
        "A line of dashes was left out",
        _ONLY_DATA,
        "Remove lines of dashes.",
    ),
    Rule(
        "F39",
        Severity.WARNING,
        "Unused rows of the form, with nothing but cells such as '< Select >', were left out",
        _ONLY_DATA,
        "Delete these rows: they hold nothing else.",
    ),
    Rule(
        "F39",
        Severity.WARNING,
        "{title} was left unfilled, such as '< Select >', and read as empty",
        "{expected}",
        "Choose a value, or clear the cell.",
        found_on=lambda contract: tuple(f.name for f in contract.fields),
    ),
    Rule(
        "F39",
        Severity.ROW,
        "{title} was left unfilled, such as '< Select >'",
        "{expected}",
        "Choose or enter the right value. The row is not an unused one: other cells of it are filled in.",
        found_on=lambda contract: tuple(f.name for f in contract.fields if f.required),
    ),
)
