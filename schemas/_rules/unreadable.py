"""Rules that say why a file, or a sheet of it, could not be read at all (U01-U05, our own)."""

from __future__ import annotations

from schemas._contract.model import Rule, Severity

UNREADABLE_RULES: tuple[Rule, ...] = (
    Rule(
        "U01",
        Severity.FILE,
        "The file could not be opened",
        "one CSV file or workbook, by itself or alone in a zip",
        "Open it on your computer, save it again and send it. It may have been damaged in transfer.",
    ),
    Rule(
        "U02",
        Severity.FILE,
        "The file is protected by a password",
        "a file without a password",
        "Remove the password and send it by the secure route.",
    ),
    Rule(
        "U03",
        Severity.FILE,
        "No heading was found",
        "a heading with the columns of the guide",
        "Put the column headings on the first line, as the guide has them, and send the file again. If they are there,"
        " hardly any is known: pilots template makes a workbook with the right ones.",
    ),
    Rule(
        "U04",
        Severity.FILE,
        "It is not clear which sheet holds the data",
        "one sheet with the columns of the guide",
        "Remove the sheets that hold something else, show the one that is hidden, and send the file again.",
    ),
    Rule(
        "U04",
        Severity.WARNING,
        "A sheet was left out: it is not named after a dataset",
        "sheets named after the dataset that they hold",
        "If it holds data to be sent, name it after its dataset and send the file again.",
    ),
    Rule(
        "U05",
        Severity.FILE,
        "The file is JSON, but not in the form of 360Giving",
        "one object with a list called grants, and in that list an object for each grant",
        "Export it again as 360Giving JSON, or send the grants as CSV or as a workbook. No other JSON is read.",
    ),
)
