"""Rules about what was agreed with a site, in any dataset: corrections, confirmations and sign-offs (X01-X04).

All are data: `data/corrections.csv` is read by `flows/deliveries/corrections.py`, the lines by which a site confirms a
warning by `flows/steps/confirm/sheet.py`, a sign-off by `flows/steps/validate/sign_off.py`. What can be confirmed is
stated in each rule (`Rule.confirmable`).
"""

from __future__ import annotations

from schemas._contract.model import Contract, Rule, Severity
from schemas._contract.workbook_names import CONFIRM, CONFIRM_REASON, CONFIRM_ROLE, SIGN_OFF


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
CONFIRMATION_RULES: tuple[Rule, ...] = (
    Rule(
        "X03",
        Severity.WARNING,
        f"A line of the sheet '{CONFIRM}' was not taken",
        f"in each line that you fill in, a choice from both lists, '{CONFIRM_REASON}' and '{CONFIRM_ROLE}'",
        "Choose both from the lists in the cells, in the marked workbook that comes with this report, and send it as"
        " the next version. A role is enough: nobody's name is needed. The rest of the file was read as usual.",
    ),
    Rule(
        "X04",
        Severity.WARNING,
        "The sign-off is not complete, or a part of it cannot be read",
        f"on the sheet '{SIGN_OFF}', a role of the list in its cell and a date such as 2016-12-01; in a manifest,"
        " signed_off_by_role and signed_off_on. The date is in the month of the file or later, up to the day it came",
        "Choose the role from the list in the cell, type the date as 2016-12-01 and the total as a plain number, and"
        " send the file as the next version. A role is enough: nobody's name is needed. The rows were read as usual.",
    ),
)
NOT_TAKEN, SIGN_OFF_RULE = (rule.rule_id for rule in CONFIRMATION_RULES)
