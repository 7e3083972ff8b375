"""Keyed hashes (HMAC): by them a confirmation names a row and its values, and holds neither.

Without the secret, nobody can read or guess what a hash stands for. The secret is in a file of the data folder that
only its owner may read; it is made when it is first needed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from flows.store.durable import replacement_of
from flows.store.paths import DataPaths
from schemas._contract.model import Contract, Rule
from schemas.audit.confirmations import HASH_LENGTH

_SECRET_BYTES = 32


@dataclass(frozen=True)
class RowHashes:
    """The hashes of one row for one rule: of its key, and of the values that the rule reads."""

    key: str
    value: str


@dataclass(frozen=True)
class KeyedHash:
    """The hash function of one data folder."""

    secret: bytes

    def of_rows(self, site_code: str, contract: Contract, rule: Rule, rows: pl.DataFrame) -> dict[int, RowHashes]:
        """Hash the rows of a site for one rule, by source row. `rows` has the typed values of `columns_hashed`.

        The same value in two rows, rules or sites has two hashes, so that they cannot be compared with each other.
        """
        columns, found = columns_hashed(contract, rule), {}
        for row in rows.select("source_row", *columns).iter_rows(named=True):
            key = self._digest("key", site_code, contract.dataset, *(row[name] for name in contract.key))
            values = self._digest("values", key, rule.rule_id, rule.field, *(row[name] for name in columns))
            found[row["source_row"]] = RowHashes(key, values)
        return found

    @property
    def fingerprint(self) -> str:
        """A digest that differs from secret to secret, and reveals nothing of it."""
        return self._digest("fingerprint")

    def _digest(self, *parts: Any) -> str:
        texts = [None if part is None else str(part) for part in parts]  # an empty cell is not ''
        return hmac.new(self.secret, json.dumps(texts).encode(), hashlib.sha256).hexdigest()[:HASH_LENGTH]


@lru_cache
def columns_hashed(contract: Contract, rule: Rule) -> tuple[str, ...]:
    """The columns of a row that are hashed for a rule: its key, and all that the rule reads of it."""
    # of SQL every word: a superset is harmless
    read = rule.check().meta.root_names() if rule.check else re.findall(r"\w+", rule.violations_sql)
    named = {*contract.key, rule.field, *read}
    return tuple(f.name for f in contract.fields if f.name in named)


def keyed_hash_of(paths: DataPaths) -> KeyedHash | None:
    """The hash function of a data folder; None where it has no secret yet, or an unusable one."""
    try:
        secret = bytes.fromhex(paths.confirmations_key.read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        return None
    return KeyedHash(secret) if len(secret) >= _SECRET_BYTES else None


def make_keyed_hash(paths: DataPaths) -> KeyedHash:
    """The hash function of a data folder, with a new secret where there is none."""
    if known := keyed_hash_of(paths):
        return known
    secret = os.urandom(_SECRET_BYTES)
    with replacement_of(paths.confirmations_key, mode=0o600) as unfinished:
        unfinished.write_text(f"{secret.hex()}\n", encoding="ascii")
    return KeyedHash(secret)
