"""The part of the pipeline that the reference does too: receive, read, conform, validate and load."""

from __future__ import annotations

import sys
from pathlib import Path

from flows.runtime.gc_pause import gc_paused

with gc_paused():  # as a run does
    from flows.orchestration.active_run import ActiveRun
    from flows.orchestration.build_steps import run_load
    from flows.orchestration.run import open_run
    from flows.settings import Settings
    from flows.steps.receive import receive
    from flows.steps.validate_delivery import validate_delivery
    from flows.store.build_fingerprint import load_version
    from flows.store.warehouse.load_cache import LoadCache
    from flows.store.warehouse.new_build import NewBuild


def receive_to_load(data: Path) -> None:
    """Receive and validate the files of `data`/raw, and load the accepted rows into `data`/loaded.duckdb."""
    settings = Settings.of(data)
    with open_run(settings, None) as base:
        run = ActiveRun.of(base)
        received = receive(run.paths, run.ledger, run.id, run.moment)
        validations = [validate_delivery(d, run.paths, run.results) for d in run.worklist(received).deliveries]
        if problems := [v.problem for v in validations if v.problem]:
            sys.exit("; ".join(problems))
        run.record_results(validations)
        cache = LoadCache.of(run.paths, load_version())
        new = NewBuild(data / "loaded.duckdb", run.warehouse.options, cache=cache)
        run_load(new, run.validated(received), [], run.results)


if __name__ == "__main__":
    receive_to_load(Path(sys.argv[1]))
