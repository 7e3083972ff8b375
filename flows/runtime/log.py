"""The log of operations: JSON lines in `data/logs` about what each run did. Events and fields: docs/logging.md.

A line consists of the fields of an `Entry`, and none of them takes free text about the data. So no value of a cell, no
name of a sender's file and no message of another library can get into the log.

Lines go to the standard logger `pilots`. `run_log` adds the file as a handler while the writer lock is held; outside a
run there is no handler, and a line costs next to nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from flows.runtime.log_file import LogFile
from flows.runtime.safe_errors import LoggedError

if TYPE_CHECKING:
    from schemas.audit.deliveries import Counts

LOGGER = logging.getLogger("pilots")
LOGGER.setLevel(logging.INFO)
LOGGER.addHandler(logging.NullHandler())  # without a handler, Python would print errors on stderr


class Event(StrEnum):
    """The events that the log records."""

    RUN_STARTED = "run_started"
    RUN_FINISHED = "run_finished"
    RUN_FAILED = "run_failed"
    STAGE_STARTED = "stage_started"
    STAGE_FINISHED = "stage_finished"
    STAGE_FAILED = "stage_failed"
    DELIVERY_VALIDATED = "delivery_validated"
    DELIVERY_NOT_VALIDATED = "delivery_not_validated"
    REPORTS_DUE = "reports_due"
    DELIVERY_REPORTED = "delivery_reported"
    DELIVERY_NOT_REPORTED = "delivery_not_reported"
    MONEY_REPORTED = "money_reported"
    MONEY_NOT_REPORTED = "money_not_reported"
    DELIVERY_OUTCOME = "delivery_outcome"
    DELIVERY_WITHDRAWN = "delivery_withdrawn"
    DELIVERY_REINSTATED = "delivery_reinstated"


@dataclass(frozen=True)
class Entry:
    """One line of the log, without time, level and run."""

    event: Event
    stage: str | None = None
    delivery_id: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None
    result: str = ""
    standing: str = ""
    error: LoggedError | None = None

    @property
    def level(self) -> int:
        """The logging level: ERROR for an internal error, WARNING for what an operator may want to check, else INFO."""
        if self.error is not None:
            return logging.ERROR
        needs_attention = self.event is Event.DELIVERY_NOT_VALIDATED or self.result == COMMAND_REJECTED
        return logging.WARNING if needs_attention else logging.INFO

    def fields(self) -> dict[str, object]:
        """The fields of the line. Optional fields are left out where they are empty."""
        required: dict[str, object] = {
            "event": self.event.value,
            "stage": self.stage,
            "delivery_id": self.delivery_id,
            "counts": dict(self.counts),
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }
        optional = {"result": self.result, "standing": self.standing}
        if self.error is not None:
            kind, message = self.error.kind, self.error.message
            optional |= {"error": kind, "message": message, "traceback": self.error.traceback}
        return required | {name: text for name, text in optional.items() if text}

    def __str__(self) -> str:
        """The line as text for people, as Prefect's worker prints it on its console."""
        kind = self.error.kind if self.error else ""
        texts = [self.event, self.stage, self.delivery_id, self.result, self.standing, kind]
        counted = [f"{name}={n}" for name, n in self.counts.items()]
        return " ".join([*(text for text in texts if text), *counted])


COMMAND_REJECTED = "rejected"  # the result of a command that asked for something impossible, and changed nothing


def row_counts(rows: Counts) -> dict[str, int]:
    """A delivery's numbers of rows, named like the columns of `audit.deliveries`."""
    return {
        "rows_read": rows.read,
        "rows_accepted": rows.accepted,
        "rows_held": rows.held,
        "rows_repeated": rows.repeats,
        "rows_not_data": rows.not_data,
    }


def log(entry: Entry) -> None:
    """Write a line to the log of the current run, if there is one."""
    LOGGER.log(entry.level, "%s", entry, extra={"entry": entry})


@dataclass
class Ending:
    """The result and counts of a successful run, for its last line."""

    result: str = "done"
    counts: Mapping[str, int] = field(default_factory=dict)


class LoggedIn(str):
    """A note on a logged exception that names the log file."""

    __slots__ = ()


@contextmanager
def run_log(
    folder: Path, command: str, run_id: str | None, usage_errors: tuple[type[Exception], ...] = ()
) -> Iterator[Ending]:
    """Log one run to the file in a folder. Only for the holder of the writer lock: the file has one writer.

    The last line says how the run ended: well, rejected by one of the `usage_errors`, or failed. A failure is logged as
    a `LoggedError`, and its exception gets a note that names the log file. All exceptions are raised again.
    """
    file = LogFile(folder, {"run_id": run_id, "command": command})
    LOGGER.addHandler(file)
    began, ending = perf_counter(), Ending()
    try:
        log(Entry(Event.RUN_STARTED))
        yield ending
        log(Entry(Event.RUN_FINISHED, result=ending.result, counts=ending.counts, seconds=perf_counter() - began))
    except usage_errors:  # the command was refused, the pipeline did not fail: no traceback in the log
        log(Entry(Event.RUN_FINISHED, result=COMMAND_REJECTED, seconds=perf_counter() - began))
        raise
    except BaseException as error:
        log(Entry(Event.RUN_FAILED, seconds=perf_counter() - began, error=LoggedError.of(error)))
        if file.is_written:  # else the note would point to a log that has no such line
            error.add_note(LoggedIn(f"Details: {file.path}"))
        raise
    finally:
        LOGGER.removeHandler(file)
        file.close()


def where_logged(error: BaseException) -> str:
    """A sentence that names the log file with the details of an error; '' if it is in none."""
    return next((note for note in getattr(error, "__notes__", ()) if isinstance(note, LoggedIn)), "")


@contextmanager
def stage_logged(stage: str, deliveries: int | None = None) -> Iterator[dict[str, int]]:
    """Log the start of a stage and how it ended, with the counts that the caller puts into the dictionary.

    `deliveries`: the number of deliveries that the stage runs for, if it runs once for each.
    """
    began, counts = perf_counter(), dict[str, int]()
    log(Entry(Event.STAGE_STARTED, stage, counts={} if deliveries is None else {"deliveries": deliveries}))
    try:
        yield counts
    except BaseException as error:
        log(Entry(Event.STAGE_FAILED, stage, seconds=perf_counter() - began, error=LoggedError.of(error)))
        raise
    log(Entry(Event.STAGE_FINISHED, stage, counts=counts, seconds=perf_counter() - began))
