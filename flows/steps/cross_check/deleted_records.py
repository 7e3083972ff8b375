"""Which records the sites have deleted: the table `deleted.records`, from their deletions files that count.

Columns: `site_code`; `field`, the field by which rows name the record, such as `participant_ref`; its `reference`; and
`found`, the words by which a finding names the file. A row of any dataset is deleted if it has one of these references
under that field. With a participant go their episodes, so that rows which name the episode alone are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import day
from flows.steps.cross_check.tentative_standings import TentativeStandings
from flows.store.result_sink import ACCEPTED, HELD
from schemas._contract.catalogue import DELETIONS, EPISODES, datasets
from schemas._contract.code_lists import code_list
from schemas._contract.derive import quoted
from schemas._contract.model import Contract
from schemas._rules.deletions import OF_EPISODE, OF_PERSON

if TYPE_CHECKING:
    import duckdb

    from flows.store.results import ResultStore

RECORD_TYPES = "deleted_record"  # the code list: each code is the dataset whose key names the record


class StoredFile(NamedTuple):
    """A Parquet file of rows, and what its rows have in common."""

    path: Path
    delivery: ValidatedDelivery

    @property
    def found(self) -> str:
        """The deletions file in the words of a finding."""
        d = self.delivery.delivery
        return f"named in your deletions file of {day(d.data_cut_date)}"


def fields_of_records() -> Mapping[str, str]:
    """By kind of record: the field whose reference names it."""
    return {name: datasets()[name].key[0] for name in code_list(RECORD_TYPES).codes}


def deleting_fields(contract: Contract) -> list[str]:
    """The fields of a dataset by whose references its rows may be deleted."""
    return [f for f in fields_of_records().values() if f in contract.by_name and contract.dataset != DELETIONS]


def is_deleted(contract: Contract, row: str, site: str = "") -> str:
    """SQL that says whether a row is deleted. `row` is its alias, `site` the column with its site."""
    of_site = site or f"{row}.site_code"
    # not by `exists`, with which DuckDB takes ten times as long
    conditions = [
        f'({of_site}, {row}."{f}") in (select (site_code, reference) from deleted.records where field = {quoted(f)})'
        for f in deleting_fields(contract)
    ]
    return f"({' or '.join(conditions) or 'false'})"


def make_tables_of_deletions(db: duckdb.DuckDBPyConnection) -> None:
    """Make `deleted.records`, and `history.sent_records` for rule P22."""
    db.execute("create table deleted.records (site_code varchar, field varchar, reference varchar, found varchar)")
    db.execute("create table history.sent_records (site_code varchar, record_type varchar, reference varchar)")


def list_deletions(db: duckdb.DuckDBPyConnection, tentative: TentativeStandings, results: ResultStore) -> None:
    """Fill `deleted.records` with what the deletions files that count name, held rows included.

    A deletion whose row is held for another cell counts all the same: it may have been sound in the file before, and
    the record must not come back because of that.
    """
    files = stored_files(tentative.counting(DELETIONS), results, (ACCEPTED, HELD))
    if not files:
        return
    register_files(db, files)
    fields = ", ".join(f"({quoted(kind)}, {quoted(field)})" for kind, field in fields_of_records().items())
    db.execute(
        f"""
        insert into deleted.records
        select f.sender, k.field, r.reference, min(f.found)
        from {rows_of(files)} join (values {fields}) k (record_type, field) using (record_type)
        where r.reference is not null
        group by all"""
    )


def list_deleted_episodes(db: duckdb.DuckDBPyConnection, tentative: TentativeStandings, results: ResultStore) -> None:
    """Add the episodes of deleted participants to `deleted.records`.

    Whose an episode is, the last accepted referral with it says: of those that count, else of any before, because the
    site leaves the referral out once it has deleted the person. Referrals that are held say so too.
    """
    sites = _sites(db, OF_PERSON)
    accepted = [v for v in tentative.accepted(EPISODES) if v.delivery.site_code in sites]
    if not accepted:
        return
    files = stored_files((v for v in accepted if v.verdict.rows.held), results, (HELD,))
    register_files(db, files)
    recency = "counts, data_cut_date, version, received_at, source_row"
    sent = f'select site_code, {OF_PERSON}, {OF_EPISODE}, ({recency}) as recency from history."{EPISODES}_sent"'
    held = f"select f.sender, r.{OF_PERSON}, r.{OF_EPISODE}, ({recency}) from {rows_of(files)}"
    db.execute(
        f"""
        insert into deleted.records
        with owned as (
            select site_code, {OF_EPISODE}, arg_max({OF_PERSON}, recency) as {OF_PERSON}
            from ({f"{sent} union all {held}" if files else sent})
            where {OF_EPISODE} is not null and {OF_PERSON} is not null
            group by all
        )
        select site_code, {quoted(OF_EPISODE)}, {OF_EPISODE}, d.found
        from owned join deleted.records d using (site_code)
        where d.field = {quoted(OF_PERSON)} and d.reference = {OF_PERSON}
            and (site_code, {OF_EPISODE}) not in (
                select (site_code, reference) from deleted.records where field = {quoted(OF_EPISODE)})"""
    )


def list_sent_records(db: duckdb.DuckDBPyConnection, tentative: TentativeStandings, results: ResultStore) -> None:
    """Fill `history.sent_records` with those records named in a deletions file that a file of the site ever held."""
    files = stored_files(tentative.accepted(DELETIONS), results, (ACCEPTED,))
    if not files:
        return
    register_files(db, files)
    db.execute(
        "create or replace temp table named_records as"
        f" select distinct f.sender as site_code, r.record_type, r.reference from {rows_of(files)}"
    )
    kinds = db.execute("select record_type, list(distinct site_code) from named_records group by 1").fetchall()
    for kind, sites in kinds:
        sent = (v for v in tentative.of(kind) if v.delivery.site_code in sites and not v.withdrawal)
        if not (files := stored_files(sent, results, (ACCEPTED, HELD))):
            continue
        register_files(db, files)
        db.execute(
            f"""
            insert into history.sent_records
            select distinct n.site_code, n.record_type, n.reference
            from {rows_of(files)} join named_records n
                on n.site_code = f.sender and n.reference = r."{fields_of_records()[kind]}"
            where n.record_type = {quoted(kind)}"""
        )


def take_out_references(db: duckdb.DuckDBPyConnection) -> None:
    """Empty the references in `core.deletions`: once the rows are removed, no reader needs to know whose they were."""
    db.execute(f"update core.{DELETIONS} set reference = ''")


def sites_with_deletions(db: duckdb.DuckDBPyConnection) -> set[str]:
    """The sites that have deleted anything."""
    return _sites(db)


def _sites(db: duckdb.DuckDBPyConnection, field: str = "") -> set[str]:
    query = "select distinct site_code from deleted.records where ? in ('', field)"
    return {site for (site,) in db.execute(query, [field]).fetchall()}


def stored_files(
    validated: Iterable[ValidatedDelivery], results: ResultStore, parts: Sequence[str]
) -> list[StoredFile]:
    """The Parquet files of some parts of the results of deliveries."""
    return [StoredFile(results.folder(v.key) / part, v) for v in validated for part in parts]


def register_files(db: duckdb.DuckDBPyConnection, files: Sequence[StoredFile]) -> None:
    """Make the table that `rows_of` joins: what the rows of each file have in common."""
    of_delivery = ("delivery_id", "data_cut_date", "version", "received_at")
    rows = [
        {n: getattr(f.delivery.delivery, n) for n in of_delivery}
        | {"sender": f.delivery.delivery.site_code, "counts": f.delivery.counts, "found": f.found}
        for f in files
    ]
    if rows:
        db.register("listed", pl.DataFrame(rows).with_row_index("nth").to_arrow())
        db.execute("create or replace temp table rows_of_files as from listed")
        db.unregister("listed")


def rows_of(files: Sequence[StoredFile]) -> str:
    """SQL for the rows of these files, which must be registered: `r`, each joined with its file, `f`."""
    paths = ", ".join(quoted(str(f.path)) for f in files)
    # joined on the number that read_parquet gives each file: its name would be compared row by row
    return f"read_parquet([{paths}], union_by_name = true) r join rows_of_files f on f.nth = r.file_index"
