"""Progress of a run on the terminal: each stage with its counts and its time, and a bar for deliveries and reports.

It listens to the log of operations, so it works with Prefect and without. It draws on stderr. `console.py` imports this
module only if stderr is a terminal; rich is imported after the first second of a run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Timer
from time import perf_counter
from typing import TYPE_CHECKING

from flows.runtime.log import LOGGER, Entry, Event

if TYPE_CHECKING:
    from rich.table import Table

SHORT = 1.0  # seconds: a shorter run draws nothing
_PER_SECOND = 8
_MAX_COUNTS = 3  # on one line; the log has all
STARTING = "starting"  # shown until the first stage: imports, and Prefect's temporary server


@dataclass
class StageProgress:
    """Progress of one stage, running or finished: one line on the terminal."""

    name: str
    started: float = field(default_factory=perf_counter)
    items: int = 0  # deliveries or reports that it goes through
    unit: str = "deliveries"
    done: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    failed: bool = False

    @property
    def elapsed(self) -> float:
        """Seconds so far, or in total for a finished stage."""
        return perf_counter() - self.started if self.seconds is None else self.seconds

    @property
    def in_words(self) -> str:
        """Its counts in words; '' where there are none yet."""
        if self.failed:
            return "failed"
        if self.seconds is None and self.items:
            return f"{self.done:,} of {self.items:,} {self.unit}"
        counted = [f"{n:,} {name.replace('_', ' ')}" for name, n in self.counts.items() if n]
        return ", ".join(counted[:_MAX_COUNTS])


class StageList(logging.Handler):
    """Logging handler that collects the stages of a run and the progress of the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = [StageProgress(STARTING)]

    def emit(self, record: logging.LogRecord) -> None:
        """Update the stages from one log entry."""
        entry: Entry | None = getattr(record, "entry", None)
        if entry is None:
            return
        last = self.stages[-1]
        match entry.event:
            case Event.STAGE_STARTED:
                if last.name == STARTING:
                    self.stages.clear()
                self.stages.append(StageProgress(entry.stage or "", items=entry.counts.get("deliveries", 0)))
            case Event.REPORTS_DUE:
                last.items, last.unit = entry.counts["reports"], "reports"
            case Event.DELIVERY_VALIDATED | Event.DELIVERY_NOT_VALIDATED | Event.DELIVERY_REPORTED:
                last.done += 1
            case Event.STAGE_FINISHED | Event.STAGE_FAILED:
                last.counts, last.seconds = dict(entry.counts), entry.seconds
                last.failed = entry.event is Event.STAGE_FAILED


@contextmanager
def drawn_progress() -> Iterator[None]:
    """Draw the stages of the run inside the block, if it takes longer than SHORT. The lines stay when it ends."""
    stage_list = StageList()
    LOGGER.addHandler(stage_list)
    drawing = _Drawing(lambda: _table(stage_list.stages))
    timer = Timer(SHORT, drawing.start)
    timer.daemon = True  # must not keep a process alive that ends early
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        drawing.stop()
        LOGGER.removeHandler(stage_list)


class _Drawing:
    """A table that is redrawn several times a second, from start to stop."""

    def __init__(self, render: Callable[[], Table]) -> None:
        self._render = render
        self._lock = Lock()  # the timer that starts it may fire just as the run ends
        self._stopped = False
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            if self._stopped:
                return
            live = Live(
                console=Console(stderr=True),
                get_renderable=self._render,
                refresh_per_second=_PER_SECOND,
                redirect_stdout=False,  # stdout is for data: rich must not draw into it
                redirect_stderr=False,
            )
            live.start()
            self._stop = live.stop

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._stop is not None:
                self._stop()


def _table(stages: list[StageProgress]) -> Table:
    """The stages as lines of text, with a bar for the one that is going through deliveries or reports."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=8, no_wrap=True)
    table.add_column(min_width=9, justify="right", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for stage in list(stages):  # a copy: the run adds stages from another thread
        status: Table | str = stage.in_words
        if stage.seconds is None and stage.items:
            bar = ProgressBar(stage.items, stage.done, width=24)
            status = Table.grid(padding=(0, 2))
            status.add_row(bar, stage.in_words)
        table.add_row(stage.name, f"{stage.elapsed:,.1f} s", status)
    return table
