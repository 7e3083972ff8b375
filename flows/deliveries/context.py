"""What is known of a delivery besides its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flows.cells.date_orders import DateReading
from flows.deliveries.corrections import NO_CORRECTIONS, CellCorrection, Corrections
from flows.deliveries.months import day_received, is_to_come
from schemas._contract.code_lists import fold
from schemas._contract.registry import expects_return, profile, returns_for
from schemas.audit.deliveries import Delivery


@dataclass(frozen=True)
class DeliveryContext:
    """What is known of a delivery besides its bytes: who sent it, to what date, and how that site writes."""

    site_code: str
    programme_code: str
    data_cut_date: date  # of a month that is to come: the day the file came
    month_is_to_come: bool = False  # it had not begun on that day (rule F25)
    month_is_asked_for: bool = True  # by the return calendar (rule F19)
    need: str = "required"  # of the returns table: required, optional, or none
    date_order: str = ""
    dates: tuple[tuple[str, DateReading], ...] = ()  # of date columns that the whole file shows to be read otherwise
    delimiter: str = ""  # of its text files, where its profile declares one; so for `quote`
    quote: str = ""
    headings: tuple[tuple[str, str], ...] = ()  # the site's own headings: (folded heading, field)
    corrections: tuple[CellCorrection, ...] = ()  # of cells of this very delivery

    @property
    def is_of_impossible_month(self) -> bool:
        """Whether the file is refused for a month that had not begun.

        A site cannot have measured that month. An office outside the programmes may print plans for it: it is warned.
        """
        return self.month_is_to_come and bool(self.programme_code)


def context_of(delivery: Delivery, corrections: Corrections = NO_CORRECTIONS) -> DeliveryContext:
    """What is known of a delivery besides its bytes."""
    own = profile(delivery.site_code)
    to_come, is_a_site = is_to_come(delivery), bool(delivery.programme_code)
    return DeliveryContext(
        site_code=delivery.site_code,
        programme_code=delivery.programme_code,
        # what has not happened yet measures nothing: dates are then validated by the day the file came
        data_cut_date=day_received(delivery.received_at) if to_come and is_a_site else delivery.data_cut_date,
        month_is_to_come=to_come,
        month_is_asked_for=expects_return(delivery.site_code, delivery.period),
        need=returns_for(delivery.site_code).get(delivery.dataset, "none"),
        date_order=own.date_order,
        delimiter=own.delimiter,
        quote=own.quote,
        headings=tuple(sorted((fold(h), f) for h, f in own.headings.get(delivery.dataset, {}).items())),
        corrections=corrections.of(delivery),
    )
