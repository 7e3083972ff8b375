"""Two columns that no rule shows to be swapped are found by the rows of the file before (F56)."""

from __future__ import annotations

from pathlib import Path

import pytest
from breaks import Break, copied, swapped
from front_door import check
from soak import in_soak
from sound_files import sound_file

from flows.steps.cross_check.exchanged import exchanged_fields
from schemas._contract.catalogue import datasets

UNDETECTED = (  # in a first file
    ("participants", "disability_ea2010", "consent_participation"),
    ("employment_outcomes", "job_spell_no", "weekly_hours_worked"),
    *in_soak(
        ("participants", "gender_identity", "condition_count"),
        ("participants", "condition_count", "imd_decile"),
        ("referrals", "weekly_hours_at_start", "weekly_hours_at_exit"),
        ("funding_awards", "funding_org_name", "recipient_org_name"),
        ("funding_awards", "award_date", "start_date"),
    ),
)


def found(dataset: str, break_file: Break, folder: Path) -> list[tuple[str, str]]:
    """The pairs of fields that are exchanged in a broken file, by comparison with the sound one."""
    sound = sound_file(dataset)
    now, then = folder / "now.parquet", folder / "then.parquet"
    check(break_file(sound), folder).rows.write_parquet(now)
    check(sound, folder).rows.write_parquet(then)
    return [(one, other) for one, other, _ in exchanged_fields(datasets()[dataset], now, then)]


@pytest.mark.parametrize(("dataset", "one", "other"), UNDETECTED)
def test_the_swap_is_found_and_nothing_else(dataset: str, one: str, other: str, tmp_path: Path) -> None:
    assert found(dataset, swapped(one, other), tmp_path) == [(one, other)]


def test_the_same_rows_and_other_changes_are_no_swap(tmp_path: Path) -> None:
    assert found("participants", lambda file: file, tmp_path) == []
    assert found("participants", copied("consent_linkage", "consent_participation"), tmp_path) == []
