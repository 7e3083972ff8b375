"""Made-up participants, referrals, allocations, jobs and contacts for tests of contracts; no row is about anyone.

One valid row of each dataset, warehouse tables to hold rows, and a lookup of rules. A test states only how its rows
differ from the valid one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl

from schemas._contract.derive import create_table
from schemas._contract.model import Contract, Rule, Severity
from schemas._contract.polars_types import polars_type
from schemas.core.contacts import CONTRACT as CONTACTS
from schemas.core.employment_outcomes import CONTRACT as OUTCOMES
from schemas.core.participants import CONTRACT as PARTICIPANTS
from schemas.core.randomisation import CONTRACT as RANDOMISATION
from schemas.core.referrals import CONTRACT as REFERRALS
from schemas.core.staff_posts import CONTRACT as STAFF_POSTS

Row = dict[str, Any]
Address = tuple[str, str, Severity, str]  # dataset, rule, severity, field
ROW, WARNING = Severity.ROW, Severity.WARNING
CONTRACTS = {c.dataset: c for c in (PARTICIPANTS, REFERRALS, RANDOMISATION, OUTCOMES, CONTACTS)}
ALSO_READ = {STAFF_POSTS.dataset: STAFF_POSTS}
CUT_OFF = date(2020, 3, 31)


def d(text: str) -> date:
    return date.fromisoformat(text)


def days(start: str, after: int) -> date:
    return d(start) + timedelta(days=after)


# One valid row of each dataset, all of one person in a trial. Other rows are given as differences from it.
VALID_ROWS: dict[str, Row] = {
    "participants": {
        "participant_ref": "SCR-000001",
        "year_of_birth": 1980,
        "age_at_referral": 38,
        "gender": "2",
        "ethnic_category": "A",
        "disability_ea2010": "Y",
        "primary_condition": "common_mental_disorder",
        "lsoa": "E01012345",
        "la_code": "E08000039",
        "gp_area_code": "E08000039",
        "benefit_at_start": "jsa",
        "consent_participation": True,
        "consent_data_sharing": True,
        "consent_date": d("2018-06-01"),
    },
    "referrals": {
        "episode_id": "SCR-E000001",
        "participant_ref": "SCR-000001",
        "referral_received_date": d("2018-05-20"),
        "source_of_referral": "M5",
        "eligibility_outcome": "eligible",
        "eligibility_date": d("2018-05-25"),
        "programme_start_date": d("2018-06-15"),
        "start_basis": "provider_start",
        "support_model": "ips_lite",
        "employment_status_at_start": "02",
        "weekly_hours_at_start": "98",
    },
    "randomisation": {
        "randomisation_id": "SCR-R000001",
        "participant_ref": "SCR-000001",
        "trial_group": "scr_oow",
        "baseline_completed_date": d("2018-06-04"),
        "randomised_date": d("2018-06-05"),
        "arm": "ips",
    },
    "employment_outcomes": {
        "outcome_id": "SCR-J000001",
        "episode_id": "SCR-E000001",
        "job_spell_no": 1,
        "job_start_date": d("2018-09-03"),
        "job_type": "employee",
        "paid_hours_week": Decimal("18.5"),
        "weekly_hours_worked": "02",
        "at_least_nmw": True,
        "outcome_definition_code": "JOB_START",
        "sust_13w_date": d("2018-12-03"),
        "sust_26w_date": d("2019-03-04"),
        "evidence_type": "payslip",
        "in_work_at_start": False,
    },
    "contacts": {
        "contact_id": "SCR-C000001",
        "episode_id": "SCR-E000001",
        "contact_date": d("2020-01-10"),
        "contact_type": "review",
        "contact_medium": "01",
        "attended": "5",
        "duration_minutes": 45,
        "staff_role": "employment_specialist",
    },
    "staff_posts": {
        "post_id": "SCR-POST-01",
        "staff_ref": "W-0012",
        "staff_role": "employment_specialist",
        "fte": Decimal("0.80"),
        "start_date": d("2018-01-08"),
    },
}
# Made up: the registry names no controller of two programmes.
KEY_CONTROLLERS = {"HLT-SCR": "made up", "HLT-WMCA": None, "MHT-GM": "made up", "MWW-BRD": "another"}
PROVENANCE = {"programme_code": "HLT", "site_code": "HLT-SCR", "delivery_id": "now"}


def find_rule(dataset: str, rule_id: str, severity: Severity, field_name: str) -> Rule:
    """Look up the rule with this address."""
    [rule] = [
        r for r in CONTRACTS[dataset].rules if (r.rule_id, r.severity, r.field) == (rule_id, severity, field_name)
    ]
    return rule


def frame(contract: Contract, rows: list[Row]) -> pl.DataFrame:
    """Typed rows as validation sees them: the valid row with the differences, and the columns that validation adds."""
    types = {f.name: polars_type(f) for f in contract.fields}
    added_types = {n: pl.String() for n in PROVENANCE} | {"data_cut_date": pl.Date(), "period_start": pl.Date()}
    complete = [
        {**VALID_ROWS[contract.dataset], **PROVENANCE, "data_cut_date": CUT_OFF, "period_start": None, **r}
        for r in rows
    ]
    return pl.DataFrame(complete, schema={**added_types, **types}, orient="row")


RECEIVED = {"now": datetime(2019, 2, 1), "before": datetime(2019, 1, 1), "earlier_still": datetime(2018, 1, 1)}
BEFORE, EARLIER_STILL = {"delivery_id": "before"}, {"delivery_id": "earlier_still", "received_at": datetime(2018, 1, 1)}


@dataclass(frozen=True)
class RelationCase:
    """Rows of core and history by dataset, and which rows of the rule's dataset break it (counted from 1)."""

    address: Address
    broken: list[int]
    core: dict[str, list[Row]]
    history: dict[str, list[Row]] = field(default_factory=dict)


def person(number: int, **differences: Any) -> Row:
    return {"participant_ref": f"SCR-{number:06}", **differences}


def job(number: int, **differences: Any) -> Row:
    return {"outcome_id": f"SCR-J{number:06}", "job_spell_no": number, **differences}


def contact(number: int, **differences: Any) -> Row:
    return {"contact_id": f"SCR-C{number:06}", **differences}


def warehouse(core: dict[str, list[Row]], history: dict[str, list[Row]]) -> duckdb.DuckDBPyConnection:
    """Create the tables that a rule between rows may read, filled with the rows of a case."""
    db = duckdb.connect()
    for schema, content in (("core", core), ("history", history)):
        db.execute(f"create schema {schema}")
        for name, contract in (CONTRACTS | ALSO_READ).items():
            db.execute(create_table(schema, contract, sent_by_sites=True))
            if schema == "history":
                db.execute(f"alter table history.{name} add column received_at timestamp")
                db.execute(f"alter table history.{name} add column data_cut_date date")
                db.execute(f"alter table history.{name} add column version bigint default 1")
                db.execute(f"alter table history.{name} add column counts boolean")
            for number, differences in enumerate(content.get(name, ()), 1):
                row = {**VALID_ROWS[name], **PROVENANCE, "source_row": number, **differences}
                if schema == "history":
                    row = {"received_at": datetime(2019, 1, 1), "data_cut_date": CUT_OFF, **row}
                    row = {"counts": row["delivery_id"] == PROVENANCE["delivery_id"], **row}
                marks = ", ".join(f"${n}" for n in row)
                db.execute(f"insert into {schema}.{name} ({', '.join(row)}) values ({marks})", row)
    db.execute("create table core.sites (site_code varchar, key_controller varchar)")
    db.executemany("insert into core.sites values (?, ?)", KEY_CONTROLLERS.items())
    db.execute("create schema audit")
    db.execute("create table audit.deliveries (delivery_id varchar, received_at timestamp)")
    db.execute("alter table audit.deliveries add column version bigint default 1")
    db.execute(f"alter table audit.deliveries add column data_cut_date date default '{CUT_OFF}'")
    for delivery in RECEIVED.items():
        db.execute("insert into audit.deliveries (delivery_id, received_at) values (?, ?)", delivery)
    return db


def broken_rows(db: duckdb.DuckDBPyConnection, rule: Rule) -> list[int]:
    """The source rows that break a rule between rows, as its SQL finds them."""
    found = db.execute(rule.violations_sql).fetchall()
    assert all(delivery == "now" for delivery, *_ in found)
    return sorted(row for _, row, *_ in found)
