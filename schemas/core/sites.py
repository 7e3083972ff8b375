"""core.sites: senders of deliveries: pilot sites and offices. Source: docs/domain.md 7.0."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="sites",
    title="Sites",
    description="The pilot sites of every programme, and the three offices that send published figures; and how each "
    "writes its files, where that is peculiar to it.",
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
        Field(
            "date_order",
            Kind.TEXT,
            "Order of dates",
            "`dmy` where the site writes 3 April 2016 as 03/04/2016; empty where nothing is known: then such a date is "
            "held (C02).",
            required=False,
        ),
        Field(
            "delimiter",
            Kind.TEXT,
            "Delimiter",
            "What stands between the columns of its text files; empty where that is detected (F13).",
            required=False,
        ),
        Field(
            "quote",
            Kind.TEXT,
            "Quotation mark",
            "What stands around a text that holds the delimiter; empty for the double quotation mark.",
            required=False,
        ),
        Field(
            "key_controller",
            Kind.TEXT,
            "Controller of the references",
            "The data controller that makes the participants' references with a key of its own: sites with the same "
            "one give a person the same reference, and only their outcomes are compared between programmes (rule E14). "
            "Empty where no source says so.",
            required=False,
        ),
        SOURCE,
    ),
)
