"""core.returns: which sender owes, may send or must not send which dataset. Source: docs/domain.md 7.22."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import SOURCE

CONTRACT = Contract(
    dataset="returns",
    title="Returns",
    description="Which datasets a sender owes, may send or must not send. A programme's row is for all its sites, but "
    "for a site with a row of its own; so have the three offices that send published figures.",
    grain="one row per sender and dataset",
    key=("sender", "dataset"),
    reference=True,
    fields=(
        Field(
            "sender",
            Kind.REFERENCE,
            "Sender",
            "A programme code, which stands for all its sites, or the site code of a site that differs from the others"
            " or of an office (PMO, NHSE, GRANTNAV).",
            example="MHT",
        ),
        Field("dataset", Kind.REFERENCE, "Dataset", "The name of the dataset.", example="participants"),
        Field("need", Kind.CODE, "Need", "Whether it is owed, may be sent, or must not be sent.", codes="return_need"),
        Field(
            "frequency",
            Kind.CODE,
            "Frequency",
            "For which months of the return calendar it is owed.",
            codes="return_frequency",
            example="monthly",
        ),
        SOURCE,
    ),
)
