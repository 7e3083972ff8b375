"""Which deliveries count, as far as that is decided: what was set aside so far, and what counts in its place.

A disposition is decided anew at every build and is never part of a stored result, so it lifts by itself when the file
that was missing comes.
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
CountedBefore = Sequence[tuple[str, str, str]]  # (site, dataset, delivery_id), the last to count first


class TentativeStandings:
    """The standing of every delivery; it changes with each delivery that is set aside.

    `counted_before` says which deliveries counted in earlier builds.
    """

    def __init__(
        self, validated: Sequence[ValidatedDelivery], results: ResultStore, counted_before: CountedBefore = ()
    ) -> None:
        self._results = results
        self._first = {v.delivery.delivery_id: v for v in validated}
        self._now = dict(self._first)
        self._newest = newest_by_month((v.delivery, v.verdict.newest_event) for v in validated if not v.withdrawal)
        self._series: dict[Series, list[ValidatedDelivery]] = defaultdict(list)
        for v in validated:
            self._series[_series_of(v.delivery)].append(v)
        self._aside: dict[Series, set[str]] = defaultdict(set)
        self._exempt: set[str] = set()
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
        return [v for v in self.of(dataset) if v.was_accepted and not self._is_aside(v)]

    def _is_aside(self, validated: ValidatedDelivery) -> bool:
        return validated.delivery.delivery_id in self._aside[_series_of(validated.delivery)]

    def counting_for(self, site: str, dataset: str) -> list[ValidatedDelivery]:
        """The deliveries of a site that count for one dataset."""
        return [self._now[v.delivery.delivery_id] for v in self._series[site, dataset] if self._counts(v)]

    def _counts(self, validated: ValidatedDelivery) -> bool:
        return self._now[validated.delivery.delivery_id].counts

    def is_exempt(self, validated: ValidatedDelivery) -> bool:
        """Whether a delivery counts with its sound rows, however few: there is nothing better in its place."""
        return validated.delivery.delivery_id in self._exempt

    def changed(self) -> list[ValidatedDelivery]:
        """The deliveries whose standing is another than before anything was set aside."""
        return [v for i, v in self._now.items() if v.standing is not self._first[i].standing]

    def set_aside(self, deliveries: Iterable[ValidatedDelivery]) -> None:
        """Let these deliveries not count. In place of each counts the next older one of its site and dataset.

        Where none is left, the one that counted last stays; where none ever counted, the newest counts after all.
        """
        touched: set[Series] = set()
        for v in deliveries:
            series = _series_of(v.delivery)
            self._aside[series].add(v.delivery.delivery_id)
            touched.add(series)
        for series in touched:
            self._decide(series)
            if not any(map(self._counts, self._series[series])):
                stays = self._best_of_all_that_fail(series)
                self._exempt |= stays
                self._aside[series] -= stays
                self._decide(series)

    def _best_of_all_that_fail(self, series: Series) -> set[str]:
        """The deliveries that counted last, else those that would count if nothing were set aside."""
        last = next((i for i in self._counted_before[series] if i in self._aside[series]), None)
        if last is None:
            return {v.delivery.delivery_id for v in self._series[series] if self._first[v.delivery.delivery_id].counts}
        # deliveries of a period add up: several may have counted together
        never = self._aside[series] - set(self._counted_before[series])
        together = {i for i, standing in self._standings(series, never).items() if standing is Standing.CURRENT}
        return together if last in together else {last}

    def _decide(self, series: Series) -> None:
        """Decide the standing of a site's deliveries of one dataset anew, without those that are set aside."""
        found = self._standings(series, self._aside[series])
        for v in self._series[series]:
            standing = found[v.delivery.delivery_id]
            # what a delivery's first standing made of its verdict does not hold for another
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
