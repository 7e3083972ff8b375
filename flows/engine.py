"""How the night is driven: as Prefect tasks inside a flow run, as plain calls outside one.

The order of the night is written once, in `nightly.py`. A stage is a task where there is a flow run to belong to, with
its retries, its name and its state; elsewhere (`pilots run --no-prefect`, tests) it is the function itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.states import State

P = ParamSpec("P")
R = TypeVar("R")


class Stage(Generic[P, R]):
    """One step of the night. `state_of` names the Prefect state of a result that is neither success nor failure."""

    def __init__(
        self, function: Callable[P, R], state_of: Callable[[R], State | None] | None = None, **options: Any
    ) -> None:
        self.function = function
        self.state_of = state_of
        self._task: Any = task(cache_policy=NO_CACHE, persist_result=False, log_prints=True, **options)(self._run)
        update_wrapper(self, function)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = self.function(*args, **kwargs)
        return (self.state_of and self.state_of(result)) or result

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the step, and wait for it."""
        if FlowRunContext.get() is None:
            return self.function(*args, **kwargs)
        return _value(self._task(args, kwargs, return_state=True))

    def each(self, items: Sequence[Any], *args: Any, name: Callable[[Any], str]) -> list[R]:
        """Run the step once for each item, named by `name`; side by side where there is a flow run."""
        if FlowRunContext.get() is None:
            plain: Any = self.function
            return [plain(item, *args) for item in items]
        runs = [self._task.with_options(task_run_name=name(i)).submit((i, *args), {}) for i in items]
        for run in runs:
            run.wait()
        return [_value(run.state) for run in runs]


def _value(state: State) -> Any:
    """What a step gave. A named state such as Refused carries its value; a step that broke raises what it raised."""
    value = state.result(raise_on_failure=False)
    if isinstance(value, BaseException):
        raise value
    return value
