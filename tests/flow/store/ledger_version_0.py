"""The data folder behind `ledger_version_0.sql`, and the runs that wrote that ledger.

`replay_runs` wrote the ledger with commit c84b4ea, the last one without a version in its ledger. This file recreates
data/raw byte by byte, so the contents of its files must never change. All rows are made up.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

LEDGER = Path(__file__).with_suffix(".sql")
_PERSON = (
    "participant_ref,site_code,year_of_birth,gender,ethnic_category,disability_ea2010,primary_condition,la_code,"
    "gp_area_code,benefit_at_start,consent_participation,consent_data_sharing,consent_date\n"
)
_REFERRAL = (
    "episode_id,participant_ref,referral_received_date,source_of_referral,eligibility_outcome,eligibility_date,"
    "programme_start_date,start_basis,support_model,employment_status_at_start,weekly_hours_at_start,exit_date,"
    "exit_reason\n"
)
_CONTACT = (
    "contact_id,episode_id,contact_date,contact_type,contact_medium,attended,duration_minutes,staff_role,staff_ref\n"
)
_JOB = (
    "outcome_id,episode_id,job_spell_no,job_start_date,job_end_date,job_type,paid_hours_week,weekly_hours_worked,"
    "at_least_nmw,outcome_definition_code,sust_13w_date,sust_26w_date,evidence_type,in_work_at_start\n"
)


def _participants(*numbers: int) -> str:
    rows = (
        f"BPL-{n:06},MHT-BPL,1980,2,A,Y,common_mental_disorder,E06000009,E06000009,jsa,Y,Y,2016-05-09\n"
        for n in numbers
    )
    return _PERSON + "".join(rows)


def _referrals(*numbers: int, wrong: int = 0) -> str:
    rows = (
        f"BPL-E{n:06},BPL-{n:06},2016-05-04,M5,eligible,2016-05-11,2016-05-20,first_contact,ips,"
        f"{'77' if n == wrong else '02'},98,,\n"
        for n in numbers
    )
    return _REFERRAL + "".join(rows)


def _contacts(*numbers: int, wrong: int = 0) -> str:
    rows = (
        f"BPL-C{n:06},BPL-E{n:06},2016-06-01,first,01,{9 if n == wrong else 5},45,employment_specialist,W-0012\n"
        for n in numbers
    )
    return _CONTACT + "".join(rows)


def _jobs(*numbers: int) -> str:
    rows = (f"BPL-J{n:06},BPL-E{n:06},1,2016-07-04,,employee,18.5,02,Y,JOB_START,,,payslip,N\n" for n in numbers)
    return _JOB + "".join(rows)


_CORRECTIONS = (
    "site_code,dataset,file,sheet,row,column,was,becomes,reason,agreed_with,agreed_on,until\n"
    "MHT-BPL,referrals,MHT-BPL_referrals_201611_v1.csv,,4,employment_status_at_start,77,02,"
    "the export wrote 77 for 02,data lead,2016-12-06,2017-03-31\n"
)
_RUNS: dict[str, dict[str, str]] = {
    "2016-12-02T03:30": {
        "participants_201611_v1.csv": _participants(1, 2, 3, 4),
        "referrals_201611_v1.csv": _referrals(1, 2, 3, 4, wrong=3),  # one row held until it is corrected
        "contacts_201611_v1.csv": _contacts(1, 2, 4, wrong=4),  # one row held
        "employment_outcomes_201611_v1.csv": _jobs(1, 2),
    },
    "2016-12-03T03:30": {},  # no-op run
    "2016-12-05T03:30": {
        "contacts_201611_v2.csv": _contacts(1, 2, 3, 4),  # supersedes v1
        "contacts_201611_v3.csv": _contacts(1, 2, 3, 4),  # the same bytes
        "referrals_201610_v1.csv": _referrals(1, 2),  # stale
        "employment_outcomes_201611_v2.csv": _jobs(1, 2, 3).replace("job_start_date", "started", 1),  # refused
        "participants_201611_v1.manifest.json": json.dumps({"rows": 4}),
        "notes.csv": "nothing\n",  # no delivery
    },
}
REVALIDATED, INTERRUPTED, FAILED, LAST = "2016-12-07T03:30", "2016-12-08T03:30", "2016-12-09T03:30", "2016-12-10T03:30"
_RECEIVED_BY_INTERRUPTED_RUN = {"contacts_201611_v4.csv": _contacts(1, 2, 3)}


def send(data: Path, files: dict[str, str]) -> None:
    """Write files to the site's raw folder."""
    folder = data / "raw" / "MHT-BPL"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / (name if name == "notes.csv" else f"MHT-BPL_{name}")).write_text(text, encoding="utf-8")


def send_everything(data: Path) -> None:
    """Write every raw file that the ledger knows, and the corrections."""
    for files in (*_RUNS.values(), _RECEIVED_BY_INTERRUPTED_RUN):
        send(data, files)
    (data / "corrections.csv").write_text(_CORRECTIONS, encoding="utf-8")


def write_ledger(to: Path) -> None:
    """Write the version 0 ledger to a file, as the old code left it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(to)) as db:
        db.execute("pragma journal_mode = wal")
        db.executescript(LEDGER.read_text(encoding="utf-8"))


def replay_runs(data: Path) -> Iterator[str]:
    """Repeat the runs behind the version 0 ledger with the imported code; yield each result."""
    from flows.nightly import run_pipeline
    from flows.orchestration.run import Scope
    from flows.settings import Settings

    settings = Settings(data=data, threads=1)
    with patch("flows.store.raw_files.STABLE_AFTER_NS", 0):
        for moment, files in _RUNS.items():
            send(data, files)
            yield run_pipeline(settings, datetime.fromisoformat(moment)).result
        (data / "corrections.csv").write_text(_CORRECTIONS, encoding="utf-8")
        yield run_pipeline(settings, datetime.fromisoformat(REVALIDATED), Scope(new_files=False)).result
        send(data, _RECEIVED_BY_INTERRUPTED_RUN)
        with (
            patch("flows.store.build_fingerprint.build_fingerprint", side_effect=KeyboardInterrupt),
            suppress(KeyboardInterrupt),
        ):
            run_pipeline(settings, datetime.fromisoformat(INTERRUPTED))
        with (
            patch("flows.store.build_fingerprint.build_fingerprint", side_effect=ZeroDivisionError),
            suppress(ZeroDivisionError),
        ):
            run_pipeline(settings, datetime.fromisoformat(FAILED))
        yield run_pipeline(settings, datetime.fromisoformat(LAST)).result


if __name__ == "__main__":
    data = Path(sys.argv[1])
    print(*replay_runs(data), file=sys.stderr)
    with closing(sqlite3.connect(data / "warehouse" / "store" / "ledger.sqlite")) as ledger:
        print(*ledger.iterdump(), sep=os.linesep)
