"""The standings of all deliveries while `cross_check` sets deliveries aside one after another.

Standings are decided anew in every build and are never part of a stored result. So a delivery that is held up because
a file is missing counts by itself once that file comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flows.deliveries.months import newest_by_month
from flows.deliveries.standings import apply_standing, standings
from flows.deliveries.validated import ValidatedDelivery
from schemas.audit.deliveries import Delivery, Standing

if TYPE_CHECKING:
    from flows.store.results import ResultStore

Series = tuple[str, str]  # a site and a dataset
CountedBefore = Sequence[tuple[str, str, str]]  # (site, dataset, delivery_id), the one that counted last first


class TentativeStandings:
    """The standing of every delivery, given which deliveries are set aside so far.

    Setting one aside changes the standings of its series alone: the deliveries of its site and dataset.
    `counted_before` says which deliveries counted in earlier builds.
    """

    def __init__(
        self, validated: Sequence[ValidatedDelivery], results: ResultStore, counted_before: CountedBefore = ()
    ) -> None:
        self._results = results
        self._before_any_check = {v.delivery.delivery_id: v for v in validated}
        self._now = dict(self._before_any_check)
        self._newest = newest_by_month((v.delivery, v.verdict.newest_event) for v in validated if not v.withdrawal)
        self._series: dict[Series, list[ValidatedDelivery]] = defaultdict(list)
        for v in validated:
            self._series[_series_of(v.delivery)].append(v)
        self._set_aside: dict[Series, set[str]] = defaultdict(set)  # delivery_ids
        self._counting_regardless: set[str] = set()  # delivery_ids
        self._counted_before: dict[Series, list[str]] = defaultdict(list)
        for site, dataset, delivery_id in counted_before:
            self._counted_before[site, dataset].append(delivery_id)

    def all(self) -> list[ValidatedDelivery]:
        """Every delivery, in the order they were given."""
        return list(self._now.values())

    def of(self, dataset: str) -> list[ValidatedDelivery]:
        """The deliveries of one dataset."""
        return [v for v in self._now.values() if v.delivery.dataset == dataset]

    def counting(self, dataset: str) -> list[ValidatedDelivery]:
        """The deliveries of one dataset that count."""
        return [v for v in self.of(dataset) if v.counts]

    def accepted(self, dataset: str) -> list[ValidatedDelivery]:
        """The deliveries of one dataset that count, or that counted until a later one came."""
        return [v for v in self.of(dataset) if v.was_accepted and not self._is_set_aside(v)]

    def _is_set_aside(self, validated: ValidatedDelivery) -> bool:
        return validated.delivery.delivery_id in self._set_aside[_series_of(validated.delivery)]

    def counting_for(self, site: str, dataset: str) -> list[ValidatedDelivery]:
        """The deliveries of a site that count for one dataset."""
        return [self._now[v.delivery.delivery_id] for v in self._series[site, dataset] if self._counts(v)]

    def _counts(self, validated: ValidatedDelivery) -> bool:
        return self._now[validated.delivery.delivery_id].counts

    def counts_regardless(self, validated: ValidatedDelivery) -> bool:
        """Whether a delivery counts with its sound rows, however few, because nothing better could replace it."""
        return validated.delivery.delivery_id in self._counting_regardless

    def set_aside(self, deliveries: Iterable[ValidatedDelivery]) -> None:
        """Take these deliveries out of the figures, and decide again which of the same site and dataset count.

        Where none of the series is left to count, the delivery that counted last goes on counting; where none ever
        counted, the newest counts after all. Such a delivery counts whatever further checks find in it.
        """
        changed: set[Series] = set()
        for v in deliveries:
            series = _series_of(v.delivery)
            self._set_aside[series].add(v.delivery.delivery_id)
            changed.add(series)
        for series in changed:
            self._update_standings(series)
            if not any(map(self._counts, self._series[series])):
                best = self._best_of_failed(series)
                self._counting_regardless |= best
                self._set_aside[series] -= best
                self._update_standings(series)

    def _best_of_failed(self, series: Series) -> set[str]:
        """The delivery_ids that counted last; if none did, those that counted before anything was set aside."""
        counted_last = next((i for i in self._counted_before[series] if i in self._set_aside[series]), None)
        if counted_last is None:
            ids = (v.delivery.delivery_id for v in self._series[series])
            return {i for i in ids if self._before_any_check[i].counts}
        # deliveries of single periods add up, so several may have counted together with that one
        never_counted = self._set_aside[series] - set(self._counted_before[series])
        without_those = self._standings(series, never_counted)
        together = {i for i, standing in without_those.items() if standing is Standing.CURRENT}
        return together if counted_last in together else {counted_last}

    def _update_standings(self, series: Series) -> None:
        """Decide again the standings of a site's deliveries of one dataset, without those that are set aside."""
        found = self._standings(series, self._set_aside[series])
        for v in self._series[series]:
            standing = found[v.delivery.delivery_id]
            # start from the stored verdict, because an earlier standing may have changed the current one
            verdict = apply_standing(self._results.verdict(v.key), standing, v.hold)
            self._now[v.delivery.delivery_id] = replace(v, verdict=verdict, standing=standing)

    def _standings(self, series: Series, set_aside: set[str]) -> dict[str, Standing]:
        validated = self._series[series]
        verdicts = {v.delivery.delivery_id: self._results.verdict(v.key) for v in validated if not v.delivery.same_as}
        withdrawn = {v.delivery.delivery_id for v in validated if v.withdrawal}
        holds = {v.delivery.delivery_id: v.hold for v in validated if v.hold}
        return standings((v.delivery for v in validated), verdicts, set_aside, withdrawn, self._newest, holds)


def _series_of(delivery: Delivery) -> Series:
    return delivery.site_code, delivery.dataset
