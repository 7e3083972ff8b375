"""Running the run from the command line: with Prefect or plainly, and what an error means to the caller."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.commands.console import Exit, progress
from flows.orchestration.run import RunResult
from flows.runtime.data_folder import CorrectionsUnusable
from flows.runtime.gc_pause import gc_paused
from flows.runtime.log import where_logged
from flows.runtime.safe_errors import frames_of, safe_message
from flows.settings import Settings
from flows.store.ledger.runs import EarlierThanKnown, LedgerUnusable
from flows.store.lock import Busy, RunsNeedUnix, require_locks
from flows.store.paths import DataPaths, NoDataFolder
from flows.store.warehouse import BuildDamaged

# A temporary server may need a minute on a slow machine, and Prefect's own limit would then end the run.
_PREFECT = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the summary says it all; the server keeps the log
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    "PREFECT_CLI_PROMPT": "false",
}


class NoServer(Exception):  # noqa: N818 - a state, not a defect
    """Prefect's server does not answer: the run was not run, or not to its end."""

    def __str__(self) -> str:
        if address := os.environ.get("PREFECT_API_URL"):
            said = f"The Prefect server at {address} does not answer. Start it, or correct PREFECT_API_URL"
        else:
            said = "Prefect's temporary server does not start, or does not answer. Start one (prefect server start)"
        return f"{said}, or run with --no-prefect. To run again is always safe."


def prepare_prefect(settings: Settings) -> None:
    """Choose Prefect's settings where the environment has not. Must run before Prefect is imported."""
    home = DataPaths(settings.data.absolute()).prefect
    home.mkdir(parents=True, exist_ok=True)
    for name, value in {"PREFECT_HOME": str(home), **_PREFECT}.items():
        os.environ.setdefault(name, value)


def prepare(settings: Settings, *, with_prefect: bool) -> None:
    """See that a run is possible, and get Prefect ready where it drives it: before it is imported.

    Raises NoDataFolder, and RunsNeedUnix.
    """
    require_locks()
    DataPaths(settings.data.absolute()).require()
    if with_prefect:
        prepare_prefect(settings)


def start_run_by_engine(settings: Settings, moment: datetime | None, *, with_prefect: bool) -> RunResult:
    """Run the run once. Raises what the run raised: Busy, NotConserved, a fault of ours, ..."""
    prepare(settings, with_prefect=with_prefect)
    with progress():
        if not with_prefect:
            with gc_paused():
                from flows.nightly import nightly_run

            return nightly_run(settings, moment)
        with gc_paused():
            from flows.nightly import nightly

        return by_prefect(nightly, str(settings.data), moment.isoformat() if moment else None)


def by_prefect(flow: Callable[..., Any], *arguments: str | None) -> RunResult:
    """What a run of a flow comes to. Raises what it raised, and NoServer where Prefect's server does not answer."""
    from flows.orchestration.engine import prefect_server_is_down, state_result

    try:
        state = flow(*arguments, return_state=True)
    except Exception:  # Prefect's own: what the run raises is in its state
        if prefect_server_is_down():
            raise NoServer from None
        raise
    return state_result(state)


_OF_THE_SURROUNDINGS = (
    NoDataFolder, LedgerUnusable, BuildDamaged, NoServer, CorrectionsUnusable, RunsNeedUnix, OSError,
)  # fmt: skip


def exit_of(error: Exception) -> tuple[Exit, str]:
    """The exit code for an error, and the one line to say. What is our own fault is written down, without any data."""
    if isinstance(error, Busy):
        return Exit.BUSY, f"Busy: {error}. Try again when it has ended."
    if isinstance(error, EarlierThanKnown):
        return Exit.USAGE, safe_message(error)
    if isinstance(error, _OF_THE_SURROUNDINGS):
        return Exit.SETTINGS, safe_message(error)
    return Exit.OUR_FAULT, f"Something is wrong in pilots itself: {safe_message(error)}. {_details(error)}"


def _details(error: Exception) -> str:
    """Where the details of a fault are: in the log of the run, or in a file of its own, of a command without a log."""
    if said := where_logged(error):
        return said
    file = Path(tempfile.gettempdir()) / f"pilots-fault-{datetime.now():%Y%m%dT%H%M%S}-{os.getpid()}.log"
    try:
        file.write_text(f"{type(error).__name__}: {safe_message(error)}\n{frames_of(error)}", encoding="utf-8")
    except OSError as full:
        return f"No log: {safe_message(full)}"
    return f"Details: {file}"
