"""References that are put into the agreed form (C33) match across tables and deliveries."""

from __future__ import annotations

import pytest
from data_folder import DataFolder, Row, valid_rows
from soak import in_soak

REFERENCES = ("participant_ref", "episode_id", "contact_id")


def written(row: Row, way: str) -> Row:
    """A row with its references as agreed, in small letters, or with an en dash."""
    change = {"agreed": str, "small": str.lower, "dash": lambda text: text.replace("-", "\u2013")}[way]
    return {name: change(text) if name in REFERENCES else text for name, text in row.items()}


@pytest.mark.parametrize(("first", "second"), [("small", "dash"), *in_soak(("agreed", "small"))])
def test_references_match_over_two_months(folder: DataFolder, first: str, second: str) -> None:
    datasets = ("participants", "referrals", "contacts")
    for month, way, people in (("201611", first, (1, 2, 3)), ("201612", second, (1, 2, 3, 4))):
        for dataset in datasets:
            of_this = "agreed" if dataset == "referrals" else way  # in one return, datasets are written differently
            folder.send(dataset, [written(row, of_this) for row in valid_rows(dataset, *people)], month)
        folder.run(f"{month[:4]}-{month[4:]}-28T03:30")
    for dataset in datasets:
        assert folder.query(f"select count(*) from core.{dataset}") == [(4,)]
    matched = "select count(*) from core.contacts join core.referrals using (site_code, episode_id)"
    assert folder.query(f"{matched} join core.participants using (site_code, participant_ref)") == [(4,)]
    rules = {r for (r,) in folder.query("select distinct rule_id from audit.findings where outcome = 'broken'")}
    assert rules <= {"C33", "F19"}
