"""Fixtures of the run tests: a data folder for each test, and runs without marts where none is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_folder import DataFolder

from flows.steps import build


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """An empty data folder with a raw folder."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    return DataFolder(tmp_path / "data")


@pytest.fixture(autouse=True)
def marts_or_none(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip building marts in tests marked `without_marts`: they are a third of the time of a small run.

    Everything else of the run is real. Commands in processes of their own always build marts. `with_marts` on a test
    overrides the mark of its module.
    """
    marks = {mark.name for mark in request.node.iter_markers()}
    if "without_marts" in marks and "with_marts" not in marks:
        monkeypatch.setattr(build, "marts", tuple)
