"""The night, top to bottom: the first file to read.

    receive -> (read -> conform -> judge) for each delivery -> load -> relate -> build -> publish -> report

`nightly_run` is the entry point of every run, with Prefect or without; `full_run` is the order of its stages, written
once; `nightly` and `revalidate` are the same as Prefect flows, with their states and artifacts. A run whose inputs are
unchanged is skipped (`no_op_run.py`), and imports no more than this file does at its head.

What the stages are is in `stages.py`, how a run begins and ends in `run.py`, what it works with in `work.py`, how
Prefect drives it in `engine.py`. The file lock is what guards the writer: Prefect's own limits are only advice.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from flows.orchestration.engine import PLAIN, as_flow, create_artifacts, final_state
from flows.orchestration.no_op_run import cache_summary, reissue_summary
from flows.orchestration.run import FULL_SCOPE, Run, RunResult, Scope, opened
from flows.runtime.gc_pause import gc_paused
from flows.settings import Settings
from flows.store.lock import Busy
from flows.store.warehouse import current_build, fingerprint_of

if not PLAIN:  # a worker that loads a flow sees at once that a part of the night cannot be imported
    import flows.orchestration.stages  # noqa: F401 - by name where there is work: see `full_run`


def nightly_run(settings: Settings, moment: datetime | None = None, scope: Scope = FULL_SCOPE) -> RunResult:
    """Take what is new, judge it, rebuild the warehouse if anything changed, and report.

    `moment` is taken for now: files found tonight count as received then. A retry's scope takes in no file. Raises
    Busy where another run holds the lock, NoDataFolder, LedgerUnusable, EarlierThanKnown, NotConserved, or what a
    stage raised: then the last good figures stand, and the summary says what happened.
    """
    with opened(settings, moment, scope) as run:
        result = reissue_summary(run) or full_run(run)
        result.log_for(run.ending)
        return result


def full_run(run: Run) -> RunResult:
    """The night, where something may have to be done. Raises as `nightly_run`."""
    with gc_paused():  # polars, pyarrow and DuckDB come with these
        from flows.orchestration.active_run import ActiveRun
        from flows.orchestration.stages import new_warehouse, receive_files, report_to_people, validate_each
        from flows.reporting.run_report import ReportingInput, can_be_opened
        from flows.store.build_identity import build_fingerprint

    work = ActiveRun.of(run)
    received = receive_files(work.places, work.ledger, work.id, work.moment) if work.scope.new_files else work.known
    due = work.due(received)
    work.note(due.reusable_keys)
    made = validate_each.each(due.deliveries, work.places, work.judgements, work.corrections)
    judged_before = work.ledger.result_keys().keys()
    fresh = work.remember(made)
    validated = work.validated(received)
    wanted = build_fingerprint(validated, work.withdrawals)
    before = current_build(work.places)
    broken = before is not None and not can_be_opened(before, work.options())
    quiet = before is not None and not broken and fingerprint_of(before) == wanted
    personal = {j.delivery.delivery_id for j in validated if j.verdict.holds_personal_data}
    # rows that were taken in before anybody saw that they are personal are in the older builds too
    keep = 1 if personal & fresh & judged_before else work.settings.keep_builds
    if before is not None and quiet:
        warehouse, doubt = before, None
    else:
        warehouse, doubt = new_warehouse(work, validated, wanted, keep)
    told = work.ledger.reported()  # a run that was cut off before its reports leaves them to this one
    tonight = [j for j in validated if j.delivery.delivery_id in fresh or j.delivery.delivery_id not in told]
    not_validated = tuple(f"{j.delivery_id} {j.problem}" for j in made if j.result is None)
    to_mend = work.corrections_to_review(validated)
    looked = work.scope.new_files
    to_tell = ReportingInput(
        validated, tonight, received.unusable, not_validated, to_mend, work.moment, quiet, looked, broken, doubt
    )
    with work.ledger.together():  # what was told is noted when all of it is: a run that is cut off tells it again
        reported = report_to_people(work.places, work.ledger, warehouse, to_tell, work.about, work.options())
        work.record_counting(reported.outcomes.values())
    result = "quiet" if quiet else "published"
    work.ledger.end_run(work.id, result, len(received.new), len(fresh))
    if work.is_all_done(received, not_validated, reported):
        cache_summary(work, warehouse, reported, work.unchanged_until)
    done = tuple(reported.outcomes[j.delivery.delivery_id] for j in tonight)
    return RunResult(work.id, result, warehouse, done, received.newly_unusable, not_validated, reported)


@as_flow(name="nightly")
def nightly(data: str | None = None, date: str | None = None) -> Any:
    """One night as a Prefect flow. `data` is the data folder, `date` the moment taken for now (ISO)."""
    return _as_state(data, date, FULL_SCOPE)


@as_flow(name="retry")
def revalidate(data: str | None = None, date: str | None = None, site: str = "", dataset: str = "") -> Any:
    """Judge again what is out of date, of all sites and datasets or of one, as a Prefect flow."""
    return _as_state(data, date, Scope(False, site, dataset))


def _as_state(data: str | None, date: str | None, scope: Scope) -> Any:
    settings, moment = Settings.of(Path(data) if data else None), datetime.fromisoformat(date) if date else None
    try:
        return _ended(nightly_run(settings, moment, scope))
    except Busy as busy:
        return final_state("Busy", False, f"Busy: {busy}", busy)


def _ended(result: RunResult) -> Any:
    """The state that a flow run ends in, named after what people have to do. Red where personal data came in."""
    create_artifacts(result.reported.summary, result.deliveries())
    return final_state(result.outcome, not result.personal, result.verdict, result)
