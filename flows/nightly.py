"""The night, top to bottom: the first file to read.

    receive -> (read -> conform -> judge) for each delivery -> load -> relate -> build -> publish -> report

`night` is how every night and every retry begins, with Prefect or without; `whole_night` is the order, written once;
`nightly` and `retry` are the same as Prefect flows, with their states and artifacts. A night on which nothing changed
ends at the first look (`no_op_run.py`), and imports no more than this file does at its head.

What the stages are is in `stages.py`, how a run begins and ends in `run.py`, what it works with in `work.py`, how
Prefect drives it in `engine.py`. The file lock is what guards the writer: Prefect's own limits are only advice.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from flows.orchestration.engine import PLAIN, as_flow, ended, show
from flows.orchestration.no_op_run import leave_standing, told_again
from flows.orchestration.run import EVERYTHING, NightResult, Run, Scope, opened
from flows.runtime.gc_pause import importing
from flows.settings import Settings
from flows.store.lock import Busy
from flows.store.warehouse import fingerprint_of, published_build

if not PLAIN:  # a worker that loads a flow sees at once that a part of the night cannot be imported
    import flows.orchestration.stages  # noqa: F401 - by name where there is work: see `whole_night`


def night(settings: Settings, moment: datetime | None = None, scope: Scope = EVERYTHING) -> NightResult:
    """Take what is new, judge it, rebuild the warehouse if anything changed, and report.

    `moment` is taken for now: files found tonight count as received then. A retry's scope takes in no file. Raises
    Busy where another run holds the lock, NoDataFolder, LedgerUnusable, EarlierThanKnown, NotConserved, or what a
    stage raised: then the last good figures stand, and the summary says what happened.
    """
    with opened(settings, moment, scope) as run:
        result = told_again(run) or whole_night(run)
        result.log_for(run.ending)
        return result


def whole_night(run: Run) -> NightResult:
    """The night, where something may have to be done. Raises as `night`."""
    with importing():  # polars, pyarrow and DuckDB come with these
        from flows.orchestration.stages import judge_each, new_warehouse, receive_files, report_to_people
        from flows.orchestration.worklist import Work
        from flows.reporting.run_report import NightsWork, can_be_opened
        from flows.store.build_identity import fingerprint

    work = Work.of(run)
    received = receive_files(work.places, work.ledger, work.id, work.moment) if work.scope.new_files else work.known
    due = work.due(received)
    work.note(due.made_before)
    made = judge_each.each(due.deliveries, work.places, work.judgements, work.corrections)
    judged_before = work.ledger.judgement_keys().keys()
    fresh = work.remember(made)
    judged = work.judged(received)
    wanted = fingerprint(judged, work.withdrawals)
    before = published_build(work.places)
    broken = before is not None and not can_be_opened(before, work.options())
    quiet = before is not None and not broken and fingerprint_of(before) == wanted
    personal = {j.delivery.delivery_id for j in judged if j.verdict.holds_personal_data}
    # rows that were taken in before anybody saw that they are personal are in the older builds too
    keep = 1 if personal & fresh & judged_before else work.settings.keep_builds
    if before is not None and quiet:
        warehouse, doubt = before, None
    else:
        warehouse, doubt = new_warehouse(work, judged, wanted, keep)
    told = work.ledger.reported()  # a run that was cut off before its reports leaves them to this one
    tonight = [j for j in judged if j.delivery.delivery_id in fresh or j.delivery.delivery_id not in told]
    not_judged = tuple(f"{j.delivery_id} {j.problem}" for j in made if j.result is None)
    to_mend = work.corrections_to_mend(judged)
    looked = work.scope.new_files
    to_tell = NightsWork(
        judged, tonight, received.unusable, not_judged, to_mend, work.moment, quiet, looked, broken, doubt
    )
    with work.ledger.together():  # what was told is noted when all of it is: a run that is cut off tells it again
        reported = report_to_people(work.places, work.ledger, warehouse, to_tell, work.about, work.options())
        work.note_counting(reported.outcomes.values())
    result = "quiet" if quiet else "published"
    work.ledger.end_run(work.id, result, len(received.new), len(fresh))
    if work.is_all_done(received, not_judged, reported):
        leave_standing(work, warehouse, reported, work.stands_until)
    done = tuple(reported.outcomes[j.delivery.delivery_id] for j in tonight)
    return NightResult(work.id, result, warehouse, done, received.newly_unusable, not_judged, reported)


@as_flow(name="nightly")
def nightly(data: str | None = None, date: str | None = None) -> Any:
    """One night as a Prefect flow. `data` is the data folder, `date` the moment taken for now (ISO)."""
    return _as_state(data, date, EVERYTHING)


@as_flow(name="retry")
def retry(data: str | None = None, date: str | None = None, site: str = "", dataset: str = "") -> Any:
    """Judge again what is out of date, of all sites and datasets or of one, as a Prefect flow."""
    return _as_state(data, date, Scope(False, site, dataset))


def _as_state(data: str | None, date: str | None, scope: Scope) -> Any:
    settings, moment = Settings.of(Path(data) if data else None), datetime.fromisoformat(date) if date else None
    try:
        return _ended(night(settings, moment, scope))
    except Busy as busy:
        return ended("Busy", False, f"Busy: {busy}", busy)


def _ended(result: NightResult) -> Any:
    """The state that a flow run ends in, named after what people have to do. Red where personal data came in."""
    show(result.reported.summary, result.deliveries())
    return ended(result.outcome, not result.personal, result.verdict, result)
