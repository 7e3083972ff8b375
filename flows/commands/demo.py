"""`pilots demo`: write simulated extracts, run once, and say where the results are.

The programme office's deliveries in `data/raw/PMO` are real published figures. The sites' extracts are simulated, so
nobody in them exists, and no money; a few sites send money, so that a demo stays short. Two files are made to be
refused, to show every kind of report.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import typer

from flows.commands.console import Exit, echo, relative_to_here
from flows.commands.run import start_run
from flows.settings import Settings
from flows.simulator.files.staging import OtherFilesPresent
from flows.simulator.simulate import DEMO_REFUSALS, simulate
from flows.store.lock import require_locks
from flows.store.paths import DataPaths

SHIPPED_RAW = Path(__file__).parents[2] / "data" / "raw"
ROWS, SEED, MONTHS = 6_000, 2016, 3
SITES_WITH_MONEY = ("MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA", "HLT-WMCA", "HLT-SCR", "WC-CPA01")
FIRST_RUN = datetime(2019, 11, 4, 3, 30)  # after the last simulated month, before its return is due
QUESTION = "select programme_code, announced_gbp, claimed_gbp, spent_grant_gbp from funding.programme_position"


def run_demo(settings: Settings, *, with_prefect: bool = True) -> None:
    """Write the samples, run once, and print the verdict and where to look. Raises typer.Exit, and as `start_run`."""
    require_locks()
    paths = DataPaths(settings.data.absolute())
    paths.make()
    echo("1. Writing made-up extracts of every site (seeded: the same files every time)")
    truth = paths.data / "simulated-truth.csv"
    try:
        made = simulate(
            paths.raw,
            rows=ROWS,
            seed=SEED,
            months=MONTHS,
            truth=truth,
            refused=DEMO_REFUSALS,
            money_of=SITES_WITH_MONEY,
        )
    except OtherFilesPresent as error:
        echo(str(error))
        raise typer.Exit(Exit.SETTINGS) from None
    _copy_published_figures(paths)
    raw = relative_to_here(paths.raw)
    echo(f"   {made.files} files, {made.rows:,} rows, {made.faults:,} planted faults, all in {raw}")
    echo(
        "2. Running the pipeline" + (" as a Prefect flow (its temporary server needs a moment)" if with_prefect else "")
    )
    # Only the first run is dated back to the simulated months: a run may not be earlier than what the ledger knows.
    is_first = not paths.ledger.exists()
    result = start_run(settings, FIRST_RUN if is_first else None, with_prefect=with_prefect)
    echo(f"3. {result.verdict}")
    typer.echo("")
    typer.echo("Where to look")
    typer.echo(f"  The run's summary     {relative_to_here(result.reported.summary_path)}")
    if result.reported.money:
        typer.echo(f"  Money by programme    {relative_to_here(result.reported.money)}")
    for label, group in (("A refused file", result.stopped), ("A file with held rows", result.held)):
        pages = [result.reported.pages.get(v.delivery.delivery_id) for v in group]
        if page := next((p for p in pages if p), None):
            typer.echo(f"  {label:<21} {relative_to_here(page)}")
    typer.echo(f"  The warehouse         {relative_to_here(settings.warehouse().link)}")
    typer.echo("")
    typer.echo("Ask it something")
    typer.echo(f'  .venv/bin/pilots sql "{QUESTION}"')
    typer.echo("  .venv/bin/pilots sql --list")
    raise typer.Exit(Exit.DONE)


def _copy_published_figures(paths: DataPaths) -> None:
    """Copy the programme office's deliveries into the data folder, unless it is the project's own."""
    folder = paths.raw / "PMO"
    if folder.resolve() == (SHIPPED_RAW / "PMO").resolve():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((SHIPPED_RAW / "PMO").glob("*.csv")):
        if not (folder / path.name).exists():
            shutil.copy2(path, folder / path.name)
