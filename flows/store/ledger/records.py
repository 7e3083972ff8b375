"""Read records that were stored as JSON, perhaps by an older or newer version of the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

Record = TypeVar("Record")


class UnreadableRecord(ValueError):  # noqa: N818 - it says what a record is
    """A stored record lacks a field that has no default."""


def record_of(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """Make a dataclass from stored values. Raises UnreadableRecord where a field without a default is missing.

    Unknown values are ignored, because newer code may have written more fields; missing fields get their defaults,
    because older code wrote fewer. A renamed field would be both, and lose its value: it needs a
    migration of the ledger.
    """
    declared: tuple[Field[Any], ...] = fields(kind)  # type: ignore[arg-type]
    if missing := [f.name for f in declared if f.name not in data and _is_required(f)]:
        raise UnreadableRecord(f"it lacks {', '.join(missing)}")
    return kind(**{f.name: data[f.name] for f in declared if f.name in data})


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
