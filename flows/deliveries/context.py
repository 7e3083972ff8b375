"""What is known of a delivery besides its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flows.cells.date_orders import DateReading
from flows.deliveries.corrections import CellCorrection


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
