"""Rules about a file's structure, true of every dataset. Source: DOMAIN.md section 6.1 (F01-F24).

U01-U04 say why a file could not be read at all; L01 is the share of faulty rows over which a file is refused whole.
A rule is about the file as a whole unless `found_on` names its columns.
"""

from __future__ import annotations

from schemas.contract import Contract, Rule, Severity

FILE, ROW, WARNING = Severity.FILE, Severity.ROW, Severity.WARNING


def _any_column(contract: Contract) -> tuple[str, ...]:
    return tuple(contract.by_name)


def _any_column_or_unknown(contract: Contract) -> tuple[str, ...]:
    return ("", *contract.by_name)


def _required_columns(contract: Contract) -> tuple[str, ...]:
    return tuple(f.name for f in contract.fields if f.column_is_required)


def _first_of_key(contract: Contract) -> tuple[str, ...]:
    return contract.key[:1]


def _site_column(contract: Contract) -> tuple[str, ...]:
    return tuple(n for n in contract.by_name if n == "site_code")


def _participant_level(contract: Contract) -> tuple[str, ...]:
    return ("",) if contract.participant_level else ()


def _of_trials(contract: Contract) -> tuple[str, ...]:
    return ("",) if contract.dataset == "randomisation" else ()


def _not_of_trials(contract: Contract) -> tuple[str, ...]:
    return () if contract.dataset == "randomisation" else ("",)


def _no_delivery(_: Contract) -> tuple[str, ...]:
    """Of no dataset: a file with such a fault is no delivery."""
    return ()


FILE_RULES: tuple[Rule, ...] = (
    Rule(
        "F01",
        FILE,
        "The file has no rows of data",
        "at least one row below the heading",
        "Send the extract with its rows. If there was no activity, send a nil return.",
    ),
    Rule(
        "F02",
        WARNING,
        "The file was not saved as UTF-8",
        "a file saved as 'CSV UTF-8'",
        "Save it as 'CSV UTF-8' next time. The text was converted, nothing is lost.",
    ),
    Rule(
        "F02",
        FILE,
        "The file's characters could not be read",
        "a file saved as 'CSV UTF-8'",
        "Open it in a spreadsheet, save it as 'CSV UTF-8' and send it again.",
    ),
    Rule(
        "F03",
        WARNING,
        "A hidden mark before the first heading was removed",
        "a first heading without a hidden mark",
        "Nothing needs doing: it comes from saving as 'CSV UTF-8'.",
    ),
    Rule(
        "F04",
        WARNING,
        "Lines above the heading were left out",
        "the heading on the first line",
        "Remove the lines above the heading.",
    ),
    Rule(
        "F05",
        WARNING,
        "The heading is repeated among the rows",
        "one heading, on top",
        "Remove the repeated heading. The line was left out.",
    ),
    Rule("F06", WARNING, "A total row was left out", "rows of data only", "Remove total and subtotal rows."),
    Rule("F07", WARNING, "Blank rows were left out", "no blank rows", "Remove blank rows."),
    Rule(
        "F09",
        FILE,
        "A column is missing: {title}",
        "a column headed {field}",
        "Add the column and send the file again.",
        found_on=_required_columns,
    ),
    Rule(
        "F10",
        WARNING,
        "A heading was read as {field}",
        "the heading {field}",
        "Use the heading in the specification.",
        found_on=_any_column,
    ),
    Rule(
        "F11",
        FILE,
        "A column that is not in the specification may hold personal data",
        "only the columns of the specification",
        "Delete the column and send the file again.",
        found_on=_participant_level,
    ),
    Rule(
        "F11",
        WARNING,
        "A column that is not in the specification was left out",
        "only the columns of the specification",
        "Remove the column, or tell the data team what it holds.",
    ),
    Rule(
        "F12",
        FILE,
        "Two columns have the same heading",
        "a different heading for each column",
        "Rename or delete one of them and send the file again.",
        found_on=_any_column_or_unknown,
    ),
    Rule(
        "F13",
        WARNING,
        "The columns are not separated by commas",
        "commas between the columns",
        "Save it as 'CSV UTF-8' next time. The columns were told apart, nothing is lost.",
    ),
    Rule(
        "F13",
        ROW,
        "The line does not have as many cells as the heading",
        "as many cells as the heading has",
        "Check for commas and quotation marks inside text: put such text in double quotation marks.",
    ),
    Rule(
        "F13",
        FILE,
        "Many lines do not have as many cells as the heading",
        "as many cells as the heading has",
        "Check for commas and quotation marks inside text, or another separator; save as CSV and send the file again.",
    ),
    Rule(
        "F15",
        FILE,
        "The file is not what its name says",
        "a CSV file named .csv, or an Excel workbook named .xlsx",
        "Save it in the format of its name and send it again.",
    ),
    Rule(
        "F16",
        FILE,
        "The file does not agree with its manifest",
        "the number of rows, pounds and the checksum that the manifest states",
        "Upload the file again, with the manifest that belongs to it.",
    ),
    Rule(
        "F17",
        WARNING,
        "The file is identical to one already received",
        "a new extract",
        "Nothing needs doing. If you meant to send something else, send that file.",
    ),
    Rule(
        "F18",
        FILE,
        "The extract is older than the one already accepted",
        "an extract cut later than the last one accepted",
        "Send the latest extract.",
    ),
    Rule(
        "F20",
        FILE,
        "Rows of another site are in the file",
        "rows of the sending site only",
        "Remove the other site's rows and send the file again.",
        found_on=_site_column,
    ),
    Rule(
        "F21",
        FILE,
        "The file name is not recognised",
        "a name such as MHT-BPL_participants_201611_v1.xlsx, in the folder of the site",
        "Rename the file: site, dataset, month, version.",
        found_on=_no_delivery,
    ),
    Rule(
        "F24",
        FILE,
        "This site does not send this dataset",
        "a dataset that the programme collects",
        "Check the file name. If the site should send it, tell the data team.",
        found_on=_not_of_trials,
    ),
    Rule(
        "T09",
        FILE,
        "This programme does not randomise",
        "no randomisation file from this programme",
        "Do not send it. If the site is part of a trial, tell the data team.",
        found_on=_of_trials,
    ),
    Rule(
        "L01",
        FILE,
        "Too many rows are at fault",
        "fewer than {limit} of rows at fault",
        "Mend the rows below and send the file again.",
    ),
    Rule(
        "P04",
        ROW,
        "The same reference was sent more than once",
        "one row for each reference",
        "Keep the right row and delete the others, in this file or in the one sent before.",
        found_on=_first_of_key,
    ),
    Rule(
        "P04",
        WARNING,
        "A row is an exact copy of another",
        "one row for each reference",
        "Delete the copy. It was left out.",
        found_on=_first_of_key,
    ),
    Rule(
        "U01",
        FILE,
        "The file could not be opened",
        "a CSV file or an Excel workbook (.xlsx)",
        "Open it on your computer, save it again and send it. The file may have been cut off on its way.",
    ),
    Rule(
        "U02",
        FILE,
        "The workbook is protected by a password",
        "a workbook without a password",
        "Remove the password and send it by the secure route.",
    ),
    Rule(
        "U03",
        FILE,
        "No heading was found",
        "a heading with the columns of the specification",
        "Put the column headings on the first line and send the file again.",
    ),
    Rule(
        "U04",
        FILE,
        "It is not clear which sheet holds the data",
        "one sheet with the columns of the specification",
        "Name the sheet after the dataset, or remove the other sheets.",
    ),
)
