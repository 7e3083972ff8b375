"""The pilot sites that send participant-level extracts, read from the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flows.simulator.programmes import PROGRAMMES, SimulatedSite
from schemas._contract import registry

OF_PEOPLE = (
    "participants",
    "referrals",
    "randomisation",
    "contacts",
    "employment_outcomes",
    "action_plans",
    "employment_status_history",
    "wellbeing_measures",
    "employer_support",
)
OF_SERVICES = ("training_events", "staff_posts", "fidelity_items", "fidelity_reviews")
DATASETS = (*OF_PEOPLE, *OF_SERVICES)
OF_GRANTS = (
    "match_funding",
    "funding_profile",
    "claims",
    "claim_lines",
    "expenditure",
    "virements_carry_forward",
)
OF_RESULTS = ("payment_schedule", "outcome_payments")
MONEY = ("funding_awards", *OF_GRANTS, *OF_RESULTS)
# Sites that are paid by results have no grants, except one, so that a site may have both.
BOTH_GRANTS_AND_RESULTS = "WC-CPA01"
_LOCAL_AUTHORITIES = ("unitary", "metropolitan_district", "london_borough", "county_district")


def pilot_sites(chosen: Sequence[str] | None = None) -> list[SimulatedSite]:
    """Sites that send participants, in the registry's order. Raises ValueError for a chosen site that does not."""
    authorities = [
        r["area_code"]
        for r in registry.rows("areas")
        if r["area_type"] in _LOCAL_AUTHORITIES and r["area_code"].startswith("E") and not r["active_code"]
    ]
    found = []
    for site in registry.sites().values():
        returns = registry.returns_for(site.code)
        datasets = tuple(d for d in DATASETS if returns.get(d, registry.NONE) != registry.NONE)
        if not site.is_pilot or "participants" not in datasets:
            continue
        if site.programme_code == "MHT":  # whether the Trailblazers randomised is not confirmed: docs/domain.md 7.22
            datasets = tuple(d for d in datasets if d != "randomisation")
        lives = tuple(a for a in registry.areas_of(site.code, "residence") if a in authorities) or tuple(authorities)
        practices = registry.areas_of(site.code, "gp_registration") or lives
        course = PROGRAMMES.get(site.code) or PROGRAMMES[site.programme_code]
        money = _money_of(site.code, returns)
        found.append(SimulatedSite(site.code, site.programme_code, lives, practices, datasets, course, money=money))
    if unknown := set(chosen or ()) - {s.code for s in found}:
        raise ValueError(f"not a pilot site that sends participants: {', '.join(sorted(unknown))}")
    return [s for s in found if chosen is None or s.code in chosen]


def _money_of(site_code: str, returns: Mapping[str, str]) -> tuple[str, ...]:
    """Datasets of money that a site sends."""
    sent = tuple(d for d in MONEY if returns.get(d, registry.NONE) != registry.NONE)
    if "outcome_payments" in sent and site_code != BOTH_GRANTS_AND_RESULTS:
        return tuple(d for d in sent if d not in OF_GRANTS)
    return sent


def retired_areas() -> dict[str, str]:
    """Map each current area code that replaced another to the retired one (rule P10)."""
    return {r["active_code"]: r["area_code"] for r in registry.rows("areas") if r["active_code"]}
