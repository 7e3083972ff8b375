"""The registry: programmes, sites, areas, returns and calendar, read from the CSV files beside their contracts.

Everything here is data: a new site is a row in `core/sites.csv`, where its date order, delimiter and quotation mark
stand too, and a heading of its own is a row in `core/site_headings.csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

CORE = Path(__file__).parents[1] / "core"
REQUIRED, OPTIONAL, NONE = "required", "optional", "none"  # code list return_need


@dataclass(frozen=True)
class Programme:
    """One programme. Its years are unknown where the sources do not print them."""

    code: str
    name: str
    funder: str
    start_year: int | None
    end_year: int | None
    description: str


@dataclass(frozen=True)
class Site:
    """One sender. `programme_code` is '' for an office that serves no single programme."""

    code: str
    name: str
    programme_code: str
    sender_type: str
    description: str

    @property
    def is_pilot(self) -> bool:
        """Whether it sends extracts about its own participants, not published figures."""
        return self.sender_type == "pilot"


@dataclass(frozen=True)
class OverdueReturn:
    """A file that a site owes, by the return calendar."""

    site_code: str
    dataset: str
    period: str
    due: datetime


@dataclass(frozen=True)
class Definition:
    """One definition of a job outcome, and the programmes whose sites may use it."""

    code: str
    definition: str
    programme_codes: tuple[str, ...]
    min_weekly_hours: Decimal | None
    min_days: int | None
    window_days: int | None


@dataclass(frozen=True)
class SiteProfile:
    """What is peculiar to a site's files: how they are written, and its own headings by dataset ({heading: field})."""

    date_order: str = ""  # 'dmy' where 03/04/2016 is 3 April; '' where nothing is known
    delimiter: str = ""  # between the columns of its text files; '' where it is to be detected
    quote: str = ""  # around a text that holds the delimiter; '' for the double quotation mark
    headings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a reference table's CSV, as text."""
    with (CORE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache
def programmes() -> Mapping[str, Programme]:
    """The programmes by code."""
    found = {
        r["programme_code"]: Programme(
            r["programme_code"],
            r["programme_name"],
            r["funder"],
            _whole(r["start_year"]),
            _whole(r["end_year"]),
            r["description"],
        )
        for r in rows("programmes")
    }
    return MappingProxyType(found)


@lru_cache
def sites() -> Mapping[str, Site]:
    """The senders by site code."""
    found = {
        r["site_code"]: Site(r["site_code"], r["site_name"], r["programme_code"], r["sender_type"], r["description"])
        for r in rows("sites")
    }
    return MappingProxyType(found)


@lru_cache
def areas_of(site_code: str, basis: str = "") -> tuple[str, ...]:
    """The codes of the areas a site serves, by one basis or by all. Empty where the sources name none."""
    found = (r["area_code"] for r in rows("site_areas") if r["site_code"] == site_code and basis in ("", r["basis"]))
    return tuple(dict.fromkeys(found))


@lru_cache
def returns_for(site_code: str) -> Mapping[str, str]:
    """What a site owes, may send and must not send: dataset -> required, optional or none.

    Raises KeyError for a site that the registry does not hold.
    """
    sender = sites()[site_code].programme_code or site_code
    return MappingProxyType({r["dataset"]: r["need"] for r in rows("returns") if r["sender"] == sender})


@lru_cache
def calendar() -> Mapping[str, datetime]:
    """By when the returns of each month (yyyymm) are owed, in London's time: the earliest first."""
    due = ((r["period"], datetime.fromisoformat(r["due_at"])) for r in rows("return_calendar"))
    return MappingProxyType(dict(sorted(due, key=lambda entry: entry[1])))


def due_at(period: str) -> datetime | None:
    """By when the returns of a month (yyyymm) are owed, or None where the calendar does not reach."""
    return calendar().get(period)


def next_due(after: date) -> tuple[str, datetime] | None:
    """The month owed next and its deadline, which may fall on the day `after` itself; None past the calendar's end."""
    return next(((period, due) for period, due in calendar().items() if due.date() >= after), None)


def was_running(programme_code: str, year: int) -> bool:
    """Whether a programme ran in a year, as far as its years are known; never for no programme."""
    programme = programmes().get(programme_code)
    return programme is not None and (programme.start_year or year) <= year <= (programme.end_year or year)


@lru_cache
def owed_months(site_code: str, dataset: str) -> tuple[str, ...]:
    """The months (yyyymm) for which a site owes a dataset, the earliest first."""
    if returns_for(site_code).get(dataset) != REQUIRED:
        return ()
    programme = sites()[site_code].programme_code
    return tuple(period for period in calendar() if was_running(programme, int(period[:4])))


def is_asked_for(site_code: str, period: str) -> bool:
    """Whether the calendar asks the site for a month. Of one that is in no programme it says nothing: then it may."""
    programme = sites()[site_code].programme_code
    return not programme or (period in calendar() and was_running(programme, int(period[:4])))


@lru_cache
def definitions() -> Mapping[str, Definition]:
    """The outcome definitions by code."""
    found = {
        r["definition_code"]: Definition(
            r["definition_code"],
            r["definition"],
            tuple(filter(None, r["programme_codes"].split(";"))),
            Decimal(r["min_weekly_hours"]) if r["min_weekly_hours"] else None,
            _whole(r["min_days"]),
            _whole(r["window_days"]),
        )
        for r in rows("outcome_definitions")
    }
    return MappingProxyType(found)


@lru_cache
def control_total(programme_code: str, total: str) -> Decimal:
    """A published sum, in pounds, that a programme's records must add up to (rule M03). Raises KeyError for none."""
    stated = {(r["programme_code"], r["total"]): Decimal(r["expected_gbp"]) for r in rows("control_totals")}
    return stated[programme_code, total]


@lru_cache
def _profiles() -> Mapping[str, SiteProfile]:
    headings: dict[str, dict[str, dict[str, str]]] = {}
    for r in rows("site_headings"):
        headings.setdefault(r["site_code"], {}).setdefault(r["dataset"], {})[r["heading"]] = r["field"]
    return MappingProxyType(
        {
            r["site_code"]: SiteProfile(r["date_order"], r["delimiter"], r["quote"], headings.get(r["site_code"], {}))
            for r in rows("sites")
        }
    )


def profile(site_code: str) -> SiteProfile:
    """What is peculiar to a site's files; nothing, for most sites."""
    return _profiles().get(site_code, SiteProfile())


def _whole(text: str) -> int | None:
    return int(text) if text else None
