"""Running the night from the command line: with Prefect or plainly, and what an error means to the caller."""

from __future__ import annotations

import os
import tempfile
import traceback
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.settings import Settings
from flows.store.lock import Busy
from flows.store.places import Places
from flows.terminal import Exit

if TYPE_CHECKING:
    from flows.nightly import Outcome

# A temporary server may need a minute on a slow machine, and Prefect's own limit would then end the run.
_PREFECT = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the summary says it all; the server keeps the log
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    "PREFECT_CLI_PROMPT": "false",
}


def prepare_prefect(settings: Settings) -> None:
    """Choose Prefect's settings where the environment has not. Must run before Prefect is imported."""
    home = Places(settings.data.absolute()).prefect
    home.mkdir(parents=True, exist_ok=True)
    for name, value in {"PREFECT_HOME": str(home), **_PREFECT}.items():
        os.environ.setdefault(name, value)


def run_night(settings: Settings, as_of: datetime | None, with_prefect: bool) -> Outcome:
    """Run the night once. Raises what the night raised: Busy, a publish that could not be proved, a fault of ours."""
    prepare_prefect(settings)
    from flows.nightly import night, nightly

    if not with_prefect:
        return night(settings, as_of)
    state: Any = nightly(str(settings.data), as_of.isoformat() if as_of else None, return_state=True)
    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def exit_of(error: Exception) -> tuple[Exit, str]:
    """The exit code for an error, and the one line to say. What is our own fault is written down, without any data."""
    if isinstance(error, Busy):
        return Exit.BUSY, f"Busy: {error}. Try again when it has ended."
    if isinstance(error, PermissionError | FileNotFoundError):
        return Exit.SETTINGS, f"{error.strerror}: {error.filename}"
    log = Path(tempfile.gettempdir()) / f"pilots-fault-{datetime.now():%Y%m%dT%H%M%S}-{os.getpid()}.log"
    frames = "".join(traceback.format_tb(error.__traceback__))
    # the message of a foreign error may quote a row: only our own messages are known to be free of data
    own = type(error).__module__.partition(".")[0] in ("flows", "schemas")
    log.write_text(
        f"{type(error).__module__}.{type(error).__name__}{f': {error}' if own else ''}\n{frames}", encoding="utf-8"
    )
    return Exit.OUR_FAULT, f"Something is wrong in pilots itself{f' ({error})' if own else ''}. Details: {log}"
