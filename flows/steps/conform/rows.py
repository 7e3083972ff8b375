"""Which rows are data: blank ones, repeated headings and totals are not (rules F05-F07)."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, Severity
from schemas.shapes import Finding, Layout

MOST_VERSIONS = 5  # of the form, that a batch may state: more say no more (rule F24)
_TOTAL = r"(?i)^\s*(?:grand\s*|sub[\s-]*)?totals?(?:[\s:]|$)"


def data_rows(
    rows: pl.DataFrame, layout: Layout, contract: Contract
) -> tuple[pl.DataFrame, list[Finding], list[tuple[int, str]]]:
    """The rows that are data, and a finding for each that is blank (F07), a heading (F05) or a total (F06).

    What stands on total rows is given too: (row, text).
    """
    names = [c for c in rows.columns if c != "source_row"]
    cells = [pl.col(c).fill_null("") for c in names]
    key = str(layout.positions.get(contract.key[0], 0))
    any_total = pl.any_horizontal([c.str.contains(_TOTAL) for c in cells])
    headings = [c.str.strip_chars() == heading for c, heading in zip(cells, layout.as_written, strict=True) if heading]
    marked = rows.with_columns(
        *cells,
        pl.when(pl.all_horizontal([c.str.strip_chars() == "" for c in cells]))
        .then(pl.lit("F07"))
        .when(pl.all_horizontal(headings))
        .then(pl.lit("F05"))
        .when(
            pl.col(key).fill_null("").str.contains(_TOTAL)
            | ((pl.col(key).fill_null("").str.strip_chars() == "") & any_total)
        )
        .then(pl.lit("F06"))
        .alias("not_data"),
    )
    left_out = marked.filter(pl.col("not_data").is_not_null())
    findings = [
        Finding(rule, Severity.WARNING, source_row=row)
        for row, rule in left_out.select("source_row", "not_data").iter_rows()
    ]
    totals = left_out.filter(pl.col("not_data") == "F06").select("source_row", *names)
    cells_of_totals = [(row, text) for row, *texts in totals.iter_rows() for text in texts if text]
    return marked.filter(pl.col("not_data").is_null()).drop("not_data"), findings, cells_of_totals


def without_heading(texts: pl.DataFrame, layout: Layout) -> list[Finding]:
    """A finding for each column without a heading that has values, or stands between two with one (F11)."""
    headed = [i for i, column in enumerate(layout.columns) if column.heading] or [0]
    return [
        Finding("F11", Severity.WARNING, column=column, found="a column without a heading")
        for i, column in enumerate(layout.columns)
        if not column.heading and (headed[0] < i < headed[-1] or (texts[str(i)].str.strip_chars() != "").any())
    ]


def form_versions(texts: pl.DataFrame, layout: Layout) -> set[str]:
    """The versions of the form that rows state (rule F24)."""
    if layout.version_column is None:
        return set()
    stated = texts[str(layout.version_column)].str.strip_chars()
    return set(stated.filter(stated != "").unique().sort().head(MOST_VERSIONS))


def beside_the_table(texts: pl.DataFrame, layout: Layout) -> list[Finding]:
    """A finding for each row of a marked workbook that still has a cell too many (rule F13).

    Such a row was torn when it was marked: its cells stand as they were sent, and none of them is sure of its column.
    """
    surplus = [str(i) for i, heading in enumerate(layout.as_written) if not heading]
    if not layout.is_marked or not surplus:
        return []
    torn = texts.filter(pl.any_horizontal(pl.col(c).str.strip_chars() != "" for c in surplus))["source_row"]
    return [Finding("F13", Severity.ROW, row, found="a cell to the right of the last heading") for row in torn]
