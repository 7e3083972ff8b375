"""A data folder of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_returns import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A data folder to which nobody has sent anything yet."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    return DataFolder(tmp_path / "data")
