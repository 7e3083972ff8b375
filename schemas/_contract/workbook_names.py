"""The names of what the warehouse adds to a workbook that it gives out, so that they are known when it comes again.

A site fixes the marked workbook, or fills in a blank one, and sends it in: these sheets and this column are ours, and
are passed over.
"""

from __future__ import annotations

READ_ME = "Read me first"  # the sheet in front: what to do
PROBLEMS = "Problems"  # the sheet behind: every problem, with its address
CODES = "Codes and labels"  # every code that a column may hold; the lists that open in a cell lie here
NOTES = "Notes on the columns"  # of a blank workbook: what each column means
EXAMPLES = "Made-up examples"  # of a blank workbook: rows as they should look
TO_FIX = "_to_fix"  # what the name of a marked workbook ends in, before .xlsx
OUR_SHEETS = frozenset({READ_ME, PROBLEMS, CODES, NOTES, EXAMPLES})
ROW_PROBLEMS = "Problems in this row"  # the last column of the sheet with the data
