"""The nightly run, top to bottom: the first file to read.

    receive -> (read -> correct -> conform -> validate) for each delivery
            -> load -> cross_check -> confirm -> build -> promote -> report

`run_pipeline` is the entry point of every run, with Prefect or without; `run_stages` is the order of its stages,
written once. A run whose inputs are unchanged is skipped (`no_op_run.py`), and imports no more than the top of this
file does.

Everything else is in `flows/orchestration`: `stages.py` defines the stages, `run.py` starts and ends a run,
`active_run.py` holds what its stages share, `prefect_flows.py` and `engine.py` run the same order under Prefect. The
file lock guards against two writers at once: Prefect's own concurrency limits are only advisory.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.orchestration.no_op_run import cache_summary, reissue_summary
from flows.orchestration.run import EVERYTHING, Run, RunResult, Scope, open_run
from flows.runtime.gc_pause import gc_paused
from flows.settings import Settings


def run_pipeline(settings: Settings, moment: datetime | None = None, scope: Scope = EVERYTHING) -> RunResult:
    """Receive new files, validate them, rebuild the warehouse if anything changed, and report.

    `moment` stands in for the current time: files found in this run count as received then. A re-validation's scope
    takes in no new files. Raises Busy where another run holds the lock, NoDataFolder, LedgerUnusable, EarlierThanKnown,
    NotConserved, or what a stage raised: then the last good build stays current, and the summary says what happened.
    """
    with open_run(settings, moment, scope) as run:
        result = reissue_summary(run) or run_stages(run)
        result.log_for(run.ending)
        return result


def run_stages(opened: Run) -> RunResult:
    """Run every stage in order, skipping the build where the current one is up to date. Raises as `run_pipeline`."""
    # imported here because a no-op run needs none of it: polars, pyarrow and DuckDB come with these modules
    with gc_paused():
        from flows.orchestration.active_run import ActiveRun
        from flows.orchestration.stages import build_and_promote, receive_stage, report_stage, validate_stage
        from flows.reporting.run_report import ReportingInput
        from flows.store.build_fingerprint import build_fingerprint

    run = ActiveRun.of(opened)

    # receive, and validate each delivery that has no stored result under its present key
    received = receive_stage(run.paths, run.ledger, run.id, run.moment) if run.scope.new_files else run.received_before
    worklist = run.worklist(received)
    run.record_result_keys(worklist.reusable_keys)
    validations = validate_stage.map(worklist.deliveries, run.paths, run.results, run.corrections)
    not_validated = tuple(f"{v.delivery_id} {v.problem}" for v in validations if v.result is None)
    validated_before = run.ledger.result_keys().keys()
    validated_now = run.record_results(validations)
    validated = run.validated(received)

    # load, cross_check, build and promote, unless the current build was made from the same inputs and can be opened
    fingerprint = build_fingerprint(validated, run.withdrawals, run.confirmations.fingerprint)
    current = run.warehouse.current()
    is_broken = current is not None and not current.can_be_opened()
    is_quiet = current is not None and not is_broken and current.made_from == fingerprint
    if current is not None and is_quiet:
        build, cache_error = current, None
    else:
        # where a delivery loaded earlier is only now found to hold personal data, older builds hold it too
        personal = {v.delivery.delivery_id for v in validated if v.verdict.holds_personal_data}
        keep = 1 if personal & validated_now & validated_before else run.settings.keep_builds
        build, cache_error = build_and_promote(run, validated, fingerprint, keep)

    # report: also the deliveries of a run that was cut off before its reports were written
    reported_before = run.ledger.report_digests()
    to_report = [
        v for v in validated if v.delivery.delivery_id in validated_now or v.delivery.delivery_id not in reported_before
    ]
    reporting_input = ReportingInput(
        validated=validated,
        to_report=to_report,
        unusable=received.unusable,
        not_validated=not_validated,
        corrections_to_review=run.corrections_to_review(validated),
        faulty_confirmations=run.confirmations.faults,
        moment=run.moment,
        is_quiet=is_quiet,
        new_files=run.scope.new_files,
        is_broken=is_broken,
        contact=run.settings.data_team_contact,
        cache_error=cache_error,
    )
    # one transaction: a run that is cut off while it reports leaves no report recorded, so the next one writes them all
    with run.ledger.transaction():
        reported = report_stage(run.paths, run.ledger, build, reporting_input, run.metadata)
        run.record_standings(reported.outcomes.values())

    result = "quiet" if is_quiet else "published"
    run.ledger.end_run(run.id, result, len(received.new), len(validated_now))
    if run.is_complete(received, not_validated, reported):
        cache_summary(run, build, reported, run.unchanged_until)
    return RunResult(
        run_id=run.id,
        result=result,
        warehouse=build.file,
        validated=tuple(reported.outcomes[v.delivery.delivery_id] for v in to_report),
        unusable=received.newly_unusable,
        not_validated=not_validated,
        reported=reported,
    )


def __getattr__(name: str) -> Any:
    """Return the Prefect flows `nightly` and `revalidate` on first access, so that only deployments import Prefect."""
    if name in ("nightly", "revalidate"):
        from flows.orchestration.prefect_flows import flows_of

        return flows_of(run_pipeline)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
