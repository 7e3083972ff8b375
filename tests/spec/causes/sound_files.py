"""Sound files of several datasets, with made-up rows: people and events from the simulator, money and targets by hand.

A file is a grid of cells for each sheet, so that a case can break it as a person with a spreadsheet does.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache

import numpy as np
import workbook_bytes
from file_validator import Formula, workbook

from flows.simulator.files.extract import as_of
from flows.simulator.lives.life import SiteConditions
from flows.simulator.sites import pilot_sites
from flows.simulator.tables.population import population
from schemas._contract.catalogue import datasets

SITE, PERIOD, CUT_OFF = "MHT-BPL", "201612", date(2016, 12, 31)
SEED, PEOPLE, ROWS, LATELY = 20161231, 300, 40, "2016-10-01"
Cell = str | int | float | date | Formula | None
Grid = list[list[Cell]]


@dataclass(frozen=True)
class SentFile:
    """One file of a site: its sheets, or the text of a CSV that is written in a way of its own."""

    dataset: str
    sheets: Mapping[str, Grid]
    suffix: str = "csv"
    site: str = SITE
    period: str = PERIOD
    text: str | None = None
    received: datetime = datetime(2017, 1, 6, 16, 12, tzinfo=UTC)

    @property
    def grid(self) -> Grid:
        """The cells of the first sheet: its heading, then its rows."""
        return next(iter(self.sheets.values()))

    @property
    def headings(self) -> list[str]:
        """The headings of the first sheet."""
        return [str(cell) for cell in self.grid[0]]

    def position(self, field: str) -> int:
        """The position of a field's column, in a file whose headings are the names of fields."""
        return self.headings.index(field)

    def with_grid(self, grid: Sequence[Sequence[Cell]]) -> SentFile:
        """The file with other cells on its first sheet."""
        first = next(iter(self.sheets))
        return replace(self, sheets={**self.sheets, first: [list(row) for row in grid]}, text=None)

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        if self.suffix == "csv":
            return (self.as_text if self.text is None else self.text).encode()
        return _WRITERS[self.suffix](self.sheets)

    @property
    def as_text(self) -> str:
        """The first sheet as CSV."""
        width = max(map(len, self.grid))
        out = io.StringIO()
        rows = ([*map(_plain, row), *[""] * (width - len(row))] for row in self.grid)  # as spreadsheets save them
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue()


def _plain(cell: Cell) -> str:
    return "" if cell is None else str(cell.value if isinstance(cell, Formula) else cell)


def _ods(sheets: Mapping[str, Grid]) -> bytes:
    (name, first), *others = sheets.items()
    tables = [f'<table:table table:name="{n}">{_ods_rows(grid)}</table:table>' for n, grid in others]
    return workbook_bytes.ods(_ods_rows(first), name, "".join(tables))


def _ods_rows(grid: Grid) -> str:
    return "".join(workbook_bytes.ods_row(*(c if isinstance(c, (int, float)) else _plain(c) for c in r)) for r in grid)


_WRITERS: Mapping[str, Callable[[Mapping[str, Grid]], bytes]] = {
    "xlsx": workbook,
    "ods": _ods,
    "xls": lambda sheets: workbook_bytes.xls({n: [[_plain(c) for c in r] for r in g] for n, g in sheets.items()}),
}


def sound_file(dataset: str, suffix: str = "csv") -> SentFile:
    """A sound file of a dataset, in one format."""
    return SentFile(dataset, {datasets()[dataset].title[:31]: [list(row) for row in _sound_grid(dataset)]}, suffix)


@cache
def _sound_grid(dataset: str) -> Grid:
    made = _BY_HAND.get(dataset)
    rows = made() if made else _simulated(dataset)
    return [list(rows[0]), *(list(row.values()) for row in rows)]


@cache
def _population() -> Mapping[str, list[dict[str, str]]]:
    """The simulated tables of the site, each cell as text."""
    [site] = pilot_sites([SITE])
    conditions = SiteConditions(site, CUT_OFF, spare=0.2, trial_effect=0)
    tables = population(conditions, np.random.default_rng(SEED), 0, PEOPLE)
    cut = {name: as_of(table, CUT_OFF, tuple(datasets()[name].by_name)) for name, table in tables.items()}
    fields = {name: list(datasets()[name].by_name) for name in cut}
    return {n: [{k: v or "" for k, v in row.items()} for row in t.select(fields[n]).to_dicts()] for n, t in cut.items()}


def _simulated(dataset: str) -> list[dict[str, str]]:
    rows = _population()[dataset]
    if dataset == "contacts":  # all of late, as a file of events has mostly
        rows = [row for row in rows if row["contact_date"] >= LATELY]
    return rows[:ROWS]


def _awards() -> list[dict[str, str]]:
    """Grants of a made-up funder, a year of each second one known."""
    return [
        {
            "award_id": f"360G-madeup-{n}",
            "award_stage": ("awarded", "announced")[n % 2],
            "programme_code": ("", "MHT")[n % 2],
            "funding_org_name": ("A made-up funder", "Another made-up funder")[n % 3 == 0],
            "recipient_org_name": f"Made-up charity {n}",
            "amount": f"{100_000 * (n % 19 + 1)}.00",
            "financial_year": ("2014-15", "2015-16")[n % 2],
            "award_date": f"201{4 + n % 3}-{n % 12 + 1:02}-{n % 27 + 1:02}",
            "start_date": f"201{5 + n % 3}-{n % 12 + 1:02}-{(n + 9) % 27 + 1:02}",
            "source_document": f"Made-up list of grants, page {n}",
        }
        for n in range(1, 25)
    ]


def _contributions() -> list[dict[str, str]]:
    """Match funding of one programme."""
    return [
        {
            "match_id": f"MHT-MATCH-{n}",
            "programme_code": "MHT",
            "match_source_type": ("local_authority", "esf")[n % 2],
            "match_source_org_name": f"Made-up council {n}",
            "match_kind": ("cash", "unknown")[n % 2],
            "match_stage": ("pledged", "confirmed")[n % 3 == 0],
            "amount": f"{1_000_000 + 100_000 * n}.00",
            "financial_year": ("2014-15", "2015-16")[n % 2],
            "source_document": f"Made-up letter {n}",
        }
        for n in range(1, 25)
    ]


def _targets() -> list[dict[str, str]]:
    """Targets of one programme."""
    return [
        {
            "target_id": f"MHT-REACH-{n}",
            "programme_code": "MHT",
            "financial_year": ("2014-15", "2015-16")[n % 2],
            "metric_code": "starts",
            "unit": "people",
            "target_value": str(40 + 10 * n),
            "source_document": f"Made-up plan, page {n}",
        }
        for n in range(1, 25)
    ]


_BY_HAND: Mapping[str, Callable[[], list[dict[str, str]]]] = {
    "funding_awards": _awards,
    "match_funding": _contributions,
    "targets": _targets,
}
