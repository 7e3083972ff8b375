"""What a build depends on: another version of DuckDB makes another warehouse of the same deliveries."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import pytest

from flows.runtime.code_fingerprint import library_versions
from flows.store import build_identity


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Libraries that count as upgraded once they are named here."""
    installed, named = importlib.metadata.version, list[str]()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0" if name in named else installed(name))
    library_versions.cache_clear()
    yield named
    library_versions.cache_clear()


@pytest.mark.parametrize(("library", "matters"), [("duckdb", True), ("prefect", False)])
def test_after_an_upgrade_of_duckdb_all_is_loaded_and_built_anew(
    upgraded: list[str], library: str, matters: bool
) -> None:
    before = build_identity.load_version(), build_identity.build_fingerprint([])
    upgraded.append(library)
    library_versions.cache_clear()
    after = build_identity.load_version(), build_identity.build_fingerprint([])
    assert [a != b for a, b in zip(after, before, strict=True)] == [matters, matters]
