"""The log of operations: JSON lines in `data/logs` that say what each run did. Events and fields: docs/logging.md.

A line is made of the fields of an `Entry` and of nothing else, and none of them takes free text about the data. So no
value of a cell, no name of a sender's file and no message of another library has a way into the log.

Lines go to the standard logger `pilots`. While the writer lock is held a run adds its file to it (`run_log`); outside
a run nobody listens, and a line costs next to nothing.
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
from flows.runtime.safe_errors import Fault

if TYPE_CHECKING:
    from schemas.audit.deliveries import Counts

LOGGER = logging.getLogger("pilots")
LOGGER.setLevel(logging.INFO)
LOGGER.addHandler(logging.NullHandler())  # else Python prints errors that nobody listens to on the console


class Event(StrEnum):
    """All that the log tells of."""

    RUN_STARTED = "run_started"
    RUN_FINISHED = "run_finished"
    RUN_FAILED = "run_failed"
    STAGE_STARTED = "stage_started"
    STAGE_FINISHED = "stage_finished"
    STAGE_FAILED = "stage_failed"
    DELIVERY_VALIDATED = "delivery_validated"
    DELIVERY_NOT_VALIDATED = "delivery_not_validated"
    DELIVERY_NOT_REPORTED = "delivery_not_reported"
    DELIVERY_SETTLED = "delivery_settled"
    DELIVERY_WITHDRAWN = "delivery_withdrawn"
    DELIVERY_REINSTATED = "delivery_reinstated"


@dataclass(frozen=True)
class Entry:
    """One line of the log, but for the time, the level and the run."""

    event: Event
    stage: str | None = None
    delivery_id: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None
    result: str = ""
    standing: str = ""
    fault: Fault | None = None

    @property
    def level(self) -> int:
        """How serious it is: a fault, something to look at, or the usual."""
        if self.fault is not None:
            return logging.ERROR
        to_look_at = self.event is Event.DELIVERY_NOT_VALIDATED or self.result == REJECTED
        return logging.WARNING if to_look_at else logging.INFO

    def fields(self) -> dict[str, object]:
        """The fields of the line. Those that only some events have are left out of the others."""
        always: dict[str, object] = {
            "event": self.event.value,
            "stage": self.stage,
            "delivery_id": self.delivery_id,
            "counts": dict(self.counts),
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }
        sometimes = {"result": self.result, "standing": self.standing}
        if self.fault is not None:
            kind, message = self.fault.kind, self.fault.message
            sometimes |= {"error": kind, "message": message, "traceback": self.fault.traceback}
        return always | {name: text for name, text in sometimes.items() if text}

    def __str__(self) -> str:
        """The line for people, as Prefect's worker prints it on its console."""
        kind = self.fault.kind if self.fault else ""
        named = [self.event, self.stage, self.delivery_id, self.result, self.standing, kind]
        counted = [f"{name}={n}" for name, n in self.counts.items()]
        return " ".join([*(text for text in named if text), *counted])


REJECTED = "rejected"  # how a command ends that asked for what cannot be; it changes nothing


def row_counts(rows: Counts) -> dict[str, int]:
    """The rows of a delivery by the names of the columns of `audit.deliveries`."""
    return {
        "rows_read": rows.read,
        "rows_accepted": rows.accepted,
        "rows_held": rows.held,
        "rows_repeated": rows.repeats,
        "rows_not_data": rows.not_data,
    }


def log(entry: Entry) -> None:
    """Write a line to the log of the run that is at work, if one is."""
    LOGGER.log(entry.level, "%s", entry, extra={"entry": entry})


@dataclass
class Ending:
    """How a run ended well, for its last line."""

    result: str = "done"
    counts: Mapping[str, int] = field(default_factory=dict)


class LoggedIn(str):
    """A note on an error that is in the log, which says where that is."""

    __slots__ = ()


@contextmanager
def run_log(
    folder: Path, command: str, run_id: str | None, rejections: tuple[type[Exception], ...] = ()
) -> Iterator[Ending]:
    """Keep the log of one run in a folder. Only for the holder of the writer lock: the file has one writer.

    Its last line says how the run ended. An error that is no failure of the run, but says that it was not to be, is
    one of `rejections`; any other is written down as a `Fault`, and gets a note that says where.
    """
    file = LogFile(folder, {"run_id": run_id, "command": command})
    LOGGER.addHandler(file)
    began, ending = perf_counter(), Ending()
    try:
        log(Entry(Event.RUN_STARTED))
        yield ending
        log(Entry(Event.RUN_FINISHED, result=ending.result, counts=ending.counts, seconds=perf_counter() - began))
    except rejections:
        log(Entry(Event.RUN_FINISHED, result=REJECTED, seconds=perf_counter() - began))
        raise
    except BaseException as error:
        log(Entry(Event.RUN_FAILED, seconds=perf_counter() - began, fault=Fault.of(error)))
        if file.is_written:
            error.add_note(LoggedIn(f"Details: {file.path}"))
        raise
    finally:
        LOGGER.removeHandler(file)
        file.close()


def where_logged(error: BaseException) -> str:
    """Where the log is that holds an error, in words; '' where none does."""
    return next((note for note in getattr(error, "__notes__", ()) if isinstance(note, LoggedIn)), "")


@contextmanager
def stage_logged(stage: str, deliveries: int | None = None) -> Iterator[dict[str, int]]:
    """Log that a stage starts and how it ends. Its counts are what is put into the dictionary.

    `deliveries` is to how many the stage is applied, where it is done for each.
    """
    began, counts = perf_counter(), dict[str, int]()
    log(Entry(Event.STAGE_STARTED, stage, counts={} if deliveries is None else {"deliveries": deliveries}))
    try:
        yield counts
    except BaseException as error:
        log(Entry(Event.STAGE_FAILED, stage, seconds=perf_counter() - began, fault=Fault.of(error)))
        raise
    log(Entry(Event.STAGE_FINISHED, stage, counts=counts, seconds=perf_counter() - began))
