"""The faults that can be planted: one line each, in the tables of `faults_of_*.py`.

A planter spoils one row so that one rule breaks once, at a known cell. It is handed the row as text and gives the texts
to change, or None where it cannot use this row. `severity` is what the rule costs; rows of a fault that is held are
taken only where no other row hangs on them, so that one fault stays one finding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from schemas._contract.model import Severity

Row = dict[str, str | None]
ROW, WARNING = str(Severity.ROW), str(Severity.WARNING)


@dataclass(frozen=True)
class FaultContext:
    """What a planter may need to know of the file beside the row."""

    site_code: str
    cut: date
    previous_cut: date | None  # that of the last month's extract, if it was sent and not refused
    csv: bool
    latest: bool  # the file that counts in the end: rules between tables see only such files
    day_first: bool  # the registry lets the site write 31/03/2016
    headings: tuple[str, ...]
    fields: tuple[str, ...]
    retired_areas: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Spoilt:
    """What a planter does to a row: cells to change, rows to add below it, and which of these rows is at fault."""

    cells: Row = field(default_factory=dict)
    below: tuple[Row, ...] = ()
    at_fault: tuple[int, ...] = (0,)  # 0 is the row itself, 1 the first row below it
    malformed: bool = False  # a surplus cell at the end of the line


Spoil = Callable[[Row, FaultContext], Spoilt | None]


@dataclass(frozen=True)
class Planter:
    """One kind of fault."""

    rule_id: str
    field: str
    severity: str
    fault: str
    spoil: Spoil
    limit: int | None = None  # most that one file may hold before the rule refuses the file
    latest_only: bool = False  # found by comparing tables: only in the file that counts
    watched: bool = False  # wants a person kept free of other faults, since it shows between two deliveries

    @property
    def holds(self) -> bool:
        """Whether the row is held."""
        return self.severity == ROW


# Ways of spoiling that many tables share -------------------------------------------------------------------------


def put(name: str, text: str | None, where: Callable[[Row], bool] = lambda row: True) -> Spoil:
    """Put a text into a cell, where the row is fit for it and the cell says something else."""

    def spoil(row: Row, context: FaultContext) -> Spoilt | None:
        return Spoilt({name: text}) if row[name] != text and where(row) else None

    return spoil


def change(name: str, how: Callable[[str], str], where: Callable[[Row], bool] = lambda row: True) -> Spoil:
    """Change the text of a cell that is not empty."""

    def spoil(row: Row, context: FaultContext) -> Spoilt | None:
        text = row[name]
        return Spoilt({name: how(text)}) if text is not None and where(row) else None

    return spoil


def swap(name: str, texts: dict[str, str]) -> Spoil:
    """Write some values of a cell otherwise."""

    def spoil(row: Row, context: FaultContext) -> Spoilt | None:
        text = texts.get(row[name] or "")
        return Spoilt({name: text}) if text is not None else None

    return spoil


def known(name: str) -> Callable[[Row], bool]:
    """Whether a cell holds something."""
    return lambda row: row[name] is not None


def day_of(text: str | None) -> date:
    """The date that a cell says. The cell must hold one."""
    return date.fromisoformat(text or "")


def shifted(text: str | None, days: int) -> str:
    """The date in a cell, so many days later."""
    return (day_of(text) + timedelta(days)).isoformat()


def _day_first(name: str) -> Spoil:
    def spoil(row: Row, context: FaultContext) -> Spoilt | None:
        if context.day_first or row[name] is None or day_of(row[name]).day < 13:
            return None
        return Spoilt({name: day_of(row[name]).strftime("%d/%m/%Y")})

    return spoil


def _after_cut(name: str) -> Spoil:
    return lambda row, context: Spoilt({name: (context.cut + timedelta(40)).isoformat()})


def _serial(text: str) -> str:
    return str((day_of(text) - date(1899, 12, 30)).days)


def _no_such_day(text: str) -> str:
    return text[:5] + "02-30"


def dates_of(name: str) -> tuple[Planter, ...]:
    """The faults of a date that must be there."""
    return (
        Planter("C01", name, ROW, "spreadsheet number for a date", change(name, _serial)),
        Planter("C02", name, ROW, "day/month/year date", _day_first(name), limit=1),
        Planter("C03", name, ROW, "two-digit year", change(name, lambda t: day_of(t).strftime("%d/%m/%y"))),
        Planter("C05", name, ROW, "30 February", change(name, _no_such_day)),
        Planter("C06", name, ROW, "date after the cut-off", _after_cut(name)),
        Planter("C04", name, WARNING, "time of day with the date", change(name, lambda t: t + "T09:30:00")),
    )


def codes_of(name: str, unlisted: str) -> tuple[Planter, ...]:
    """The faults of a code that must be there."""
    return (
        Planter("V01", name, ROW, "empty cell", put(name, None)),
        Planter("V02", name, ROW, "code that is not listed", put(name, unlisted)),
        Planter("C09", name, ROW, "word for missing", put(name, "TBC")),
        Planter("C10", name, ROW, "spreadsheet error", put(name, "#REF!"), limit=8),
        Planter("C17", name, WARNING, "spaces around a code", change(name, lambda t: f" {t} ")),
    )


def answers_of(name: str, *, required: bool) -> tuple[Planter, ...]:
    """The faults of a yes/no cell."""
    return (
        Planter("C18", name, ROW, "neither yes nor no", put(name, "perhaps")),
        Planter("C18", name, WARNING, "Yes or No in full", swap(name, {"Y": "Yes", "N": "FALSE"})),
        *(() if required else (Planter("C09", name, WARNING, "word for missing", put(name, "N/K")),)),
    )


def structure_of(key: str, loose: str) -> tuple[Planter, ...]:
    """The faults of lines and keys that any dataset has. `loose` is a field that no rule looks at."""

    def heading(row: Row, context: FaultContext) -> Spoilt:
        return Spoilt(below=(dict(zip(context.fields, context.headings, strict=True)),), at_fault=(1,))

    def surplus(row: Row, context: FaultContext) -> Spoilt | None:
        return Spoilt(malformed=True) if context.csv else None

    def copy(row: Row, context: FaultContext) -> Spoilt:
        return Spoilt(below=(row,), at_fault=(1,))

    def two_versions(row: Row, context: FaultContext) -> Spoilt:
        return Spoilt(below=({**row, loose: _other(row[loose])},), at_fault=(0, 1))

    return (
        Planter("F05", "", WARNING, "repeated heading", heading),
        Planter("F06", "", WARNING, "total row", lambda row, context: Spoilt(below=({key: "Total"},), at_fault=(1,))),
        Planter("F07", "", WARNING, "blank row", lambda row, context: Spoilt(below=({},), at_fault=(1,))),
        Planter("F08", key, ROW, "empty key", put(key, None)),
        Planter("F13", "", ROW, "surplus cell in the line", surplus, limit=8),
        Planter("V04", key, ROW, "reference of the wrong form", change(key, lambda t: t.replace("-", "_"))),
        Planter("P04", key, WARNING, "exact copy of a row", copy),
        Planter("P04", key, ROW, "two versions of a row", two_versions),
    )


def _other(text: str | None) -> str:
    """Another text of the same form."""
    if text is None:
        return "W-0099"
    if text[-1].isdigit():
        return text[:-1] + ("2" if text.endswith("1") else "1")
    return "N" if text == "Y" else "Y"


def orphan(name: str, key: str) -> Planter:
    """A reference to a row that was not sent."""

    def spoil(row: Row, context: FaultContext) -> Spoilt:
        head, _, tail = (row[name] or "").partition("-SIM")
        return Spoilt({name: f"{head}-SIMZ{tail[-7:]}"})

    return Planter("P12", name, ROW, "reference to a row that was not sent", spoil, latest_only=True)


def renamed(row: Row, key: str, letter: str) -> str:
    """A reference for a made-up copy of a row, that no other row has: the row's own with a letter after SIM."""
    return (row[key] or "").replace("-SIM", f"-SIM{letter}")
