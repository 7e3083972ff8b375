"""What a planted fault is, and ways of making faults that several datasets share. `of_*.py` list them by dataset.

A fault changes one row so that one rule is broken once, at a known cell. Faults that hold a row are planted only in
rows that no other row refers to; otherwise one fault would cause several findings.
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
    """What a fault may depend on besides the row: facts about the file."""

    site_code: str
    cut_off: date
    previous_cut_off: date | None  # cut-off of the month before, if that extract was sent and not refused
    csv: bool
    latest: bool  # the file that will count: only such files reach the rules between tables
    day_first: bool  # the registry lets the site write 31/03/2016
    headings: tuple[str, ...]
    fields: tuple[str, ...]
    retired_areas: dict[str, str] = field(default_factory=dict)
    period_start: date | None = None  # of an extract of one month alone: its first day
    has_posts: bool = False  # the site has sent who is in post


@dataclass(frozen=True)
class RowChange:
    """Change to a row: cells to replace, rows to add below it, and which of these rows have the finding."""

    cells: Row = field(default_factory=dict)
    below: tuple[Row, ...] = ()
    at_fault: tuple[int, ...] = (0,)  # 0 is the row itself, 1 the first row below it
    malformed: bool = False  # a surplus cell at the end of the line


MakeFault = Callable[[Row, FaultContext], RowChange | None]  # None where the row is not suitable


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault: the finding to expect, and how to make it."""

    rule_id: str
    field: str
    severity: str
    fault: str  # description in the list of planted faults
    make: MakeFault
    limit: int | None = None  # most that one file may hold before the rule refuses the file
    latest_only: bool = False  # found by comparing tables, so only in the file that counts
    watched: bool = False  # found by comparing deliveries, so planted in people who have no other faults
    also: tuple[FaultKind, ...] = ()  # other findings that the same row gives

    @property
    def holds_row(self) -> bool:
        """Whether the row will be held."""
        return self.severity == ROW


# ways of making a fault


def put(name: str, text: str | None, where: Callable[[Row], bool] = lambda row: True) -> MakeFault:
    """Replace a cell by `text`, in rows that satisfy `where` and do not have it yet."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        return RowChange({name: text}) if row[name] != text and where(row) else None

    return make


def change(name: str, how: Callable[[str], str], where: Callable[[Row], bool] = lambda row: True) -> MakeFault:
    """Replace a cell that is not empty by `how(text)`, in rows that satisfy `where`."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        text = row[name]
        return RowChange({name: how(text)}) if text is not None and where(row) else None

    return make


def swap(name: str, texts: dict[str, str]) -> MakeFault:
    """Replace a cell by the text that `texts` has for its value."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        text = texts.get(row[name] or "")
        return RowChange({name: text}) if text is not None else None

    return make


def is_filled(name: str) -> Callable[[Row], bool]:
    """Condition on a row: the cell is not empty."""
    return lambda row: row[name] is not None


def day_of(text: str | None) -> date:
    """Parse the date of a cell, which must hold one (ISO)."""
    return date.fromisoformat(text or "")


def shifted_date(text: str | None, days: int) -> str:
    """The date of a cell plus `days`, as ISO text."""
    return (day_of(text) + timedelta(days)).isoformat()


def _day_first(name: str) -> MakeFault:
    def make(row: Row, context: FaultContext) -> RowChange | None:
        if context.day_first or row[name] is None or day_of(row[name]).day < 13:
            return None
        return RowChange({name: day_of(row[name]).strftime("%d/%m/%Y")})

    return make


def _after_cut_off(name: str) -> MakeFault:
    return lambda row, context: RowChange({name: (context.cut_off + timedelta(40)).isoformat()})


def _serial(text: str) -> str:
    return str((day_of(text) - date(1899, 12, 30)).days)


def _no_such_day(text: str) -> str:
    return text[:5] + "02-30"


def dates_of(name: str) -> tuple[FaultKind, ...]:
    """Faults of a required date."""
    return (
        FaultKind("C01", name, ROW, "spreadsheet number for a date", change(name, _serial)),
        FaultKind("C02", name, ROW, "day/month/year date", _day_first(name), limit=1),
        FaultKind("C03", name, ROW, "two-digit year", change(name, lambda t: day_of(t).strftime("%d/%m/%y"))),
        FaultKind("C05", name, ROW, "30 February", change(name, _no_such_day)),
        FaultKind("C06", name, ROW, "date after the cut-off", _after_cut_off(name)),
        FaultKind("C04", name, WARNING, "time of day with the date", change(name, lambda t: t + "T09:30:00")),
    )


def codes_of(name: str, unlisted: str) -> tuple[FaultKind, ...]:
    """Faults of a required code. `unlisted` is a text that the code list does not have."""
    return (
        FaultKind("V01", name, ROW, "empty cell", put(name, None)),
        FaultKind("V02", name, ROW, "code that is not listed", put(name, unlisted)),
        FaultKind("C09", name, ROW, "word for missing", put(name, "TBC")),
        FaultKind("C10", name, ROW, "spreadsheet error", put(name, "#REF!"), limit=8),
        FaultKind("C17", name, WARNING, "spaces around a code", change(name, lambda t: f" {t} ")),
    )


def answers_of(name: str, *, required: bool) -> tuple[FaultKind, ...]:
    """Faults of a yes/no field."""
    return (
        FaultKind("C18", name, ROW, "neither yes nor no", put(name, "perhaps")),
        FaultKind("C18", name, WARNING, "Yes or No in full", swap(name, {"Y": "Yes", "N": "FALSE"})),
        *(() if required else (FaultKind("C09", name, WARNING, "word for missing", put(name, "N/K")),)),
    )


def structure_of(key: str, loose: str) -> tuple[FaultKind, ...]:
    """Faults of lines and keys, for any dataset. `loose` is a field that no rule between fields reads."""

    def heading(row: Row, context: FaultContext) -> RowChange:
        return RowChange(below=(dict(zip(context.fields, context.headings, strict=True)),), at_fault=(1,))

    def surplus(row: Row, context: FaultContext) -> RowChange | None:
        return RowChange(malformed=True) if context.csv else None

    def copy(row: Row, context: FaultContext) -> RowChange:
        return RowChange(below=(row,), at_fault=(1,))

    def two_versions(row: Row, context: FaultContext) -> RowChange | None:
        text = row[loose]
        return RowChange(below=({**row, loose: _other(text)},), at_fault=(0, 1)) if text else None

    return (
        FaultKind("F05", "", WARNING, "repeated heading", heading),
        FaultKind(
            "F06", "", WARNING, "total row", lambda row, context: RowChange(below=({key: "Total"},), at_fault=(1,))
        ),
        FaultKind("F07", "", WARNING, "blank row", lambda row, context: RowChange(below=({},), at_fault=(1,))),
        FaultKind("F08", key, ROW, "empty key", put(key, None)),
        FaultKind("F13", "", ROW, "surplus cell in the line", surplus, limit=8),
        FaultKind("V04", key, ROW, "reference of the wrong form", change(key, lambda t: t.replace("-", "/"))),
        FaultKind("P04", key, WARNING, "exact copy of a row", copy),
        FaultKind("P04", key, ROW, "two versions of a row", two_versions),
    )


def _other(text: str) -> str:
    """A different text of the same form, so that no other rule is broken."""
    if text[-1].isdigit():
        return text[:-1] + ("2" if text.endswith("1") else "1")
    return "N" if text == "Y" else "Y"


def orphan(name: str, key: str) -> FaultKind:
    """Fault: a reference to a row that was not sent."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        head, _, tail = (row[name] or "").partition("-SIM")
        return RowChange({name: f"{head}-SIMZ{tail[-7:]}"}) if head else None

    return FaultKind("P12", name, ROW, "reference to a row that was not sent", make, latest_only=True)


def after_death(name: str, where: Callable[[Row], bool] = lambda row: True, cells: Row | None = None) -> FaultKind:
    """Fault: a date after that of death, in the row of somebody who died. `cells` are what else the row then needs."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if not row["_died"] or not where(row) or (day := shifted_date(row["_died"], 2)) > context.cut_off.isoformat():
            return None
        return RowChange({**(cells or {}), name: day})

    return FaultKind("P20", name, ROW, "after death", make, latest_only=True)


def another_row(key: str, letter: str = "P", cells: Row | None = None) -> MakeFault:
    """Make a second row like the first, with another key and some other cells."""

    def make(row: Row, context: FaultContext) -> RowChange:
        return RowChange(below=({**row, key: copied_key(row, key, letter), **(cells or {})},), at_fault=(1,))

    return make


def copied_key(row: Row, key: str, letter: str) -> str:
    """Unique key for a copy of a row: the row's own with a letter after SIM."""
    return (row[key] or "").replace("-SIM", f"-SIM{letter}")


# ways of making faults of money, where other rows depend on a row by its sums


def on_a_copy(key: str, make: MakeFault, letter: str = "P") -> MakeFault:
    """Make the fault in a copy of the row, below it, with a key of its own: the row itself stays as it is."""

    def make_below(row: Row, context: FaultContext) -> RowChange | None:
        made = make({**row, key: copied_key(row, key, letter)}, context)
        return made and RowChange(below=({**row, key: copied_key(row, key, letter), **made.cells},), at_fault=(1,))

    return make_below


def spare_award(row: Row, n: int) -> tuple[str, int] | None:
    """Reference and pence of the site's spare award number `n`, to which nothing else belongs; None without any."""
    awards = [text.split("=") for text in (row["_spares"] or "").split(";") if text]
    return (awards[n - 1][0], pence(awards[n - 1][1])) if len(awards) >= n else None


def pence(text: str | None) -> int:
    """The pence of an amount, such as 1100.00."""
    return round(100 * float(text or "0"))


def pounds_more(text: str | None, pounds: int) -> str:
    """An amount with some pounds added."""
    return f"{pence(text) / 100 + pounds:.2f}"


def was_sent_before(row: Row, context: FaultContext) -> bool:
    """Whether the extract before had the row already."""
    return context.previous_cut_off is not None and (row["_known"] or "") <= context.previous_cut_off.isoformat()


def multiplied(*names: str, by: float, where: Callable[[Row], bool] = lambda row: True) -> MakeFault:
    """Multiply amounts, in rows of at least £100 that were sent before as they are."""

    def make(row: Row, context: FaultContext) -> RowChange | None:
        if not where(row) or not was_sent_before(row, context) or pence(row[names[0]]) < 10_000:
            return None
        return RowChange({n: f"{pence(row[n]) * by / 100:.2f}" for n in names if row[n] is not None})

    return make


def award_of(dataset_key: str) -> FaultKind:
    """Fault: the reference of an award that is not on record, on a copy with its own key."""

    def make(row: Row, context: FaultContext) -> RowChange:
        return RowChange({"award_id": copied_key(row, "award_id", "Z")})

    return FaultKind("M34", "award_id", ROW, "award not on record", on_a_copy(dataset_key, make), latest_only=True)


def years_of(name: str, key: str, where: Callable[[Row], bool] = lambda row: True) -> tuple[FaultKind, ...]:
    """Faults of a financial year."""
    slash = change(name, lambda text: text.replace("-", "/"))
    return (
        FaultKind("M06", name, ROW, "no financial year", on_a_copy(key, put(name, "20-16", where))),
        FaultKind("M06", name, WARNING, "another spelling of a year", slash),
    )
