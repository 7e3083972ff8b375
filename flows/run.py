"""One run of the night, or of a retry: what it holds while it goes on, and what it comes to."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.judgement import Judgement, judgement_key
from flows.replay import corrections_to_mend
from flows.reporting import Reported, report_failure
from flows.settings import Settings
from flows.settled import as_it_stands
from flows.steps.receive import Received, UnusableFile
from flows.store.builds import published_build
from flows.store.corrections import corrections_of
from flows.store.judgements import Judgements
from flows.store.ledger import EarlierThanKnown, Ledger, now
from flows.store.lock import no_writer, writer_lock
from flows.store.places import Places
from schemas.audit.deliveries import Delivery, Result
from schemas.catalogue import datasets
from schemas.corrections import NO_CORRECTIONS, Corrections
from schemas.shapes import Judged
from schemas.standing import standings


class JudgementLost(Exception):  # noqa: N818
    """A judgement that was made is gone, and so is the raw file to make it again from."""


@dataclass(frozen=True)
class Scope:
    """What a run is about. The night is about everything; a retry takes in no file, and may be about less."""

    new_files: bool = True
    site: str = ""
    dataset: str = ""

    def covers(self, delivery: Delivery) -> bool:
        """Whether a delivery may be judged again."""
        return self.site in ("", delivery.site_code) and self.dataset in ("", delivery.dataset)


EVERYTHING = Scope()


@dataclass
class Run:
    """What every stage of one run shares. `moment` is what the run takes for now."""

    settings: Settings
    places: Places
    ledger: Ledger
    moment: datetime
    id: str
    started_at: datetime
    scope: Scope = EVERYTHING
    corrections: Corrections = NO_CORRECTIONS

    @property
    def judgements(self) -> Judgements:
        """The Parquet store."""
        return Judgements(self.places)

    @property
    def about(self) -> dict[str, str]:
        """What reports say of the run."""
        return {"id": self.id, "code_version": CODE_VERSION, "started_at": self.started_at.isoformat()}

    @property
    def known(self) -> Received:
        """What was received before: all that a run has which takes in no file."""
        return Received(self.ledger.deliveries(), new=(), unusable=())

    def waiting(self, received: Received) -> list[Delivery]:
        """The deliveries of its scope whose judgement is out of date, and whose raw file still is there to be judged.

        A raw file may be deleted a year after it was accepted, or overwritten by the next one: then the last judgement
        of its own bytes stands.
        """
        known = self.ledger.judgement_keys()
        bytes_at = {path: sha256 for path, (_, sha256, _) in self.ledger.known_files().items()}
        waiting = []
        for delivery in received.deliveries.values():
            if delivery.same_as or not self.scope.covers(delivery):
                continue
            key = judgement_key(delivery, datasets()[delivery.dataset], self.corrections)
            there = self.judgements.has(key)
            if there and known.get(delivery.delivery_id) != key:
                self.ledger.remember_judgement(delivery.delivery_id, key)
                continue
            is_its_own = bytes_at.get(delivery.path) == delivery.sha256
            if not there and is_its_own and (self.places.raw / delivery.path).exists():
                waiting.append(delivery)
        return waiting

    def remember(self, made: Sequence[Judgement]) -> set[str]:
        """Note the judgements that were made. Gives the ids of their deliveries."""
        settled = [j for j in made if j.result is not None]
        for judgement in settled:
            self.ledger.remember_judgement(judgement.delivery_id, judgement.key)
        return {j.delivery_id for j in settled}

    def judged(self, received: Received) -> list[Judged]:
        """Every delivery known by the moment of the run, with its judgement and whether it counts."""
        return judged_by(received.deliveries.values(), self.ledger.judgement_keys(), self.judgements, self.moment)

    def corrections_to_mend(self, judged: Sequence[Judged]) -> list[str]:
        """What somebody has to look at in the corrections."""
        return corrections_to_mend(self.corrections, judged, self.judgements)

    def options(self) -> dict[str, Any]:
        """DuckDB's settings."""
        return self.settings.building_options()


CODE_VERSION = version("pilot-warehouse")


@contextmanager
def opened(settings: Settings, moment: datetime | None, scope: Scope = EVERYTHING) -> Iterator[Run]:
    """Hold the lock, clear away what a run that was cut off left, and begin a run. A night that fails says so.

    Raises Busy where another run holds the lock, NoDataFolder, and EarlierThanKnown for a moment before the last one.
    """
    places = Places(settings.data.absolute())
    places.require()
    places.make()
    with writer_lock(places.lock), closing(Ledger(places.ledger)) as ledger:
        places.clear_unfinished()
        started = now()
        newest = ledger.newest_receipt()
        if moment and newest and moment < newest:
            raise EarlierThanKnown(f"deliveries up to {newest} are known: a run cannot take place on {moment}")
        # a clock that was put back must not hide what was received before
        moment = moment or max(started, newest or started)
        agreed = corrections_of(places, moment.date())
        run = Run(settings, places, ledger, moment, _new_id(started), started, scope, agreed)
        before = published_build(places)
        ledger.start_run(run.id, run.started_at, run.moment, CODE_VERSION)
        try:
            yield run
        except Exception as error:
            with suppress(OSError, sqlite3.Error):  # the error itself matters more than the note of it
                ledger.end_run(run.id, "failed", 0, 0)
                report_failure(places, run.about, error, published=published_build(places) != before)
            raise


@contextmanager
def looked_at(settings: Settings, moment: datetime | None, scope: Scope) -> Iterator[Run]:
    """A run that only looks: it leaves every byte of the data folder as it is. Raises NoDataFolder, Busy."""
    places = Places(settings.data.absolute())
    places.require()
    started = now()
    with no_writer(places.lock), Ledger.copy_of(places.ledger) as ledger:
        agreed = corrections_of(places, (moment or started).date())
        yield Run(settings, places, ledger, moment or started, "", started, scope, agreed)


def judged_by(
    deliveries: Sequence[Delivery] | Any, keys: dict[str, str], judgements: Judgements, moment: datetime
) -> list[Judged]:
    """The deliveries received by a moment, with their judgements and standing.

    Raises JudgementLost where a judgement that the ledger knows is not in the store: figures without it would be wrong.
    """
    known = [d for d in deliveries if d.received_at <= moment and (d.same_as or d.delivery_id) in keys]
    lost = sorted(d.delivery_id for d in known if not judgements.has(keys[d.same_as or d.delivery_id]))
    if lost:
        raise JudgementLost(f"the judgements of {', '.join(lost)} are gone: bring back the store or the raw files")
    verdicts = {i: judgements.verdict(keys[i]) for i in {d.same_as or d.delivery_id for d in known}}
    standing = standings(known, verdicts)
    first = {d.delivery_id: d.same_as or d.delivery_id for d in known}
    return [
        Judged(d, keys[first[i]], as_it_stands(verdicts[first[i]], standing[i]), standing[i])
        for i, d in ((d.delivery_id, d) for d in known)
    ]


def _new_id(started: datetime) -> str:
    return f"{started:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


@dataclass(frozen=True)
class NightResult:
    """How a night ended: published or quiet, what it judged, and where the reports and the warehouse are."""

    run_id: str
    result: str  # 'published' or 'quiet'
    warehouse: Path
    judged: tuple[Judged, ...] = ()  # the deliveries that were received or judged anew tonight
    unusable: tuple[UnusableFile, ...] = ()  # files whose name says nothing, or whose manifest is wrong, new tonight
    not_judged: tuple[str, ...] = ()  # deliveries that could not be judged tonight, and why
    reported: Reported = field(default_factory=Reported)

    @property
    def verdict(self) -> str:
        """The night in one sentence."""
        return self.reported.summary.splitlines()[0]

    @property
    def stopped(self) -> tuple[Judged, ...]:
        """Tonight's deliveries that were refused or could not be read, and that no later one has replaced."""
        return tuple(j for j in self._not_replaced if j.verdict.result.stops)

    @property
    def held(self) -> tuple[Judged, ...]:
        """Tonight's deliveries that were accepted but for some rows, and that no later one has replaced."""
        return tuple(j for j in self._not_replaced if j.verdict.result is Result.HELD_ROWS)

    @property
    def _not_replaced(self) -> tuple[Judged, ...]:
        return tuple(j for j in self.judged if j.delivery.delivery_id not in self.reported.replaced)

    @property
    def must_be_fixed(self) -> bool:
        """Whether somebody has to do something: send a file again, or see why one could not be judged or reported."""
        return bool(self.stopped or self.unusable or self.not_judged or self.reported.not_told)

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "run": self.run_id,
            "result": self.result,
            "verdict": self.verdict,
            "warehouse": str(self.warehouse),
            "summary": str(self.reported.path),
            "not_taken_in": [asdict(u) for u in self.unusable],
            "not_judged": list(self.not_judged),
            "not_told": list(self.reported.not_told),
            "deliveries": self.deliveries(),
        }

    def deliveries(self) -> list[dict[str, Any]]:
        """What came of each of tonight's deliveries, as plain values."""
        return [
            {
                "delivery": j.delivery.delivery_id,
                "result": str(j.verdict.result),
                "standing": str(j.standing),
                **asdict(j.verdict.rows),
                "report": str(self.reported.pages.get(j.delivery.delivery_id, "")),
                **self._again(j),
            }
            for j in self.judged
        ]

    def _again(self, judged: Judged) -> dict[str, int]:
        again = self.reported.judged_again.get(judged.delivery.delivery_id)
        return {"released": again.released if again else 0, "newly_held": again.newly_held if again else 0}
