"""A run that has something to do: its worklist, its ledger and store, and the deliveries it knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, time
from functools import cached_property
from typing import NamedTuple

from flows.deliveries.corrections import NO_CORRECTIONS, Corrections
from flows.deliveries.standings import apply_standing, standings
from flows.deliveries.validated import ValidatedDelivery
from flows.deliveries.withdrawn import in_force
from flows.orchestration.run import FULL_SCOPE, Run, Scope
from flows.reporting.corrections_review import corrections_to_review
from flows.reporting.follow_up import raw_file_unchanged
from flows.reporting.overdue import next_calendar_change
from flows.reporting.result import ReportingResult
from flows.settings import Settings
from flows.steps.receive import TRIED_AGAIN, Received
from flows.steps.validate_delivery import ValidationResult
from flows.store.corrections import corrections_of
from flows.store.ledger import Ledger
from flows.store.ledger.runs import ledger_troubles, now
from flows.store.lock import no_writer
from flows.store.paths import DataPaths
from flows.store.result_key import result_key
from flows.store.results import ResultStore
from schemas._contract.catalogue import datasets
from schemas.audit.deliveries import Delivery, Hold, Standing
from schemas.audit.withdrawals import Withdrawal


class ResultLost(Exception):  # noqa: N818
    """A validation result that was made is gone, and so is the raw file to make it again from."""


class Worklist(NamedTuple):
    """Deliveries to validate, and stored results to reuse: their keys by delivery_id."""

    deliveries: list[Delivery]
    reusable_keys: dict[str, str]


@dataclass
class ActiveRun(Run):
    """A run that has something to do: with the whole ledger, the store and the corrections."""

    ledger: Ledger
    corrections: Corrections = NO_CORRECTIONS

    @classmethod
    def of(cls, run: Run) -> ActiveRun:
        """Give a run its ledger and corrections. Raises as `corrections_of`."""
        agreed = corrections_of(run.places, run.moment.date())
        of_run = {f.name: getattr(run, f.name) for f in fields(Run)}
        return cls(**of_run | {"ledger": Ledger.of(run.ledger), "corrections": agreed})

    @property
    def judgements(self) -> ResultStore:
        """The Parquet store."""
        return ResultStore(self.places)

    @cached_property
    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """Which deliveries the data team has withdrawn by the moment of the run."""
        return tuple(self.ledger.withdrawals(self.moment))

    @property
    def known(self) -> Received:
        """Deliveries received before: the input of a run that takes in no file."""
        return Received(self.ledger.deliveries(), new=(), unusable=())

    def due(self, received: Received) -> Worklist:
        """Worklist of this run, within its scope. Writes nothing.

        A raw file may be deleted a year after it was accepted, or overwritten by the next one: then the last validation
        result of its own bytes stands.
        """
        known = self.ledger.result_keys()
        deliveries, _ = in_force(received.deliveries.values(), self.withdrawals, self.moment)
        concerned = [d for d in deliveries if not d.same_as and self.scope.covers(d)]
        keys = {d.delivery_id: result_key(d, datasets()[d.dataset], self.corrections) for d in concerned}
        missing = self.places.lost(keys.values())
        seen = self.ledger.known_files() if missing else {}
        return Worklist(
            [d for d in concerned if keys[d.delivery_id] in missing and raw_file_unchanged(d, self.places.raw, seen)],
            {i: key for i, key in keys.items() if key not in missing and known.get(i) != key},
        )

    def note(self, keys: Mapping[str, str]) -> None:
        """Record the result key of each of these deliveries."""
        with self.ledger.together():
            for delivery_id, key in keys.items():
                self.ledger.record_result_key(delivery_id, key)

    def remember(self, made: Sequence[ValidationResult]) -> set[str]:
        """Record new validation results. Returns the ids of their deliveries."""
        keys = {j.delivery_id: j.key for j in made if j.result is not None}
        self.note(keys)
        return set(keys)

    def validated(self, received: Received) -> list[ValidatedDelivery]:
        """Every delivery known by the moment of the run, with its validation result and whether it counts."""
        keys = self.ledger.result_keys()
        holds = self.ledger.holds(self.moment)
        return validated_deliveries(
            received.deliveries.values(), keys, self.judgements, self.moment, self.withdrawals, holds
        )

    def record_counting(self, validated: Iterable[ValidatedDelivery]) -> None:
        """Record which deliveries count now and which are held up, for later builds to compare with."""
        validated = list(validated)
        self.ledger.record_held_up(
            self.moment, (j.delivery.delivery_id for j in validated if j.standing is Standing.HELD_UP)
        )
        counting = [j.delivery for j in validated if j.counts]
        rows = [(d.site_code, d.dataset, d.delivery_id) for d in counting]
        self.ledger.record_counting(self.id, self.moment, rows)

    def corrections_to_review(self, validated: Sequence[ValidatedDelivery]) -> list[str]:
        """Corrections that somebody has to review, one sentence each."""
        return corrections_to_review(self.corrections, validated, self.judgements)

    @property
    def unchanged_until(self) -> datetime:
        """Moment until which time alone changes nothing: a return falls due then, or a correction lapses."""
        lapse = self.corrections.valid_to
        return min(next_calendar_change(self.moment), datetime.combine(lapse, time.max))

    def is_all_done(self, received: Received, not_validated: Sequence[str], reported: ReportingResult) -> bool:
        """Whether nothing is left to do. What could not be read, validated or reported is tried again by the next run.

        A retry leaves other sites' files waiting.
        """
        unread = any(u.rule_id in TRIED_AGAIN for u in received.unusable)
        return self.scope == FULL_SCOPE and not (unread or not_validated or reported.not_reported)


@contextmanager
def read_only_run(settings: Settings, moment: datetime | None, scope: Scope) -> Iterator[ActiveRun]:
    """Open a read-only run: every byte of the data folder stays as it is.

    Raises NoDataFolder, LedgerUnusable, Busy, and as `corrections_of`.
    """
    places = DataPaths(settings.data.absolute())
    places.require()
    started = now()
    with ledger_troubles(places), no_writer(places.lock), Ledger.copy_of(places.ledger) as ledger:
        ledger.require_history(places)
        places.require_raw(received_before=ledger.newest_receipt() is not None)
        agreed = corrections_of(places, (moment or started).date())
        yield ActiveRun(
            settings=settings,
            places=places,
            ledger=ledger,
            moment=moment or started,
            id="",
            started_at=started,
            scope=scope,
            corrections=agreed,
        )


def validated_deliveries(
    deliveries: Iterable[Delivery],
    keys: dict[str, str],
    judgements: ResultStore,
    moment: datetime,
    withdrawals: Sequence[Withdrawal] = (),
    holds: Mapping[str, Hold] | None = None,
) -> list[ValidatedDelivery]:
    """The deliveries received by a moment, with their validation results and standing.

    Raises ResultLost where a validation result that the ledger knows is not in the store: figures without it would
    be wrong.
    """
    holds = holds or {}
    received, withdrawn = in_force(deliveries, withdrawals, moment)
    known = [d for d in received if (d.same_as or d.delivery_id) in keys]
    gone = judgements.places.lost(keys[d.same_as or d.delivery_id] for d in known)
    if gone:
        lost = sorted(d.delivery_id for d in known if keys[d.same_as or d.delivery_id] in gone)
        raise ResultLost(f"the validation results of {', '.join(lost)} are gone: bring back the store or the raw files")
    verdicts = {i: judgements.verdict(keys[i]) for i in {d.same_as or d.delivery_id for d in known}}
    standing = standings(known, verdicts, withdrawn=withdrawn, holds=holds)
    first = {d.delivery_id: d.same_as or d.delivery_id for d in known}
    return [
        ValidatedDelivery(
            d,
            keys[first[i]],
            apply_standing(verdicts[first[i]], standing[i], holds.get(i)),
            standing[i],
            withdrawn.get(i),
            holds.get(i),
        )
        for i, d in ((d.delivery_id, d) for d in known)
    ]
