"""core.site_areas: areas that each site serves, and on what basis. Source: docs/domain.md 2.5, 7.0 and 0.11."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind
from schemas._contract.shared_fields import AREA_CODE, SOURCE

CONTRACT = Contract(
    dataset="site_areas",
    title="Areas of each site",
    description="The areas that a site serves, and how someone belongs to one: by where they live, where their GP "
    "practice lies, or where the service is run. A site without rows has no areas named in the sources.",
    grain="one row per site, area and basis",
    key=("site_code", "area_code", "basis"),
    reference=True,
    fields=(
        Field("site_code", Kind.CODE, "Site code", "The site.", codes="sites", example="HLT-WMCA"),
        AREA_CODE.replace(kind=Kind.CODE, codes="areas"),
        Field(
            "basis",
            Kind.CODE,
            "Basis",
            "How someone belongs to the area.",
            codes="area_basis",
        ),
        SOURCE,
    ),
)
