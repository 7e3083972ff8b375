"""audit.runs: every run that the store's ledger knows up to the one that built this file."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind

CONTRACT = Contract(
    dataset="runs",
    title="Runs",
    description="Every run of the night. A quiet night writes no build, so it appears at the next one.",
    grain="one row per run",
    key=("run_id",),
    fields=(
        Field("run_id", Kind.TEXT, "Run", "Key of the run."),
        Field("started_at", Kind.MOMENT, "Started at", "When the run began (UTC)."),
        Field(
            "ended_at", Kind.MOMENT, "Ended at", "When the run ended (UTC); empty if it was cut off.", required=False
        ),
        Field("as_of", Kind.MOMENT, "As of", "The moment whose deliveries were known to the run (UTC)."),
        Field(
            "result",
            Kind.TEXT,
            "Result",
            "published, quiet or failed; empty for the run that built this file.",
            required=False,
        ),
        Field("files_received", Kind.WHOLE, "Files received", "Files first seen by the run.", required=False),
        Field(
            "deliveries_judged", Kind.WHOLE, "Deliveries validated", "Deliveries validated by the run.", required=False
        ),
        Field("code_version", Kind.TEXT, "Code version", "The version of this software.", required=False),
    ),
)
