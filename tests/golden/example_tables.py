"""Tables of made-up rows in docs/rules.md: those that break a rule, those that do not, and what is beside them."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Kind, Rule

Row = Mapping[str, Any]
BROKEN, SOUND = "broken", "sound"
MAX_ROWS, MAX_COLUMNS, MAX_LINES, MAX_LINE = 12, 3, 3, 150
EMPTY = "*empty*"
OF_DELIVERY = {"delivery_id": "file", "sender": "sender", "site_code": "site", "programme_code": "programme"}
_SHOWN_AS = {"now": "this one", "before": "an earlier one", "earlier_still": "one before that"}


def in_row(rule: Rule, broken: Row, sound: Row) -> list[str]:
    """The cells that a rule within a row reads, of a row that breaks it and of one that does not."""
    assert rule.check is not None
    read = [n for n in dict.fromkeys((rule.field, *rule.check().meta.root_names())) if n in broken]
    return _table(
        ["", *read], [[label, *(_text(r.get(n)) for n in read)] for label, r in ((BROKEN, broken), (SOUND, sound))]
    )


def between_rows(
    rule: Rule, contract: Contract, rows: Sequence[Row], broken: Iterable[int], tables: Mapping[str, Sequence[Row]]
) -> list[str]:
    """The rows of a rule's dataset, each broken or sound, and below them those of other tables, by caption."""
    at_fault = set(broken)
    labels = [BROKEN if n in at_fault else SOUND for n in range(len(rows))]
    lines = _rows(rule, (rule.field, *contract.by_name), rows, labels)
    for caption, others in tables.items():
        lines += ["", *other_rows(rule, caption, others)]
    return lines


def other_rows(rule: Rule, caption: str, rows: Sequence[Row]) -> list[str]:
    """Rows that a rule reads beside those that it is about, below a caption."""
    return [f"{caption}:", "", *_rows(rule, tuple(rows[0]), rows, [""] * len(rows))]


def of_whole_file(rule: Rule, contract: Contract, broken: Sequence[Row], says: str, sound: Sequence[Row]) -> list[str]:
    """The rows of a file that breaks a rule, counted where they are alike, and those of one that does not."""
    names = [f.name for f in contract.fields if f.kind is not Kind.REFERENCE]
    of_each = [_rows(rule, names, rows, [label] * len(rows)) for label, rows in ((BROKEN, broken), (SOUND, sound))]
    return [*of_each[0], "", f"Found in the whole file: {says}. Another file:", "", *of_each[1]]


def _rows(rule: Rule, names: Sequence[str], rows: Sequence[Row], labels: Sequence[str]) -> list[str]:
    columns = _columns_to_show(rule, names, rows)
    cells = Counter((label, *(_text(r.get(n)) for n in columns)) for label, r in zip(labels, rows, strict=True))
    return _counted(["", *(OF_DELIVERY.get(n, n) for n in columns)], cells)


def _counted(heads: Sequence[str], cells: Mapping[tuple[str, ...], int]) -> list[str]:
    """A table of rows with a column that counts them, if some are alike; the first of many."""
    are_counted = max(cells.values()) > 1
    body = [[*row, str(n)] if are_counted else list(row) for row, n in cells.items()]
    more = len(body) - MAX_ROWS
    return [
        *_table([*heads, "rows"] if are_counted else heads, body[:MAX_ROWS]),
        *(["", f"And {more} more."] if more > 0 else []),
    ]


def _columns_to_show(rule: Rule, names: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """The rule's own field, and what it reads where rows differ; of a single row, all that it reads but texts."""
    read = set(re.findall(r"\w+", rule.violations_sql))
    texts = {f.name for c in datasets().values() for f in c.fields if f.kind in (Kind.TEXT, Kind.FINANCIAL_YEAR)}
    values = {n: {_text(r.get(n)) for r in rows} for n in (*names, *OF_DELIVERY)}
    chosen = [n for n in dict.fromkeys(names) if n == rule.field or (n in read and n not in OF_DELIVERY)]
    differing = [n for n in chosen if len(values[n]) > 1 or n == rule.field]
    if len(rows) == 1:
        differing = [n for n in chosen if values[n] != {EMPTY} and (n not in texts or n == rule.field)]
    return [*(n for n in OF_DELIVERY if len(values[n]) > 1), *differing] or chosen[:2]


def of_cells(heads: Sequence[str], broken: Iterable[Sequence[str]], sound: Iterable[Sequence[str]]) -> list[str]:
    """Cells that break a rule, and cells that do not, counted where they are alike."""
    labelled = [*((BROKEN, *map(_text, r)) for r in broken), *((SOUND, *map(_text, r)) for r in sound)]
    return _counted(["", *heads], Counter(labelled))


def of_texts(broken: str, sound: str) -> list[str]:
    """How a text that breaks a rule differs from one that does not: in its heading, in a few columns, or in lines."""
    first, second = ([line.split(",") for line in text.splitlines()] for text in (broken, sound))
    if first[1:] == second[1:] and len(first[0]) == len(second[0]):
        differ = [(a, b) for a, b in zip(first[0], second[0], strict=True) if a != b]
        return of_cells(["heading"], [[a] for a, _ in differ], [[b] for _, b in differ])
    if (
        first[0] == second[0]
        and first[0] not in first[1:]
        and {len(cells) for cells in (*first, *second)} == {len(first[0])}
    ):
        columns = [n for n in range(len(first[0])) if {r[n] for r in first} != {r[n] for r in second}]
        columns = columns[1:] if columns[:1] == [0] and columns[1:] else columns  # of more rows, more keys
        if 0 < len(columns) <= MAX_COLUMNS:
            of_each = ([[r[n] for n in columns] for r in rows[1:]] for rows in (first, second))
            return of_cells([first[0][n] for n in columns], *of_each)
    return of_lines(broken.splitlines(), sound.splitlines())


def of_lines(broken: Sequence[str], sound: Sequence[str]) -> list[str]:
    """The lines that only the broken file has, and those that only the sound one has."""
    changes = list(difflib.ndiff(list(sound), list(broken)))
    sides = ((BROKEN, "+ "), (SOUND, "- "))
    rows = [[label, _lines([c[2:] for c in changes if c.startswith(sign)])] for label, sign in sides]
    return _table(["", "lines of the file"], rows)


def _lines(lines: Sequence[str]) -> str:
    listed = [f"`` {_visible(line)} ``" for line in lines[:MAX_LINES]]
    listed += [f"and {len(lines) - MAX_LINES} more" for _ in lines[MAX_LINES : MAX_LINES + 1]]
    return "<br>".join(listed) or "no such line"


def _visible(line: str) -> str:
    """A line in which what cannot be seen is written out."""
    text = "".join(ch if ch.isprintable() else repr(ch)[1:-1] for ch in line).replace("|", "\\|")
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]} ..."


def _text(value: object) -> str:
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, date | datetime):
        return value.isoformat()
    text = _visible(_SHOWN_AS.get(str(value), str(value)))
    return f"`` {text} ``" if re.search(r"[<*`~]|^[\s_]|[\s_]$", text) else text


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *(f"| {' | '.join(cells)} |" for cells in rows)]
