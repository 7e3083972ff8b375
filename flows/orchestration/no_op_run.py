"""Skip a run whose inputs are unchanged, and reissue the last summary without opening the warehouse.

A run that completed caches its summary for the runs after it. It is valid while the input fingerprint is the same, the
build and the validation results still exist, and time alone changes nothing: no return falls due, no correction
lapses. In every other case the full run takes place, and caches a new summary.
"""

from __future__ import annotations

from datetime import datetime

from flows.orchestration.run import EVERYTHING, Run, RunResult
from flows.reporting.result import ReportingResult, write_summary
from flows.runtime.summary_wording import summary_in_words
from flows.store.ledger.runs import CachedSummary
from flows.store.warehouse import Build


def reissue_summary(run: Run) -> RunResult | None:
    """Reissue the cached summary as this run's result. Where there may be work, drop the cache and return None."""
    cached, build = run.ledger.cached_summary(run.input_fingerprint), run.warehouse.current()
    if cached is None or build is None or not _is_valid(cached, run, build):
        # Dropped before anything changes, so that a run that is cut off leaves no outdated summary.
        run.ledger.store_cached_summary(None)
        return None
    summary = summary_in_words(cached.verdict, run.metadata, cached.sections)
    reported = ReportingResult(summary, write_summary(run.paths, run.id, summary))
    run.ledger.end_run(run.id, "quiet", files_received=0, deliveries_validated=0)
    return RunResult(run.id, "quiet", build.file, reported=reported)


def _is_valid(cached: CachedSummary, run: Run, build: Build) -> bool:
    return (
        run.scope == EVERYTHING
        and run.input_fingerprint != ""
        and cached.build == build.file_stamp
        and cached.since <= run.moment.isoformat() < cached.until
        and not run.paths.missing_results(run.ledger.result_keys().values())
    )


def cache_summary(run: Run, build: Build, reported: ReportingResult, until: datetime) -> None:
    """Cache the summary that later runs reissue until an input changes or the moment `until` is reached."""
    cached = CachedSummary(
        run.input_fingerprint,
        build.file_stamp,
        run.moment.isoformat(),
        until.isoformat(),
        reported.no_op_verdict,
        reported.no_op_sections,
    )
    run.ledger.store_cached_summary(cached)
