"""core.sites: everyone who sends deliveries. Source: docs/domain.md 7.0."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.registry_fields import SOURCE

CONTRACT = Contract(
    dataset="sites",
    title="Sites",
    description="The pilot sites of every programme, and the three offices that send published figures.",
    grain="one row per sender",
    key=("site_code",),
    reference=True,
    fields=(
        Field(
            "site_code",
            Kind.REFERENCE,
            "Site code",
            "The short code of the sender: for a pilot site, its programme's code and its own.",
            example="MHT-BPL",
        ),
        Field("site_name", Kind.TEXT, "Site", "The sender's name."),
        Field(
            "programme_code",
            Kind.CODE,
            "Programme",
            "The programme of the site; empty for a sender that serves no single programme.",
            codes="programmes",
            required=False,
        ),
        Field("sender_type", Kind.CODE, "Kind of sender", "What kind of sender it is.", codes="sender_type"),
        Field("description", Kind.TEXT, "Description", "What the site covers or sends."),
        SOURCE,
    ),
)
