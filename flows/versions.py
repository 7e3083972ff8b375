"""What a build of the warehouse depends on, as one short fingerprint: a night that would build the same is quiet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version

from flows.source import source_digest
from schemas.shapes import Judged

_CODE = ("schemas/**/*.py", "schemas/**/*.sql", "schemas/**/*.csv", "schemas/**/*.toml",
         "flows/steps/load.py", "flows/steps/relate.py", "flows/steps/build.py")  # fmt: skip


_LOAD = ("schemas/**/*.py", "schemas/**/*.csv", "schemas/**/*.toml",
         "flows/steps/load.py", "flows/steps/relate.py")  # fmt: skip


def load_version() -> str:
    """Twelve hexadecimal digits that change when the same judgements might be loaded as something else."""
    return hashlib.sha256(repr((source_digest(_LOAD), library_versions(("duckdb",)))).encode()).hexdigest()[:12]


def fingerprint(judged: Iterable[Judged]) -> str:
    """Twelve hexadecimal digits that change when the warehouse would: deliveries, standings, contracts, marts, code."""
    counted = sorted((j.delivery.delivery_id, j.key, str(j.standing), repr(j.delivery)) for j in judged)
    return hashlib.sha256(repr((counted, source_digest(_CODE))).encode()).hexdigest()[:12]


@lru_cache
def library_versions(names: tuple[str, ...]) -> tuple[str, ...]:
    """The installed version of each library."""
    return tuple(version(name) for name in names)
