"""Reading the published warehouse: ad-hoc SQL, its tables, its state. Nothing here can change anything."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import typer

from flows.commands.console import Exit, OutputFormat, echo, relative_to_here
from flows.deliveries.withdrawn import apply_withdrawals
from flows.reporting.follow_up import personal_files_present
from flows.reporting.words.deliveries import short_name, withdrawal_notice
from flows.runtime.safe_errors import safe_message
from flows.runtime.summary_wording import personal_data_first
from flows.runtime.wording import counted, day, listed, moment
from flows.settings import Settings
from flows.store.ledger import Ledger
from flows.store.ledger.runs import LedgerUnusable, how_it_ended, now, wrapped_ledger_errors
from flows.store.lock import Busy, no_writer
from flows.store.paths import DataPaths
from flows.store.warehouse import Build, BuildDamaged
from flows.store.warehouse.connection import QueryFailed, ask
from schemas._contract.catalogue import SCHEMAS

if TYPE_CHECKING:
    import duckdb

_TABLES = f"""
    select schema_name || '.' || table_name as "table", estimated_size as rows, comment as meaning
    from duckdb_tables() where schema_name in {SCHEMAS}
    order by 1"""
_COLUMNS = """
    select column_name as "column", data_type as type, not is_nullable as "always filled", comment as meaning
    from duckdb_columns() where schema_name || '.' || table_name = ? order by column_index"""


def open_warehouse(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The published warehouse, read-only: no file or network can be reached from it, and this cannot be undone.

    Raises typer.Exit(3) where nothing is published, BuildDamaged.
    """
    build = settings.warehouse().current()
    if build is None:
        echo("Nothing is published yet: run `pilots run` first.")
        raise typer.Exit(Exit.SETTINGS)
    try:
        return build.read_locked()
    except BuildDamaged:
        damaged = f"The published warehouse cannot be opened, {relative_to_here(build.file)} is damaged"
        raise BuildDamaged(f"{damaged}: `pilots run` makes it anew.") from None


def answer(settings: Settings, query: str, form: OutputFormat, *, tables: bool, describe: str) -> None:
    """Print the answer to a query, the list of tables, or one table's columns. Raises Exit 2 for a wrong query."""
    if not (query or tables or describe):
        echo('Ask something, such as: pilots sql "from outcomes.kpi limit 5". `pilots sql --list` lists the tables.')
        raise typer.Exit(Exit.USAGE)
    with open_warehouse(settings) as db:
        try:
            result = ask(db, _TABLES) if tables else ask(db, _COLUMNS, [describe]) if describe else ask(db, query)
        except QueryFailed as failed:
            echo(failed.reason)
            raise typer.Exit(Exit.USAGE) from None
        if result.description is None:
            return
        if form is OutputFormat.PARQUET:
            _write_parquet(result.to_arrow_table())
            return
        names, rows = [c[0] for c in result.description], result.fetchall()
        if describe and not rows:
            echo(f"There is no table {describe}. `pilots sql --list` lists the tables.")
            raise typer.Exit(Exit.USAGE)
        _print(names, rows, form)


def _print(names: list[str], rows: list[tuple[Any, ...]], form: OutputFormat) -> None:
    if form is OutputFormat.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(["" if v is None else v for v in row] for row in rows)
    elif form is OutputFormat.JSON:
        json.dump(
            [dict(zip(names, map(_in_json, r), strict=True)) for r in rows],
            sys.stdout,
            indent=1,
            default=str,
            ensure_ascii=False,
        )
        sys.stdout.write("\n")
    else:
        _print_table(names, rows)


def _in_json(value: Any) -> Any:
    """A value as JSON may hold it, which knows neither NaN nor infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_parquet(table: pa.Table) -> None:
    import pyarrow.parquet as pq

    if sys.stdout.isatty():
        echo("Parquet is not for reading: send it to a file, such as `pilots sql -f parquet QUERY > out.parquet`.")
        raise typer.Exit(Exit.USAGE)
    pq.write_table(table, sys.stdout.buffer)


def _print_table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*names)
    for row in rows:
        table.add_row(*("" if v is None else str(v) for v in row))
    # off a terminal nobody can widen a window: let every row keep its whole width
    Console(width=None if sys.stdout.isatty() else 10_000, no_color=not sys.stdout.isatty()).print(table)


def state_of_the_warehouse(settings: Settings) -> dict[str, Any]:
    """How the last run ended, what is published, and what the deliveries behind it came to. Raises NoDataFolder."""
    places = DataPaths(settings.data.absolute())
    places.require()
    build = settings.warehouse().current()
    known: dict[str, Any] = {"last_run": _last_run(places), "published": build.name if build else "nothing yet"}
    if build is None:
        return known
    try:
        return {**known, "withdrawn": _withdrawn(places), **_what_is_in(build, places, settings)}
    except BuildDamaged as damaged:
        return {**known, "problem": str(damaged)}


def _last_run(places: DataPaths) -> dict[str, Any] | None:
    """The newest run that the ledger knows of, with the columns of audit.runs and how it `final_state` in words.

    Nothing is written: a copy of the ledger is looked into. The lock is not held meanwhile, or a run that begins in
    that moment would find it taken.
    """
    try:
        with wrapped_ledger_errors(places), Ledger.copy_of(places.ledger) as ledger:
            ledger.require_history(places)
            run = ledger.last_run()
    except (LedgerUnusable, OSError) as error:
        return {"ended": f"is not known: {safe_message(error)}"}
    return run and {**run, "ended": _how_it_ended(run, places)}


def _withdrawn(places: DataPaths) -> dict[str, str]:
    """By delivery_id: what is said of each delivery that is withdrawn by now, whether or not a run has seen to it."""
    try:
        with wrapped_ledger_errors(places), Ledger.copy_of(places.ledger) as ledger:
            at = ledger.effective_now(None, now())
            deliveries = ledger.deliveries()
            _, withdrawn = apply_withdrawals(deliveries.values(), ledger.withdrawals(at), at)
    except (LedgerUnusable, OSError):
        return {}  # why, is said of the last run
    return {
        i: f"{short_name(deliveries[i])}: {withdrawal_notice(w, deliveries[i])}" for i, w in sorted(withdrawn.items())
    }


def _how_it_ended(run: Mapping[str, Any], places: DataPaths) -> str:
    if run["ended_at"] is None:
        try:
            with no_writer(places.lock):
                return how_it_ended(run)
        except Busy:
            return "is at work"
    summary = places.summary(run["run_id"])
    return how_it_ended(run) + (f": see {relative_to_here(summary)}" if summary.exists() else "")


def _what_is_in(build: Build, places: DataPaths, settings: Settings) -> dict[str, Any]:
    with open_warehouse(settings) as db:
        personal = _personal_data_to_delete(places, db)
        counts = db.execute("select standing, count(*) from audit.deliveries group by 1 order by 1").fetchall()
        latest = db.execute(
            "select max(received_at), max(data_cut_date) from audit.deliveries where standing = 'current'"
        )
        received, cut_off = latest.fetchall()[0]
        old = db.execute(
            "select distinct site_code || ' ' || dataset from audit.deliveries"
            " where standing in ('refused', 'held_up') and replaced_by is null order by 1"
        ).fetchall()
        withdrawn = db.execute("select delivery_id from audit.deliveries where standing = 'withdrawn'").fetchall()
    return {
        "personal_data_to_delete": personal,
        "made_at": build.made_at,
        "made_from": build.made_from,
        "size_in_bytes": build.size_in_bytes,
        "deliveries": dict(counts),
        "last_received": received,
        "latest_cut_off": cut_off,
        "refused_and_not_sent_again": [r[0] for r in old],
        "out_of_the_figures": sorted(r[0] for r in withdrawn),
    }


def _personal_data_to_delete(places: DataPaths, db: duckdb.DuckDBPyConnection) -> list[str]:
    """The paths of files with personal data. A ledger that cannot be used is told with the last run."""
    try:
        with wrapped_ledger_errors(places):
            return personal_files_present(places, db)
    except (LedgerUnusable, OSError):
        return []


def state_in_words(state: Mapping[str, Any]) -> str:
    """What `state_of_the_warehouse` gives, for people."""
    personal = state.get("personal_data_to_delete", [])
    must_go = [personal_data_first(len(personal)), *(f"- {path}" for path in personal)] if personal else []
    run = [*must_go, *([_in_words(state["last_run"])] if state["last_run"] else [])]
    if "made_from" not in state:
        return "\n".join([*run, state.get("problem", "Nothing is published yet: run `pilots run` first.")])
    again = state["refused_and_not_sent_again"]
    size = f"{state['size_in_bytes'] / 1e6:,.1f} MB"
    standing = [f"{number:,} {name}" for name, number in state["deliveries"].items()]
    lines = [
        *run,
        f"Published: {state['published']}, made {moment(state['made_at'])}, {size}",
        f"Deliveries: {listed(standing) or 'none'}",
    ]
    if state["last_received"]:
        lines += [
            f"Last received of those that count: {moment(state['last_received'])}",
            f"Latest cut-off of those that count: {day(state['latest_cut_off'])}",
        ]
    lines += _withdrawn_in_words(state)
    return "\n".join([*lines, f"Refused and not sent again: {len(again) or 'none'}", *(f"- {what}" for what in again)])


def _withdrawn_in_words(state: Mapping[str, Any]) -> list[str]:
    """What is withdrawn, and what the next run does about it: nothing is said where nothing is."""
    withdrawn, out = state["withdrawn"], set(state["out_of_the_figures"])
    lines = [f"- {said}{'' if i in out else ' It counts until the next run.'}" for i, said in withdrawn.items()]
    if back := len(out - withdrawn.keys()):
        lines.append(f"- {counted(back, 'file')} let back: counted again from the next run on.")
    return [f"Withdrawn by the data team: {len(withdrawn) or 'none'}", *lines] if lines else []


def _in_words(run: Mapping[str, Any]) -> str:
    which = f"The run of {moment(datetime.fromisoformat(run['started_at']))}" if "started_at" in run else "The last run"
    return f"{which} {run['ended']}."


def report_pages(settings: Settings, site: str) -> list[str]:
    """The report pages of a site (of every site if none is named), by name."""
    reports = DataPaths(settings.data.absolute()).reports
    folders = [reports / site] if site else sorted(p for p in reports.glob("*") if p.is_dir())
    return [relative_to_here(page) for folder in folders for page in sorted(folder.glob("*.html"))]
