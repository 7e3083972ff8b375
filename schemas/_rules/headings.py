"""Rules about the heading of a file, and about files that are something else than their name says (F40-F49).

Our own: docs/domain.md 6.1 has F09-F12. Each names one cause, so that its effects are not reported one by one.
"""

from __future__ import annotations

from schemas._contract.model import MINUTES, Contract, Kind, Rule, Severity

FILE, WARNING = Severity.FILE, Severity.WARNING
OTHER_DATASET_RULE = "F42"  # found in `flows/steps/conform/other_dataset.py`
COLUMNS_OF = "the columns of {}"  # what a finding of F42 shows, with the title of the other dataset
RENAMED_RULE = "F41"  # a heading that may stand for a field, found in `flows/steps/conform/renamed.py`


def _any_column(contract: Contract) -> tuple[str, ...]:
    return tuple(contract.by_name)


def _required_columns(contract: Contract) -> tuple[str, ...]:
    return tuple(f.name for f in contract.fields if f.column_is_required)


def _other_columns(contract: Contract) -> tuple[str, ...]:
    return tuple(f.name for f in contract.fields if not f.column_is_required)


HEADING_RULES: tuple[Rule, ...] = (
    Rule(
        "F40",
        WARNING,
        "A heading was read as {field}, without the hint after it",
        "the heading {field}, with nothing after it",
        "Type {field} in {heading}, without a hint in brackets.",
        found_on=_any_column,
    ),
    Rule(
        "F40",
        FILE,
        "The heading says that {title} is not in pounds",
        "amounts in pounds, under the heading {field}",
        "If the amounts are in thousands of pounds or in pence, send them in pounds, such as 1100.00. Then type {field}"
        " in {heading}, and send the file again. It was not read, so that no amount is taken for another.",
        found_on=lambda contract: tuple(f.name for f in contract.fields if f.kind is Kind.MONEY),
    ),
    Rule(
        "F40",
        FILE,
        "The heading says that {title} is not in minutes",
        "whole minutes, under the heading {field}",
        "If they are hours or days, send them in minutes: 90 for an hour and a half. Then type {field} in {heading},"
        " and send the file again. It was not read, so that two hours are not taken for two minutes.",
        found_on=lambda contract: tuple(f.name for f in contract.fields if f.unit == MINUTES),
    ),
    Rule(
        RENAMED_RULE,
        FILE,
        "Is this column your {title}? It has no heading that we know",
        "a column headed {field}, and in each cell {expected}",
        "Only if it means the same as {title}, and holds what is expected, type {field} in {heading}. If it does not,"
        " add a column headed {field} with its own values. Then send the file again.",
        found_on=_required_columns,
    ),
    Rule(
        RENAMED_RULE,
        WARNING,
        "Is this column your {title}? It was left out: it has no heading that we know",
        "a column headed {field}, and in each cell {expected}",
        "Only if it means the same as {title}, and holds what is expected, type {field} in {heading} and send the file"
        " again. If it does not, remove the column.",
        found_on=_other_columns,
    ),
    Rule(
        "F42",
        FILE,
        "These are the columns of another dataset",
        "the columns of the dataset in its name",
        "If it is what you meant to send, put the right dataset in its name: in the name of the file or, in a workbook"
        " of several datasets, of the sheet. The dataset that is in its name now is still to be sent.",
    ),
    Rule(
        "F43",
        WARNING,
        "The heading line has a missing or an extra separator or line break",
        "the headings on one line, with one comma between each heading and the next, and none at the end",
        "Open the file in a text editor such as Notepad, and correct the heading line and nothing else. The headings"
        " were recognised, and nothing was lost.",
    ),
    Rule(
        "F43",
        FILE,
        "The heading line does not fit the lines below it",
        "as many headings as the lines below have cells",
        "Open the file in a text editor such as Notepad, not in Excel. Check the heading line for a missing heading, a"
        " missing or extra comma, and an open quotation mark, and correct nothing else. If it is right, the lines have"
        " an extra comma: put text with a comma inside it in double quotation marks. Then send the file again.",
    ),
    Rule(
        "F44",
        WARNING,
        "Every line is a single cell in quotation marks",
        "quotation marks around a cell, and not around the whole line",
        "Save it as 'CSV UTF-8' from the program that holds the data. The marks around the lines were taken off,"
        " and nothing was lost.",
    ),
    Rule(
        "F44",
        FILE,
        "Every row is in a single cell, with its separators",
        "a cell for each column",
        "Select column A, choose 'Data', then 'Text to Columns', 'Delimited' and the separator; set every column to"
        " 'Text'. Save it as a workbook and send it again.",
    ),
    Rule(
        "F45",
        FILE,
        "Rows were filled in on the sheet 'Made-up examples', which is not read",
        "rows on the sheet '{sheet}'",
        "Cut the rows that you filled in yourself, and paste them on the sheet '{sheet}', below its headings. Leave out"
        " the made-up examples that stood on the sheet. Then send the file again.",
    ),
    Rule(
        "F45",
        WARNING,
        "Rows were filled in on the sheet 'Made-up examples', which is not read",
        "rows on the sheet '{sheet}'",
        "If you filled them in yourself, cut them, paste them on the sheet '{sheet}' and send the file again. Leave out"
        " the made-up examples that stood on the sheet.",
    ),
    Rule(
        "F46",
        WARNING,
        "A sheet is duplicated",
        "each sheet only once",
        "Delete the copy. It holds the same cells as the sheet that was read, and was left out.",
    ),
    Rule(
        "F47",
        FILE,
        "The workbook is another version of the form",
        "the current version of the form",
        "Move your rows to the current form, which the data team can send you, and fill in its new columns. Then send"
        " the file again.",
    ),
    Rule(
        "F47",
        WARNING,
        "The workbook is another version of the form",
        "the current version of the form",
        "Use the current form next time, which the data team can send you. No column that is needed was missing.",
    ),
    Rule(
        "F49",
        FILE,
        "This is our marked copy of your file, and nothing in it was changed",
        "the marked workbook with its cells fixed, or your own file",
        "Fix the cells that its sheet 'Problems' lists, save it and send it again. If you did fix them, you may have"
        " sent another copy: send the one with your changes.",
    ),
    Rule(
        "F48",
        FILE,
        "The form says that there is nothing to send, and has rows",
        "rows, or yes on the sheet 'Nothing to send'",
        "If the rows are right, clear the box beside the dataset on the sheet 'Nothing to send'. If there is nothing to"
        " send, delete the rows. Then send the file again.",
    ),
)
