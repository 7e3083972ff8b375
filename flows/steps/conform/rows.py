"""Which rows are data: blank ones, repeated headings and totals are not (rules F05-F07)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add, and_, or_

import polars as pl

from flows.cells.distinct_column import DistinctColumn, ask_all
from flows.deliveries.conformed import Layout
from flows.deliveries.extract import TextBatch
from flows.deliveries.findings import ROW_BY_ROW, Finding, findings_of_rows
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Kind, Severity

MOST_VERSIONS = 5  # of the form, that a batch may state: more say no more (rule F24)
FEW_ROWS = 0.1  # of a batch: so many may have been shifted; where more have a cell there, it is a column
LEAST_HEADINGS = 3  # that a row holds, and half of its cells, to be a second heading
_TOTAL = r"(?i)^\s*(?:grand\s*|sub[\s-]*)?totals?(?:[\s:]|$)"
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)
_NO_HEADING = r"\d{5}|^\P{L}*$"
_NO_ROWS = pl.Series("source_row", [], pl.Int64)
_NOT_DATA_TYPES = {"source_row": pl.Int64, "rule_id": pl.String, "severity": pl.String}
_NO_ROWS_LEFT_OUT = pl.DataFrame(schema=_NOT_DATA_TYPES)


@dataclass(frozen=True)
class Rows:
    """The rows of a batch that are data, and those that are not.

    `cells` are the texts of the data, column by column, and `source_rows` their rows. `not_data` has the columns
    `source_row`, `rule_id` and `severity`; `totals` is what stands on total rows. `like_totals` are rows of data whose
    reference reads as a total's.
    """

    cells: dict[str, DistinctColumn]
    source_rows: pl.Series
    not_data: pl.DataFrame
    totals: list[tuple[int, str]]
    like_totals: pl.Series

    def findings(self, sheet: str) -> pl.DataFrame:
        """A finding for each row that is no data."""
        return findings_of_rows(self.not_data, Finding(ROW_BY_ROW, ROW_BY_ROW), sheet)


def data_rows(batch: TextBatch, layout: Layout, contract: Contract, fields: Mapping[str, str]) -> Rows:
    """The rows that are data; not those that are blank (F07), a heading (F05) or a total (F06).

    `fields` says which field a folded heading is. A heading with the columns in another order refuses the file: what
    stands below it is not where the first heading says.
    """
    cells = batch.cells
    empty = {n: cells[n].of_cells(is_so) for n, is_so in ask_all(cells, pl.col("text").str.strip_chars() == "").items()}
    blank = reduce(and_, empty.values())
    repeated, other_order = _headings_among(cells, empty, layout, fields)
    total, like_total = _totals(cells, empty, layout, contract)
    left_out = blank | repeated | other_order | total
    doubtful = batch.source_rows.filter(like_total & ~left_out) if _may_be_any_text(contract) else _NO_ROWS
    if not left_out.any():
        return Rows(cells, batch.source_rows, _NO_ROWS_LEFT_OUT, [], doubtful)
    marked = pl.DataFrame({"source_row": batch.source_rows}).select(
        "source_row",
        pl.when(blank)
        .then(pl.lit("F07"))
        .when(repeated | other_order)
        .then(pl.lit("F05"))
        .otherwise(pl.lit("F06"))
        .alias("rule_id"),
        pl.when(other_order & ~repeated)
        .then(pl.lit(str(Severity.FILE)))
        .otherwise(pl.lit(str(Severity.WARNING)))
        .alias("severity"),
    )
    totals = batch.rows.select("source_row", *cells).filter(total & ~(blank | repeated | other_order))
    return Rows(
        {name: column.where(~left_out) for name, column in cells.items()},
        batch.source_rows.filter(~left_out),
        marked.filter(left_out),
        [(row, text) for row, *texts in totals.iter_rows() for text in texts if text],
        doubtful,
    )


def _may_be_any_text(contract: Contract) -> bool:
    """Whether no form is asked of a dataset's reference: else the form says already that no total is one."""
    return not contract.by_name[contract.key[0]].pattern


def _totals(
    cells: Mapping[str, DistinctColumn], empty: Mapping[str, pl.Series], layout: Layout, contract: Contract
) -> tuple[pl.Series, pl.Series]:
    """Which rows are totals, and which have a key that says so and are records all the same.

    A total says so in its key, or elsewhere where it has no key, and lacks most of what a record has.
    """
    key = str(layout.positions.get(contract.key[0], 0))
    texts = ask_all(cells, pl.col("text").str.contains(_TOTAL))
    if not any(is_so.any() for is_so in texts.values()):
        return _nowhere(empty[key]), _nowhere(empty[key])
    says_so = {name: cells[name].of_cells(is_so) for name, is_so in texts.items()}
    needed = [f.name for f in contract.fields if f.required and f.kind not in _NUMBERS and f.name not in contract.key]
    places = [str(layout.positions[name]) for name in needed if name in layout.positions]
    total = says_so[key] | (empty[key] & reduce(or_, says_so.values()))
    if not places or not total.any():
        return total, _nowhere(empty[key])
    held = reduce(add, [(~empty[c] & ~says_so[c]).cast(pl.Int32) for c in places])
    is_record = 2 * held >= len(places)
    return total & ~is_record, says_so[key] & is_record


def _headings_among(
    cells: Mapping[str, DistinctColumn], empty: Mapping[str, pl.Series], layout: Layout, fields: Mapping[str, str]
) -> tuple[pl.Series, pl.Series]:
    """Which rows are the heading again, and which hold headings at all, however they are spelt."""
    own = [fold(heading) for heading in layout.as_written]
    ordinary = not any(re.search(r"\d{5}", h) or not re.search(r"[^\W\d_]", h) for h in (*own, *fields) if h)
    # most cells are seen not to be headings without a closer look
    may_be = ask_all(cells, ~pl.col("text").str.contains(_NO_HEADING)) if ordinary else {}
    again, known = [], []
    for i, heading in enumerate(own):
        column, field = cells[str(i)], layout.columns[i].field
        texts = column.distinct
        if ordinary:
            texts = texts.filter(may_be[str(i)])
        folded = {text: fold(text) for text in texts}
        same = [t for t, f in folded.items() if f == heading or (field and fields.get(f) == field)]
        if layout.as_written[i]:
            again.append((column, same))
        if of_any := [t for t, f in folded.items() if f and (f in fields or f == heading)]:
            known.append((column, of_any))
    if len(known) < min(LEAST_HEADINGS, len(again)):
        return _nowhere(empty["0"]), _nowhere(empty["0"])
    count = reduce(add, [column.of_cells(column.distinct.is_in(texts)).cast(pl.Int32) for column, texts in known])
    filled = reduce(add, [(~empty[str(i)]).cast(pl.Int32) for i in range(len(own))])
    is_again = reduce(and_, [column.of_cells(column.distinct.is_in(texts)) for column, texts in again])
    return is_again, (count >= LEAST_HEADINGS) & (2 * count >= filled)


def without_heading(cells: Mapping[str, DistinctColumn], layout: Layout) -> list[Finding]:
    """A finding for each column without a heading that has values, or stands between two with one (F11)."""
    headed = [i for i, column in enumerate(layout.columns) if column.heading] or [0]
    return [
        Finding("F11", Severity.WARNING, column=column, found="a column without a heading")
        for i, column in enumerate(layout.columns)
        if not column.heading and (headed[0] < i < headed[-1] or _filled(cells[str(i)]).any())
    ]


def _filled(column: DistinctColumn) -> pl.Series:
    """Which cells of a column hold something."""
    return column.of_cells(column.distinct.str.strip_chars() != "")


def form_versions(cells: Mapping[str, DistinctColumn], layout: Layout) -> set[str]:
    """The versions of the form that rows state (rule F24)."""
    if layout.version_column is None:
        return set()
    stated = cells[str(layout.version_column)].distinct.str.strip_chars()
    return set(stated.filter(stated != "").unique().sort().head(MOST_VERSIONS))


def beside_the_table(rows: Rows, layout: Layout) -> pl.Series:
    """Which rows have a cell too many, right of the last heading (rule F13).

    Where few rows have one they were shifted, and none of their cells is sure of its column; what most rows fill is a
    column. A marked workbook that comes back holds the rows that were torn as they were sent, also between headings.
    """
    headed = [i for i, heading in enumerate(layout.as_written) if heading]
    first = 0 if layout.is_marked else max(headed, default=0)
    surplus = [str(i) for i in range(first, len(layout.as_written)) if not layout.as_written[i]]
    malformed = reduce(or_, [_filled(rows.cells[c]) for c in surplus]) if surplus else _nowhere(rows.source_rows)
    return malformed if layout.is_marked or malformed.sum() <= len(malformed) * FEW_ROWS else _nowhere(rows.source_rows)


def _nowhere(rows: pl.Series) -> pl.Series:
    """No row at all, as a truth for each."""
    return pl.Series([False]).new_from_index(0, len(rows))
