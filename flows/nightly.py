"""The night, top to bottom: the first file to read.

    receive -> (read -> conform -> judge) for each delivery -> load -> relate -> build -> publish -> report

`night` is the order, written once, for the night and for a retry; `nightly` and `retry` are the same as Prefect flows,
with their states and artifacts. What a run holds is in `run.py`, how Prefect drives it in `engine.py`. The file lock is
what guards the writer: Prefect's own limits are only advice.
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
from flows.store.builds import discard, fingerprint_of, kept_load, published_build, unfinished_build
from flows.store.ledger import now
from flows.versions import fingerprint, load_version
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
        received = receive_files(run.places, run.ledger, run.id, run.moment) if scope.new_files else run.known
        made = judge_each.each(run.waiting(received), run.places, run.judgements, run.corrections, name=_task_name)
        judged_before = run.ledger.judgement_keys().keys()
        fresh = run.remember(made)
        judged = run.judged(received)
        wanted = fingerprint(judged)
        before = published_build(run.places)
        quiet = before is not None and fingerprint_of(before) == wanted
        personal = {j.delivery.delivery_id for j in judged if j.verdict.holds_personal_data}
        # rows that were taken in before anybody saw that they are personal are in the older builds too
        keep = 1 if personal & fresh & judged_before else run.settings.keep_builds
        warehouse = before if before is not None and quiet else _new_warehouse(run, judged, wanted, keep)
        told = run.ledger.reported()  # a run that was cut off before its reports leaves them to this one
        tonight = [j for j in judged if j.delivery.delivery_id in fresh or j.delivery.delivery_id not in told]
        not_judged = tuple(f"{j.delivery_id} {j.problem}" for j in made if j.result is None)
        to_mend = run.corrections_to_mend(judged)
        work = NightsWork(judged, tonight, received.unusable, not_judged, to_mend, run.moment, quiet)
        with run.ledger.together():  # what was told is noted when all of it is: a run that is cut off tells it again
            reported = report_to_people(run.places, run.ledger, warehouse, work, run.about)
        result = "quiet" if quiet else "published"
        run.ledger.end_run(run.id, result, len(received.new), len(fresh))
        done = tuple(replace(j, verdict=reported.settled[j.delivery.delivery_id]) for j in tonight)
        return NightResult(run.id, result, warehouse, done, received.newly_unusable, not_judged, reported)


def _task_name(delivery: Delivery) -> str:
    return f"judge {delivery.site_code} {delivery.dataset} {delivery.period} v{delivery.version}"


def _new_warehouse(run: Run, judged: Sequence[Judged], wanted: str, keep: int) -> Path:
    """A new warehouse file, proved and put in place. What no delivery needs any more leaves the store.

    It begins as a copy of what was loaded in earlier nights. Where that comes to nothing the copy may be at fault: once
    more, with everything loaded anew.
    """
    kept = kept_load(run.places, load_version())
    there = kept.exists()
    try:
        published = _made(run, judged, wanted, keep, kept)
    except Exception as error:
        if not there or isinstance(error, OSError):
            raise
        discard(kept)
        published = _made(run, judged, wanted, keep, kept)
    run.judgements.sweep(set(run.ledger.judgement_keys().values()))
    return published


def _made(run: Run, judged: Sequence[Judged], wanted: str, keep: int, kept: Path) -> Path:
    name = f"{now():%Y%m%dT%H%M%S}-{run.id[-6:]}_{wanted}"
    file = unfinished_build(run.places, name)
    discard(file)
    load_core(file, judged, run.ledger.runs(), run.judgements, run.options(), kept)
    relate_tables(file, judged, run.judgements, run.options(), kept)
    build_marts(file, run.options())
    return publish_build(run.places, file, name, judged, keep, run.settings.reading_group)


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
