"""core.fidelity_items: the 25 items of each fidelity review. Source: docs/domain.md 2.7, 7.9, rule W10.

W15 is our own.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._rules.datasets.fidelity import HIGHEST, ITEMS, LOWEST

CONTRACT = Contract(
    dataset="fidelity_items",
    title="Fidelity items",
    description="The scores of the items of each fidelity review.",
    grain="one row per item of a review",
    key=("review_id", "item_no"),
    fields=(
        Field(
            "review_id",
            Kind.REFERENCE,
            "Review reference",
            "The review that the item belongs to.",
            aliases=("Review ID", "Review number", "Review ref", "Review"),
            example="WLA-FR-01",
        ),
        Field(
            "item_no",
            Kind.INTEGER,
            "Item",
            "The number of the item in the scale of 2008, from 1 (caseload size) to 25 (outreach).",
            low=1,
            high=ITEMS,
            range_rule="W10",
            aliases=("Item number", "Item no", "No"),
            example="1",
        ),
        Field(
            "score",
            Kind.INTEGER,
            "Score",
            "The score of the item, 5 being closest to the model. Every item has one: there is no half, and no N/A.",
            low=LOWEST,
            high=HIGHEST,
            range_rule="W10",
            aliases=("Item score", "Rating"),
            example="4",
        ),
    ),
    rules=(
        Rule(
            "W15",
            Severity.ROW,
            "There is no review for this item",
            expected="the reference of a review in fidelity_reviews",
            fix="Send the review, or correct the reference.",
            field="review_id",
            found_column="found",
            # `history`, because reviews depend on their items (W10): a review held for these is on record all the same.
            violations_sql="""
                select delivery_id, source_row, review_id as found from core.fidelity_items
                anti join (from history.fidelity_reviews where counts) using (site_code, review_id)""",
        ),
    ),
)
