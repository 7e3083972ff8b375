"""audit.runs: every run in the ledger, up to the one that built this warehouse."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind

CONTRACT = Contract(
    dataset="runs",
    title="Runs",
    description="Every run. A run without changes makes no build, so it appears in the next build.",
    grain="one row per run",
    key=("run_id",),
    fields=(
        Field("run_id", Kind.TEXT, "Run", "Key of the run."),
        Field("started_at", Kind.TIMESTAMP, "Started at", "When the run began (UTC)."),
        Field(
            "ended_at", Kind.TIMESTAMP, "Ended at", "When the run ended (UTC); empty if it was cut off.", required=False
        ),
        Field("as_of", Kind.TIMESTAMP, "As of", "The run took in what had been received by this time (UTC)."),
        Field(
            "result",
            Kind.TEXT,
            "Result",
            "published, quiet or failed; empty for the run that built this file.",
            required=False,
        ),
        Field("files_received", Kind.INTEGER, "Files received", "Files first seen by the run.", required=False),
        Field(
            "deliveries_judged",
            Kind.INTEGER,
            "Deliveries validated",
            "Deliveries validated by the run.",
            required=False,
        ),
        Field("code_version", Kind.TEXT, "Code version", "The version of this software.", required=False),
    ),
)
