"""`pilots demo`: made-up extracts, one real run, and where to look.

The programme office's deliveries (the published figures) lie in `data/raw/PMO`; the sites' own extracts are simulated,
so nobody in them exists. Two files are made to be refused, so that every kind of report can be seen.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import typer

from flows.commands.console import Exit, echo, relative_to_here
from flows.commands.run import start_run_by_engine
from flows.settings import Settings
from flows.simulator.files.made_apart import OthersThere
from flows.simulator.simulate import DEMO_REFUSALS, simulate
from flows.store.lock import require_locks
from flows.store.paths import DataPaths

SHIPPED_RAW = Path(__file__).parents[2] / "data" / "raw"
ROWS, SEED, MONTHS = 6_000, 2016, 3
FIRST_NIGHT = datetime(2019, 11, 4, 3, 30)  # after the last simulated month, before its return is due
QUESTION = "select award_stage, sum(amount) from core.funding_awards where programme_code = 'MHT' group by 1"


def run_demo(settings: Settings, *, with_prefect: bool = True) -> None:
    """Write the samples, run once, and say what happened. Raises typer.Exit where nothing was promoted."""
    require_locks()
    places = DataPaths(settings.data.absolute())
    places.make()
    echo("1. Writing made-up extracts of every site (seeded: the same files every time)")
    truth = places.data / "simulated-truth.csv"
    try:
        made = simulate(places.raw, rows=ROWS, seed=SEED, months=MONTHS, truth=truth, refused=DEMO_REFUSALS)
    except OthersThere as error:
        echo(str(error))
        raise typer.Exit(Exit.SETTINGS) from None
    _bring_published_figures(places)
    raw = relative_to_here(places.raw)
    echo(f"   {made.files} files, {made.rows:,} rows, {made.faults:,} planted faults, all in {raw}")
    echo("2. Running the night" + (" as a Prefect flow (its temporary server needs a moment)" if with_prefect else ""))
    first = not places.ledger.exists()  # later runs take place now: a run cannot go back in time
    result = start_run_by_engine(settings, FIRST_NIGHT if first else None, with_prefect=with_prefect)
    echo(f"3. {result.verdict}")
    typer.echo("")
    typer.echo("Where to look")
    typer.echo(f"  The night's summary   {relative_to_here(result.reported.path)}")
    for what, group in (("A refused file", result.stopped), ("A file with held rows", result.held)):
        pages = [result.reported.pages.get(j.delivery.delivery_id) for j in group]
        if page := next((p for p in pages if p), None):
            typer.echo(f"  {what:<21} {relative_to_here(page)}")
    typer.echo(f"  The warehouse         {relative_to_here(settings.warehouse().link)}")
    typer.echo("")
    typer.echo("Ask it something")
    typer.echo(f'  .venv/bin/pilots sql "{QUESTION}"')
    typer.echo("  .venv/bin/pilots sql --list")
    raise typer.Exit(Exit.DONE)


def _bring_published_figures(places: DataPaths) -> None:
    """Copy the programme office's deliveries where the data folder is not the project's own."""
    home = places.raw / "PMO"
    if home.resolve() == (SHIPPED_RAW / "PMO").resolve():
        return
    home.mkdir(parents=True, exist_ok=True)
    for path in sorted((SHIPPED_RAW / "PMO").glob("*.csv")):
        if not (home / path.name).exists():
            shutil.copy2(path, home / path.name)
