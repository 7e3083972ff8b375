"""One text for the values of a field that a record has several times, as a grant has several locations.

In 360Giving's JSON such a field is a list; in its spreadsheets it has a column for each value, with its number in the
heading: 'Beneficiary Location:0:Name', 'Beneficiary Location:1:Name'. Source: docs/domain.md 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import replace

import polars as pl

from flows.cells.distinct_column import DistinctColumn
from flows.deliveries.extract import Extract, TextBatch
from schemas._contract.code_lists import fold

BETWEEN = ";"
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBERED = re.compile(r"^(?P<before>.*[^:/\s])\s*[:/]\s*(?P<number>\d{1,3})\s*[:/]\s*(?P<after>.*\S)$")
_IDENTIFIERS, _STARTS, _ENDS = ("id", "identifier"), ("startdate",), ("enddate",)
_LENGTHS = ("duration", "durationmonths")


def as_one(values: Sequence[str], heading: str) -> str:
    """One text for several values: the span of dates, no identifier or length where there are several, else all."""
    if len(values) == 1:  # most fields
        return values[0].strip()
    distinct = list(dict.fromkeys(v.strip() for v in values if v.strip()))
    if len(distinct) < 2:
        return "".join(distinct)
    name = fold(re.split(r"[:/]", heading)[-1])
    if name in (*_IDENTIFIERS, *_LENGTHS):  # spans may overlap, so their lengths do not add up
        return ""
    if name in (*_STARTS, *_ENDS) and all(map(_ISO_DATE.match, distinct)):
        return min(distinct) if name in _STARTS else max(distinct)
    return BETWEEN.join(distinct)


def join_numbered_columns(extract: Extract, known_headings: Set[str]) -> Extract:
    """The extract with the values of numbered columns of one known field in the first of them; the others are empty."""
    groups = _numbered_groups(extract.headings, known_headings)
    if not groups:
        return extract
    joined = frozenset(i for _, *others in groups for i in others)

    def join(batch: TextBatch) -> TextBatch:
        cells = dict(batch.cells)
        for group in groups:
            columns = [batch.cells[str(i)].column for i in group]
            texts = [as_one(values, extract.headings[group[0]]) for values in zip(*columns, strict=True)]
            cells[str(group[0])] = DistinctColumn.of(pl.Series(texts, dtype=pl.String))
            cells |= {str(i): DistinctColumn.of(pl.repeat("", len(texts), eager=True)) for i in group[1:]}
        return replace(batch, cells=cells)

    return replace(extract, batches=map(join, extract.batches), joined_columns=joined)


def _numbered_groups(headings: Sequence[str], known: Set[str]) -> list[list[int]]:
    """The positions of the columns that are numbered values of one known field, by field."""
    groups: dict[tuple[str, str], list[int]] = {}
    for i, heading in enumerate(headings):
        if parts := _NUMBERED.match(heading):
            groups.setdefault((fold(parts["before"]), fold(parts["after"])), []).append(i)
    return [
        positions
        for positions in groups.values()
        if len(positions) > 1 and len({headings[i] for i in positions}) == len(positions)
        if fold(headings[positions[0]]) in known
    ]
