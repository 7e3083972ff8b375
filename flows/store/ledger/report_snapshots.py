"""The numbers of a report, stored so that later reports of the same site and dataset can be compared with them.

They cannot be derived again from findings: the rules between tables are no longer asked of a delivery once a later one
has replaced it. Written by `flows/reporting/site_reports.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from flows.store.ledger.records import record_of
from schemas.audit.deliveries import Counts, Result

MONTHS_COMPARED = 3  # a problem that three months in a row had is reported as a lasting one


@dataclass(frozen=True)
class SnapshotItem:
    """One item of a report. `place`: its field, or the sender's heading if that is not a field; '' for the file."""

    rule_id: str
    place: str
    must_fix: bool
    title: str
    rows: int

    @property
    def key(self) -> tuple[str, str, bool]:
        """Identifies the same problem in another report."""
        return self.rule_id, self.place, self.must_fix


@dataclass(frozen=True)
class ReportSnapshot:
    """One report in numbers. If its rows were not validated, a problem that it lacks may still have been there."""

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
        """The snapshot as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ReportSnapshot:
        """Read what `to_json` wrote. Raises KeyError, TypeError or ValueError where it has another form."""
        items = tuple(record_of(SnapshotItem, i) for i in data.get("items", ()))
        rows = record_of(Counts, data["rows"])
        return record_of(cls, {**data, "result": Result(data["result"]), "rows": rows, "items": items})


def comparable(reports: Sequence[ReportSnapshot]) -> list[ReportSnapshot]:
    """The reports for which every row was validated."""
    return [r for r in reports if r.rows_judged]


def last_months(reports: Sequence[ReportSnapshot]) -> tuple[ReportSnapshot, ...]:
    """The last report of each of the three newest months with a report, oldest first.

    `reports` are in the order of receipt. Months after the newest report's are left out: a corrected older month is
    compared with those before it.
    """
    newest = reports[-1]
    by_month = {r.period: r for r in reports if r.period < newest.period} | {newest.period: newest}
    return tuple(by_month[p] for p in sorted(by_month)[-MONTHS_COMPARED:])


def in_all(months: Sequence[ReportSnapshot]) -> tuple[SnapshotItem, ...]:
    """The problems that had to be fixed in each of three months, as the newest report has them."""
    if len(months) < MONTHS_COMPARED:
        return ()
    return tuple(i for i in months[-1].items if i.must_fix and all(r.item(i.key) for r in months[:-1]))
