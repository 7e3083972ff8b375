"""audit.rules explains every finding of audit.findings, and holds no rule that could not be found.

What judging one file finds is held against audit.rules wherever a test judges a file (`tests/judging.py`); here stand
the findings of a whole night, which need other files.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from judging import as_csv, contacts, participants

from flows.nightly import nightly_run
from flows.settings import Settings
from schemas._contract.catalogue import datasets
from schemas._contract.model import Kind
from schemas._rules.explain import rules_of

UNEXPLAINED = """
    select d.dataset, f.rule_id, f.severity, f.field from audit.findings f join audit.deliveries d using (delivery_id)
    anti join audit.rules r
        on r.dataset = d.dataset and r.rule_id = f.rule_id and r.severity = f.severity and r.field = f.field"""


def send(data: Path, name: str, text: str) -> None:
    path = data / "raw" / "MHT-BPL" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_every_finding_of_a_night_has_its_rule(tmp_path: Path) -> None:
    people = as_csv(participants({}, {"ethnic_category": "T"}, {"year_of_birth": "1066"}))
    send(tmp_path, "MHT-BPL_participants_201611_v1.csv", people)
    seen = as_csv(contacts({"attended": "8"}, {}, {"contact_medium": "Telephone"}), delimiter=";")
    send(tmp_path, "MHT-BPL_contacts_201611_v1.csv", seen)  # there are no referrals: what needs them is not judged
    nightly_run(Settings(data=tmp_path), moment=datetime(2016, 12, 2, 3, 30, tzinfo=UTC))
    send(tmp_path, "MHT-BPL_participants_201611_v2.csv", people)  # the same again
    send(tmp_path, "MHT-BPL_contacts_201610_v1.csv", as_csv(contacts({})))  # an older extract
    outcome = nightly_run(Settings(data=tmp_path), moment=datetime(2016, 12, 3, 3, 30, tzinfo=UTC))
    assert outcome.warehouse is not None
    with duckdb.connect(str(outcome.warehouse), read_only=True) as db:
        found = {r for (r,) in db.execute("select rule_id from audit.findings").fetchall()}
        assert found >= {"P08", "V03", "V02", "C16", "F13", "P12", "F17", "F18"}
        assert db.execute(UNEXPLAINED).fetchall() == []
        key = "dataset, rule_id, severity, field"
        assert db.execute(f"select {key} from audit.rules group by all having count(*) > 1").fetchall() == []


@pytest.mark.parametrize(
    ("rule_id", "kinds"),
    [
        ("C01", {Kind.DATE}),
        ("C07", {Kind.WHOLE, Kind.DECIMAL, Kind.MONEY}),
        ("C11", {Kind.MONEY}),
        ("C15", {Kind.REFERENCE}),
        ("C18", {Kind.YES_NO}),
        ("C20", {Kind.CODE}),
    ],
)
def test_a_rule_about_cells_stands_where_such_cells_are(rule_id: str, kinds: set[Kind]) -> None:
    for contract in datasets().values():
        on = {field for rule, _, field in rules_of(contract) if rule.rule_id == rule_id and field}
        assert on == {f.name for f in contract.fields if f.kind in kinds}


def test_only_people_have_personal_data() -> None:
    for contract in datasets().values():
        on = {field for rule, _, field in rules_of(contract) if rule.rule_id in ("P01", "P03")}
        assert on == ({"", *contract.by_name} if contract.participant_level else set())
