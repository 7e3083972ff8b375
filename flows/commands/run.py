"""Start a run from the command line, with or without Prefect, and turn its errors into exit codes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.commands.console import Exit, progress
from flows.orchestration.run import RunResult
from flows.runtime.data_folder import ConfirmationsUnusable, CorrectionsUnusable
from flows.runtime.gc_pause import gc_paused
from flows.runtime.log import where_logged
from flows.runtime.safe_errors import frames_of, safe_message
from flows.settings import Settings
from flows.store.ledger.runs import EarlierThanKnown, LedgerUnusable
from flows.store.lock import Busy, RunsNeedUnix, require_locks
from flows.store.paths import DataPaths, NoDataFolder
from flows.store.warehouse import BuildDamaged

_PREFECT = {
    # A temporary server may need a minute on a slow machine; with Prefect's own limit the run would end there.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the run prints its own summary
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    "PREFECT_CLI_PROMPT": "false",
}


class NoServer(Exception):  # noqa: N818 - a state, not a defect
    """Prefect's server does not answer: the run did not start, or did not end."""

    def __str__(self) -> str:
        if address := os.environ.get("PREFECT_API_URL"):
            problem = f"The Prefect server at {address} does not answer. Start it, or correct PREFECT_API_URL"
        else:
            problem = "Prefect's temporary server does not start, or does not answer. Start one (prefect server start)"
        return f"{problem}, or run with --no-prefect. To run again is always safe."


def prepare_prefect(settings: Settings) -> None:
    """Set Prefect's settings that the environment does not. Must run before Prefect is imported: it reads them then."""
    home = DataPaths(settings.data.absolute()).prefect
    home.mkdir(parents=True, exist_ok=True)
    for name, value in {"PREFECT_HOME": str(home), **_PREFECT}.items():
        os.environ.setdefault(name, value)


def prepare(settings: Settings, *, with_prefect: bool) -> None:
    """Check that a run is possible here, and prepare Prefect if it is used. Raises NoDataFolder, RunsNeedUnix."""
    require_locks()
    DataPaths(settings.data.absolute()).require()
    if with_prefect:
        prepare_prefect(settings)


def start_run(settings: Settings, moment: datetime | None, *, with_prefect: bool) -> RunResult:
    """Run once, as a Prefect flow or without Prefect. Raises as `nightly.run_pipeline`, and NoServer."""
    prepare(settings, with_prefect=with_prefect)
    with progress():
        if not with_prefect:
            with gc_paused():
                from flows.nightly import run_pipeline

            return run_pipeline(settings, moment)
        with gc_paused():
            from flows.nightly import nightly

        return run_flow(nightly, str(settings.data), moment.isoformat() if moment else None)


def run_flow(flow: Callable[..., Any], *arguments: str | None) -> RunResult:
    """Run a Prefect flow and return its result. Raises what the run raised, and NoServer."""
    from flows.orchestration.engine import prefect_server_is_down, state_result

    try:
        state = flow(*arguments, return_state=True)
    except Exception:  # Prefect's own error: those of the run itself are in the state
        if prefect_server_is_down():
            raise NoServer from None
        raise
    return state_result(state)


_ENVIRONMENT_ERRORS = (
    NoDataFolder, LedgerUnusable, BuildDamaged, NoServer, CorrectionsUnusable, ConfirmationsUnusable, RunsNeedUnix,
    OSError,
)  # fmt: skip


def exit_code_and_message(error: Exception) -> tuple[Exit, str]:
    """Exit code and one-line message for an error. Details of a bug go to a log file, without any data."""
    if isinstance(error, Busy):
        return Exit.BUSY, f"Busy: {error}. Try again when it has ended."
    if isinstance(error, EarlierThanKnown):
        return Exit.USAGE, safe_message(error)
    if isinstance(error, _ENVIRONMENT_ERRORS):
        return Exit.SETTINGS, safe_message(error)
    return Exit.OUR_FAULT, f"Something is wrong in pilots itself: {safe_message(error)}. {_details(error)}"


def _details(error: Exception) -> str:
    """Where the details of a bug are: in the log of the run, or, for a command without a log, in a temporary file."""
    if logged := where_logged(error):
        return logged
    file = Path(tempfile.gettempdir()) / f"pilots-fault-{datetime.now():%Y%m%dT%H%M%S}-{os.getpid()}.log"
    try:
        file.write_text(f"{type(error).__name__}: {safe_message(error)}\n{frames_of(error)}", encoding="utf-8")
    except OSError as write_error:
        return f"No log: {safe_message(write_error)}"
    return f"Details: {file}"
