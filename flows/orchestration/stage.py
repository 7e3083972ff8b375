"""A stage of the run: a function, or whatever the driver makes of it where there is one.

Prefect is such a driver (`engine.py`), put in place by a flow for as long as it runs. Nothing here knows of it, so a
run can run where Prefect cannot even be imported.
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
    """How a step or a flow ended: a name of its own, whether Prefect shows it green, and one line."""

    name: str
    is_good: bool
    message: str


class Driver(Protocol):
    """What runs stages in place of plain calls."""

    def call(self, stage: Stage[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run a stage, and wait for it."""

    def each(self, stage: Stage[Any, Any], items: Sequence[Any], args: tuple[Any, ...]) -> list[Any]:
        """Run a stage once for each item, and wait for all."""


_DRIVER: ContextVar[Driver | None] = ContextVar("driver", default=None)


@contextmanager
def driven_by(driver: Driver) -> Iterator[None]:
    """Let a driver run the stages that are called within, in threads that take over this context too."""
    token = _DRIVER.set(driver)
    try:
        yield
    finally:
        _DRIVER.reset(token)


class Stage(Generic[P, R]):
    """One step of the run. `state_of` names the state of a result that is neither plain success nor a failure.

    `name_of` names the work on one item, where the step is done for each of several.
    `counts_of` is what the log counts of a result. The log has the same lines with a driver and without.
    `try_again` is for steps that read or write a shared disk: it may be away for a moment. Bad data stays bad, and a
    fault of ours stays one: only an error of the operating system is worth another try.
    """

    def __init__(
        self,
        function: Callable[P, R],
        name: str,
        name_of: Callable[[Any], str] = str,
        state_of: Callable[[R], EndState | None] | None = None,
        *,
        try_again: bool = False,
        counts_of: Callable[[R], Mapping[str, int]] = lambda _: {},
    ) -> None:
        self.name, self.function, self.counts_of = name, function, counts_of
        self.name_of, self.state_of, self.try_again = name_of, state_of, try_again
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the step, and wait for it."""
        with stage_logged(self.name) as counts:
            driver = _DRIVER.get()
            result: R = driver.call(self, args, kwargs) if driver else self.function(*args, **kwargs)
            counts.update(self.counts_of(result))
            return result

    def each(self, items: Sequence[Any], *args: Any) -> list[R]:
        """Run the step once for each delivery; side by side where a driver does so."""
        with stage_logged(self.name, deliveries=len(items)) as counts:
            driver, plain = _DRIVER.get(), self.function
            results: list[R] = driver.each(self, items, args) if driver else [plain(i, *args) for i in items]  # type: ignore[call-arg]
            counts["deliveries"] = len(items)
            for name, n in (counted for result in results for counted in self.counts_of(result).items()):
                counts[name] = counts.get(name, 0) + n
            return results
