"""Made-up rows of the datasets of money: all belong to one award."""

from __future__ import annotations

import dataset_rows
from dataset_rows import SITE, Row, broken, frame, rule_of

__all__ = ["AWARD", "MONEY", "SITE", "Row", "broken", "frame", "rule_of", "sound"]

MONEY = (
    "funding_awards",
    "match_funding",
    "funding_profile",
    "claims",
    "claim_lines",
    "expenditure",
    "virements_carry_forward",
    "payment_schedule",
    "outcome_payments",
    "deflators",
)
AWARD: Row = {
    "award_id": "BPL-GRANT-1",
    "award_stage": "awarded",
    "programme_code": "MHT",
    "about_site_code": SITE,
    "amount": "100000.00",
    "award_date": "2016-03-01",
    "start_date": "2016-04-01",
    "end_date": "2018-03-31",
}


def sound(dataset: str, *changes: Row) -> list[Row]:
    """Sound rows of a dataset, one for each set of changes, which belong to the award."""
    award = AWARD if dataset == "funding_awards" else {"award_id": AWARD["award_id"]}
    return dataset_rows.sound(dataset, *(award | change for change in changes))
