"""Rules about corrections that were agreed with a site: applied (X01) or not applied (X02), in any dataset.

The corrections themselves are data (`data/corrections.csv`), read by `flows/deliveries/corrections.py`.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Rule, Severity


def _any_column(contract: Contract) -> tuple[str, ...]:
    return tuple(contract.by_name)


def _any_column_or_none(contract: Contract) -> tuple[str, ...]:
    return ("", *contract.by_name)


CORRECTION_RULES: tuple[Rule, ...] = (
    Rule(
        "X01",
        Severity.WARNING,
        "{title} was corrected, as agreed with you",
        "the value that was agreed",
        "Correct it in your own system too, so that your next file is right.",
        found_on=_any_column,
    ),
    Rule(
        "X02",
        Severity.WARNING,
        "An agreed correction no longer fits, and was not made",
        "the value that was there when the correction was agreed",
        "Nothing needs doing if you fixed it yourself. If not, tell the data team.",
        found_on=_any_column_or_none,
    ),
)
APPLIED, NOT_APPLIED = (rule.rule_id for rule in CORRECTION_RULES)
