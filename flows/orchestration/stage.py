"""Stages of a run: functions with a name and a log entry, called directly or by a driver such as Prefect.

A Prefect flow sets the driver for as long as it runs (`engine.py`). This module does not know Prefect, so a run needs
no Prefect: `pilots run --no-prefect` works where it cannot be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import update_wrapper
from typing import Any, Generic, NamedTuple, ParamSpec, Protocol, TypeVar

from flows.runtime.log import stage_logged

P = ParamSpec("P")
R = TypeVar("R")


class EndState(NamedTuple):
    """Final state of a stage or flow: its name, whether Prefect shows it as completed, and a one-line message."""

    name: str
    is_good: bool
    message: str


class Driver(Protocol):
    """Protocol for running stages other than by plain function calls."""

    def call(self, stage: Stage[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run a stage, and wait for its result."""

    def map(self, stage: Stage[Any, Any], items: Sequence[Any], args: tuple[Any, ...]) -> list[Any]:
        """Run a stage once per item, and wait for all results, in the order of the items."""


_DRIVER: ContextVar[Driver | None] = ContextVar("driver", default=None)


@contextmanager
def driven_by(driver: Driver) -> Iterator[None]:
    """Let `driver` run the stages called in this context, and in threads that copy it."""
    token = _DRIVER.set(driver)
    try:
        yield
    finally:
        _DRIVER.reset(token)


class Stage(Generic[P, R]):
    """One stage of a run.

    Args:
        function: what the stage does.
        name: its name in the log and in Prefect.
        item_name: name of the work on one item, where the stage is mapped over several.
        outcome_state: state of a result that is neither plain success nor a failure; None for plain success.
        retry: whether a driver may retry after an OSError. For stages that use a shared disk, which may be away for a
            moment. Bad data and programming errors stay what they are, so nothing else is retried.
        log_counts: the counts of a result in the log. The log has the same lines with a driver and without.
    """

    def __init__(
        self,
        function: Callable[P, R],
        name: str,
        item_name: Callable[[Any], str] = str,
        outcome_state: Callable[[R], EndState | None] | None = None,
        *,
        retry: bool = False,
        log_counts: Callable[[R], Mapping[str, int]] = lambda _: {},
    ) -> None:
        self.name, self.function, self.log_counts = name, function, log_counts
        self.item_name, self.outcome_state, self.retry = item_name, outcome_state, retry
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the stage, and wait for its result."""
        with stage_logged(self.name) as counts:
            driver = _DRIVER.get()
            result: R = driver.call(self, args, kwargs) if driver else self.function(*args, **kwargs)
            counts.update(self.log_counts(result))
            return result

    def map(self, items: Sequence[Any], *args: Any) -> list[R]:
        """Run the stage once per item, in parallel if the driver does so. Returns results in order."""
        with stage_logged(self.name, deliveries=len(items)) as counts:
            driver, function = _DRIVER.get(), self.function
            results: list[R] = driver.map(self, items, args) if driver else [function(i, *args) for i in items]  # type: ignore[call-arg]
            counts["deliveries"] = len(items)
            for name, n in (counted for result in results for counted in self.log_counts(result).items()):
                counts[name] = counts.get(name, 0) + n
            return results
