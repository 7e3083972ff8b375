"""A run with work to do: all that its stages read and record, its worklist, and the deliveries it knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, time
from functools import cached_property
from typing import NamedTuple

from flows.deliveries.corrections import NO_CORRECTIONS, Corrections
from flows.deliveries.months import next_calendar_change
from flows.deliveries.standings import apply_standing, standings
from flows.deliveries.validated import ValidatedDelivery
from flows.deliveries.withdrawn import apply_withdrawals
from flows.orchestration.run import EVERYTHING, Run, Scope
from flows.reporting.corrections_review import corrections_to_review
from flows.reporting.result import ReportingResult
from flows.settings import Settings
from flows.steps.confirm.record import (
    NO_CONFIRMATIONS,
    Confirmations,
    on_record,
    read_confirmations,
    record_confirmations,
)
from flows.steps.receive import RETRIED_RULES, Received
from flows.steps.validate_delivery import ValidationAttempt
from flows.store.corrections_file import corrections_of
from flows.store.ledger import Ledger
from flows.store.ledger.runs import now, wrapped_ledger_errors
from flows.store.lock import no_writer
from flows.store.paths import DataPaths
from flows.store.raw_files import raw_file_unchanged
from flows.store.result_key import result_key
from flows.store.results import ResultStore
from schemas._contract.catalogue import datasets
from schemas.audit.deliveries import Delivery, Hold, Standing
from schemas.audit.withdrawals import Withdrawal


class ResultLost(Exception):  # noqa: N818
    """A recorded validation result is missing from the store, and so is the raw file to make it again from."""


class Worklist(NamedTuple):
    """Deliveries to validate, and stored results to reuse: their keys by delivery_id."""

    deliveries: list[Delivery]
    reusable_keys: dict[str, str]


@dataclass
class ActiveRun(Run):
    """A run with work to do. In addition to `Run`: the full ledger, results, corrections and confirmations."""

    ledger: Ledger
    corrections: Corrections = NO_CORRECTIONS
    confirmations: Confirmations = NO_CONFIRMATIONS

    @classmethod
    def of(cls, run: Run) -> ActiveRun:
        """Extend an open run with the full ledger, the corrections and the confirmations.

        Raises as `corrections_of` and `read_confirmations`.
        """
        attributes = {f.name: getattr(run, f.name) for f in fields(Run)}
        opened = {
            "ledger": Ledger.of(run.ledger),
            "corrections": corrections_of(run.paths, run.moment.date()),
            "confirmations": read_confirmations(run.paths),
        }
        return cls(**attributes | opened)

    @property
    def results(self) -> ResultStore:
        """The store of validation results (Parquet)."""
        return ResultStore(self.paths)

    @cached_property
    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """Withdrawals by the data team up to the run's moment."""
        return tuple(self.ledger.withdrawals(self.moment))

    @property
    def received_before(self) -> Received:
        """The deliveries already in the ledger: the input of a re-validation, which receives no files."""
        return Received(self.ledger.deliveries(), new=(), unusable=())

    def worklist(self, received: Received) -> Worklist:
        """Deliveries in scope to validate, and stored results to reuse. Writes nothing.

        A raw file may have been deleted or overwritten since it was received. Such a delivery is not validated again:
        its last validation result stands.
        """
        recorded_keys = self.ledger.result_keys()
        deliveries, _ = apply_withdrawals(received.deliveries.values(), self.withdrawals, self.moment)
        # a delivery with the same bytes as an earlier one shares its result
        in_scope = [d for d in deliveries if not d.same_as and self.scope.covers(d)]
        keys = {d.delivery_id: result_key(d, datasets()[d.dataset], self.corrections) for d in in_scope}
        missing = self.paths.missing_results(keys.values())
        known_files = self.ledger.known_files() if missing else {}  # a row per raw file: read only if needed
        return Worklist(
            [
                d
                for d in in_scope
                if keys[d.delivery_id] in missing and raw_file_unchanged(d, self.paths.raw, known_files)
            ],
            # in the store but not recorded: a run was cut off in between, or a rule was changed back
            {i: key for i, key in keys.items() if key not in missing and recorded_keys.get(i) != key},
        )

    def record_result_keys(self, keys: Mapping[str, str]) -> None:
        """Record the result key of each delivery, by delivery_id; before it, what a first result confirms.

        So a run that is cut off loses no confirmation, and one that the data team deletes does not come back.
        """
        known = self.ledger.result_keys()
        first = {i: self.results.verdict(key).confirmed for i, key in keys.items() if i not in known}
        if any(first.values()):
            deliveries = self.ledger.deliveries()
            new = [on_record(c, deliveries[i]) for i, confirmed in first.items() for c in confirmed]
            self.confirmations = record_confirmations(self.paths, self.confirmations, new)
        with self.ledger.transaction():
            for delivery_id, key in keys.items():
                self.ledger.record_result_key(delivery_id, key)

    def record_results(self, validations: Sequence[ValidationAttempt]) -> set[str]:
        """Record new validation results. Returns the ids of the deliveries that have one."""
        keys = {v.delivery_id: v.key for v in validations if v.result is not None}
        self.record_result_keys(keys)
        return set(keys)

    def validated(self, received: Received) -> list[ValidatedDelivery]:
        """Every delivery received by the run's moment, with its verdict and standing."""
        keys = self.ledger.result_keys()
        holds = self.ledger.holds(self.moment)
        return validated_deliveries(
            received.deliveries.values(), keys, self.results, self.moment, self.withdrawals, holds
        )

    def record_standings(self, validated: Iterable[ValidatedDelivery]) -> None:
        """Record which deliveries count and which are held up, for later builds to compare with."""
        validated = list(validated)
        self.ledger.record_held_up(
            self.moment, (v.delivery.delivery_id for v in validated if v.standing is Standing.HELD_UP)
        )
        counting = [v.delivery for v in validated if v.counts]
        rows = [(d.site_code, d.dataset, d.delivery_id) for d in counting]
        self.ledger.record_counting(self.id, self.moment, rows)

    def corrections_to_review(self, validated: Sequence[ValidatedDelivery]) -> list[str]:
        """Corrections that the data team has to review, one sentence each."""
        return corrections_to_review(self.corrections, validated, self.results)

    @property
    def unchanged_until(self) -> datetime:
        """Moment until which time alone changes nothing: the next due date of a return or end of a correction."""
        last_day = self.corrections.valid_to
        return min(next_calendar_change(self.moment), datetime.combine(last_day, time.max))

    def is_complete(self, received: Received, not_validated: Sequence[str], reported: ReportingResult) -> bool:
        """Whether the run left nothing for the next one: every file read, validated and reported.

        Never true of a re-validation, which receives no new files.
        """
        unread = any(u.rule_id in RETRIED_RULES for u in received.unusable)
        return self.scope == EVERYTHING and not (unread or not_validated or reported.not_reported)


@contextmanager
def read_only_run(settings: Settings, moment: datetime | None, scope: Scope) -> Iterator[ActiveRun]:
    """Open a run that writes nothing into the data folder. It works with a copy of the ledger.

    Raises NoDataFolder, LedgerUnusable, Busy, and as `corrections_of`.
    """
    paths = DataPaths(settings.data.absolute())
    paths.require()
    started = now()
    with wrapped_ledger_errors(paths), no_writer(paths.lock), Ledger.copy_of(paths.ledger) as ledger:
        ledger.require_history(paths)
        paths.require_raw(received_before=ledger.newest_receipt() is not None)
        corrections = corrections_of(paths, (moment or started).date())
        yield ActiveRun(
            settings=settings,
            paths=paths,
            ledger=ledger,
            moment=moment or started,
            id="",
            started_at=started,
            scope=scope,
            corrections=corrections,
        )


def validated_deliveries(
    deliveries: Iterable[Delivery],
    keys: dict[str, str],
    results: ResultStore,
    moment: datetime,
    withdrawals: Sequence[Withdrawal] = (),
    holds: Mapping[str, Hold] | None = None,
) -> list[ValidatedDelivery]:
    """Deliveries received by `moment`, each with its verdict, standing, withdrawal and hold.

    `keys` are the recorded result keys by delivery_id. A delivery without one is left out; one with the same bytes as
    an earlier delivery (`same_as`) has that one's result. Raises ResultLost where a recorded result is missing from the
    store: figures without it would be wrong.
    """
    holds = holds or {}
    received, withdrawn = apply_withdrawals(deliveries, withdrawals, moment)
    known = [d for d in received if (d.same_as or d.delivery_id) in keys]
    missing = results.paths.missing_results(keys[d.same_as or d.delivery_id] for d in known)
    if missing:
        lost = sorted(d.delivery_id for d in known if keys[d.same_as or d.delivery_id] in missing)
        raise ResultLost(f"the validation results of {', '.join(lost)} are gone: bring back the store or the raw files")
    verdicts = {i: results.verdict(keys[i]) for i in {d.same_as or d.delivery_id for d in known}}
    standing = standings(known, verdicts, withdrawn=withdrawn, holds=holds)
    source = {d.delivery_id: d.same_as or d.delivery_id for d in known}
    return [
        ValidatedDelivery(
            d,
            keys[source[i]],
            apply_standing(verdicts[source[i]], standing[i], holds.get(i)),
            standing[i],
            withdrawn.get(i),
            holds.get(i),
        )
        for i, d in ((d.delivery_id, d) for d in known)
    ]
