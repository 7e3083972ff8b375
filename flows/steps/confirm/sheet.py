"""Check the lines of the sheet on which a site confirms warnings, and say which were not taken and why.

Only codes of our lists and our own hashes are kept: what else was typed, such as a name in place of a role, is neither
stored nor shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flows.deliveries.extract import ConfirmLine
from flows.deliveries.findings import Finding
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import code_list
from schemas._contract.model import Severity
from schemas._rules.agreements import NOT_TAKEN
from schemas.audit.confirmations import HASH_PATTERN, REASONS, ROLES, ConfirmedWarning
from schemas.audit.deliveries import Delivery

MAX_NOT_TAKEN = 100  # findings about lines of one sheet
_CODE = re.compile(
    rf"(?P<site>[\w-]+)/(?P<dataset>\w+)/(?P<rule>\w+)/(?P<field>\w+)/(?P<key>{HASH_PATTERN})/(?P<value>{HASH_PATTERN})"
)


class LineCode(NamedTuple):
    """What a line is about. It is written into the line, so that rows may move and be sorted before it comes back."""

    site_code: str
    dataset: str
    rule_id: str
    field: str
    key: str
    value_hash: str

    def __str__(self) -> str:
        """The code as it is written into the sheet."""
        return "/".join(self)


def confirmed_in(
    lines: Sequence[ConfirmLine], delivery: Delivery
) -> tuple[tuple[ConfirmedWarning, ...], list[Finding]]:
    """The warnings of a delivery that the lines confirm, and a finding for each line that was not taken (X03)."""
    confirmed: set[ConfirmedWarning] = set()
    not_taken: list[Finding] = []
    for line in lines:
        parsed = _CODE.fullmatch(line.code)
        code = LineCode(*parsed.groups()) if parsed else None
        if code and delivery.sheet and code.dataset != delivery.dataset and code.site_code == delivery.site_code:
            continue  # about another dataset of the same workbook
        wrong = list(_faults(line, code, delivery))
        if code and not wrong:
            reason, role = code_list(REASONS).code_for(line.reason), code_list(ROLES).code_for(line.role)
            confirmed.add(ConfirmedWarning(code.key, code.field, code.rule_id, code.value_hash, reason, role))
        else:
            found = f"line {line.row}: {'; '.join(wrong)}"
            not_taken.append(Finding(NOT_TAKEN, Severity.WARNING, found=found))
    return tuple(sorted(confirmed)), not_taken[:MAX_NOT_TAKEN]


def _faults(line: ConfirmLine, code: LineCode | None, delivery: Delivery) -> Iterable[str]:
    """What is wrong with a line, in words that repeat nothing of it."""
    if code is None:
        yield "its code in the last column is not ours"
    elif (code.site_code, code.dataset) != (delivery.site_code, delivery.dataset):
        yield "it is about another file"
    elif datasets()[code.dataset].confirmable_rule(code.rule_id, code.field) is None:
        yield "this check cannot be confirmed"
    for name, text, codes in (("reason", line.reason, REASONS), ("role", line.role, ROLES)):
        if not text:
            yield f"no {name} was chosen"
        elif not code_list(codes).code_for(text):
            yield f"the {name} is not one of the list"
