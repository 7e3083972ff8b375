"""What a report said, in numbers: what the next reports of the same site and dataset are compared with.

A delivery that a later one replaced is validated no more by the rules between tables, so what it was told cannot be
found again from its findings: it is kept with the note that its report was written. See
`flows/reporting/site_reports.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from flows.store.ledger.records import record_of
from schemas.audit.deliveries import Counts, Result

MONTHS_COMPARED = 3


@dataclass(frozen=True)
class SnapshotItem:
    """One item of a report. `place` is its field, or the heading where it is no field of ours; '' for the file."""

    rule_id: str
    place: str
    must_fix: bool
    title: str
    rows: int

    @property
    def key(self) -> tuple[str, str, bool]:
        """What makes it the same problem in the next report."""
        return self.rule_id, self.place, self.must_fix


@dataclass(frozen=True)
class ReportSnapshot:
    """One report. Where its rows were not judged, nothing can be said of what it does not name."""

    report_id: str
    period: str
    version: int
    result: Result
    rows: Counts
    rows_judged: bool
    items: tuple[SnapshotItem, ...] = ()

    def item(self, key: tuple[str, str, bool]) -> SnapshotItem | None:
        """The item with this key, if the report has it."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> Mapping[tuple[str, str, bool], SnapshotItem]:
        return {i.key: i for i in reversed(self.items)}

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ReportSnapshot:
        """The report that `to_json` wrote. Raises KeyError, TypeError or ValueError where it is in another form."""
        items = tuple(record_of(SnapshotItem, i) for i in data.get("items", ()))
        rows = record_of(Counts, data["rows"])
        return record_of(cls, {**data, "result": Result(data["result"]), "rows": rows, "items": items})


def comparable(reports: Sequence[ReportSnapshot]) -> list[ReportSnapshot]:
    """The reports that looked at every row."""
    return [t for t in reports if t.rows_judged]


def last_months(reports: Sequence[ReportSnapshot]) -> tuple[ReportSnapshot, ...]:
    """The last report of each of the last three months that a file came for, up to the newest one's. Oldest first."""
    newest = reports[-1]
    of_month = {t.period: t for t in reports if t.period < newest.period} | {newest.period: newest}
    return tuple(of_month[p] for p in sorted(of_month)[-MONTHS_COMPARED:])


def in_all(months: Sequence[ReportSnapshot]) -> tuple[SnapshotItem, ...]:
    """What had to be fixed in each of three months, as the newest says it."""
    if len(months) < MONTHS_COMPARED:
        return ()
    return tuple(i for i in months[-1].items if i.must_fix and all(t.item(i.key) for t in months[:-1]))
