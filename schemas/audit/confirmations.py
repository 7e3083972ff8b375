"""audit.confirmations: the warnings that sites have confirmed to be right all the same, and whether each still holds.

A confirmation is about one row, one rule and the values that the row had: once a value changes, the warning is back. It
holds no value and no reference, only keyed hashes of them (`flows/steps/confirm/keyed_hash.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from schemas._contract.model import Contract, Field, Kind

HASH_LENGTH = 32  # hexadecimal digits of a keyed hash
HASH_PATTERN = f"[0-9a-f]{{{HASH_LENGTH}}}"
REASONS, ROLES = "confirmation_reason", "confirming_role"  # the code lists: nothing else is stored of what was typed


class ConfirmationState(StrEnum):
    """Whether a confirmation is of use in the deliveries that count."""

    HOLDS = "holds"
    LAPSED = "lapsed"
    NOT_NEEDED = "not needed"


class ConfirmedWarning(NamedTuple):
    """One warning that a delivery confirms. `key` and `value_hash` are keyed hashes of the row's key and values."""

    key: str
    field: str
    rule_id: str
    value_hash: str
    reason: str
    role: str


@dataclass(frozen=True, order=True)
class Confirmation:
    """One confirmed warning on record: of which site and dataset, and when it was received."""

    site_code: str
    dataset: str
    key: str
    field: str
    rule_id: str
    value_hash: str
    confirmed_on: date
    reason: str
    role: str

    @property
    def place(self) -> tuple[str, str, str, str, str]:
        """The row and the rule that it is about, whatever values the row has."""
        return self.site_code, self.dataset, self.key, self.field, self.rule_id


CONTRACT = Contract(
    dataset="confirmations",
    title="Confirmations",
    description="Every warning that a site has confirmed to be right all the same (data/confirmations.csv).",
    grain="one row per site, dataset, row, rule, field and values",
    key=("site_code", "dataset", "key", "field", "rule_id", "value_hash"),
    fields=(
        Field("site_code", Kind.TEXT, "Site", "The site that confirmed it."),
        Field("dataset", Kind.TEXT, "Dataset", "The dataset of the row."),
        Field("key", Kind.TEXT, "Key", "Keyed hash of the row's key."),
        Field("field", Kind.TEXT, "Field", "The field that the warning is about."),
        Field("rule_id", Kind.TEXT, "Rule", "The rule: see audit.rules."),
        Field("value_hash", Kind.TEXT, "Values", "Keyed hash of the row's values that the rule reads."),
        Field("reason", Kind.CODE, "Reason", "Why it is right all the same.", codes=REASONS),
        Field("role", Kind.CODE, "Role", "The role of the person who confirmed it.", codes=ROLES),
        Field("confirmed_on", Kind.DATE, "Confirmed on", "The day on which the confirmation was received."),
        Field(
            "state",
            Kind.TEXT,
            "State",
            "holds (in a delivery that counts, the finding's outcome is 'confirmed'), lapsed (a value has changed, and "
            "the warning is back) or not needed (no delivery that counts has the warning any more).",
        ),
        Field(
            "delivery_id", Kind.TEXT, "Delivery", "The delivery with the row, where it holds or lapsed.", required=False
        ),
        Field(
            "source_row",
            Kind.INTEGER,
            "Row",
            "Physical line or sheet row of the finding, first = 1, where it holds or lapsed.",
            required=False,
        ),
    ),
)
