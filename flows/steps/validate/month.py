"""Rules about the month in a file's name: does it agree with the dates in the file (F19), and had it begun (F25)?

A wrong month in the name makes every rule that measures by the cut-off report dates that are in order. So a wrong month
is reported once, and the findings that follow from it are left out.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import polars as pl

from flows.cells.redact import last_birth
from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import DeliveryContext
from flows.deliveries.findings import Finding
from flows.deliveries.months import QUARTER, dates_end_in, period_start, received_in_words, stops_early
from flows.runtime.wording import day
from schemas._contract.model import Contract, Severity
from schemas.audit.deliveries import Delivery, ExtractType

MIN_ROWS_AT_FAULT = 10  # docs/domain.md 6.0


class MonthShown:
    """How many of the dates that show a file's month (`Contract.month_shown_by`) are on each day."""

    def __init__(self, contract: Contract, layout: Layout) -> None:
        self.contract, self.layout = contract, layout
        self._days: Counter[date] = Counter()

    def add(self, typed: TypedBatch) -> None:
        """Count the dates of a batch."""
        if self.contract.month_shown_by:
            days = typed.rows.select(pl.col(self.contract.month_shown_by).alias("day")).drop_nulls()
            self._days.update(dict(days.group_by("day").len().iter_rows()))

    def reach(self, cut_off: date) -> tuple[date | None, int]:
        """The newest date up to the cut-off, and the number of dates in the quarter that ends with it."""
        days = {day: n for day, n in self._days.items() if day <= cut_off}
        if not days:
            return None, 0
        newest = max(days)
        return newest, sum(n for day, n in days.items() if day > newest - QUARTER)

    def contradicts(self, delivery: Delivery, context: DeliveryContext) -> Finding | None:
        """The finding that refuses the file for the month in its name; None where the month may be right."""
        if context.refuses_future_month:
            return Finding("F25", Severity.FILE, found=self._with_end(received_in_words(delivery)))
        for n, found in (self._after(context.data_cut_date), self._long_before(context.data_cut_date)):
            if n:
                return self._of_column(Severity.FILE, self._with_end(found))
        return self._outside(delivery)

    def doubt(self, delivery: Delivery, context: DeliveryContext) -> Finding | None:
        """A warning about the month in the name, if one is due: it had not begun, or the dates stop early."""
        if context.month_is_future:
            return Finding("F25", Severity.WARNING, found=received_in_words(delivery))
        if delivery.extract_type is ExtractType.PERIOD:
            return None
        newest, lately = self.reach(delivery.data_cut_date)
        found = stops_early(delivery, newest, lately, is_asked_for=context.month_is_asked_for)
        return self._of_column(Severity.WARNING, found) if found else None

    def _after(self, cut_off: date) -> tuple[int, str]:
        """The number of dates after the cut-off, where most are: the month in the name is too early. Else 0."""
        n, dated = sum(n for day, n in self._days.items() if day > cut_off), self._days.total()
        are_many = n >= MIN_ROWS_AT_FAULT and 2 * n > dated
        return n if are_many else 0, f"{n:,} of {dated:,} are after {day(cut_off)}"

    def _long_before(self, cut_off: date) -> tuple[int, str]:
        """The number of dates before the last plausible date of birth (rule P03), if over 1% are; else 0.

        No pilot is that old: the month in the name is too late.
        """
        births = last_birth(cut_off)
        n, dated = sum(n for day, n in self._days.items() if day <= births), self._days.total()
        years = cut_off.year - births.year
        are_many = n >= MIN_ROWS_AT_FAULT and n > dated / 100
        return n if are_many else 0, f"{n:,} of {dated:,} are {years} years before the cut-off"

    def _outside(self, delivery: Delivery) -> Finding | None:
        """The finding that an extract of one month or quarter mostly holds events of earlier ones."""
        start, cut_off = period_start(delivery), delivery.data_cut_date
        if start is None or not self.contract.event_date:
            return None
        days = Counter({day: n for day, n in self._days.items() if day <= cut_off})  # C06 reports later ones
        dated = days.total()
        outside = sum(n for day, n in days.items() if day < start)
        if outside < MIN_ROWS_AT_FAULT or 2 * outside < dated:
            return None
        months = f"{start:%B} to " if start.month != cut_off.month else ""
        return self._of_column(Severity.FILE, f"{outside} of {dated} dates are outside {months}{cut_off:%B %Y}")

    def _with_end(self, found: str) -> str:
        """What was found, after the month in which the dates end."""
        return f"{end}; {found}" if (end := dates_end_in(max(self._days, default=None))) else found

    def _of_column(self, severity: Severity, found: str) -> Finding:
        field = self.contract.month_shown_by
        return Finding("F19", severity, field=field, column=self.layout.column_of(field), found=found)
