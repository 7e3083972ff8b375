"""A run as Prefect flows, nightly and revalidation: what a worker loads, and what `pilots run` starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import flows.orchestration.stages  # noqa: F401 - a worker sees at once that a part of its flow cannot be imported
from flows.orchestration.engine import as_flow, create_artifacts, final_state, stages_as_tasks
from flows.orchestration.run import FULL_SCOPE, RunResult, Scope
from flows.orchestration.stage import EndState
from flows.settings import Settings
from flows.store.lock import Busy

EntryPoint = Callable[[Settings, datetime | None, Scope], RunResult]


@cache
def flows_of(start: EntryPoint) -> Mapping[str, Any]:
    """The flows over the entry point of every run, by name: it lies above this room, so it is given."""

    @as_flow(name="nightly")
    def nightly(data: str | None = None, date: str | None = None) -> Any:
        """One run as a Prefect flow. `data` is the data folder, `date` the moment taken for now (ISO)."""
        return _as_state(start, data, date, FULL_SCOPE)

    @as_flow(name="revalidate")
    def revalidate(data: str | None = None, date: str | None = None, site: str = "", dataset: str = "") -> Any:
        """Validate again what is out of date, of all sites and datasets or of one, as a Prefect flow."""
        return _as_state(start, data, date, Scope(new_files=False, site=site, dataset=dataset))

    return MappingProxyType({"nightly": nightly, "revalidate": revalidate})


def _as_state(start: EntryPoint, data: str | None, date: str | None, scope: Scope) -> Any:
    settings, moment = Settings.of(Path(data) if data else None), datetime.fromisoformat(date) if date else None
    try:
        with stages_as_tasks():
            result = start(settings, moment, scope)
    except Busy as busy:
        return final_state(EndState("Busy", is_good=False, message=f"Busy: {busy}"), busy)
    return _ended(result)


def _ended(result: RunResult) -> Any:
    """The state that a flow run ends in, named after what people have to do. Red where personal data came in."""
    create_artifacts(result.reported.summary, result.deliveries())
    return final_state(EndState(result.outcome, is_good=not result.personal, message=result.verdict), result)
