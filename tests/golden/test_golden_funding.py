"""The pages on money of the made-up files in tests/golden/funding/raw equal their golden files.

After an intended change, regenerate them and review the diff: `UPDATE_GOLDEN=1 pytest tests/golden`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "funding"
FILES = (
    "index.html",
    "MHT.html",
    "WC.html",
    "programme_position.csv",
    "MHT_claims_position.csv",
    "MHT_unit_costs.csv",
    "WC_outcome_payments.csv",
)


@pytest.mark.parametrize("name", FILES)
def test_the_page_equals_its_golden_file(name: str, money_pages: Path) -> None:
    made = (money_pages / name).read_bytes()
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_bytes(made)
    assert made == (GOLDEN / name).read_bytes()


def test_there_is_no_other_golden_file() -> None:
    assert {p.name for p in GOLDEN.iterdir() if p.is_file()} == set(FILES)
