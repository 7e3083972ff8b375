"""Deletions cover every dataset about people, in the right order, without naming one."""

from __future__ import annotations

import duckdb
import pytest
from dataset_rows import rule_of
from participant_rows import PROVENANCE

from flows.steps.cross_check.deleted_records import deleting_fields, fields_of_records
from schemas._contract.catalogue import DELETIONS, EPISODES, datasets
from schemas._contract.derive import create_table
from schemas._contract.model import Severity
from schemas._rules.deletions import DELETED_RULE, is_about_people
from schemas._rules.explain import rules_of
from schemas.core.deletions import CONTRACT

ABOUT_PEOPLE = [name for name, contract in datasets().items() if is_about_people(contract)]


def test_any_record_about_people_can_be_deleted_by_its_key() -> None:
    """Each has a row in the code list `deleted_record`, and so must a new dataset."""
    with_one_key = [name for name in ABOUT_PEOPLE if len(datasets()[name].key) == 1]
    assert sorted(fields_of_records()) == sorted(with_one_key)


@pytest.mark.parametrize("dataset", ABOUT_PEOPLE)
def test_a_dataset_about_people_is_checked_once_it_is_known_what_is_deleted(dataset: str) -> None:
    contract, order = datasets()[dataset], list(datasets())
    assert contract.participant_level
    assert {"participant_ref", "episode_id"} & set(deleting_fields(contract))
    assert (DELETED_RULE, Severity.ROW, contract.key[0]) in [(r.rule_id, s, f) for r, s, f in rules_of(contract)]
    assert order.index(DELETIONS) < order.index(dataset)
    assert "episode_id" not in contract.by_name or order.index(EPISODES) <= order.index(dataset)


def test_other_datasets_have_no_rows_to_delete() -> None:
    others = [c for name, c in datasets().items() if name not in ABOUT_PEOPLE]
    assert not any(deleting_fields(c) or DELETED_RULE in {r.rule_id for r, *_ in rules_of(c)} for c in others)


# P22: what a deletions file of a site that has sent BPL-000001 as a participant names, the unknown ones first.
NAMED = ([("participants", "BPL-000002"), ("referrals", "BPL-000001")], [("participants", "BPL-000001")])


def test_p22_finds_deletions_of_what_the_site_has_never_sent_as_that_kind() -> None:
    db = duckdb.connect()
    db.execute("create schema core; create schema history")
    db.execute(create_table("core", CONTRACT, sent_by_sites=True))
    db.execute("create table history.sent_records (site_code varchar, record_type varchar, reference varchar)")
    db.execute("insert into history.sent_records values ('HLT-SCR', 'participants', 'BPL-000001')")
    db.execute("insert into history.sent_records values ('MHT-BPL', 'participants', 'BPL-000002')")
    unknown, known = NAMED
    for n, (record_type, reference) in enumerate([*unknown, *known], 1):
        row = {
            "deletion_id": f"BPL-D{n:06}", "record_type": record_type, "reference": reference, "reason": "other",
            "deletion_date": "2018-06-01", "source_row": n, **PROVENANCE,
        }  # fmt: skip
        marks = ", ".join(f"${name}" for name in row)
        db.execute(f"insert into core.deletions ({', '.join(row)}) values ({marks})", row)
    found = db.execute(rule_of("deletions", "P22", "reference").violations_sql).fetchall()
    assert sorted(row for _, row in found) == [1, 2]
