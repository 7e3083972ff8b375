"""audit.rules explains every finding of a run, including those of cross-table rules.

Findings of a single file are compared with audit.rules in every test that validates one (`file_validator.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
from file_validator import as_csv, contacts, participants

from flows.nightly import run_pipeline
from flows.settings import Settings

UNEXPLAINED = """
    select d.dataset, f.rule_id, f.severity, f.field from audit.findings f join audit.deliveries d using (delivery_id)
    anti join audit.rules r
        on r.dataset = d.dataset and r.rule_id = f.rule_id and r.severity = f.severity and r.field = f.field"""


def send(data: Path, name: str, text: str) -> None:
    path = data / "raw" / "MHT-BPL" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_every_finding_of_a_run_has_a_row_in_audit_rules(tmp_path: Path) -> None:
    people = as_csv(participants({}, {"ethnic_category": "T"}, {"year_of_birth": "1066"}))
    send(tmp_path, "MHT-BPL_participants_201611_v1.csv", people)
    seen = as_csv(contacts({"attended": "8"}, {}, {"contact_medium": "Telephone"}), delimiter=";")
    send(tmp_path, "MHT-BPL_contacts_201611_v1.csv", seen)  # without referrals, some rules are not judged
    run_pipeline(Settings(data=tmp_path, threads=1), moment=datetime(2016, 12, 2, 3, 30, tzinfo=UTC))
    send(tmp_path, "MHT-BPL_participants_201611_v2.csv", people)  # identical resubmission
    send(tmp_path, "MHT-BPL_contacts_201610_v1.csv", as_csv(contacts({})))  # an older extract
    outcome = run_pipeline(Settings(data=tmp_path, threads=1), moment=datetime(2016, 12, 3, 3, 30, tzinfo=UTC))
    assert outcome.warehouse is not None
    with duckdb.connect(str(outcome.warehouse), read_only=True) as db:
        found = {r for (r,) in db.execute("select rule_id from audit.findings").fetchall()}
        assert found >= {"P08", "V03", "V02", "C16", "F13", "P12", "F17", "F18"}
        assert db.execute(UNEXPLAINED).fetchall() == []
        key = "dataset, rule_id, severity, field"
        assert db.execute(f"select {key} from audit.rules group by all having count(*) > 1").fetchall() == []
