"""The nightly run, top to bottom: the first file to read.

    receive -> (read -> conform -> validate) for each delivery -> load -> relate -> build -> publish -> report

`nightly_run` is the entry point of every run, with Prefect or without; `full_run` is the order of its stages, written
once. A run whose inputs are unchanged is skipped (`no_op_run.py`), and imports no more than this file does at its head.

All else is in `flows/orchestration`: what the stages are in `stages.py`, how a run begins and ends in `run.py`, what it
works with in `worklist.py`, the same as Prefect flows, with their states and artifacts, in `prefect_flows.py`, and how
Prefect drives it in `engine.py`. The file lock is what guards the writer: Prefect's own limits are only advice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.orchestration.no_op_run import cache_summary, reissue_summary
from flows.orchestration.run import FULL_SCOPE, Run, RunResult, Scope, opened
from flows.runtime.gc_pause import gc_paused
from flows.settings import Settings


def nightly_run(settings: Settings, moment: datetime | None = None, scope: Scope = FULL_SCOPE) -> RunResult:
    """Take what is new, validate it, rebuild the warehouse if anything changed, and report.

    `moment` is taken for now: files found in this run count as received then. A retry's scope takes in no file. Raises
    Busy where another run holds the lock, NoDataFolder, LedgerUnusable, EarlierThanKnown, NotConserved, or what a
    stage raised: then the last good figures stand, and the summary says what happened.
    """
    with opened(settings, moment, scope) as run:
        result = reissue_summary(run) or full_run(run)
        result.log_for(run.ending)
        return result


def full_run(run: Run) -> RunResult:
    """Run every stage in order, where there may be work. Raises as `nightly_run`."""
    with gc_paused():  # polars, pyarrow and DuckDB come with these
        from flows.orchestration.active_run import ActiveRun
        from flows.orchestration.stages import new_build, receive_files, report_to_people, validate_each
        from flows.reporting.run_report import ReportingInput
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
    before = work.warehouse.current()
    broken = before is not None and not before.can_be_opened()
    quiet = before is not None and not broken and before.made_from == wanted
    personal = {j.delivery.delivery_id for j in validated if j.verdict.holds_personal_data}
    # rows that were taken in before anybody saw that they are personal are in the older builds too
    keep = 1 if personal & fresh & judged_before else work.settings.keep_builds
    if before is not None and quiet:
        build, doubt = before, None
    else:
        build, doubt = new_build(work, validated, wanted, keep)
    told = work.ledger.reported()  # a run that was cut off before its reports leaves them to this one
    tonight = [j for j in validated if j.delivery.delivery_id in fresh or j.delivery.delivery_id not in told]
    not_validated = tuple(f"{j.delivery_id} {j.problem}" for j in made if j.result is None)
    to_mend = work.corrections_to_review(validated)
    looked = work.scope.new_files
    to_tell = ReportingInput(
        validated=validated,
        tonight=tonight,
        unusable=received.unusable,
        not_validated=not_validated,
        corrections_to_review=to_mend,
        moment=work.moment,
        quiet=quiet,
        looked=looked,
        broken=broken,
        doubt=doubt,
    )
    with work.ledger.together():  # what was told is noted when all of it is: a run that is cut off tells it again
        reported = report_to_people(work.places, work.ledger, build, to_tell, work.about)
        work.record_counting(reported.outcomes.values())
    result = "quiet" if quiet else "published"
    work.ledger.end_run(work.id, result, len(received.new), len(fresh))
    if work.is_all_done(received, not_validated, reported):
        cache_summary(work, build, reported, work.unchanged_until)
    done = tuple(reported.outcomes[j.delivery.delivery_id] for j in tonight)
    return RunResult(
        run_id=work.id,
        result=result,
        warehouse=build.file,
        validated=done,
        unusable=received.newly_unusable,
        not_validated=not_validated,
        reported=reported,
    )


def __getattr__(name: str) -> Any:
    """Give the Prefect flows, `nightly` and `revalidate`: only who asks for one, as deployments do, imports Prefect."""
    if name in ("nightly", "revalidate"):
        from flows.orchestration.prefect_flows import flows_of

        return flows_of(nightly_run)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
