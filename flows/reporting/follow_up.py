"""The raw files that somebody has to see to: those that must not lie there, and those that ought to.

Nothing is read for it: what `receive` last saw of each file is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.deliveries.validated import ValidatedDelivery
from flows.store.ledger import Ledger
from flows.store.paths import DataPaths
from flows.store.raw_files import FileStat
from schemas._contract.model import Severity
from schemas._rules.privacy import RULES_OF_PERSONAL_FILES
from schemas.audit.deliveries import Delivery
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb

Seen = Mapping[str, tuple[FileStat, str, str]]  # as the ledger has it: path -> (stat, sha256, why it is not usable)


def raw_file_unchanged(delivery: Delivery, raw: Path, seen: Seen) -> bool:
    """Whether the very bytes of a delivery lie under data/raw still, where they were received."""
    at = seen.get(delivery.path)
    return at is not None and at[1] == delivery.sha256 and (raw / delivery.path).exists()


def personal_deliveries(db: duckdb.DuckDBPyConnection, known: Iterable[Delivery]) -> dict[str, Delivery]:
    """By id: the deliveries that were refused for personal data, on whatever run, and those of the same bytes."""
    found = db.execute(
        "select distinct delivery_id from audit.findings"
        " where severity = ? and outcome = ? and list_contains(?, rule_id)",
        [Severity.FILE, Outcome.BROKEN, list(RULES_OF_PERSONAL_FILES)],
    ).fetchall()
    personal = {delivery_id for (delivery_id,) in found}
    return {d.delivery_id: d for d in known if personal & {d.delivery_id, d.same_as}}


def files_to_purge(personal: Iterable[Delivery], raw: Path, seen: Seen) -> dict[str, str]:
    """The files that lie there with the bytes of deliveries that were refused for personal data: path -> sha256.

    A copy under another name, which may be no delivery at all, has to go as well.
    """
    bytes_of = {d.sha256 for d in personal}
    return {path: at[1] for path, at in sorted(seen.items()) if at[1] in bytes_of and (raw / path).exists()}


def personal_files_there(places: DataPaths, db: duckdb.DuckDBPyConnection) -> list[str]:
    """The paths of files with personal data under data/raw, as a build and the ledger know of them.

    Only a copy of the ledger is looked into. Raises what opening one raises.
    """
    with Ledger.copy_of(places.ledger) as ledger:
        known, seen = ledger.deliveries().values(), ledger.known_files()
    return list(files_to_purge(personal_deliveries(db, known).values(), places.raw, seen))


def missing_raw_files(validated: Sequence[ValidatedDelivery], raw: Path, seen: Seen) -> list[Delivery]:
    """The deliveries whose rows count, and whose file does not lie there any more: no rule can validate it again."""
    return [j.delivery for j in validated if j.counts and not raw_file_unchanged(j.delivery, raw, seen)]
