"""The night on which nothing changed: told again from what the last one left, without opening anything.

A night that ended whole leaves the summary of the nights after it, good for as long as one look finds all as it was,
the build and the judgements are there, and the clock alone changes nothing: no return falls due, no correction lapses.
In every other case the night takes the long way, and leaves the next one its own.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flows.orchestration.run import EVERYTHING, NightResult, Run
from flows.reporting.result import Reported, write_summary
from flows.runtime.wording import summary_in_words
from flows.store.ledger.runs import StandingSummary
from flows.store.warehouse import as_it_lies, published_build


def told_again(run: Run) -> NightResult | None:
    """The whole of a quiet night. None where something may have to be done: then nothing is left standing."""
    stands, build = run.ledger.standing_summary(run.look), published_build(run.places)
    if stands is None or build is None or not _is_good(stands, run, build):
        run.ledger.let_stand(None)
        return None
    summary = summary_in_words(stands.verdict, run.about, stands.sections)
    reported = Reported(summary, write_summary(run.places, run.id, summary))
    run.ledger.end_run(run.id, "quiet", files_received=0, deliveries_judged=0)
    return NightResult(run.id, "quiet", build, reported=reported)


def _is_good(stands: StandingSummary, run: Run, build: Path) -> bool:
    return (
        run.scope == EVERYTHING
        and run.look != ""
        and stands.build == as_it_lies(build)
        and stands.since <= run.moment.isoformat() < stands.until
        and not run.places.lost(run.ledger.judgement_keys().values())
    )


def leave_standing(run: Run, build: Path, reported: Reported, until: datetime) -> None:
    """Leave the nights to come what they will say while nothing changes, and the clock is not at `until`."""
    stands = StandingSummary(
        run.look,
        as_it_lies(build),
        run.moment.isoformat(),
        until.isoformat(),
        reported.verdict_if_quiet,
        reported.sections_if_quiet,
    )
    run.ledger.let_stand(stands)
