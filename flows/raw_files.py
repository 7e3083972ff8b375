"""The raw files that somebody has to see to: those that must not lie there, and those that ought to.

Nothing is read for it: what `receive` last saw of each file is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from flows.store.raw import FileStat
from schemas.audit.deliveries import Delivery
from schemas.audit.findings import Outcome
from schemas.contract import Severity
from schemas.personal_data import RULES_OF_PERSONAL_FILES
from schemas.shapes import Judged

Seen = Mapping[str, tuple[FileStat, str, str]]  # as the ledger has it: path -> (stat, sha256, why it is not usable)


def lies_there(delivery: Delivery, raw: Path, seen: Seen) -> bool:
    """Whether the very bytes of a delivery lie under data/raw still, where they were received."""
    at = seen.get(delivery.path)
    return at is not None and at[1] == delivery.sha256 and (raw / delivery.path).exists()


def personal_deliveries(db: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> dict[str, Delivery]:
    """By id: the deliveries that were refused for personal data, on whatever night, and those of the same bytes."""
    found = db.execute(
        "select distinct delivery_id from audit.findings"
        " where severity = ? and outcome = ? and list_contains(?, rule_id)",
        [Severity.FILE, Outcome.BROKEN, list(RULES_OF_PERSONAL_FILES)],
    ).fetchall()
    personal = {delivery_id for (delivery_id,) in found}
    concerned = (j.delivery for j in judged if personal & {j.delivery.delivery_id, j.delivery.same_as})
    return {d.delivery_id: d for d in concerned}


def to_delete(personal: Iterable[Delivery], raw: Path, seen: Seen) -> list[Delivery]:
    """Of deliveries that were refused for personal data, those whose bytes lie there still."""
    return [d for d in personal if lies_there(d, raw, seen)]


def gone(judged: Sequence[Judged], raw: Path, seen: Seen) -> list[Delivery]:
    """The deliveries whose rows count, and whose file does not lie there any more: no rule can judge it again."""
    return [j.delivery for j in judged if j.counts and not lies_there(j.delivery, raw, seen)]
