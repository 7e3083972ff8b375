"""Planting faults in one batch of one file: which rows are spoilt, and where the spoilt cells come to stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import polars as pl

from flows.simulator.faults.fault import FaultContext, Planter, Row, Spoilt
from flows.simulator.faults.of_events import CONTACTS, OUTCOMES
from flows.simulator.faults.of_people import PARTICIPANTS, RANDOMISATION, REFERRALS

PLANTERS: dict[str, tuple[Planter, ...]] = {
    "participants": PARTICIPANTS,
    "referrals": REFERRALS,
    "randomisation": RANDOMISATION,
    "contacts": CONTACTS,
    "employment_outcomes": OUTCOMES,
}


@dataclass(frozen=True)
class Planted:
    """One fault in a batch: the row it spoils (by position in the clean batch) and what it does there."""

    planter: Planter
    row: int
    spoilt: Spoilt


@dataclass(frozen=True)
class Located:
    """A finding to be expected: how many physical rows after the batch's first."""

    planter: Planter
    offset: int


def draw(
    rows: pl.DataFrame,
    planters: Sequence[Planter],
    wanted: int,
    rng: np.random.Generator,
    context: FaultContext,
    so_far: Counter[str],
) -> list[Planted]:
    """Choose `wanted` faults (fewer where rows do not serve), never two in a row. `so_far` counts those with limits."""
    if wanted <= 0 or rows.is_empty():
        return []
    pools = _pools(rows, wanted, rng)
    used: set[int] = set()
    planted: list[Planted] = []
    turns = {p: _victims(p, pools, used, context) for p in (planters[i] for i in rng.permutation(len(planters)))}
    for planter in cycle(list(turns)):
        if len(planted) >= wanted or not turns:
            break
        if planter not in turns:
            continue
        name = f"{planter.rule_id} {planter.field}"
        full = planter.limit is not None and so_far[name] >= planter.limit
        found = None if full or (planter.latest_only and not context.latest) else next(turns[planter], None)
        if found is None:
            del turns[planter]
            continue
        row, spoilt = found
        used.add(row)
        so_far[name] += 1
        planted.append(Planted(planter, row, spoilt))
    return planted


def _pools(rows: pl.DataFrame, wanted: int, rng: np.random.Generator) -> dict[str, list[tuple[int, Row]]]:
    """Candidates: unwatched rows, those of them on which nothing hangs, and watched rows on which nothing hangs."""
    leaf, watched = rows["_leaf"].to_numpy(), rows["_watched"].to_numpy()
    pools = {}
    for name, fit in (("any", ~watched), ("leaf", leaf & ~watched), ("watched", leaf & watched)):
        places = np.flatnonzero(fit[:-1])  # a blank row below the last one leaves no trace in a workbook
        chosen = rng.permutation(places)[: 8 * wanted + 400]
        pools[name] = list(zip(chosen.tolist(), rows[chosen].to_dicts(), strict=True))
    return pools


def _victims(
    planter: Planter, pools: dict[str, list[tuple[int, Row]]], used: set[int], context: FaultContext
) -> Iterator[tuple[int, Spoilt]]:
    pool = pools["watched" if planter.watched else "leaf" if planter.holds else "any"]
    for place, row in pool:
        if place not in used and (spoilt := planter.spoil(row, context)):
            yield place, spoilt


def spoil(rows: pl.DataFrame, planted: Sequence[Planted]) -> tuple[pl.DataFrame, list[Located]]:
    """The batch with its faults, as texts to be written, and where each finding is to be expected."""
    if not planted:
        return rows, []
    changed = _with_cells(rows, planted)
    below = sorted(((p.row, row) for p in planted for row in p.spoilt.below), key=lambda pair: pair[0])
    after = np.array([place for place, _ in below], dtype=int)
    if below:
        texts = [{c: row.get(c) for c in rows.columns} for _, row in below]
        added = pl.DataFrame(texts, schema=dict.fromkeys(rows.columns, pl.String))
        order = np.insert(np.arange(len(rows)), after + 1, len(rows) + np.arange(len(below)))
        changed = pl.concat([changed, added])[order]
    starts = {p.row: p.row + int(np.searchsorted(after, p.row)) for p in planted}
    breaks = np.array([starts[p.row] for p in planted for t in p.spoilt.cells.values() if t and "\n" in t], dtype=int)
    breaks.sort()
    located = [
        Located(p.planter, at + int(np.searchsorted(breaks, at)))
        for p in planted
        for at in (starts[p.row] + line for line in p.spoilt.at_fault)
    ]
    return changed, located


def _with_cells(rows: pl.DataFrame, planted: Sequence[Planted]) -> pl.DataFrame:
    """The rows with the changed cells. A torn line gets its surplus cell as text behind its last one."""
    changes: dict[str, dict[int, str | None]] = {}
    last = rows.columns[-1]
    for p in planted:
        for name, text in p.spoilt.cells.items():
            changes.setdefault(name, {})[p.row] = text
        if p.spoilt.malformed:
            changes.setdefault(last, {})[p.row] = f"{rows[last][p.row] or ''},surplus"
    columns = []
    for name, texts in changes.items():
        places = pl.Series(list(texts), dtype=pl.UInt32)
        columns.append(rows[name].clone().scatter(places, pl.Series(list(texts.values()), dtype=pl.String)))
    return rows.with_columns(columns)
