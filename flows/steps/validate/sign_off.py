"""What a sign-off says, in the manifest or on our own sheet in the workbook, and what of it cannot be used (rule X04).

A text that is no role of the list may be a name: a finding gives the address of its cell, and never the text.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flows.cells.column_letters import column_letter
from flows.cells.parse import read_cell
from flows.deliveries.extract import SignOffLine
from flows.deliveries.findings import Finding
from flows.deliveries.months import cannot_be_signed_on, day_received
from schemas._contract.code_lists import code_list
from schemas._contract.model import Severity
from schemas._contract.workbook_names import SIGN_OFF, SIGN_OFF_DATE, SIGN_OFF_ROLE, SIGN_OFF_TOTAL
from schemas._rules.agreements import SIGN_OFF_RULE
from schemas.audit.deliveries import (
    APPROVING_ROLES,
    GBP_DECLARED,
    MAX_POUNDS,
    NOT_SIGNED_OFF,
    SIGNED_OFF_ON,
    Delivery,
    SignOff,
)

NO_ROLE, NO_DATE = "no role", "no date"


def declared_sign_off(delivery: Delivery) -> SignOff:
    """What the manifest states; its form was checked when it was read."""
    return SignOff(delivery.signed_off_by_role, delivery.signed_off_on, delivery.gbp_declared or "")


def about_declared_sign_off(delivery: Delivery) -> list[Finding]:
    """A finding where the manifest states a role without a date, or a date without a role."""
    stated = declared_sign_off(delivery)
    if not stated.is_given or (stated.role and stated.on):
        return []
    lacks = NO_DATE if stated.role else NO_ROLE
    return [Finding(SIGN_OFF_RULE, Severity.WARNING, found=f"in the manifest: {lacks}")]


def sign_off_on_sheet(line: SignOffLine | None, delivery: Delivery) -> tuple[SignOff, list[Finding]]:
    """What the line on our sheet states, and a finding with each of its cells that is empty or cannot be read."""
    if line is None:
        return NOT_SIGNED_OFF, []
    total, role, day = _amount(line.total), code_list(APPROVING_ROLES).code_for(line.role), _day(line.day)
    month_of_file, received_on = delivery.data_cut_date.replace(day=1), day_received(delivery.received_at)
    fault = cannot_be_signed_on(day, month_of_file, received_on) if day else ""
    faults = {
        SIGN_OFF_TOTAL: "not an amount in pounds" if line.total and total is None else "",
        SIGN_OFF_ROLE: "" if role else "not a role of the list" if line.role else NO_ROLE,
        SIGN_OFF_DATE: fault if day else "not a date that can be read" if line.day else NO_DATE,
    }
    found = [f"cell {column_letter(column)}{line.row}: {text}" for column, text in faults.items() if text]
    about = [Finding(SIGN_OFF_RULE, Severity.WARNING, found=f"sheet '{SIGN_OFF}', {'; '.join(found)}")] if found else []
    return SignOff(role, None if fault else day, "" if total is None else f"{total:f}"), about


def combined_sign_off(manifest: SignOff, sheet: SignOff) -> SignOff:
    """The sign-off of a delivery: the manifest's where it has one, else the sheet's.

    A role of one is never put beside the date of the other.
    """
    by = manifest if manifest.is_given else sheet
    return SignOff(by.role, by.on, manifest.gbp_total or sheet.gbp_total)


def _amount(text: str) -> Decimal | None:
    value = read_cell(text, GBP_DECLARED).value
    return value if isinstance(value, Decimal) and abs(value) <= MAX_POUNDS else None


def _day(text: str) -> date | None:
    value = read_cell(text, SIGNED_OFF_ON).value
    return value if isinstance(value, date) else None
