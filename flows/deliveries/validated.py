"""A validated delivery and whether it counts: what the steps load, cross_check and report work from."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.audit.deliveries import Delivery, Hold, Standing, Verdict, never_counted
from schemas.audit.withdrawals import Withdrawal


@dataclass(frozen=True)
class ValidatedDelivery:
    """A delivery with its validation result and standing, and any withdrawal or hold.

    A delivery that repeats another (`same_as`) has that one's validation result.
    """

    delivery: Delivery
    key: str  # of its validation result in the store
    verdict: Verdict
    standing: Standing
    withdrawal: Withdrawal | None = None  # set where the data team took it out of the figures
    hold: Hold | None = None  # when it was held up on an earlier run, if it was

    @property
    def counts(self) -> bool:
        """Whether its accepted rows are in `core`."""
        return self.standing is Standing.CURRENT

    @property
    def was_accepted(self) -> bool:
        """Whether it counts, or did until a later one came; not if it was held up until then."""
        return self.counts or (self.standing is Standing.SUPERSEDED and not never_counted(self.hold))
