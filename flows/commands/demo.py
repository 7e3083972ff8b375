"""`pilots demo`: write simulated extracts, run each month's as they would have arrived, and say where the results are.

The programme office's deliveries in `data/raw/PMO` are real published figures. The sites' extracts are simulated, so
nobody in them exists, and no money. Some sites of each programme send them, so that a demo stays short: the
Trailblazers for six months, others for two. A few files are made to be refused, to show every kind of report.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from flows.commands.console import Exit, echo, relative_to_here
from flows.commands.run import start_run
from flows.orchestration.run import RunResult
from flows.reporting.render.dictionary.page import PAGE as DICTIONARY_PAGE
from flows.runtime.wording import counted
from flows.settings import Settings
from flows.simulator.files.staging import OtherFilesPresent, require_no_others
from flows.simulator.sending import PERIODS, arrivals
from flows.simulator.simulate import DEMO_REFUSALS, Summary, simulate
from flows.store.lock import require_locks
from flows.store.paths import DataPaths

SHIPPED_RAW = Path(__file__).parents[2] / "data" / "raw"
ROWS, SEED, MONTHS_OF_OTHERS = 10_000, 2016, 2
FOR_SIX_MONTHS = ("MHT-BPL", "MHT-GM", "MHT-WLA")
OTHERS = ("MHT-NECA", "PWW-IAPT", "IPSIAPT-DTV", "MWW-LIN", "HLT-WMCA", "HLT-SCR", "WC-CPA01")
WITH_MONEY = ("MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA", "HLT-WMCA", "HLT-SCR", "WC-CPA01")
QUESTION = "select programme_code, announced_gbp, claimed_gbp, spent_grant_gbp from funding.programme_position"


def run_demo(settings: Settings, *, with_prefect: bool = True) -> None:
    """Write the samples, run them night by night, and print the verdicts and where to look.

    Raises typer.Exit, and as `start_run`.
    """
    require_locks()
    paths = DataPaths(settings.data.absolute())
    paths.make()
    echo("1. Writing made-up extracts of some sites of every programme (seeded: the same files every time)")
    with _simulated(paths) as (outbox, made):
        _copy_published_figures(paths)
        raw = relative_to_here(paths.raw)
        echo(f"   {made.files} files, {made.rows:,} rows, {made.faults:,} planted faults; they arrive in {raw}")
        result = _run_nights(settings, paths, outbox, with_prefect=with_prefect)
    typer.echo("")
    typer.echo("Where to look")
    typer.echo(f"  The run's summary     {relative_to_here(result.reported.summary_path)}")
    if result.reported.money:
        typer.echo(f"  Money by programme    {relative_to_here(result.reported.money)}")
    for label, group in (("A refused file", result.stopped), ("A file with held rows", result.held)):
        pages = [result.reported.pages.get(v.delivery.delivery_id) for v in group]
        if page := next((p for p in pages if p), None):
            typer.echo(f"  {label:<21} {relative_to_here(page)}")
    typer.echo(f"  What columns mean     {relative_to_here(paths.reports / DICTIONARY_PAGE)}")
    typer.echo(f"  The warehouse         {relative_to_here(settings.warehouse().link)}")
    typer.echo("")
    typer.echo("Ask it something")
    typer.echo(f'  .venv/bin/pilots sql "{QUESTION}"')
    typer.echo("  .venv/bin/pilots sql --list")
    raise typer.Exit(Exit.DONE)


@contextmanager
def _simulated(paths: DataPaths) -> Iterator[tuple[Path, Summary]]:
    """Simulate the sites' files into a temporary folder, from which they are sent. Raises typer.Exit.

    The list of planted faults, the lives and the ledgers go into the data folder.
    """
    truth = paths.data / "simulated-truth.csv"
    is_simulated = truth.exists()
    with TemporaryDirectory(dir=paths.data, prefix="to-be-sent-") as outbox:
        made = simulate(
            Path(outbox),
            rows=ROWS,
            seed=SEED,
            months=len(PERIODS),
            truth=truth,
            sites=(*FOR_SIX_MONTHS, *OTHERS),
            refused=DEMO_REFUSALS,
            money_of=WITH_MONEY,
            months_of=dict.fromkeys(OTHERS, MONTHS_OF_OTHERS),
        )
        try:
            require_no_others(paths.raw, Path(outbox), is_simulated=is_simulated)
        except OtherFilesPresent as error:
            echo(str(error))
            raise typer.Exit(Exit.SETTINGS) from None
        yield Path(outbox), made


def _run_nights(settings: Settings, paths: DataPaths, outbox: Path, *, with_prefect: bool) -> RunResult:
    """Send the files and run, night by night; once, where an earlier demo has run them."""
    nights = arrivals(sorted(p for p in outbox.glob("*/*") if p.is_file()))
    if paths.ledger.exists():
        for files in nights.values():
            _send(files, outbox, paths)
        return _run(settings, None, with_prefect=with_prefect)
    *earlier, (last, at_last) = nights.items()
    echo(f"2. Running the pipeline on {counted(len(earlier), 'night')}, a month apart")
    for moment, files in earlier:
        _send(files, outbox, paths)
        _run(settings, moment, with_prefect=False)
    _send(at_last, outbox, paths)
    return _run(settings, last, with_prefect=with_prefect)


def _send(files: list[Path], outbox: Path, paths: DataPaths) -> None:
    for file in files:
        target = paths.raw / file.relative_to(outbox)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(file, target)


def _run(settings: Settings, moment: datetime | None, *, with_prefect: bool) -> RunResult:
    """Run once and print the verdict."""
    if with_prefect:
        echo("3. Running it once more, as a Prefect flow (its temporary server needs a moment)")
    result = start_run(settings, moment, with_prefect=with_prefect)
    echo(f"   {moment or datetime.now():%Y-%m-%d}  {result.verdict}")
    return result


def _copy_published_figures(paths: DataPaths) -> None:
    """Copy the programme office's deliveries into the data folder, unless it is the project's own."""
    folder = paths.raw / "PMO"
    if folder.resolve() == (SHIPPED_RAW / "PMO").resolve():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((SHIPPED_RAW / "PMO").glob("*.csv")):
        if not (folder / path.name).exists():
            shutil.copy2(path, folder / path.name)
