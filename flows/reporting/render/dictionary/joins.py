"""How the tables of the warehouse are joined. A test runs every join and the example."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from schemas._contract.catalogue import datasets


@dataclass(frozen=True)
class Join:
    """A join that keeps the rows of `table`: each has at most one row in `other`."""

    table: str
    other: str
    using: tuple[str, ...]
    says: str

    @property
    def sql(self) -> str:
        """The join as SQL."""
        return f"from {self.table} join {self.other} using ({', '.join(self.using)})"


# Between the marts, and from them to the rows behind them.
_MARTS = (
    *(
        Join(f"core.{dataset}", "funding.award_references", ("site_code", "award_id"), "the award, whoever recorded it")
        for dataset in ("claims", "expenditure", "funding_profile", "virements_carry_forward", "outcome_payments")
    ),
    Join("outcomes.episodes", "core.referrals", ("site_code", "episode_id"), "the referral as it was sent"),
    Join("outcomes.episodes", "core.participants", ("site_code", "participant_ref"), "the person of the episode"),
    Join("outcomes.jobs", "outcomes.episodes", ("site_code", "episode_id"), "the episode of a job"),
    Join("outcomes.jobs", "core.employment_outcomes", ("site_code", "outcome_id"), "the job as it was sent"),
    Join("outcomes.kpi_cases", "core.referrals", ("site_code", "episode_id"), "the referral behind a counted case"),
    Join("outcomes.kpi_cases", "outcomes.episodes", ("site_code", "episode_id"), "the episode behind a counted case"),
    Join("outcomes.kpi_cases", "outcomes.kpi_definitions", ("kpi_code",), "what the figure means"),
    Join(
        "outcomes.kpi_cases",
        "outcomes.kpi",
        ("kpi_code", "programme_code", "site_code", "cohort"),
        "the rate that a case is counted in. For cohort 'all' or site_code 'all', leave that column out",
    ),
    Join("outcomes.kpi", "outcomes.kpi_definitions", ("kpi_code",), "what the figure means"),
    Join("published.kpi", "outcomes.kpi_definitions", ("kpi_code",), "what the figure means"),
    Join(
        "published.kpi",
        "outcomes.kpi",
        ("kpi_code", "programme_code", "site_code", "cohort", "unit"),
        "the exact figure behind the released one",
    ),
    Join("audit.findings", "audit.deliveries", ("delivery_id",), "the file that a finding is about"),
    Join("audit.withdrawals", "audit.deliveries", ("delivery_id",), "the file that was withdrawn"),
)
# From any table with the columns.
OF_ANY_TABLE = (
    ("delivery_id", "audit.deliveries", "the file that a row came in, and when"),
    ("site_code", "core.sites", "the site's name"),
    ("programme_code", "core.programmes", "the programme's name"),
)
# From a figure to the people behind it.
EXAMPLE = """\
select c.site_code, c.episode_id, r.referral_received_date, c.is_achieved
from outcomes.kpi_cases c
join core.referrals r using (site_code, episode_id)
where c.kpi_code = 'kpi_06_job_within_12_months' and c.programme_code = 'MHT'
    and c.is_mature and c.is_achieved is not null"""
# A label for a code.
LABELS = """\
select r.episode_id, r.exit_reason, c.label
from core.referrals r
left join core.codes c on c.list_name = 'exit_reason' and c.code = r.exit_reason"""


@lru_cache
def joins() -> tuple[Join, ...]:
    """Every join: to the row that a reference of a dataset must have, and those of the marts."""
    to_parents = (
        Join(f"core.{c.dataset}", f"core.{rule.parent}", ("site_code", rule.field), f"its row of {rule.parent}")
        for c in datasets().values()
        for rule in c.parent_rules
    )
    return tuple(dict.fromkeys((*to_parents, *_MARTS)))


def joins_of(table: str) -> tuple[Join, ...]:
    """The joins that a table is part of, its own first."""
    own = [j for j in joins() if j.table == table]
    return (*own, *(j for j in joins() if j.other == table))
