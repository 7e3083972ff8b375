"""How the night is driven: by Prefect, or plainly. The only file that imports Prefect.

The order of the night is written once, in `nightly.py`. A stage is a Prefect task where there is a flow run to belong
to, with its retries, its name and its state; elsewhere it is the function itself. With PILOTS_ENGINE=plain (which is
what `pilots run --no-prefect` chooses) Prefect is not even imported: a night can run when Prefect cannot.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

from flows.runtime.log import stage_logged
from flows.runtime.safe_errors import safe_error
from flows.runtime.wording import safe_in_markdown

P = ParamSpec("P")
R = TypeVar("R")
PLAIN = os.environ.get("PILOTS_ENGINE") == "plain"

if not PLAIN:
    from prefect import flow, task
    from prefect.artifacts import create_markdown_artifact, create_table_artifact
    from prefect.cache_policies import NO_CACHE
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext
    from prefect.settings import PREFECT_API_URL
    from prefect.states import Completed, Failed
    from prefect.task_runners import ThreadPoolTaskRunner


class UnsuccessfulOutcome(Exception):  # noqa: N818 - how something ended
    """How a step or a flow ended that did its work and must not end green: in one line, with what it gave.

    Prefect raises it at the end of a worker's process, as it does what broke, so it is told apart in the log: see
    `_WithoutTraceback`.
    """

    def __init__(self, said: str, result: Any) -> None:
        super().__init__(said)
        self.result = result


class _WithoutTraceback(logging.Filter):
    """Leave the traceback out of Prefect's log where nothing broke: the state and its message say why it is red."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, UnsuccessfulOutcome):
            record.msg, record.args, record.exc_info = f"The flow run did its work and ends red: {error}", None, None
        return True


if not PLAIN:
    for logger in ("prefect.flow_runs", "prefect.engine"):
        logging.getLogger(logger).addFilter(_WithoutTraceback())


def in_flow() -> bool:
    """Whether this runs within a Prefect flow run."""
    return not PLAIN and FlowRunContext.get() is not None


class Stage(Generic[P, R]):
    """One step of the night. `state_of` names the state of a result that is neither plain success nor a failure.

    `name_of` names the work on one item, where the step is done for each of several.
    `counts_of` is what the log counts of a result. The log has the same lines with Prefect and without.
    `try_again` is for steps that read or write a shared disk: it may be away for a moment. Bad data stays bad, and a
    fault of ours stays one: only an error of the operating system is worth another try.
    """

    def __init__(
        self,
        function: Callable[P, R],
        name: str,
        name_of: Callable[[Any], str] = str,
        state_of: Callable[[R], tuple[str, bool, str] | None] | None = None,
        try_again: bool = False,
        counts_of: Callable[[R], Mapping[str, int]] = lambda _: {},
    ) -> None:
        self.name, self.function, self.counts_of = name, function, counts_of
        self.name_of, self.state_of = name_of, state_of
        update_wrapper(self, function)
        if not PLAIN:
            again: dict[str, Any] = {
                "retries": 2,
                "retry_delay_seconds": 5,
                "retry_condition_fn": _is_worth_another_try,
            }
            options = again if try_again else {}
            self._task: Any = task(name=name, cache_policy=NO_CACHE, persist_result=False, **options)(self._run)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            result = self.function(*args, **kwargs)
        except Exception as error:
            raise safe_error(error) from None
        named = self.state_of(result) if self.state_of else None
        return result if named is None else final_state(*named, result)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the step, and wait for it."""
        with stage_logged(self.name) as counts:
            result = self._once(args, kwargs)
            counts.update(self.counts_of(result))
            return result

    def _once(self, args: Any, kwargs: Any) -> R:
        if not in_flow():
            return self.function(*args, **kwargs)
        return value_of(self._task(args, kwargs, return_state=True))

    def each(self, items: Sequence[Any], *args: Any) -> list[R]:
        """Run the step once for each delivery; side by side where there is a flow run."""
        with stage_logged(self.name, deliveries=len(items)) as counts:
            results = self._each(items, args)
            counts["deliveries"] = len(items)
            for name, n in (counted for result in results for counted in self.counts_of(result).items()):
                counts[name] = counts.get(name, 0) + n
            return results

    def _each(self, items: Sequence[Any], args: tuple[Any, ...]) -> list[R]:
        if not in_flow():
            plain: Any = self.function
            return [plain(item, *args) for item in items]
        runs = [self._task.with_options(task_run_name=self.name_of(i)).submit((i, *args), {}) for i in items]
        for run in runs:
            run.wait()
        return [value_of(run.state) for run in runs]


def as_flow(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a function a Prefect flow whose stages run side by side, one for each core."""
    if PLAIN:
        return lambda function: function
    runner: Any = ThreadPoolTaskRunner(max_workers=os.cpu_count())
    return flow(name=name, task_runner=runner)


def final_state(name: str, good: bool, message: str, result: Any) -> Any:
    """The state a step or a flow ends in, with a name of its own. `good` decides whether Prefect shows it green."""
    if good:
        return Completed(name=name, message=message, data=result)
    # Prefect raises what a failed state holds, and would write all of a result that is no exception into its log
    return Failed(name=name, message=message, data=UnsuccessfulOutcome(message, result))


def value_of(state: Any) -> Any:
    """What a step or a flow gave. A named state such as Refused carries its value; what broke raises what it raised."""
    value = state.result(raise_on_failure=False)
    if isinstance(value, UnsuccessfulOutcome):
        value = value.result
    if isinstance(value, BaseException):
        raise value
    return value


def prefect_server_is_down() -> bool:
    """Whether Prefect's server does not answer. A temporary one is taken to be away: to ask would start another."""
    if not PREFECT_API_URL.value():
        return True
    with get_client(sync_client=True) as client:
        return client.api_healthcheck() is not None


def create_artifacts(summary: str, deliveries: list[dict[str, Any]]) -> None:
    """Keep the night's summary and its deliveries as Prefect artifacts."""
    shown = safe_in_markdown(summary)
    create_markdown_artifact(key="night-summary", markdown=shown, description="The night's summary")
    create_table_artifact(key="deliveries", table=deliveries, description="What came of tonight's deliveries")


def _is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    return isinstance(state.result(raise_on_failure=False), OSError)
