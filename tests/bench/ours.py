"""The pipeline's own work, cut as the reference is: receive, read, conform, validate and load; no marts or reports."""

from __future__ import annotations

import sys
from pathlib import Path

from flows.runtime.gc_pause import gc_paused

with gc_paused():  # as a night does
    from flows.orchestration.active_run import ActiveRun
    from flows.orchestration.build_steps import load_build
    from flows.orchestration.run import open_run
    from flows.settings import Settings
    from flows.steps.receive import receive
    from flows.steps.validate_delivery import validate_delivery
    from flows.store.build_identity import load_version
    from flows.store.warehouse.load_cache import LoadCache
    from flows.store.warehouse.new_build import NewBuild


def receive_to_load(data: Path) -> None:
    """Take in what lies in `data`/raw, validate it, and load what was accepted into `data`/loaded.duckdb."""
    settings = Settings.of(data)
    with open_run(settings, None) as base:
        run = ActiveRun.of(base)
        received = receive(run.paths, run.ledger, run.id, run.moment)
        made = [validate_delivery(d, run.paths, run.results) for d in run.worklist(received).deliveries]
        if wrong := [j.problem for j in made if j.problem]:
            sys.exit("; ".join(wrong))
        run.record_results(made)
        kept = LoadCache.of(run.paths, load_version())
        new = NewBuild(data / "loaded.duckdb", run.warehouse.options, cache=kept)
        load_build(new, run.validated(received), [], run.results)


if __name__ == "__main__":
    receive_to_load(Path(sys.argv[1]))
