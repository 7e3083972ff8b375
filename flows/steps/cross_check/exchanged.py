"""Columns that are exchanged by comparison with the site's last file (rule F56).

The values of two columns of one form do not show that they are under each other's heading. The records that both files
have do: nearly all of them have the two values the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.findings import Finding
from flows.deliveries.standings import extent
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import listed, month
from schemas._contract.model import Contract, Severity
from schemas.audit.deliveries import Column, ExtractType

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore

ROWS_COMPARED = 20_000  # of the newer file
MIN_ROWS = 5  # records that show it
NEARLY_ALL = 0.9
_TABLE = "history_rows.exchanged"
_THEN = " then"  # after a field's name: its value in the last file


def make_table_of_comparisons(db: duckdb.DuckDBPyConnection) -> None:
    """Make the table that keeps, by the keys of two results, the fields that are exchanged; null where none is."""
    db.execute(
        f"create table if not exists {_TABLE}"
        " (now_key varchar, then_key varchar, one varchar, other varchar, records bigint)"
    )


def exchanged_columns(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    v: ValidatedDelivery,
    accepted: Sequence[ValidatedDelivery],
    results: ResultStore,
) -> list[Finding]:
    """A finding for each column of a cumulative extract that is exchanged with another; mostly none.

    It is compared with the site's last accepted extract to an earlier date: an earlier version to the same date may be
    the one that this file corrects. `history_rows.exchanged` keeps what was found of each pair of results.
    """
    before = _last_before(v, accepted)
    if before is None or not v.verdict.rows.accepted:
        return []
    keys = [v.key, before.key]
    known = db.execute(f"select one, other, records from {_TABLE} where now_key = ? and then_key = ?", keys).fetchall()
    if not known:
        files = results.accepted(v.key), results.accepted(before.key)
        known = [*exchanged_fields(contract, *files)] or [(None, None, 0)]
        db.executemany(f"insert into {_TABLE} values (?, ?, ?, ?, ?)", [[*keys, *pair] for pair in known])
    return [finding for one, other, n in known if n for finding in _findings(contract, v, before, (one, other), n)]


def exchanged_fields(contract: Contract, file: Path, file_before: Path) -> Iterator[tuple[str, str, int]]:
    """The pairs of fields that are exchanged, and how many records show it, by the accepted rows of two files."""
    now, then = pl.scan_parquet(file), pl.scan_parquet(file_before)
    stored = {*now.collect_schema()} & {*then.collect_schema()}  # an older result may lack a field
    names = [f.name for f in contract.fields if f.name not in contract.key and f.name in stored]
    of_key = [*contract.key, *names]
    rows = (
        now.select(of_key).head(ROWS_COMPARED).join(then.select(of_key), on=list(contract.key), suffix=_THEN).collect()
    )
    for one, other in combinations(_changed(rows, names), 2):
        if n := _shown_by(rows, one, other):
            yield one, other, n


def _last_before(v: ValidatedDelivery, accepted: Sequence[ValidatedDelivery]) -> ValidatedDelivery | None:
    """The site's last accepted cumulative extract to an earlier date."""
    if v.delivery.extract_type is not ExtractType.CUMULATIVE:
        return None
    earlier = [
        other
        for other in accepted
        if other.delivery.site_code == v.delivery.site_code
        and other.delivery.extract_type is ExtractType.CUMULATIVE
        and other.delivery.data_cut_date < v.delivery.data_cut_date
    ]
    return max(earlier, key=lambda other: (*extent(other.delivery), other.delivery.received_at), default=None)


def _changed(rows: pl.DataFrame, names: Sequence[str]) -> list[str]:
    """The fields of which enough records have another value than in the last file."""
    numbers = rows.select(pl.col(n).ne_missing(pl.col(n + _THEN)).sum() for n in names)
    return [name for name in names if numbers[name].item() >= MIN_ROWS]


def _shown_by(rows: pl.DataFrame, one: str, other: str) -> int:
    """How many records show that two fields are exchanged; 0 where too few do."""
    a, b, a_then, b_then = (_comparable(rows[name]) for name in (one, other, one + _THEN, other + _THEN))
    # a value that the other column has no reading for may have been read as empty there
    lost = (a.is_null() & b_then.is_not_null()) | (b.is_null() & a_then.is_not_null())
    informative = a_then.ne_missing(b_then) & ~lost
    n = int((informative & a.eq_missing(b_then) & b.eq_missing(a_then)).sum())
    return n if n >= max(MIN_ROWS, NEARLY_ALL * int(informative.sum())) else 0


def _comparable(values: pl.Series) -> pl.Series:
    """Values as text, the same for 1, 1.0 and 01, and for Y and true: the columns may have different types."""
    text = values.cast(pl.String).replace({"true": "Y", "false": "N"})
    return text.cast(pl.Float64, strict=False).cast(pl.String).fill_null(text)


def _findings(
    contract: Contract, v: ValidatedDelivery, before: ValidatedDelivery, pair: tuple[str, str], n: int
) -> list[Finding]:
    columns = {c.field: c for c in v.verdict.columns}
    places = [columns.get(name, Column("", "", name)) for name in pair]
    titles = listed([f"{c.letter} ({contract.by_name[name].title})" for c, name in zip(places, pair, strict=True)])
    found = f"columns {titles}: {n:,} records have the two values of {month(before.delivery.period)} exchanged"
    return [Finding("F56", Severity.FILE, field=c.field, column=c, found=found) for c in places]
