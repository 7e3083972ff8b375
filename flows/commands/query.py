"""Read-only commands over the published warehouse: `pilots sql`, `pilots status` and `pilots report`."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import typer

from flows.commands.console import Exit, OutputFormat, echo, relative_to_here
from flows.deliveries.withdrawn import apply_withdrawals
from flows.reporting.follow_up import personal_files_present
from flows.reporting.words.delivery_names import short_name, withdrawal_notice
from flows.runtime.safe_errors import safe_message
from flows.runtime.summary_wording import personal_data_first
from flows.runtime.wording import counted, day, listed, moment
from flows.settings import Settings
from flows.store.ledger import Ledger
from flows.store.ledger.runs import LedgerUnusable, now, outcome_in_words, wrapped_ledger_errors
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
    """Open the published warehouse read-only and locked: SQL can reach no file and no network, nor undo that.

    Raises typer.Exit(3) where nothing is published, and BuildDamaged.
    """
    build = settings.warehouse().current()
    if build is None:
        echo("Nothing is published yet: run `pilots run` first.")
        raise typer.Exit(Exit.SETTINGS)
    try:
        return build.read_locked()
    except BuildDamaged:  # raised again with the path and what to do
        damaged = f"The published warehouse cannot be opened, {relative_to_here(build.file)} is damaged"
        raise BuildDamaged(f"{damaged}: `pilots run` makes it anew.") from None


def print_answer(settings: Settings, query: str, form: OutputFormat, *, tables: bool, describe: str) -> None:
    """Print the rows of a query, the list of tables, or one table's columns.

    Raises typer.Exit(2) for a query that fails or an unknown table, and as `open_warehouse`.
    """
    if not (query or tables or describe):
        echo('Ask something, such as: pilots sql "from outcomes.kpi limit 5". `pilots sql --list` lists the tables.')
        raise typer.Exit(Exit.USAGE)
    with open_warehouse(settings) as db:
        try:
            result = ask(db, _TABLES) if tables else ask(db, _COLUMNS, [describe]) if describe else ask(db, query)
        except QueryFailed as failed:
            echo(failed.reason)
            raise typer.Exit(Exit.USAGE) from None
        if result.description is None:  # a statement without rows
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
    """Replace NaN and infinity by None: JSON has neither."""
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
    # output that is redirected or piped is not wrapped: each row stays on one line
    Console(width=None if sys.stdout.isatty() else 10_000, no_color=not sys.stdout.isatty()).print(table)


def warehouse_status(settings: Settings) -> dict[str, Any]:
    """Status for `pilots status`: how the last run ended, what is published, and the outcome of its deliveries.

    Keys are public: scripts read `pilots status --json`. Raises NoDataFolder.
    """
    paths = DataPaths(settings.data.absolute())
    paths.require()
    build = settings.warehouse().current()
    status: dict[str, Any] = {"last_run": _last_run(paths), "published": build.name if build else "nothing yet"}
    if build is None:
        return status
    try:
        return {**status, "withdrawn": _withdrawn(paths), **_build_contents(build, paths, settings)}
    except BuildDamaged as damaged:
        return {**status, "problem": str(damaged)}


def _last_run(paths: DataPaths) -> dict[str, Any] | None:
    """The newest run in the ledger: the columns of audit.runs, and as `ended` how it ended, in words.

    Reads a copy of the ledger, so nothing is written. It takes no lock, or a run that starts meanwhile would end as
    busy.
    """
    try:
        with wrapped_ledger_errors(paths), Ledger.copy_of(paths.ledger) as ledger:
            ledger.require_history(paths)
            run = ledger.last_run()
    except (LedgerUnusable, OSError) as error:
        return {"ended": f"is not known: {safe_message(error)}"}
    return run and {**run, "ended": _run_state(run, paths)}


def _withdrawn(paths: DataPaths) -> dict[str, str]:
    """A sentence on each delivery withdrawn by now, by delivery_id, whether or not a run has applied that yet."""
    try:
        with wrapped_ledger_errors(paths), Ledger.copy_of(paths.ledger) as ledger:
            at = ledger.effective_now(None, now())
            deliveries = ledger.deliveries()
            _, withdrawn = apply_withdrawals(deliveries.values(), ledger.withdrawals(at), at)
    except (LedgerUnusable, OSError):
        return {}  # the problem is already reported with the last run
    return {
        i: f"{short_name(deliveries[i])}: {withdrawal_notice(w, deliveries[i])}" for i, w in sorted(withdrawn.items())
    }


def _run_state(run: Mapping[str, Any], paths: DataPaths) -> str:
    if run["ended_at"] is None:
        try:
            with no_writer(paths.lock):
                return outcome_in_words(run)
        except Busy:
            return "is at work"
    summary = paths.summary(run["run_id"])
    return outcome_in_words(run) + (f": see {relative_to_here(summary)}" if summary.exists() else "")


def _build_contents(build: Build, paths: DataPaths, settings: Settings) -> dict[str, Any]:
    with open_warehouse(settings) as db:
        personal = _personal_data_to_delete(paths, db)
        counts = db.execute("select standing, count(*) from audit.deliveries group by 1 order by 1").fetchall()
        latest = db.execute(
            "select max(received_at), max(data_cut_date) from audit.deliveries where standing = 'current'"
        )
        received, cut_off = latest.fetchall()[0]
        refused = db.execute(
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
        "refused_and_not_sent_again": [r[0] for r in refused],
        "out_of_the_figures": sorted(r[0] for r in withdrawn),
    }


def _personal_data_to_delete(paths: DataPaths, db: duckdb.DuckDBPyConnection) -> list[str]:
    """Paths of raw files with personal data; none if the ledger is unusable, which the last run reports."""
    try:
        with wrapped_ledger_errors(paths):
            return personal_files_present(paths, db)
    except (LedgerUnusable, OSError):
        return []


def status_in_words(status: Mapping[str, Any]) -> str:
    """The status as text for people. Files with personal data come first: they must be deleted."""
    personal = status.get("personal_data_to_delete", [])
    to_delete = [personal_data_first(len(personal)), *(f"- {path}" for path in personal)] if personal else []
    first_lines = [*to_delete, *([_last_run_in_words(status["last_run"])] if status["last_run"] else [])]
    if "made_from" not in status:
        return "\n".join([*first_lines, status.get("problem", "Nothing is published yet: run `pilots run` first.")])
    refused = status["refused_and_not_sent_again"]
    size = f"{status['size_in_bytes'] / 1e6:,.1f} MB"
    standings = [f"{number:,} {name}" for name, number in status["deliveries"].items()]
    lines = [
        *first_lines,
        f"Published: {status['published']}, made {moment(status['made_at'])}, {size}",
        f"Deliveries: {listed(standings) or 'none'}",
    ]
    if status["last_received"]:
        lines += [
            f"Newest file received, of those that count: {moment(status['last_received'])}",
            f"Latest cut-off, of those that count: {day(status['latest_cut_off'])}",
        ]
    lines += _withdrawn_in_words(status)
    lines += [f"Refused and not sent again: {len(refused) or 'none'}", *(f"- {dataset}" for dataset in refused)]
    return "\n".join(lines)


def _withdrawn_in_words(status: Mapping[str, Any]) -> list[str]:
    """Lines on what is withdrawn, and what the next run will change; none where nothing is withdrawn or let back."""
    withdrawn, out = status["withdrawn"], set(status["out_of_the_figures"])
    lines = [f"- {notice}{'' if i in out else ' It counts until the next run.'}" for i, notice in withdrawn.items()]
    if back := len(out - withdrawn.keys()):
        lines.append(f"- {counted(back, 'file')} let back: counted again from the next run on.")
    return [f"Withdrawn by the data team: {len(withdrawn) or 'none'}", *lines] if lines else []


def _last_run_in_words(run: Mapping[str, Any]) -> str:
    subject = (
        f"The run of {moment(datetime.fromisoformat(run['started_at']))}" if "started_at" in run else "The last run"
    )
    return f"{subject} {run['ended']}."


def report_pages(settings: Settings, site: str) -> list[str]:
    """Paths of a site's report pages, its index first; of every site if `site` is empty."""
    reports = DataPaths(settings.data.absolute()).reports
    folders = [reports / site] if site else sorted(p for p in reports.glob("*") if p.is_dir())
    return [relative_to_here(page) for folder in folders for page in _index_first(folder.glob("*.html"))]


def _index_first(pages: Iterable[Path]) -> list[Path]:
    from flows.reporting.words.site_index import INDEX

    return sorted(pages, key=lambda page: (page.name != INDEX, page.name))
