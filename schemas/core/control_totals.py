"""core.control_totals: published totals that the funding records must add up to. Source: docs/domain.md 3.2."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="control_totals",
    title="Control totals",
    description="Published sums that the programme office's records must add up to (rule M03, funding.reconciliation).",
    grain="one row per programme and kind of total",
    key=("programme_code", "total"),
    reference=True,
    fields=(
        Field("programme_code", Kind.CODE, "Programme", "The programme.", codes="programmes", example="MHT"),
        Field("total", Kind.TEXT, "Total", "caps, announced, match_pledged or headline.", example="announced"),
        Field("expected_gbp", Kind.MONEY, "Expected total", "The sum that was published.", unit="pounds"),
        Field("title", Kind.TEXT, "Title", "The total in words."),
        Field("note", Kind.TEXT, "Note", "How the total is to be read."),
        SOURCE,
    ),
)
