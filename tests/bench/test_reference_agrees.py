"""The pipeline and the hand-written SQL reference have the same findings and rows for a large simulated file."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from file_validator import Validator
from made_up_contacts import write_contacts
from reference import validate_by_hand
from soak import in_soak

ADDRESS = ["rule_id", "severity", "source_row", "field"]


@pytest.mark.parametrize("bad_share", [0.01, *in_soak(0.1)])
def test_pipeline_and_reference_agree(validate: Validator, tmp_path: Path, bad_share: float) -> None:
    file = tmp_path / "contacts.csv"
    write_contacts(file, rows=20_000, bad_share=bad_share)
    by_hand = tmp_path / "by hand"
    by_hand.mkdir()
    validate_by_hand(file, by_hand)
    outcome = validate(file.read_bytes())
    found = outcome.stored_findings.select(ADDRESS).sort(ADDRESS)
    assert len(found) > 20_000 * bad_share
    assert found.equals(pl.read_parquet(by_hand / "findings.parquet").select(ADDRESS).sort(ADDRESS))
    accepted = pl.read_parquet(by_hand / "accepted.parquet").sort("source_row")
    assert pl.DataFrame(outcome.values).equals(accepted)
    assert outcome.held == sorted(pl.read_parquet(by_hand / "held.parquet")["source_row"])


def test_the_reference_refuses_a_file_with_rows_of_several_lines(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    write_contacts(file, rows=100)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("key_worker", '"key\nworker"', 1), encoding="utf-8")
    with pytest.raises(ValueError, match="line break"):
        validate_by_hand(file, tmp_path)
