"""Names of the sheets and the column that are added to workbooks for senders, to recognise them on return.

A site fixes the marked workbook or fills in a blank one, and sends it back: these sheets and this column are then
skipped.
"""

from __future__ import annotations

READ_ME = "Read me first"  # the first sheet: what to do
PROBLEMS = "Problems"  # the last sheet: every problem, with the address of its cell
CODES = "Codes and labels"  # every code that a column may hold; the source of the drop-down lists in its cells
NOTES = "Notes on the columns"  # of a blank workbook: what each column means
CONFIRM = "Right all the same"  # of a marked workbook: the warnings that the site can confirm, one a line
CONFIRM_REASON, CONFIRM_ROLE = "Reason", "Your role"  # its columns to fill in ...
CONFIRM_CODE = "Code (leave as it is)"  # ... and the one that says which row and rule a line is about
EXAMPLES = "Made-up examples"  # of a blank workbook: rows filled in as they should be
NIL_RETURN = "Nothing to send"  # of a blank workbook: a box to tick for each dataset that has no rows
NIL_BOX_COLUMN, NIL_ROWS = 2, 60  # the column of the boxes, from 0, and more rows than the sheet has
SIGN_OFF = "Sign-off"  # of a blank workbook: a line for each dataset of money, for its total, a role and a date
SIGN_OFF_TOTAL, SIGN_OFF_ROLE, SIGN_OFF_DATE = 2, 3, 4  # its columns to fill in, from 0
SIGN_OFF_ROWS = 60  # more than the sheet has
FORM_VERSION = "Version of this form: "  # on the sheet of notes, before the version
EXAMPLE_ROWS = 3  # of each dataset on that sheet
TO_FIX = "_to_fix"  # the end of a marked workbook's name, before .xlsx
OUR_SHEETS = frozenset({READ_ME, PROBLEMS, CONFIRM, CODES, NOTES, EXAMPLES, NIL_RETURN, SIGN_OFF})
COPY_LINE = "Marked copy of "  # on the first sheet of a marked workbook, before what it is a copy of
HIDDEN = "hidden - see your own file"  # in the list of problems
SEE_OWN_FILE = "see your own file"  # in place of a malformed row, or a cell above the heading, that may be personal
HIDDEN_CELL = f"hidden: {SEE_OWN_FILE}"  # in place of a cell that may be personal
NO_RESULT = "a formula without a result"  # in place of one: the marked workbook has no formulas
IN_PLACE_OF_VALUES = frozenset({HIDDEN, SEE_OWN_FILE, HIDDEN_CELL, NO_RESULT})
ROW_PROBLEMS = "Problems in this row"  # the last column of the data sheet of a marked workbook
