"""How a delivery is named in a line of text, and the notice of one that was withdrawn."""

from __future__ import annotations

from flows.runtime.wording import day, month
from schemas.audit.deliveries import Delivery
from schemas.audit.withdrawals import Withdrawal


def short_name(delivery: Delivery) -> str:
    """A delivery in a few words: 'MHT-BPL contacts November 2016 v1'."""
    return f"{delivery.site_code} {delivery.dataset} {month(delivery.period)} v{delivery.version}"


def withdrawal_notice(withdrawal: Withdrawal, delivery: Delivery) -> str:
    """One sentence on when and why a delivery was withdrawn, for its sender and the duty engineer.

    It is worded differently where the withdrawal is of another delivery with the same bytes.
    """
    when, reason = day(withdrawal.withdrawn_at), withdrawal.reason.rstrip(". ")
    if withdrawal.delivery_id == delivery.delivery_id:
        return f"The data team took this file out of all figures on {when}: {reason}."
    return f"It is the same as a file that the data team took out of all figures on {when}: {reason}."
