"""The context in which a delivery is validated: what is known of it besides its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flows.cells.date_orders import DateReading
from flows.cells.reading.column_forms import ColumnForm
from flows.deliveries.corrections import NO_CORRECTIONS, CellCorrection, Corrections
from flows.deliveries.months import day_received, is_future_month, period_start
from schemas._contract.code_lists import fold
from schemas._contract.registry import expects_return, profile, returns_for
from schemas.audit.deliveries import Delivery

ROW_WORD = "{row}"  # 'row' of a sheet, or 'line' of a text file whose rows a spreadsheet numbers differently


@dataclass(frozen=True)
class Misplaced:
    """Cells with another column's values: those of `fields` from `first_row` on. None of them is read.

    `rule_id`, `field` and `found` are those of the one finding about them; '' where another rule explains them. `found`
    may have the placeholder ROW_WORD.
    """

    rule_id: str
    field: str
    fields: tuple[str, ...]
    found: str
    first_row: int = 0


@dataclass(frozen=True)
class FileKnowledge:
    """What only the whole file shows about how to read it. With any of it, the file is validated a second time.

    `grouped` names the fields that are filled in only on the first row of each group; the first is the reference whose
    empty cells show that a group continues. `many_grouped`: so many rows are affected that the file is refused.
    """

    dates: tuple[tuple[str, DateReading], ...] = ()  # fields whose order of day and month only the whole file shows
    forms: tuple[tuple[str, ColumnForm], ...] = ()  # fields whose form only the whole file shows
    misplaced: tuple[Misplaced, ...] = ()
    grouped: tuple[str, ...] = ()
    many_grouped: bool = False
    heading_is_at_fault: bool = False  # the lines are longer than the heading, and nothing else explains it (rule F43)

    def __bool__(self) -> bool:
        """Whether anything must be read differently the second time."""
        return bool(self.dates or self.forms or self.misplaced or self.grouped or self.heading_is_at_fault)

    @property
    def unread(self) -> frozenset[str]:
        """The fields of which some or all cells are not read."""
        return frozenset(name for cells in self.misplaced for name in cells.fields)


@dataclass(frozen=True)
class DeliveryContext:
    """Who sent a delivery, to which cut-off, and how that site writes dates, headings and text files."""

    site_code: str
    programme_code: str
    data_cut_date: date  # the day of receipt, where the month in a site's file name had not begun
    period_start: date | None = None  # of an extract of one month or quarter: its first day (rule F57)
    month_is_future: bool = False  # the month in the name had not begun on the day of receipt (rule F25)
    month_is_asked_for: bool = True  # by the return calendar (rule F19)
    need: str = "required"  # by the returns table: required, optional or none
    date_order: str = ""
    orders_in_hints: tuple[tuple[str, str], ...] = ()  # fields whose headings say in which order to write dates
    known: FileKnowledge = FileKnowledge()  # from a first validation of the same file
    delimiter: str = ""  # of the site's text files, where its profile declares one
    quote: str = ""  # likewise
    headings: tuple[tuple[str, str], ...] = ()  # the site's own headings: (folded heading, field)
    corrections: tuple[CellCorrection, ...] = ()  # of cells of this delivery alone

    def agreed_order(self, field: str) -> str:
        """The order in which a field's dates should be written: by a hint in its heading, or by the site's profile."""
        return dict(self.orders_in_hints).get(field, self.date_order)

    @property
    def refuses_future_month(self) -> bool:
        """Whether the file is refused because its month had not begun.

        A site cannot have measured that month. An office outside the programmes may publish plans for it: it gets a
        warning.
        """
        return self.month_is_future and bool(self.programme_code)


def context_of(delivery: Delivery, corrections: Corrections = NO_CORRECTIONS) -> DeliveryContext:
    """Gather the context of a delivery from the registry, the site's profile and the corrections."""
    own = profile(delivery.site_code)
    is_future, is_a_site = is_future_month(delivery), bool(delivery.programme_code)
    return DeliveryContext(
        site_code=delivery.site_code,
        programme_code=delivery.programme_code,
        # against a cut-off in the future no date could be too late, so dates are compared with the day of receipt
        data_cut_date=day_received(delivery.received_at) if is_future and is_a_site else delivery.data_cut_date,
        period_start=period_start(delivery),
        month_is_future=is_future,
        month_is_asked_for=expects_return(delivery.site_code, delivery.period),
        need=returns_for(delivery.site_code).get(delivery.dataset, "none"),
        date_order=own.date_order,
        delimiter=own.delimiter,
        quote=own.quote,
        headings=tuple(sorted((fold(h), f) for h, f in own.headings.get(delivery.dataset, {}).items())),
        corrections=corrections.of(delivery),
    )
