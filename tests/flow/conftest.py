"""A data folder of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_folder import DataFolder

from flows.steps import build


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A data folder to which nobody has sent anything yet."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    return DataFolder(tmp_path / "data")


@pytest.fixture(autouse=True)
def marts_or_none(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build no mart in tests marked `without_marts`, which ask for none: marts are a third of what a small run costs.

    All the rest of the run is real, and so are the runs of commands in processes of their own. A test of a module that
    is marked so may be marked `with_marts`.
    """
    marks = {mark.name for mark in request.node.iter_markers()}
    if "without_marts" in marks and "with_marts" not in marks:
        monkeypatch.setattr(build, "marts", tuple)
