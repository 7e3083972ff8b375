"""How Prefect drives the run: its stages as tasks, its end as a state. The only file that imports Prefect.

The order of the run is written once, in `nightly.py`, and knows nothing of this. A flow (`prefect_flows.py`) lets
the stages that it calls be tasks, with their retries, names and states; elsewhere they are plain functions.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.orchestration.stage import EndState, Stage, driven_by
from flows.runtime.safe_errors import safe_error
from flows.runtime.summary_wording import safe_in_markdown


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


for logger in ("prefect.flow_runs", "prefect.engine"):
    logging.getLogger(logger).addFilter(_WithoutTraceback())


class _Tasks:
    """Runs stages as Prefect tasks."""

    def call(self, stage: Stage[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return value_of(_task_of(stage)(args, kwargs, return_state=True))

    def each(self, stage: Stage[Any, Any], items: Sequence[Any], args: tuple[Any, ...]) -> list[Any]:
        made = _task_of(stage)
        runs = [made.with_options(task_run_name=stage.name_of(item)).submit((item, *args), {}) for item in items]
        for run in runs:
            run.wait()
        return [value_of(run.state) for run in runs]


def stages_as_tasks() -> AbstractContextManager[None]:
    """Let the stages that are called within be tasks of the flow that calls them."""
    return driven_by(_Tasks())


@cache
def _task_of(stage: Stage[Any, Any]) -> Any:
    """The Prefect task of a stage, with its name and retries."""
    again = {"retries": 2, "retry_delay_seconds": 5, "retry_condition_fn": _is_worth_another_try}
    options: dict[str, Any] = again if stage.try_again else {}

    def attempt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return attempt_of(stage, args, kwargs)

    return task(name=stage.name, cache_policy=NO_CACHE, persist_result=False, **options)(attempt)


def attempt_of(stage: Stage[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What one attempt at a stage comes to as a task. Raises what the stage raises, without data."""
    try:
        result = stage.function(*args, **kwargs)
    except Exception as error:
        raise safe_error(error) from None
    state = stage.state_of(result) if stage.state_of else None
    return result if state is None else final_state(state, result)


def as_flow(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a function a Prefect flow whose stages run side by side, one for each core."""
    runner: Any = ThreadPoolTaskRunner(max_workers=os.cpu_count())
    return flow(name=name, task_runner=runner)


def final_state(state: EndState, result: Any) -> Any:
    """The state that a step or a flow ends in, for Prefect."""
    name, is_good, message = state
    if is_good:
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
    """Keep the run's summary and its deliveries as Prefect artifacts."""
    shown = safe_in_markdown(summary)
    create_markdown_artifact(key="night-summary", markdown=shown, description="The night's summary")
    create_table_artifact(key="deliveries", table=deliveries, description="What came of tonight's deliveries")


def _is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    return isinstance(state.result(raise_on_failure=False), OSError)
