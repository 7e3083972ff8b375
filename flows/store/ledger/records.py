"""Reading a record that was stored as JSON, perhaps by other code than this: no field of it is trusted to be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

Record = TypeVar("Record")


class UnreadableRecord(ValueError):  # noqa: N818 - it says what a record is
    """A stored record lacks what it cannot be read without."""


def record_of(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """The record of a kind (a dataclass) that some values are. Raises Unreadable.

    A value that the kind does not know is passed over: newer code may have more. One that is missing has its default:
    older code had fewer. A field that was renamed is neither: a migration of the ledger rewrites it.
    """
    known: tuple[Field[Any], ...] = fields(kind)  # type: ignore[arg-type]
    if missing := [f.name for f in known if f.name not in data and _is_needed(f)]:
        raise UnreadableRecord(f"it lacks {', '.join(missing)}")
    return kind(**{f.name: data[f.name] for f in known if f.name in data})


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
