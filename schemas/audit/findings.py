"""audit.findings: every fault found and every repair made, one row per delivery, row, rule and field.

A finding has the address of its cell and, where that is safe, the value found. What was expected and how to fix it are
texts of the rule: see `audit.rules`.
"""

from __future__ import annotations

from enum import StrEnum

from schemas._contract.model import Contract, Field, Kind

MAX_FOUND_LENGTH = 80  # characters of the cell that a finding keeps


class Outcome(StrEnum):
    """Whether a rule was broken, was broken by a value that the site has confirmed, or could not be checked."""

    BROKEN = "broken"
    CONFIRMED = "confirmed"  # see schemas/audit/confirmations.py
    NOT_CHECKED = "not judged"  # the value of a public column, so it keeps its old name (docs/decisions.md)


CONTRACT = Contract(
    dataset="findings",
    title="Findings",
    description="Every fault and every repair, with the address of its cell in the sender's own file.",
    grain="one row per delivery, row, rule and field",
    key=("delivery_id", "rule_id", "field", "source_row"),
    fields=(
        Field("delivery_id", Kind.TEXT, "Delivery", "The delivery it was found in."),
        Field("rule_id", Kind.TEXT, "Rule", "The rule: see audit.rules and docs/domain.md 6."),
        Field("severity", Kind.TEXT, "Severity", "file (refused), row (held back) or warning (accepted)."),
        Field(
            "outcome",
            Kind.TEXT,
            "Outcome",
            "broken, confirmed (a warning that the site has confirmed to be right: see audit.confirmations), or 'not "
            "judged' where the rule could not be checked.",
        ),
        Field("sheet", Kind.TEXT, "Sheet", "The sheet ('' for CSV)."),
        Field(
            "source_row",
            Kind.INTEGER,
            "Row",
            "Physical line or sheet row, first = 1; empty for the file.",
            required=False,
        ),
        Field("column_letter", Kind.TEXT, "Column letter", "The column's letter, as in a spreadsheet.", required=False),
        Field("column_name", Kind.TEXT, "Column", "The heading as the sender wrote it.", required=False),
        Field("field", Kind.TEXT, "Field", "The field of the contract; '' for a finding about the file or row."),
        Field("found", Kind.TEXT, "Found", "The value in the cell, where that may be shown.", required=False),
        Field("hidden", Kind.YES_NO, "Hidden", "Whether what was found is hidden because it may be personal."),
        Field("suggestion", Kind.TEXT, "Suggestion", "The value that was used or is suggested.", required=False),
    ),
)
