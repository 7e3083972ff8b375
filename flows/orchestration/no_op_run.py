"""Skip a run whose inputs are unchanged, and reissue the last summary without opening anything.

A run that ended whole leaves the summary of the runs after it, good for as long as one look finds all as it was,
the build and the validation results are there, and the clock alone changes nothing: no return falls due, no correction
lapses. In every other case the run takes the long way, and leaves the next one its own.
"""

from __future__ import annotations

from datetime import datetime

from flows.orchestration.run import FULL_SCOPE, Run, RunResult
from flows.reporting.result import ReportingResult, write_summary
from flows.runtime.summary_wording import summary_in_words
from flows.store.ledger.runs import CachedSummary
from flows.store.warehouse import Build


def reissue_summary(run: Run) -> RunResult | None:
    """Result of a run with nothing to do; None where there may be work: then the cached summary is dropped."""
    stands, build = run.ledger.cached_summary(run.look), run.warehouse.current()
    if stands is None or build is None or not _is_good(stands, run, build):
        run.ledger.store_cached_summary(None)
        return None
    summary = summary_in_words(stands.verdict, run.about, stands.sections)
    reported = ReportingResult(summary, write_summary(run.places, run.id, summary))
    run.ledger.end_run(run.id, "quiet", files_received=0, deliveries_judged=0)
    return RunResult(run.id, "quiet", build.file, reported=reported)


def _is_good(stands: CachedSummary, run: Run, build: Build) -> bool:
    return (
        run.scope == FULL_SCOPE
        and run.look != ""
        and stands.build == build.identity
        and stands.since <= run.moment.isoformat() < stands.until
        and not run.places.lost(run.ledger.result_keys().values())
    )


def cache_summary(run: Run, build: Build, reported: ReportingResult, until: datetime) -> None:
    """Cache the summary that later runs reissue while no input changes and `until` is not reached."""
    stands = CachedSummary(
        run.look,
        build.identity,
        run.moment.isoformat(),
        until.isoformat(),
        reported.verdict_if_quiet,
        reported.sections_if_quiet,
    )
    run.ledger.store_cached_summary(stands)
