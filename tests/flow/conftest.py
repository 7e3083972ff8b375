"""Fixtures of the run tests: a data folder for each test, and runs without what most of them need not make anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from data_folder import DataFolder

from flows.steps import build


@pytest.fixture
def folder(tmp_path: Path, empty_load_cache: Path) -> DataFolder:
    """A data folder with an empty raw folder. It has the empty load cache, which a first run takes long to make."""
    folder = DataFolder(tmp_path / "data")
    folder.paths.raw.mkdir(parents=True)
    shutil.copytree(empty_load_cache, folder.paths.load_cache)
    return folder


@pytest.fixture(autouse=True)
def marts_or_none(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip building marts except in tests marked `with_marts`: they are half of the time of a small run.

    Everything else of the run is real. Commands in processes of their own always build marts.
    """
    if "with_marts" not in {mark.name for mark in request.node.iter_markers()}:
        monkeypatch.setattr(build, "marts", tuple)
