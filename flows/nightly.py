"""The night, top to bottom: the first file to read.

    receive -> (read -> conform -> judge) for each delivery -> load -> relate -> build -> publish -> report

`night` is the order, written once. `nightly` is the same as a Prefect flow, with its states and artifacts. The file
lock is what guards the writer: Prefect's own limits are only advice.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.states import Completed, Failed, State
from prefect.task_runners import ThreadPoolTaskRunner

from flows.engine import Stage
from flows.judgement import Judgement, judge_delivery, judgement_key
from flows.reporting import Reported, report_failure, report_night
from flows.settings import Settings
from flows.steps.build import build
from flows.steps.load import load
from flows.steps.publish import publish
from flows.steps.receive import Received, UnusableFile, receive
from flows.steps.relate import relate
from flows.store.builds import fingerprint_of, published_build, unfinished_build
from flows.store.judgements import Judgements
from flows.store.ledger import Ledger, now
from flows.store.lock import writer_lock
from flows.store.places import Places
from flows.versions import fingerprint
from schemas.audit.deliveries import Delivery, Result
from schemas.catalogue import datasets
from schemas.shapes import Judged
from schemas.standing import standings

STOPPED = (Result.REFUSED, Result.UNREADABLE)


@dataclass(frozen=True)
class Outcome:
    """How a night ended: published or quiet, what it judged, and where the reports and the warehouse are."""

    run_id: str
    result: str  # 'published' or 'quiet'
    warehouse: Path | None
    judged: tuple[Judged, ...] = ()  # the deliveries that were received or judged anew tonight
    unusable: tuple[UnusableFile, ...] = ()  # files whose name says nothing, or whose manifest is wrong, new tonight
    reported: Reported = field(default_factory=Reported)

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        return {
            "run": self.run_id,
            "result": self.result,
            "verdict": self.reported.summary.splitlines()[0],
            "warehouse": str(self.warehouse),
            "summary": str(self.reported.path),
            "not_taken_in": [asdict(u) for u in self.unusable],
            "deliveries": [
                {
                    "delivery": j.delivery.delivery_id,
                    "result": str(j.verdict.result),
                    "standing": str(j.standing),
                    "rows": asdict(j.verdict.rows),
                    "report": str(self.reported.pages.get(j.delivery.delivery_id, "")),
                }
                for j in self.judged
            ],
        }

    @property
    def stopped(self) -> tuple[Judged, ...]:
        """Tonight's deliveries that were refused or could not be read."""
        return tuple(j for j in self.judged if j.verdict.result in STOPPED)

    @property
    def must_be_fixed(self) -> bool:
        """Whether somebody has to send something again."""
        return bool(self.stopped or self.unusable)

    @property
    def held(self) -> tuple[Judged, ...]:
        """Tonight's deliveries that were accepted but for some rows."""
        return tuple(j for j in self.judged if j.verdict.result is Result.HELD_ROWS)


def _state_of_judged(judged: Judgement) -> State | None:
    """A refused site neither ends green nor breaks the night."""
    if judged.result in STOPPED:
        return Failed(name="Refused", message=f"{judged.delivery_id}: {judged.result}", data=judged)
    if judged.result is Result.HELD_ROWS:
        return Completed(name="PartlyLoaded", message=f"{judged.delivery_id}: some rows held back", data=judged)
    return None


def _is_worth_trying_again(_task: Any, _run: Any, state: State) -> bool:
    """A shared disk may be away for a moment; bad data stays bad."""
    return state.name != "Refused"


_try_again: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": 5,
    "retry_condition_fn": _is_worth_trying_again,
}
receive_files = Stage(receive, name="receive", **_try_again)
judge_each = Stage(judge_delivery, state_of=_state_of_judged, name="judge", **_try_again)
load_core = Stage(load, name="load")
relate_tables = Stage(relate, name="relate")
build_marts = Stage(build, name="build")
publish_build = Stage(publish, name="publish")
report_to_senders = Stage(report_night, name="report", **_try_again)


def night(settings: Settings, as_of: datetime | None = None) -> Outcome:
    """Take what is new, judge it, rebuild the warehouse if anything changed, and report.

    `as_of` is the moment that is taken for now: files found tonight count as received then, and only what was received
    by then is in the figures. Raises Busy where another run holds the lock.
    """
    places = Places(settings.data.absolute())
    places.make()
    with writer_lock(places.lock), closing(Ledger(places.ledger)) as ledger:
        places.clear_unfinished()
        return _Night(settings, places, ledger, as_of or now()).run()


class _Night:
    """One run, under the lock."""

    def __init__(self, settings: Settings, places: Places, ledger: Ledger, moment: datetime) -> None:
        self.settings, self.places, self.ledger, self.moment = settings, places, ledger, moment
        self.judgements = Judgements(places)
        self.run_id = f"{now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"

    def run(self) -> Outcome:
        """Run the night. One that fails says so in the ledger and in its summary; the last good figures stand."""
        self.ledger.start_run(self.run_id, self.moment, version("pilot-warehouse"))
        try:
            return self._in_order()
        except Exception as error:
            self.ledger.end_run(self.run_id, "failed", 0, 0)
            report_failure(self.places, self._about_run(), error)
            raise

    def _in_order(self) -> Outcome:
        """The order of the night."""
        received = receive_files(self.places, self.ledger, self.run_id, self.moment)
        fresh = self._judge(received)
        judged = self._standing(received)
        wanted = fingerprint(judged)
        before = published_build(self.places)
        quiet = before is not None and fingerprint_of(before) == wanted
        warehouse = before if quiet else self._make_warehouse(judged, wanted)
        assert warehouse is not None
        told = self.ledger.reported()  # a run that was cut off before its reports leaves them to this one
        tonight = [j for j in judged if j.delivery.delivery_id in fresh or j.delivery.delivery_id not in told]
        reported = report_to_senders(
            self.places, self.ledger, warehouse, judged, tonight, received.unusable, self._about_run(), quiet
        )
        result = "quiet" if quiet else "published"
        self.ledger.end_run(self.run_id, result, len(received.new), len(fresh))
        return Outcome(self.run_id, result, warehouse, tuple(tonight), received.newly_unusable, reported)

    def _judge(self, received: Received) -> set[str]:
        """Judge every delivery whose judgement is not in the store yet. Gives their ids."""
        known = self.ledger.judgement_keys()
        waiting: list[Delivery] = []
        for delivery in received.deliveries.values():
            if delivery.same_as:
                continue
            key = judgement_key(delivery, datasets()[delivery.dataset])
            there = self.judgements.has(key)
            if there and known.get(delivery.delivery_id) != key:
                self.ledger.remember_judgement(delivery.delivery_id, key)
            # a raw file may be deleted a year after it was accepted: then its last judgement stands
            elif not there and (self.places.raw / delivery.path).exists():
                waiting.append(delivery)
        done = judge_each.each(
            waiting,
            self.places,
            self.judgements,
            name=lambda d: f"judge {d.site_code} {d.dataset} {d.period} v{d.version}",
        )
        for judgement in done:
            self.ledger.remember_judgement(judgement.delivery_id, judgement.key)
        return {judgement.delivery_id for judgement in done}

    def _standing(self, received: Received) -> list[Judged]:
        """Every delivery known by the moment of the run, with its judgement and whether it counts."""
        keys = self.ledger.judgement_keys()
        known = [d for d in received.deliveries.values() if d.received_at <= self.moment]
        of_key = {i: self.judgements.verdict(k) for i, k in keys.items() if self.judgements.has(k)}
        known = [d for d in known if (d.same_as or d.delivery_id) in of_key]
        standing = standings(known, {i: v.result for i, v in of_key.items()})
        return [
            Judged(d, keys[d.same_as or d.delivery_id], of_key[d.same_as or d.delivery_id], standing[d.delivery_id])
            for d in known
        ]

    def _make_warehouse(self, judged: Sequence[Judged], wanted: str) -> Path:
        """A new warehouse file, proved and put in place."""
        name = f"{now():%Y%m%dT%H%M%S}-{self.run_id[-6:]}_{wanted}"
        file = unfinished_build(self.places, name)
        options = self.settings.duckdb_options()
        load_core(file, judged, self.ledger.runs(), self.judgements, options)
        relate_tables(file, judged, self.judgements, options)
        build_marts(file, options)
        return publish_build(self.places, file, name, judged, self.settings.keep_builds, self.settings.reading_group)

    def _about_run(self) -> dict[str, str]:
        return {
            "id": self.run_id,
            "code_version": version("pilot-warehouse"),
            "started_at": self.moment.isoformat(),
        }


_one_for_each_core: Any = ThreadPoolTaskRunner(max_workers=os.cpu_count())


@flow(name="nightly", log_prints=True, task_runner=_one_for_each_core)
def nightly(data: str | None = None, date: str | None = None) -> State:
    """One night as a Prefect flow. `data` is the data folder, `date` the moment taken for now (ISO)."""
    settings = Settings.of(Path(data) if data else None)
    outcome = night(settings, datetime.fromisoformat(date) if date else None)
    create_markdown_artifact(key="night-summary", markdown=outcome.reported.summary, description="The night's summary")
    create_table_artifact(
        key="deliveries",
        table=[
            {
                "delivery": j.delivery.delivery_id,
                "result": str(j.verdict.result),
                "standing": str(j.standing),
                **{name: getattr(j.verdict.rows, name) for name in ("read", "accepted", "held", "repeats", "not_data")},
            }
            for j in outcome.judged
        ],
        description="What came of tonight's deliveries",
    )
    verdict = outcome.reported.summary.splitlines()[0]
    if outcome.must_be_fixed:
        return Failed(name="Refused", message=verdict, data=outcome)
    if outcome.held:
        return Completed(name="PartlyLoaded", message=verdict, data=outcome)
    return Completed(message=verdict, data=outcome)
