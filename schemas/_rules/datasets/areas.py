"""Rule P09: a participant lives, or is registered with a GP, where the site works. Source: docs/domain.md 0.11, 2.5."""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Rule, Severity
from schemas._contract.registry import area_types, areas_of, sites

LOCAL_AUTHORITIES = ("county_district", "unitary", "metropolitan_district", "london_borough")


def _with_site(area: str, basis: str) -> pl.Expr:
    """Whether the area in a column is one of the site's, by a basis ('' for any)."""
    served = [f"{site} {code}" for site in sites() for code in areas_of(site, basis)]
    return pl.concat_str("site_code", area, separator=" ").is_in(served)


def _is_served() -> pl.Expr:
    """Whether a person lives or is registered in the site's area; unknown where the two cannot be compared with it.

    Either is enough: the trials took people by their GP (docs/domain.md 0.11). The small area says no more than the
    local authority, because the registry does not have it.
    """
    types = area_types()
    authorities = [code for code, kind in types.items() if kind in LOCAL_AUTHORITIES]
    groups = [code for code, kind in types.items() if kind == "ccg"]
    with_areas = [site for site in sites() if areas_of(site, "residence")]
    with_groups = [site for site in sites() if set(areas_of(site, "gp_registration")).intersection(groups)]
    gp = pl.col("gp_area_code")
    gp_is_comparable = (
        gp.is_null() | gp.is_in(authorities) | (gp.is_in(groups) & pl.col("site_code").is_in(with_groups))
    )
    is_comparable = pl.col("site_code").is_in(with_areas) & pl.col("la_code").is_in(authorities) & gp_is_comparable
    lives, is_registered = _with_site("la_code", "residence"), _with_site("gp_area_code", "").fill_null(value=False)
    return ~is_comparable | lives | is_registered


def served_by_site() -> Rule:
    """P09: the local authority or the area of the GP practice is one that the site works in."""
    return Rule(
        "P09",
        Severity.WARNING,
        "The person neither lives nor is registered with a GP where the site works",
        expected="a local authority of the site, or a GP practice in one of its areas",
        fix="Check both areas. If the GP practice is in the site's area, enter the area of GP registration. If the"
        " person was taken on all the same, nothing needs doing.",
        field="la_code",
        confirmable=True,
        check=_is_served,
    )
