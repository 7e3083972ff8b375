"""Prefect as the driver of a run: stages become tasks, the result a final state. The only file that imports Prefect.

`nightly.py` has the order of the run and does not know Prefect. Within a flow (`prefect_flows.py`) its stages are
tasks with retries, names and states; elsewhere they are plain functions.
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


class UnsuccessfulOutcome(Exception):  # noqa: N818 - an outcome, not an error
    """Result of a stage or flow that did its work but must not show as completed, such as personal data found.

    Prefect raises it at the end of a worker's process like any error; `_WithoutTraceback` tells them apart in the log.
    """

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class _WithoutTraceback(logging.Filter):
    """Drop the traceback from Prefect's log where no code failed: the state and its message say why it is red."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, UnsuccessfulOutcome):
            record.msg, record.args, record.exc_info = f"The flow run did its work and ends red: {error}", None, None
        return True


for logger in ("prefect.flow_runs", "prefect.engine"):
    logging.getLogger(logger).addFilter(_WithoutTraceback())


class _Tasks:
    """Driver that runs stages as Prefect tasks."""

    def call(self, stage: Stage[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return state_result(_as_task(stage)(args, kwargs, return_state=True))

    def map(self, stage: Stage[Any, Any], items: Sequence[Any], args: tuple[Any, ...]) -> list[Any]:
        stage_task = _as_task(stage)
        futures = [
            stage_task.with_options(task_run_name=stage.item_name(item)).submit((item, *args), {}) for item in items
        ]
        for future in futures:  # all of them, so that an error in one does not leave others running
            future.wait()
        return [state_result(future.state) for future in futures]


def stages_as_tasks() -> AbstractContextManager[None]:
    """Run the stages called in this context as tasks of the flow that calls them."""
    return driven_by(_Tasks())


@cache
def _as_task(stage: Stage[Any, Any]) -> Any:
    """Prefect task of a stage, with its name and retries."""
    retries = {"retries": 2, "retry_delay_seconds": 5, "retry_condition_fn": _is_retryable}
    options: dict[str, Any] = retries if stage.retry else {}

    def attempt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return run_attempt(stage, args, kwargs)

    # Prefect stores no results: validation results have their own store, keyed by all that they depend on.
    return task(name=stage.name, cache_policy=NO_CACHE, persist_result=False, **options)(attempt)


def run_attempt(stage: Stage[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a stage once as a task. Returns its result or a named state; raises its errors without any data in them."""
    try:
        result = stage.function(*args, **kwargs)
    except Exception as error:
        raise safe_error(error) from None  # Prefect stores messages and tracebacks, which may quote cells
    state = stage.outcome_state(result) if stage.outcome_state else None
    return result if state is None else final_state(state, result)


def prefect_flow(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function as a Prefect flow that runs mapped stages in parallel, one thread per core."""
    runner: Any = ThreadPoolTaskRunner(max_workers=os.cpu_count())
    return flow(name=name, task_runner=runner)


def final_state(state: EndState, result: Any) -> Any:
    """Prefect state of a stage or flow that ended with this state and result."""
    name, is_good, message = state
    if is_good:
        return Completed(name=name, message=message, data=result)
    # Prefect raises the data of a failed state: of anything but an exception it would write all of it to its log.
    return Failed(name=name, message=message, data=UnsuccessfulOutcome(message, result))


def state_result(state: Any) -> Any:
    """Result of a stage or flow that ended in this Prefect state, even one that shows as failed.

    Raises the error if it ended in one.
    """
    result = state.result(raise_on_failure=False)
    if isinstance(result, UnsuccessfulOutcome):
        result = result.result
    if isinstance(result, BaseException):
        raise result
    return result


def prefect_server_is_down() -> bool:
    """Whether Prefect's server does not answer. True for a temporary one: asking would start another."""
    if not PREFECT_API_URL.value():
        return True
    with get_client(sync_client=True) as client:
        return client.api_healthcheck() is not None


def create_artifacts(summary: str, deliveries: list[dict[str, Any]]) -> None:
    """Store the run's summary and the outcomes of its deliveries as Prefect artifacts."""
    markdown = safe_in_markdown(summary)
    create_markdown_artifact(key="night-summary", markdown=markdown, description="Summary of the run")
    create_table_artifact(key="deliveries", table=deliveries, description="Outcome of each delivery of the run")


def _is_retryable(_task: Any, _run: Any, state: Any) -> bool:
    return isinstance(state.result(raise_on_failure=False), OSError)
