"""The rows that a report listed as held, stored so that the next report can say which were released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Rows = Mapping[tuple[str, str], frozenset[int]]  # (rule_id, field) -> source rows held


@dataclass(frozen=True)
class HeldRows:
    """The rows that a report listed as held, and the date of that report."""

    on: date
    rows: Rows

    def to_json(self) -> dict[str, Any]:
        """The rows as plain JSON values."""
        return {"on": self.on.isoformat(), "rows": [[*by, sorted(rows)] for by, rows in self.rows.items()]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> HeldRows:
        """Read what `to_json` wrote. Raises KeyError, TypeError or ValueError where it has another form."""
        rows = {(rule_id, field): frozenset(held) for rule_id, field, held in data["rows"]}
        return cls(date.fromisoformat(data["on"]), rows)
