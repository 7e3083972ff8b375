"""Reader of 360Giving's JSON, `{"grants": [...]}`: each grant is a row, each path in it a column.

A path is the names on the way to a value, such as `fundingOrganization/name`. A field of which a grant has several
becomes one cell, as `several_values.py` says. As in a spreadsheet, the heading counts as row 1 and grant 1 as row 2.
Source: docs/domain.md 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from flows.deliveries.extract import Extract, TextBatch, UnreadableFile
from flows.steps.read.grants.package import NOT_A_PACKAGE, grants_of
from flows.steps.read.heading import MAX_COLUMNS, find_heading
from flows.steps.read.several_values import as_one
from schemas._contract.code_lists import fold

BATCH_ROWS = 5_000
SOURCE = "dataSource"
# Where a package says that it comes from, the best first: for grants that do not say so themselves.
_SOURCES = ("accessURL", "downloadURL", "publisher/website", "publisher/name", "title")
_UTF8_HAS_NONE = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")  # halves of surrogate pairs


def read_grants(path: Path, known_headings: Set[str]) -> Extract:
    """Open a package of grants. It is read through once, so that damage is found before any row is accepted.

    Raises UnreadableFile as `grants_of`, and: F01 no grants, U01 too many paths, U05 none of them is known.
    """
    metadata: dict[str, Any] = {}
    paths: dict[str, None] = {}
    number = 0
    for number, grant in enumerate(grants_of(path, metadata), 1):
        paths |= dict.fromkeys(_values_by_path(grant))
        if len(paths) > MAX_COLUMNS:
            raise UnreadableFile("U01", f"grant {number} has names of its own: there are over {MAX_COLUMNS:,} in all")
    if not number:
        raise UnreadableFile("F01")
    source = _source_of(metadata)
    headings = tuple(paths)
    if source and fold(SOURCE) not in map(fold, headings):
        headings = (*headings, SOURCE)
    if find_heading([headings], known_headings) is None:
        raise UnreadableFile(NOT_A_PACKAGE, "its grants have none of 360Giving's names")
    return Extract("", "", 1, headings, _batches(path, headings, source), [], headings_are_fixed=True)


def _batches(path: Path, headings: tuple[str, ...], source: str) -> Iterator[TextBatch]:
    """Yield the grants in batches; row numbers start at 2, below the heading."""
    grants, row = grants_of(path, {}), 2
    named = next((h for h in headings if fold(h) == fold(SOURCE)), SOURCE)
    while some := list(islice(grants, BATCH_ROWS)):
        rows = [_cells(grant, named, source) for grant in some]
        columns = {str(i): [cells.get(h, "") for cells in rows] for i, h in enumerate(headings)}
        source_rows = pl.Series("source_row", range(row, row + len(rows)), pl.Int64)
        yield TextBatch.of(pl.DataFrame(columns, dict.fromkeys(columns, pl.String)).with_columns(source_rows))
        row += len(rows)


def _cells(grant: Mapping[str, Any], source_heading: str, source: str) -> dict[str, str]:
    """The cells of a grant by heading, with the package's source where it names none."""
    cells = {path: as_one(values, path) for path, values in _values_by_path(grant).items()}
    return cells if cells.get(source_heading) else cells | {source_heading: source}


def _values_by_path(value: Any, path: str = "") -> dict[str, list[str]]:
    """The texts in a value by their path. The items of a list have the path of the list."""
    found: dict[str, list[str]] = {}
    todo = [(path, value)]
    while todo:  # a stack, because a file may be nested more deeply than Python's calls
        path, value = todo.pop()
        if isinstance(value, dict):
            todo += [(f"{path}/{name}" if path else name, v) for name, v in reversed(value.items())]
        elif isinstance(value, list):
            todo += [(path, item) for item in reversed(value)]
        elif value is not None:
            found.setdefault(path, []).append(_text(value))
    return {_text(name).strip(): texts for name, texts in found.items()}


def _text(value: Any) -> str:
    """A value, a text or true or false, as a sender would type it: numbers are text already."""
    text = str(value)
    return text if text.isascii() else text.translate(_UTF8_HAS_NONE)


def _source_of(metadata: Mapping[str, Any]) -> str:
    """Where the package says that it comes from; '' where it does not say."""
    stated = _values_by_path(dict(metadata))
    return next((text for name in _SOURCES if (text := as_one(stated.get(name, []), name))), "")
