"""What a long run is at, on the terminal: each stage with its counts and its time, and a bar for the deliveries.

It listens to the log of operations, so it shows what the log says, with Prefect and without. It draws on stderr, and
only for somebody who looks on: this is imported where stderr is a terminal (`console.py`), and rich after the first
second of a run.
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

SHORT = 1.0  # seconds: of a run that is over by then nothing is drawn
_PER_SECOND = 8
_MOST_COUNTS = 3  # on one line; the log has all
BEFORE = "starting"  # until the first stage: imports, and Prefect's temporary server


@dataclass
class StageProgress:
    """One line: a stage that is at work, or is over."""

    name: str
    began: float = field(default_factory=perf_counter)
    deliveries: int = 0
    done: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    failed: bool = False

    @property
    def taken(self) -> float:
        """Seconds, so far or in all."""
        return perf_counter() - self.began if self.seconds is None else self.seconds

    @property
    def in_words(self) -> str:
        """What is counted, as far as anything is."""
        if self.failed:
            return "failed"
        if self.seconds is None and self.deliveries:
            return f"{self.done:,} of {self.deliveries:,} deliveries"
        counted = [f"{n:,} {name.replace('_', ' ')}" for name, n in self.counts.items() if n]
        return ", ".join(counted[:_MOST_COUNTS])


class StageList(logging.Handler):
    """Follows the log: which stages there were, and what the last one is at."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = [StageProgress(BEFORE)]

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one entry of the log."""
        entry: Entry | None = getattr(record, "entry", None)
        if entry is None:
            return
        last = self.stages[-1]
        match entry.event:
            case Event.STAGE_STARTED:
                if last.name == BEFORE:
                    self.stages.clear()
                self.stages.append(StageProgress(entry.stage or "", deliveries=entry.counts.get("deliveries", 0)))
            case Event.DELIVERY_VALIDATED | Event.DELIVERY_NOT_VALIDATED:
                last.done += 1
            case Event.STAGE_FINISHED | Event.STAGE_FAILED:
                last.counts, last.seconds = dict(entry.counts), entry.seconds
                last.failed = entry.event is Event.STAGE_FAILED


@contextmanager
def drawn_progress() -> Iterator[None]:
    """Draw the stages of what runs meanwhile, if it takes longer than a moment. The lines stay when it is over."""
    followed = StageList()
    LOGGER.addHandler(followed)
    drawing = _Drawing(lambda: _table(followed.stages))
    timer = Timer(SHORT, drawing.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        drawing.stop()
        LOGGER.removeHandler(followed)


class _Drawing:
    """Something that is drawn anew several times a second, from when it is started until it is stopped."""

    def __init__(self, drawn: Callable[[], Table]) -> None:
        self._drawn = drawn
        self._lock = Lock()  # it is started by a timer, which may come when the run has just ended
        self._ended = False
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            if self._ended:
                return
            live = Live(
                console=Console(stderr=True),
                get_renderable=self._drawn,
                refresh_per_second=_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            live.start()
            self._stop = live.stop

    def stop(self) -> None:
        with self._lock:
            self._ended = True
            if self._stop is not None:
                self._stop()


def _table(stages: list[StageProgress]) -> Table:
    """The stages as lines of text; of one that goes through deliveries, a bar."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=8, no_wrap=True)
    table.add_column(min_width=9, justify="right", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for stage in list(stages):
        said: Table | str = stage.in_words
        if stage.seconds is None and stage.deliveries:
            bar = ProgressBar(stage.deliveries, stage.done, width=24)
            said = Table.grid(padding=(0, 2))
            said.add_row(bar, stage.in_words)
        table.add_row(stage.name, f"{stage.taken:,.1f} s", said)
    return table
