"""What a setting that nobody made comes to."""

from __future__ import annotations

import duckdb
import pytest

from flows.settings import Settings


@pytest.mark.parametrize(("given", "limit"), [("", "488.2 MiB"), ("1GiB", "1.0 GiB")])
def test_a_warehouse_is_built_in_bounded_memory(given: str, limit: str) -> None:
    with duckdb.connect(config=Settings(memory_limit=given).building_options()) as db:
        assert db.execute("select current_setting('memory_limit')").fetchone() == (limit,)
