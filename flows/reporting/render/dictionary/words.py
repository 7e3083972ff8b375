"""The wording of the data dictionary, beside what the contracts and headers say themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flows.runtime.wording import listed
from schemas._contract.meanings import Privacy
from schemas._contract.registry import sites

TITLE = "Data dictionary"
ABOUT = (
    "Every table and column of the warehouse: what it means, its unit, the values it may have, what an empty cell"
    " means, whether it is personal, and which rules guard it. It is made from the contracts and the marts themselves."
    " `pilots sql --describe TABLE` prints the same for one table. Personal: 'yes' is a value that points to somebody,"
    " and no report shows it; 'part of a person's record' is personal because of the row that it stands in."
)
SEARCH = (
    "Search it with the find command of your browser (Ctrl+F, or Cmd+F): type a column's name, a code list, or a rule"
    " such as P17."
)
SECTIONS = (
    (
        "What sites and offices send",
        "The accepted rows of the files that count. A column is headed by its name, its title, or one of the other"
        " headings; capitals, spaces and punctuation make no difference.",
    ),
    (
        "Reference tables",
        "What no site sends: programmes, sites, areas, code lists, the calendar. Their rows are CSV files in"
        " schemas/core/.",
    ),
    ("Audit tables", "What the pipeline records of its own work: files, findings, rules, runs, withdrawals."),
    (
        "Marts",
        "Figures made from the tables above. Only the schema `published` may be released; all others are exact, and"
        " only for people who may see data about individuals.",
    ),
)
JOINS = "How tables are joined"
ABOUT_JOINS = (
    "A reference such as an episode is a site's own, so that joins between people's rows need site_code too. Read"
    " from left to right, each of these joins finds at most one row; the other way round, it may find many."
)
EXAMPLE = "From a figure to the people behind it"
LABELS = "A label for a code"
LISTS = "Code lists"
ABOUT_LISTS = (
    "Codes are text: 01 is not 1. A code with dates is in use from the first to the last of them, and is judged by the"
    " day of its row (C37). The dates of areas are those of the area: it is read under each code that it has had."
)
RULES = "Rules of any dataset"
ABOUT_RULES = (
    "These guard every column of a kind, besides the rules that stand beside a column. A broken rule refuses the file"
    " (file), holds the row back (row), or is a warning. Every rule with an example and how to fix it is in"
    " docs/rules.md."
)
ANY_CELL = "Every cell"
OF_KIND = {
    "reference": "References",
    "code": "Codes",
    "text": "Texts",
    "decimal number": "Decimal numbers",
    "whole number": "Whole numbers",
    "pounds": "Pounds",
    "financial year": "Financial years",
    "date": "Dates",
    "yes or no": "Yes or no",
    "date and time": "Dates and times",
}
CONTENTS, MASTHEAD = "Contents", "Pilot monitoring"
NO_DATA = "This page holds no data: only what the tables and columns mean."
HEADS = COLUMN, MEANING, VALUES, EMPTY, PERSONAL, GUARDED = (
    "Column", "Meaning", "Values", "Empty cell", "Personal", "Rules"
)  # fmt: skip
HEADINGS = "Headings"
JOIN_HEADS = ("Table", "Joined to", "By", "Which gives")
RULE_HEADS = ("Rule", "Severity", "What it means")
CODE, LABEL, FROM, TO = "Code", "Label", "Valid from", "Valid to"
ROW, KEY, SENT, JOINED = "A row is", "Key", "Sent by", "Joins"
READ_BY, ALSO = "compared with others by", "of any dataset:"
NOBODY_OWES_IT = "nobody yet"
SEE_MEANING = "see the meaning"
PRIVACY = {
    Privacy.PERSONAL: "yes: reports never show its values",
    Privacy.OF_A_PERSON: "part of a person's record",
    Privacy.NONE: "no",
}


def empty(sentence: str) -> str:
    """When a cell is empty, for a column with that heading."""
    text = sentence.removeprefix("Empty ") or SEE_MEANING
    return text[0].lower() + text[1:]


def validity(valid_from: str, valid_to: str) -> str:
    """The days between which a code may be used, in brackets; '' where there is no limit."""
    since = [f"from {valid_from}"] if valid_from else []
    until = [f"to {valid_to}"] if valid_to else []
    return f" ({' '.join((*since, *until))})" if since or until else ""


def who_sends(returns: Iterable[Mapping[str, str]]) -> list[str]:
    """Who sends a dataset by the registry of returns: those who owe it, and those who may send it."""
    by_need: dict[tuple[str, str], list[str]] = {}
    for row in returns:
        by_need.setdefault((row["need"], row["frequency"]), []).append(row["sender"])
    return [f"{need}, {frequency}: {listed(senders)}" for (need, frequency), senders in sorted(by_need.items())[::-1]]


def of_senders() -> str:
    """What the short names of senders stand for."""
    offices = [f"{s.code} ({s.name})" for s in sites().values() if not s.programme_code]
    return f"A programme's code stands for all its sites; {listed(offices)} are offices."


def list_heading(name: str) -> str:
    """The heading of a code list."""
    return f"List {name}"


def any_table(column: str) -> str:
    """Any table with a column."""
    return f"any table with {column}"


def columns_of(table: str) -> str:
    """The caption of a table's columns."""
    return f"Columns of {table}"


def of_any_column(title: str) -> str:
    """The title of a rule, with 'a cell' or 'the column' in place of the name that it would have for one column."""
    if title.startswith("{title}"):
        title = "A cell" + title.removeprefix("{title}")
    for placeholder in ("{title}", "{column}", "{field}", "{heading}", "{sheet}", "{expected}", "{limit}", "{each}"):
        title = title.replace(placeholder, _ANY_COLUMN.get(placeholder, "the column"))
    return title[0].upper() + title[1:]


_ANY_COLUMN = {"{heading}": "its heading", "{sheet}": "its dataset", "{expected}": "what it may hold", "{each}": ""}
