"""core.funding_readings: the ways in which a programme's printed sums can be read. Source: docs/domain.md 1.1.

A reading says which recorded sums make up the government's money and the match. The sums themselves are computed from
the records, in `funding.readings`, beside what was printed later.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE, SOURCE_DATE, SOURCE_DOCUMENT, SOURCE_WORDING

CONTRACT = Contract(
    dataset="funding_readings",
    title="Funding readings",
    description="Readings of printed sums that exclude each other: funding.readings computes what each comes to.",
    grain="one row per programme and reading",
    key=("programme_code", "reading_code"),
    reference=True,
    fields=(
        Field("programme_code", Kind.CODE, "Programme", "The programme.", codes="programmes", example="MHT"),
        Field("reading_code", Kind.TEXT, "Reading", "Its short name.", example="replaces"),
        Field("title", Kind.TEXT, "Title", "What the reading says."),
        Field(
            "government_money",
            Kind.TEXT,
            "Government money",
            "Which recorded sums are the government's by this reading: announced, caps_and_announced, or headline.",
            example="announced",
        ),
        Field(
            "government_qualifier",
            Kind.TEXT,
            "Bound of government money",
            "'up to' where the sum is the most that it can be.",
            required=False,
        ),
        Field(
            "match_money",
            Kind.TEXT,
            "Match",
            "Which recorded sum is match: pledged; empty where the reading has none.",
            required=False,
            example="pledged",
        ),
        Field(
            "match_qualifier",
            Kind.TEXT,
            "Bound of match",
            "'at least' where the sum is the least that it can be.",
            required=False,
        ),
        SOURCE_DOCUMENT.replace(description="Where the words are printed on which the reading rests."),
        SOURCE_DATE,
        SOURCE_WORDING.replace(description="Those words.", required=True),
        Field("against", Kind.TEXT, "Against", "What speaks against the reading."),
        SOURCE,
    ),
)
