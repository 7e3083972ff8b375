"""The night, top to bottom: the first file to read.

    receive -> (read -> conform -> judge) for each delivery -> load -> relate -> build -> publish -> report

`whole_night` is the order, written once, for the night and for a retry; `nightly` and `retry` are the same as Prefect
flows, with their states and artifacts. A night on which nothing changed ends at the first look (`unchanged.py`). How a
run begins and ends is in `run.py`, what it works with in `work.py`, how Prefect drives it in `engine.py`. The file lock
is what guards the writer: Prefect's own limits are only advice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.engine import Stage, as_flow, ended, show
from flows.judgement import Judgement, judge_delivery
from flows.reporting import NightsWork, report_night
from flows.run import EVERYTHING, NightResult, Run, Scope, opened
from flows.settings import Settings
from flows.steps.build import build
from flows.steps.load import load
from flows.steps.publish import publish
from flows.steps.receive import receive
from flows.steps.relate import relate
from flows.store.builds import fingerprint_of, published_build, unfinished_build
from flows.store.kept import Kept
from flows.store.runs import now
from flows.unchanged import leave_standing, told_again
from flows.versions import fingerprint, load_version
from flows.work import Work
from schemas.audit.deliveries import Delivery, Result
from schemas.shapes import Judged


def _state_of(judgement: Judgement) -> tuple[str, bool, str] | None:
    """A refused site neither ends green nor breaks the night; nor does a file that could not be judged."""
    if judgement.result is None:
        return "NotJudged", False, f"{judgement.delivery_id} {judgement.problem}"
    if judgement.result.stops:
        return "Refused", False, f"{judgement.delivery_id}: {judgement.result}"
    if judgement.result is Result.HELD_ROWS:
        return "PartlyLoaded", True, f"{judgement.delivery_id}: some rows held back"
    return None


receive_files = Stage(receive, "receive", try_again=True)
judge_each = Stage(judge_delivery, "judge", state_of=_state_of, try_again=True)
load_core = Stage(load, "load")
relate_tables = Stage(relate, "relate")
build_marts = Stage(build, "build")
publish_build = Stage(publish, "publish")
report_to_people = Stage(report_night, "report")


def night(settings: Settings, moment: datetime | None = None, scope: Scope = EVERYTHING) -> NightResult:
    """Take what is new, judge it, rebuild the warehouse if anything changed, and report.

    `moment` is taken for now: files found tonight count as received then. A retry's scope takes in no file. Raises
    Busy where another run holds the lock, NoDataFolder, EarlierThanKnown, NotConserved, or what a stage raised: then
    the last good figures stand.
    """
    with opened(settings, moment, scope) as run:
        return told_again(run) or whole_night(run)


def whole_night(run: Run) -> NightResult:
    """The night, where something may have to be done. Raises as `night`."""
    work = Work.of(run)
    received = receive_files(work.places, work.ledger, work.id, work.moment) if work.scope.new_files else work.known
    made = judge_each.each(work.waiting(received), work.places, work.judgements, work.corrections, name=_task_name)
    judged_before = work.ledger.judgement_keys().keys()
    fresh = work.remember(made)
    judged = work.judged(received)
    wanted = fingerprint(judged)
    before = published_build(work.places)
    quiet = before is not None and fingerprint_of(before) == wanted
    personal = {j.delivery.delivery_id for j in judged if j.verdict.holds_personal_data}
    # rows that were taken in before anybody saw that they are personal are in the older builds too
    keep = 1 if personal & fresh & judged_before else work.settings.keep_builds
    doubt = None
    if before is not None and quiet:
        warehouse = before
    else:
        warehouse, doubt = _new_warehouse(work, judged, wanted, keep)
    told = work.ledger.reported()  # a run that was cut off before its reports leaves them to this one
    tonight = [j for j in judged if j.delivery.delivery_id in fresh or j.delivery.delivery_id not in told]
    not_judged = tuple(f"{j.delivery_id} {j.problem}" for j in made if j.result is None)
    to_mend = work.corrections_to_mend(judged)
    to_tell = NightsWork(judged, tonight, received.unusable, not_judged, to_mend, work.moment, quiet, doubt)
    with work.ledger.together():  # what was told is noted when all of it is: a run that is cut off tells it again
        reported = report_to_people(work.places, work.ledger, warehouse, to_tell, work.about, work.options())
    result = "quiet" if quiet else "published"
    work.ledger.end_run(work.id, result, len(received.new), len(fresh))
    if work.is_all_done(received, not_judged, reported):
        leave_standing(work, warehouse, reported, work.stands_until)
    done = tuple(replace(j, verdict=reported.settled[j.delivery.delivery_id]) for j in tonight)
    return NightResult(work.id, result, warehouse, done, received.newly_unusable, not_judged, reported)


def _task_name(delivery: Delivery) -> str:
    return f"judge {delivery.site_code} {delivery.dataset} {delivery.period} v{delivery.version}"


def _new_warehouse(work: Work, judged: Sequence[Judged], wanted: str, keep: int) -> tuple[Path, Exception | None]:
    """A new warehouse file, proved and put in place. What no delivery needs any more leaves the store.

    Gives its path, and why it was made without what was kept of earlier nights, where that was not relied on.
    """
    name = f"{now():%Y%m%dT%H%M%S}-{work.id[-6:]}_{wanted}"
    file, kept, options = unfinished_build(work.places, name), Kept.of(work.places, load_version()), work.options()

    def made() -> Path:
        load_core(file, judged, work.ledger.runs(), work.judgements, work.loading_options(), kept, options)
        relate_tables(file, judged, work.judgements, options, kept)
        build_marts(file, options)
        return publish_build(work.places, file, name, judged, keep, work.settings.reading_group, options)

    built = kept.relied_on(made)
    work.judgements.sweep(set(work.ledger.judgement_keys().values()))
    return built


@as_flow(name="nightly")
def nightly(data: str | None = None, date: str | None = None) -> Any:
    """One night as a Prefect flow. `data` is the data folder, `date` the moment taken for now (ISO)."""
    return _ended(night(*_settings(data, date)))


@as_flow(name="retry")
def retry(data: str | None = None, date: str | None = None, site: str = "", dataset: str = "") -> Any:
    """Judge again what is out of date, of all sites and datasets or of one, as a Prefect flow."""
    return _ended(night(*_settings(data, date), Scope(False, site, dataset)))


def _settings(data: str | None, date: str | None) -> tuple[Settings, datetime | None]:
    return Settings.of(Path(data) if data else None), datetime.fromisoformat(date) if date else None


def _ended(result: NightResult) -> Any:
    show(result.reported.summary, result.deliveries())
    name = "Refused" if result.must_be_fixed else "PartlyLoaded" if result.held else "Completed"
    return ended(name, not result.must_be_fixed, result.verdict, result)
