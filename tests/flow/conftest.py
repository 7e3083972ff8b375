"""A data folder of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_returns import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """An empty data folder."""
    return DataFolder(tmp_path / "data")
