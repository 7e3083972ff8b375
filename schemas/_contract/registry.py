"""Access to the registry: programmes, sites, areas, returns and the calendar, read from the CSV files in `core/`.

A new site needs no code: add a row to `core/sites.csv`, with its date order, delimiter and quotation mark, and a row to
`core/site_headings.csv` for each heading that only this site uses.
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
QUARTERLY = "quarterly"  # code list return_frequency
QUARTER_ENDS = ("03", "06", "09", "12")


@dataclass(frozen=True)
class Programme:
    """One programme; a year is None where the sources do not print it."""

    code: str
    name: str
    funder: str
    start_year: int | None
    end_year: int | None
    description: str


@dataclass(frozen=True)
class Site:
    """One sender of deliveries. `programme_code` is '' for an office that serves no single programme."""

    code: str
    name: str
    programme_code: str
    sender_type: str
    description: str

    @property
    def is_pilot(self) -> bool:
        """Whether it is a pilot site, which sends extracts about its own participants, not published figures."""
        return self.sender_type == "pilot"


@dataclass(frozen=True)
class OverdueReturn:
    """A return that a site owes by the return calendar. `due` is London time."""

    site_code: str
    dataset: str
    period: str
    due: datetime


@dataclass(frozen=True)
class OutcomeDefinition:
    """One definition of a job outcome, and the programmes whose sites may use it."""

    code: str
    definition: str
    programme_codes: tuple[str, ...]
    min_weekly_hours: Decimal | None
    min_days: int | None
    window_days: int | None
    earnings_weeks: int | None  # of its weekly hours at the minimum wage, which earnings must reach


@dataclass(frozen=True)
class SiteProfile:
    """How a site writes its files, and the headings of its own: dataset -> heading -> field."""

    date_order: str = ""  # 'dmy' if the site writes 3 April as 03/04/2016; '' if not known
    delimiter: str = ""  # between the columns of its text files; '' to detect it
    quote: str = ""  # around text that contains the delimiter; '' for the double quotation mark
    headings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def rows(name: str) -> list[dict[str, str]]:
    """Read the rows of a reference table's CSV, every value as text."""
    with (CORE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache
def programmes() -> Mapping[str, Programme]:
    """Programmes by code."""
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
    """Senders by site code."""
    found = {
        r["site_code"]: Site(r["site_code"], r["site_name"], r["programme_code"], r["sender_type"], r["description"])
        for r in rows("sites")
    }
    return MappingProxyType(found)


@lru_cache
def areas_of(site_code: str, basis: str = "") -> tuple[str, ...]:
    """Codes of the areas that a site serves, by one basis ('' for any). Empty where the sources name none."""
    found = (r["area_code"] for r in rows("site_areas") if r["site_code"] == site_code and basis in ("", r["basis"]))
    return tuple(dict.fromkeys(found))


@lru_cache
def area_types() -> Mapping[str, str]:
    """The kind of each area by its code, such as 'unitary' (code list area_type)."""
    return MappingProxyType({r["area_code"]: r["area_type"] for r in rows("areas")})


@lru_cache
def returns_for(site_code: str) -> Mapping[str, str]:
    """Which datasets a site sends: dataset -> required, optional or none.

    Raises KeyError for a site that is not in the registry.
    """
    return MappingProxyType({r["dataset"]: r["need"] for r in _returns_of(site_code)})


def _returns_of(site_code: str) -> list[dict[str, str]]:
    """The rows of `returns.csv` for a site: its programme's, in place of which its own count where it has any."""
    found = rows("returns")
    own = {r["dataset"]: r for r in found if r["sender"] == site_code}
    of_programme = {r["dataset"]: r for r in found if r["sender"] == sites()[site_code].programme_code}
    return list((of_programme | own).values())


@lru_cache
def _sent_quarterly(site_code: str) -> frozenset[str]:
    return frozenset(r["dataset"] for r in _returns_of(site_code) if r["frequency"] == QUARTERLY)


def is_sent_for(site_code: str, dataset: str, period: str) -> bool:
    """Whether a dataset is sent for a month (yyyymm): any month, or of a quarterly one the last month of a quarter."""
    return dataset not in _sent_quarterly(site_code) or period[4:] in QUARTER_ENDS


def months_of_a_return(site_code: str, dataset: str) -> int:
    """How many months a period extract of a dataset covers: one, or a quarter."""
    return 3 if dataset in _sent_quarterly(site_code) else 1


def owes(site_code: str, dataset: str, period: str) -> bool:
    """Whether a site owes a dataset for a month (yyyymm) of the return calendar."""
    is_owed = returns_for(site_code).get(dataset) == REQUIRED and expects_return(site_code, period)
    return is_owed and is_sent_for(site_code, dataset, period)


@lru_cache
def calendar() -> Mapping[str, datetime]:
    """Deadline of the returns of each month (yyyymm), in London time, the earliest first."""
    due = ((r["period"], datetime.fromisoformat(r["due_at"])) for r in rows("return_calendar"))
    return MappingProxyType(dict(sorted(due, key=lambda entry: entry[1])))


def due_at(period: str) -> datetime | None:
    """Deadline of the returns of a month (yyyymm), in London time; None if the calendar does not have the month."""
    return calendar().get(period)


def next_due(after: date) -> tuple[str, datetime] | None:
    """The next month due and its deadline, on the day `after` or later; None past the end of the calendar."""
    return next(((period, due) for period, due in calendar().items() if due.date() >= after), None)


def was_running(programme_code: str, year: int) -> bool:
    """Whether a programme ran in a year. An unknown start or end year is not a limit; '' is never running."""
    programme = programmes().get(programme_code)
    return programme is not None and (programme.start_year or year) <= year <= (programme.end_year or year)


@lru_cache
def owed_months(site_code: str, dataset: str) -> tuple[str, ...]:
    """The months (yyyymm) for which a site owes a dataset, the earliest first."""
    return tuple(period for period in calendar() if owes(site_code, dataset, period))


def expects_return(site_code: str, period: str) -> bool:
    """Whether a site owes returns for a month (yyyymm). Senders in no programme have no calendar: always true."""
    programme = sites()[site_code].programme_code
    return not programme or (period in calendar() and was_running(programme, int(period[:4])))


@lru_cache
def outcome_definitions() -> Mapping[str, OutcomeDefinition]:
    """Outcome definitions by code."""
    found = {
        r["definition_code"]: OutcomeDefinition(
            r["definition_code"],
            r["definition"],
            tuple(filter(None, r["programme_codes"].split(";"))),
            Decimal(r["min_weekly_hours"]) if r["min_weekly_hours"] else None,
            min_days=_whole(r["min_days"]),
            window_days=_whole(r["window_days"]),
            earnings_weeks=_whole(r["earnings_weeks"]),
        )
        for r in rows("outcome_definitions")
    }
    return MappingProxyType(found)


@lru_cache
def minimum_wages() -> tuple[tuple[date, Decimal], ...]:
    """The minimum wage of adults by the day from which it held, in pounds an hour, the earliest first."""
    known = ((date.fromisoformat(r["valid_from"]), Decimal(r["hourly_rate_gbp"])) for r in rows("minimum_wages"))
    return tuple(sorted(known))


@lru_cache
def control_total(programme_code: str, total: str) -> Decimal:
    """The published sum, in pounds, that a programme's records must add up to (rule M03). KeyError if unknown."""
    totals = {(r["programme_code"], r["total"]): Decimal(r["expected_gbp"]) for r in rows("control_totals")}
    return totals[programme_code, total]


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
    """How a site writes its files. All defaults for a site that is not in the registry."""
    return _profiles().get(site_code, SiteProfile())


def _whole(text: str) -> int | None:
    return int(text) if text else None
