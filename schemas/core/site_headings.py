"""core.site_headings: column headings that only one site uses, mapped to fields. Source: docs/domain.md 7.0."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="site_headings",
    title="Headings of single sites",
    description="The headings that a site uses in its own files, beside those that every contract knows. A heading "
    "that several sites use belongs in the contract, as an alias of its field.",
    grain="one row per site, dataset and heading",
    key=("site_code", "dataset", "heading"),
    reference=True,
    fields=(
        Field("site_code", Kind.CODE, "Site code", "The site.", codes="sites", example="MHT-WLA"),
        Field("dataset", Kind.REFERENCE, "Dataset", "The dataset in whose files it stands.", example="contacts"),
        Field("heading", Kind.TEXT, "Heading", "The heading, in any spelling of case, spaces and punctuation."),
        Field("field", Kind.REFERENCE, "Field", "The field of the contract that it means.", example="contact_date"),
        SOURCE,
    ),
)
