"""A build's fingerprint depends on the version of DuckDB, and not on that of Prefect."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import pytest

from flows.runtime.code_fingerprint import library_versions
from flows.store import build_fingerprint


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names added to this list appear to be installed in version 99.0."""
    installed, names = importlib.metadata.version, list[str]()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0" if name in names else installed(name))
    library_versions.cache_clear()
    yield names
    library_versions.cache_clear()


@pytest.mark.parametrize(("library", "matters"), [("duckdb", True), ("prefect", False)])
def test_an_upgrade_of_duckdb_invalidates_loads_and_builds(upgraded: list[str], library: str, matters: bool) -> None:
    before = build_fingerprint.load_version(), build_fingerprint.build_fingerprint([])
    upgraded.append(library)
    library_versions.cache_clear()
    after = build_fingerprint.load_version(), build_fingerprint.build_fingerprint([])
    assert [a != b for a, b in zip(after, before, strict=True)] == [matters, matters]
