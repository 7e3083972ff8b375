"""Fingerprint of everything that a build of the warehouse is made from. Where it is unchanged, nothing is built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.code_fingerprint import library_versions, source_digest
from schemas.audit.withdrawals import Withdrawal

# what can change the rows that are loaded; marts are left out, so a changed mart does not empty the load cache
LOAD_CODE = (
    "schemas/**/*.py",
    "schemas/**/*.csv",
    "flows/cells/*.py",
    "flows/cells/reading/*.py",
    "flows/deliveries/*.py",
    "flows/orchestration/build_steps.py",
    "flows/steps/load.py",
    "flows/steps/cross_check/*.py",
    "flows/store/accepted_rows.py",
    "flows/store/findings_table.py",
    "flows/store/results.py",
    "flows/store/warehouse/*.py",
)
BUILD_CODE = (*LOAD_CODE, "schemas/**/*.sql", "flows/steps/build.py", "flows/steps/confirm/*.py")


def load_version() -> str:
    """Version of the code and contracts by which results are loaded: 12 hexadecimal digits, the load cache's name."""
    return _digest(LOAD_CODE)


def build_fingerprint(
    validated: Iterable[ValidatedDelivery], withdrawals: Iterable[Withdrawal] = (), confirmations: object = ()
) -> str:
    """Fingerprint of a build: 12 hexadecimal digits.

    It covers its deliveries, their standings, withdrawals, the fingerprint of the confirmations, code, SQL and DuckDB.
    """
    deliveries = sorted((v.delivery.delivery_id, v.key, str(v.standing), repr(v.delivery)) for v in validated)
    return _digest(BUILD_CODE, deliveries, [repr(w) for w in withdrawals], confirmations)


def _digest(code: tuple[str, ...], *made_of: object) -> str:
    """Digest of source files, the version of DuckDB, and what else is given."""
    text = repr((source_digest(code), library_versions(("duckdb",)), *made_of))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
