"""Write a large simulated warehouse without marts. Arguments: FILE CONTACTS.

SQL generates people, referrals, contacts and jobs straight into `core`: per person ten contacts and one referral, and
two jobs for every five people.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flows.orchestration.build_steps import run_load
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import DuckDBOptions
from flows.store.warehouse.new_build import NewBuild

CONTACTS_EACH = 10

# SQL of each column. `n` is the number of the row, `person` that of the person; `chance(seed, column_no, below)` is a
# pseudo-random integer, the same in every run.
_SENT = {
    "site_code": "site_code",
    "programme_code": "programme_code",
    "delivery_id": "site_code || '_made_up'",
    "source_row": "n",
}
_PERSON = _SENT | {"participant_ref": "'SIM-' || person"}
_REFERRED = "date '2016-04-01' + chance(person, 1, 900)"
_STARTED = f"({_REFERRED} + chance(person, 2, 40))"
_JOB = f"({_STARTED} + chance(person, 3, 300))"
_ROWS: dict[str, dict[str, str]] = {
    "participants": _PERSON
    | {
        "year_of_birth": "1950 + chance(person, 4, 50)",
        "gender": "(1 + chance(person, 5, 2))::varchar",
        "ethnic_category": "'A'",
        "disability_ea2010": "'Y'",
        "primary_condition": "'common_mental_disorder'",
        "la_code": "'E06000009'",
        "benefit_at_start": "'jsa'",
        "consent_participation": "true",
        "consent_data_sharing": "true",
        "consent_date": _REFERRED,
    },
    "referrals": _PERSON
    | {
        "episode_id": "'SIM-E' || person",
        "referral_received_date": _REFERRED,
        "source_of_referral": "'M5'",
        "eligibility_outcome": "if(chance(person, 6, 10) = 0, 'ineligible', 'eligible')",
        "eligibility_date": f"{_REFERRED} + 1",
        "programme_start_date": f"if(chance(person, 6, 10) > 1, {_STARTED}, null)",
        "start_basis": "'first_contact'",
        "support_model": "'ips'",
        "employment_status_at_start": "if(chance(person, 7, 12) = 0, '01', '02')",
        "exit_date": f"if(chance(person, 8, 3) = 0, {_STARTED} + 200 + chance(person, 9, 200), null)",
    },
    "contacts": _SENT
    | {
        "contact_id": "'SIM-C' || n",
        "episode_id": "'SIM-E' || person",
        "contact_date": f"{_STARTED} + chance(n, 10, 400)",
        "contact_type": "['first', 'action_plan', 'job_search', 'review', 'in_work_support'][1 + chance(n, 11, 5)]",
        "contact_medium": "'01'",
        "attended": "['5', '5', '6', '7'][1 + chance(n, 12, 4)]",
        "duration_minutes": "5 + chance(n, 13, 90)",
        "staff_role": "'key_worker'",
    },
    "employment_outcomes": _SENT
    | {
        "outcome_id": "'SIM-J' || n",
        "episode_id": "'SIM-E' || person",
        "job_spell_no": "1 + chance(n, 14, 2)",
        "job_start_date": _JOB,
        "job_end_date": f"if(chance(n, 15, 2) = 0, {_JOB} + 20 + chance(n, 16, 300), null)",
        "job_type": "'employee'",
        "paid_hours_week": "5 + chance(n, 17, 35)",
        "weekly_hours_worked": "'02'",
        "at_least_nmw": "true",
        "outcome_definition_code": "'JOB_START'",
        "evidence_type": "'payslip'",
        "in_work_at_start": "chance(person, 7, 12) = 0",
    },
}
_NUMBER = {"participants": "1", "referrals": "1", "contacts": str(CONTACTS_EACH), "employment_outcomes": "0.4"}
_SITES = "('MHT-BPL', 'MHT-GM', 'MHT-NECA', 'MHT-WLA', 'MWW-BRK', 'MWW-LIN', 'MWW-BRD', 'PWW-GW', 'PWW-TS', 'WC-CPA01')"


def write_warehouse(file: Path, contacts: int) -> None:
    """Write a warehouse with about `contacts` contacts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = NewBuild(file, DuckDBOptions(threads=2, memory_limit="512MB"))
    run_load(new, [], [], ResultStore(DataPaths(file.parent)))
    with new.open() as db:
        db.execute("set preserve_insertion_order = false")
        db.execute("create temp macro chance(number, column_no, below) as (hash(number, column_no) % below)::integer")
        db.execute(
            "create temp table sites as select row_number() over (order by site_code) - 1 as site_no, site_code,"
            f" programme_code from core.sites where site_code in {_SITES}"
        )
        for dataset, columns in _ROWS.items():
            number = int(contacts // CONTACTS_EACH * float(_NUMBER[dataset]))
            selected = ", ".join(f"{sql} as {name}" for name, sql in columns.items())
            db.execute(
                f"insert into core.{dataset} by name select {selected} from (select range as n,"
                f" range % {contacts // CONTACTS_EACH} as person from range({number}))"
                " join sites on site_no = person % 10"
            )
            db.execute(
                "insert into audit.deliveries by name select site_code || '_made_up_' || ? as delivery_id, site_code,"
                " programme_code, ? as dataset, '201911' as period, 1 as version, 'made_up.csv' as file_name,"
                " '' as sheet, '' as sha256, 0 as bytes, timestamp '2019-12-01' as received_at,"
                " date '2019-11-30' as data_cut_date, 'cumulative' as extract_type, 'accepted' as result,"
                " 'current' as standing, 1 as rows_read, 1 as rows_accepted, 0 as rows_held, 0 as rows_repeated,"
                " 0 as rows_not_data from sites",
                [dataset, dataset],
            )


if __name__ == "__main__":
    write_warehouse(Path(sys.argv[1]), int(sys.argv[2]))
