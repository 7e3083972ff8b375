"""The records of awards in the warehouse, and for each why it is no grant to publish.

Without a sender, the record that the figures count stands for an award; of one sender, its own latest version does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

AWARDED = "awarded"
# Why a record of another stage is no grant. The standard has a field for the amount of an agreement alone.
OTHER_STAGES: Mapping[str, str] = {
    "applied_for": "a bid, to which nobody has agreed",
    "prospective": "depends on an approval still to come",
    "indicative_cap": "a limit ('up to'), not an award",
    "announced": "an announcement, not an award",
    "varied": "a change of an award: only the amount first agreed is published",
    "closed": "a final value: only the amount first agreed is published",
}
_SELECT = """
    with records as (
        select r.*, f.currency, f.start_date, f.end_date, f.planned_months, f.la_codes, f.recipient_org_id,
            f.grant_programme, p.programme_name, s.site_name,
            r.award_version = max(r.award_version) over (partition by r.sender_code, r.award_id, r.award_stage)
                as is_latest_of_sender
        from funding.award_records r
        join core.funding_awards f using (delivery_id, source_row)
        left join core.programmes p on p.programme_code = r.programme_code
        left join core.sites s on s.site_code = r.area_site_code
    ), replaced as (
        select supersedes_award_id as award_id, min(award_id) as by_award_id
        from funding.award_records where supersedes_award_id is not null and award_stage = 'awarded' group by all
    )
    select award_key, records.award_id, sender_code, award_stage, award_version,
        coalesce(programme_code, '') as programme_code, coalesce(programme_name, '') as programme_name,
        coalesce(area_name, site_name, '') as area_name, coalesce(la_codes, '') as la_codes,
        amount_gbp, amount_status, currency, coalesce(financial_year, '') as financial_year,
        award_date, start_date, end_date, planned_months,
        coalesce(funding_org_id, '') as funding_org_id, funding_org_name,
        coalesce(recipient_org_id, '') as recipient_org_id, coalesce(recipient_org_name, '') as recipient_org_name,
        coalesce(grant_programme, '') as grant_programme, source_document,
        standing_sender_code, is_counted, is_latest_of_sender, coalesce(by_award_id, '') as replaced_by
    from records left join replaced using (award_id)
    where ($sender is null and programme_code is not null or sender_code = $sender)
        and ($programme is null or programme_code = $programme)
    order by programme_code, records.award_id, sender_code, award_stage, award_version"""


@dataclass(frozen=True)
class AwardRecord:
    """One record of an award, from `funding.award_records` and `core.funding_awards`; '' where a text is unknown."""

    award_key: str
    award_id: str
    sender_code: str
    award_stage: str
    award_version: int
    programme_code: str
    programme_name: str
    area_name: str
    la_codes: str
    amount_gbp: Decimal | None
    amount_status: str
    currency: str
    financial_year: str
    award_date: date | None
    start_date: date | None
    end_date: date | None
    planned_months: Decimal | None
    funding_org_id: str
    funding_org_name: str
    recipient_org_id: str
    recipient_org_name: str
    grant_programme: str
    source_document: str
    standing_sender_code: str
    is_counted: bool
    is_latest_of_sender: bool
    replaced_by: str


def award_records(db: duckdb.DuckDBPyConnection, sender: str = "", programme: str = "") -> list[AwardRecord]:
    """The records of awards: of one sender, or of all senders for the programmes; of one programme, or of any."""
    rows = db.execute(_SELECT, {"sender": sender or None, "programme": programme or None}).fetchall()
    return [AwardRecord(*row) for row in rows]


def why_not_a_grant(record: AwardRecord, *, of_one_sender: bool) -> str:
    """Why a record cannot be published as a grant; '' if it can. The standard requires what is asked for here."""
    if record.award_stage != AWARDED:
        return OTHER_STAGES[record.award_stage]
    if not (record.is_latest_of_sender if of_one_sender else record.is_counted):
        is_other = record.standing_sender_code != record.sender_code and not of_one_sender
        return f"the record of {record.standing_sender_code} counts" if is_other else "a later version replaces it"
    if record.replaced_by:
        return f"the award {record.replaced_by} replaces it"
    if record.amount_gbp is None:
        return f"its amount is {record.amount_status.replace('_', ' ')}"
    missing = {"award date": record.award_date, "recipient": record.recipient_org_name}
    absent = [name for name, value in missing.items() if not value]
    return f"no {' and no '.join(absent)} is on record" if absent else ""


def several(names: str) -> Sequence[str]:
    """The parts of a text that holds several, with semicolons between them."""
    return [part for name in names.split(";") if (part := name.strip())]
