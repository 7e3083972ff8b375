"""Two programmes that may be one in part are named beside each other, and no mart adds them together."""

from __future__ import annotations

from schemas._contract import catalogue

# The first pilot of PWW and IPS in IAPT: docs/domain.md 1.2.
PAIR = ("IPSIAPT", "PWW")
NOT_BY_PROGRAMME = {"funding.award_match", "outcomes.kpi_definitions"}  # by award; definitions, without a figure


def test_the_registry_names_each_beside_the_other(warehouse):
    found = warehouse.rows(
        "SELECT programme_code, may_overlap_with FROM core.programmes WHERE may_overlap_with IS NOT NULL ORDER BY 1"
    )
    assert found == [PAIR, PAIR[::-1]]


def test_the_position_of_each_names_the_other(office_files):
    office_files.build_funding()
    rows = "SELECT programme_code, announced_gbp, may_overlap_with FROM funding.programme_position"
    assert office_files.rows(f"{rows} WHERE may_overlap_with IS NOT NULL ORDER BY 1") == [
        ("IPSIAPT", None, "Psychological Wellbeing and Work feasibility pilots"),
        ("PWW", 3_000_000, "IPS in IAPT pilot"),
    ]


def test_no_figure_is_of_several_programmes(warehouse):
    """Each row of a mart is about one programme, and no programme is called 'all'."""
    marts = [m for m in catalogue.marts() if m.schema in ("funding", "outcomes", "published")]
    assert {m.address for m in marts if "programme_code" not in {c.name for c in m.columns}} == NOT_BY_PROGRAMME
    for site in ("PWW-IAPT", "IPSIAPT-SSX"):
        warehouse.deliver(site, "2016-11-30", "participants", "referrals", "contacts", "employment_outcomes")
        warehouse.episode(site, site, "2015-01-05", "2015-01-12")
    warehouse.build()
    started = warehouse.rows(
        "SELECT DISTINCT programme_code, value FROM outcomes.kpi"
        " WHERE kpi_code = 'kpi_03_starts' AND cohort = 'all' AND value > 0 ORDER BY 1"
    )
    assert started == [(programme, 1) for programme in PAIR]
    for mart in marts:
        if mart.address not in NOT_BY_PROGRAMME:
            assert (
                warehouse.rows(
                    f"SELECT DISTINCT programme_code FROM {mart.address}"
                    " WHERE programme_code NOT IN (SELECT programme_code FROM core.programmes)"
                )
                == []
            ), mart.address
