"""Raw files that need a person: those with personal data, which must be deleted, and those that are missing.

No file is read for this: the ledger holds what `receive` last saw of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.deliveries.validated import ValidatedDelivery
from flows.store.ledger import Ledger
from flows.store.paths import DataPaths
from flows.store.raw_files import KnownFiles, raw_file_unchanged
from schemas._contract.model import Severity
from schemas._rules.privacy import REFUSING_RULE_IDS
from schemas.audit.deliveries import Delivery
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb


def personal_deliveries(db: duckdb.DuckDBPyConnection, known: Iterable[Delivery]) -> dict[str, Delivery]:
    """By delivery_id: the deliveries that were refused for personal data in any run, and those of the same bytes."""
    refused = db.execute(
        "select distinct delivery_id from audit.findings"
        " where severity = ? and outcome = ? and list_contains(?, rule_id)",
        [Severity.FILE, Outcome.BROKEN, list(REFUSING_RULE_IDS)],
    ).fetchall()
    personal = {delivery_id for (delivery_id,) in refused}
    return {d.delivery_id: d for d in known if personal & {d.delivery_id, d.same_as}}


def files_to_purge(personal: Iterable[Delivery], raw: Path, known_files: KnownFiles) -> dict[str, str]:
    """Path -> sha256 of the files under `raw` with the bytes of deliveries that were refused for personal data.

    A copy under another name has to be deleted as well, also where it is not a delivery.
    """
    digests = {d.sha256 for d in personal}
    return {path: file[1] for path, file in sorted(known_files.items()) if file[1] in digests and (raw / path).exists()}


def personal_files_present(paths: DataPaths, db: duckdb.DuckDBPyConnection) -> list[str]:
    """The paths of files with personal data under data/raw, according to a build and the ledger.

    Reads a copy of the ledger, so that a run at work is not disturbed. Raises as `Ledger.copy_of`.
    """
    with Ledger.copy_of(paths.ledger) as ledger:
        deliveries, known_files = ledger.deliveries().values(), ledger.known_files()
    return list(files_to_purge(personal_deliveries(db, deliveries).values(), paths.raw, known_files))


def missing_raw_files(validated: Sequence[ValidatedDelivery], raw: Path, known_files: KnownFiles) -> list[Delivery]:
    """The deliveries whose rows count and whose file is gone, so that no changed rule can be applied to it."""
    return [v.delivery for v in validated if v.counts and not raw_file_unchanged(v.delivery, raw, known_files)]
