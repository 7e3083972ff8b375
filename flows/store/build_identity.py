"""What a build of the warehouse depends on, as one short fingerprint: a run that would build the same is quiet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.code_fingerprint import library_versions, source_digest
from schemas.audit.withdrawals import Withdrawal

_LOADS = (
    "schemas/**/*.py",
    "schemas/**/*.csv",
    "flows/steps/load.py",
    "flows/steps/cross_check/*.py",
    "flows/deliveries/findings.py",
    "flows/store/accepted_rows.py",
    "flows/store/findings.py",
    "flows/store/warehouse/options.py",
)
_BUILDS = (*_LOADS, "schemas/**/*.sql", "flows/steps/build.py")


def load_version() -> str:
    """Twelve hexadecimal digits that change when the same validation results might be loaded as something else."""
    return _digest(_LOADS)


def build_fingerprint(validated: Iterable[ValidatedDelivery], withdrawals: Iterable[Withdrawal] = ()) -> str:
    """Twelve hexadecimal digits that change when the warehouse might.

    Of deliveries, standings and withdrawals; marts, code and DuckDB.
    """
    counted = sorted((j.delivery.delivery_id, j.key, str(j.standing), repr(j.delivery)) for j in validated)
    return _digest(_BUILDS, counted, [repr(w) for w in withdrawals])


def _digest(code: tuple[str, ...], *made_of: object) -> str:
    """A digest of what DuckDB is given by some of our files, and of DuckDB itself."""
    said = repr((source_digest(code), library_versions(("duckdb",)), *made_of))
    return hashlib.sha256(said.encode()).hexdigest()[:12]
