"""The steps that make a new build, each with a connection of its own to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from flows.deliveries.validated import ValidatedDelivery
from flows.steps.build import build
from flows.steps.cross_check import cross_check
from flows.steps.cross_check.tentative_standings import CountedBefore
from flows.steps.load import load
from flows.store.results import ResultStore
from flows.store.warehouse.new_build import NewBuild
from schemas.audit.withdrawals import Withdrawal


def load_build(
    new: NewBuild,
    validated: Sequence[ValidatedDelivery],
    runs: Sequence[dict[str, Any]],
    judgements: ResultStore,
    withdrawals: Sequence[Withdrawal] = (),
) -> dict[str, int]:
    """Begin a build with what deliveries bring. Gives the number of rows of each dataset. Raises as `NewBuild.fill`."""
    bring = partial(load, validated=validated, runs=runs, results=judgements, withdrawals=withdrawals)
    return new.fill(bring)


def cross_check_build(
    new: NewBuild,
    validated: Sequence[ValidatedDelivery],
    judgements: ResultStore,
    counted_before: CountedBefore = (),
) -> list[ValidatedDelivery]:
    """Check a loaded build by every rule between rows. Gives the deliveries with their final standing."""
    with new.open_with_sent() as db:
        return cross_check(db, validated, judgements, counted_before)


def make_marts(new: NewBuild) -> dict[str, int]:
    """Make every mart of a build. Gives the number of rows of each. Raises MartBroken."""
    with new.open() as db:
        return build(db)
