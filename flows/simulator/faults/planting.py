"""Plant faults in one batch of one file: choose the rows, change them, and locate the findings to expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import polars as pl

from flows.simulator.faults.fault import FaultContext, FaultKind, Row, RowChange
from flows.simulator.faults.of_awards import AWARDS, MATCH, PAYMENTS, PRICES
from flows.simulator.faults.of_claims import CLAIM_LINES, CLAIMS
from flows.simulator.faults.of_events import CONTACTS, OUTCOMES
from flows.simulator.faults.of_measures import WELLBEING
from flows.simulator.faults.of_people import PARTICIPANTS, RANDOMISATION, REFERRALS
from flows.simulator.faults.of_services import ITEMS, POSTS, REVIEWS, TRAINING
from flows.simulator.faults.of_spending import ADJUSTMENTS, EXPENDITURE, PROFILE
from flows.simulator.faults.of_support import EMPLOYERS, PLANS, STATUSES

FAULT_KINDS: dict[str, tuple[FaultKind, ...]] = {
    "participants": PARTICIPANTS,
    "referrals": REFERRALS,
    "randomisation": RANDOMISATION,
    "contacts": CONTACTS,
    "employment_outcomes": OUTCOMES,
    "action_plans": PLANS,
    "employment_status_history": STATUSES,
    "wellbeing_measures": WELLBEING,
    "employer_support": EMPLOYERS,
    "training_events": TRAINING,
    "staff_posts": POSTS,
    "fidelity_items": ITEMS,
    "fidelity_reviews": REVIEWS,
    "funding_awards": AWARDS,
    "match_funding": MATCH,
    "funding_profile": PROFILE,
    "claims": CLAIMS,
    "claim_lines": CLAIM_LINES,
    "expenditure": EXPENDITURE,
    "virements_carry_forward": ADJUSTMENTS,
    "payment_schedule": PRICES,
    "outcome_payments": PAYMENTS,
}


@dataclass(frozen=True)
class Planted:
    """One fault in a batch: the row that it changes (position in the clean batch) and the change."""

    kind: FaultKind
    row: int
    change: RowChange


@dataclass(frozen=True)
class Located:
    """A finding to expect, `offset` physical rows after the batch's first."""

    kind: FaultKind
    offset: int


def choose_faults(
    rows: pl.DataFrame,
    fault_kinds: Sequence[FaultKind],
    wanted: int,
    rng: np.random.Generator,
    context: FaultContext,
    so_far: Counter[str],
) -> list[Planted]:
    """Choose `wanted` faults (fewer if too few rows are suitable), at most one per row, of all kinds in turn.

    `so_far` counts the faults of each kind in the file, over all batches, for those that have a limit.
    """
    if wanted <= 0 or rows.is_empty():
        return []
    pools = _pools(rows, wanted, rng)
    used: set[int] = set()
    planted: list[Planted] = []
    in_random_order = (fault_kinds[i] for i in rng.permutation(len(fault_kinds)))
    candidates = {kind: _candidates(kind, pools, used, context) for kind in in_random_order}
    for kind in cycle(list(candidates)):
        if len(planted) >= wanted or not candidates:
            break
        if kind not in candidates:
            continue
        name = f"{kind.rule_id} {kind.field}"
        at_limit = kind.limit is not None and so_far[name] >= kind.limit
        candidate = None if at_limit or (kind.latest_only and not context.latest) else next(candidates[kind], None)
        if candidate is None:
            del candidates[kind]
            continue
        row, change = candidate
        used.add(row)
        so_far[name] += 1
        planted.append(Planted(kind, row, change))
    return planted


def _pools(rows: pl.DataFrame, wanted: int, rng: np.random.Generator) -> dict[str, list[tuple[int, Row]]]:
    """Random samples of rows to change, with their positions, in three pools.

    `any` are unwatched rows, `leaf` those of them that no other row refers to, `watched` such rows of watched people.
    """
    leaf, watched = rows["_leaf"].to_numpy(), rows["_watched"].to_numpy()
    pools = {}
    for name, fit in (("any", ~watched), ("leaf", leaf & ~watched), ("watched", leaf & watched)):
        positions = np.flatnonzero(fit[:-1])  # not the last row: a blank row below it leaves no trace in a workbook
        chosen = rng.permutation(positions)[: 8 * wanted + 400]  # a sample, for turning rows into dicts is slow
        pools[name] = list(zip(chosen.tolist(), rows[chosen].to_dicts(), strict=True))
    return pools


def _candidates(
    kind: FaultKind, pools: dict[str, list[tuple[int, Row]]], used: set[int], context: FaultContext
) -> Iterator[tuple[int, RowChange]]:
    pool = pools["watched" if kind.watched else "leaf" if kind.holds_row else "any"]
    for position, row in pool:
        if position not in used and (change := kind.make(row, context)):
            yield position, change


def plant_faults(rows: pl.DataFrame, planted: Sequence[Planted]) -> tuple[pl.DataFrame, list[Located]]:
    """Apply the faults to a batch of texts. Returns the changed batch, and where to expect each finding."""
    if not planted:
        return rows, []
    changed = _with_cells(rows, planted)
    below = sorted(((p.row, row) for p in planted for row in p.change.below), key=lambda pair: pair[0])
    after = np.array([position for position, _ in below], dtype=int)
    if below:
        texts = [{c: row.get(c) for c in rows.columns} for _, row in below]
        added = pl.DataFrame(texts, schema=dict.fromkeys(rows.columns, pl.String))
        order = np.insert(np.arange(len(rows)), after + 1, len(rows) + np.arange(len(below)))
        changed = pl.concat([changed, added])[order]
    starts = {p.row: p.row + int(np.searchsorted(after, p.row)) for p in planted}
    # a quoted cell with a line break takes two lines of a CSV, so every row after it is one line further down
    breaks = np.array([starts[p.row] for p in planted for t in p.change.cells.values() if t and "\n" in t], dtype=int)
    breaks.sort()
    located = [
        Located(kind, at + int(np.searchsorted(breaks, at)))
        for p in planted
        for kind in (p.kind, *p.kind.also)
        for at in (starts[p.row] + line for line in p.change.at_fault)
    ]
    return changed, located


def _with_cells(rows: pl.DataFrame, planted: Sequence[Planted]) -> pl.DataFrame:
    """Replace the changed cells. A malformed line gets its surplus cell as text appended to the last cell."""
    changes: dict[str, dict[int, str | None]] = {}
    last = rows.columns[-1]
    for p in planted:
        for name, text in p.change.cells.items():
            changes.setdefault(name, {})[p.row] = text
        if p.change.malformed:
            changes.setdefault(last, {})[p.row] = f"{rows[last][p.row] or ''},surplus"
    columns = []
    for name, texts in changes.items():
        positions = pl.Series(list(texts), dtype=pl.UInt32)
        columns.append(rows[name].clone().scatter(positions, pl.Series(list(texts.values()), dtype=pl.String)))
    return rows.with_columns(columns)
