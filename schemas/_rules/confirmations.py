"""The rule about confirmations that a site sends: a line that was not taken (X03), in any dataset.

What can be confirmed is stated in each rule (`Rule.confirmable`); the lines are read by `flows/steps/confirm/sheet.py`.
"""

from __future__ import annotations

from schemas._contract.model import Rule, Severity
from schemas._contract.workbook_names import CONFIRM, CONFIRM_REASON, CONFIRM_ROLE

CONFIRMATION_RULES: tuple[Rule, ...] = (
    Rule(
        "X03",
        Severity.WARNING,
        f"A line of the sheet '{CONFIRM}' was not taken",
        f"in each line that you fill in, a choice from both lists, '{CONFIRM_REASON}' and '{CONFIRM_ROLE}'",
        "Choose both from the lists in the cells, in the marked workbook that comes with this report, and send it as"
        " the next version. A role is enough: nobody's name is needed. The rest of the file was read as usual.",
    ),
)
NOT_TAKEN = CONFIRMATION_RULES[0].rule_id
