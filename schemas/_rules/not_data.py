"""Rules about what is in a file and is no data: notes, footers, other tables, cells that nobody filled in (F32-F39).

They are our own, like F27-F31. All but F37 are warnings: what they name is left out, and the rows of data load.
"""

from __future__ import annotations

from schemas._contract.model import Rule, Severity

_ONLY_DATA = "rows of data only"

NOT_DATA_RULES: tuple[Rule, ...] = (
    Rule(
        "F32",
        Severity.WARNING,
        "Lines end with an empty cell that the heading does not have",
        "as many cells as the heading has",
        "Nothing needs doing: the empty cells were left out. They go away if the separator at the end of each line is"
        " removed.",
    ),
    Rule(
        "F37",
        Severity.FILE,
        "Many formulas were saved without their results",
        "cells with values, or with formulas and their results",
        "Open the file in Excel, wait until it has calculated, save it and send it again.",
    ),
)
