"""The Prefect flows `nightly` and `revalidate`: workers load them, and `pilots run` starts one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import flows.orchestration.stages  # noqa: F401 - so that a broken import fails when a worker loads the flow
from flows.orchestration.engine import create_artifacts, final_state, prefect_flow, stages_as_tasks
from flows.orchestration.run import EVERYTHING, RunResult, Scope
from flows.orchestration.stage import EndState
from flows.settings import Settings
from flows.store.lock import Busy

EntryPoint = Callable[[Settings, datetime | None, Scope], RunResult]


@cache
def flows_of(start: EntryPoint) -> Mapping[str, Any]:
    """Prefect flows by name. `start` is `nightly.run_pipeline`, a parameter because this package may not import it."""

    @prefect_flow(name="nightly")
    def nightly(data: str | None = None, date: str | None = None) -> Any:
        """Nightly run as a Prefect flow. `data` is the data folder; `date` (ISO) replaces the current time."""
        return _run_to_state(start, data, date, EVERYTHING)

    @prefect_flow(name="revalidate")
    def revalidate(data: str | None = None, date: str | None = None, site: str = "", dataset: str = "") -> Any:
        """Re-validate deliveries whose results are out of date, of all sites and datasets or of one."""
        return _run_to_state(start, data, date, Scope(new_files=False, site=site, dataset=dataset))

    return MappingProxyType({"nightly": nightly, "revalidate": revalidate})


def _run_to_state(start: EntryPoint, data: str | None, date: str | None, scope: Scope) -> Any:
    settings, moment = Settings.of(Path(data) if data else None), datetime.fromisoformat(date) if date else None
    try:
        with stages_as_tasks():
            result = start(settings, moment, scope)
    except Busy as busy:
        return final_state(EndState("Busy", is_good=False, message=f"Busy: {busy}"), busy)
    return _final_state_of(result)


def _final_state_of(result: RunResult) -> Any:
    """Final state of a flow run, named after what people have to do. Failed if personal data came in."""
    create_artifacts(result.reported.summary, result.deliveries())
    return final_state(EndState(result.outcome, is_good=not result.personal, message=result.verdict), result)
