"""A check gives the verdict and findings that a nightly run stores, in the same order."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from file_validator import Validator, as_csv, contacts

from flows.deliveries.file_names import read_name
from flows.steps.receive import ReceivedFile, delivery_of
from flows.steps.receive.manifest import read_manifest
from flows.steps.validate_delivery import validate_file
from flows.store.result_sink import CountingSink
from schemas._contract.catalogue import datasets

NAME = "MHT-BPL_contacts_201611_v1.csv"
HEADING, ROWS = as_csv(contacts({}, {})).split("\n", 1)
HEADING += "\n"
FILES = {
    "valid": as_csv(contacts({}, {})),
    "held": as_csv(contacts({}, {"contact_date": "2016-13-40"}, {"contact_date": "2016-02-01"})),
    "sent twice": as_csv([*contacts({}, {}), *contacts({}), *contacts({}, {"contact_date": "2016-05-10"})[1:]]),
    "refused": as_csv(contacts({}, {})).replace("contact_date", "when"),
    "personal": as_csv(contacts({}, {"participant_ref": "QQ123456C"}, {"contact_date": "2016-13-40"})),
    "rows that are not data": HEADING + HEADING + "," * HEADING.count(",") + "\n" + ROWS + "\n",
    "no table": "not a table",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_check_finds_what_a_run_stores(validate: Validator, tmp_path: Path, content: str) -> None:
    stored = validate(content)
    file = tmp_path / NAME
    file.write_text(content, encoding="utf-8")
    received, name = ReceivedFile(file, NAME, "", datetime(2016, 12, 2)), read_name(NAME)
    assert name is not None
    sink = CountingSink()
    verdict = validate_file(
        file,
        delivery_of(received, name, read_manifest(file, "201611", received.received_at.date())),
        datasets()["contacts"],
        sink,
    )
    assert verdict == stored.verdict
    assert sink.findings.equals(stored.stored_findings)
    assert sink.findings.schema == stored.stored_findings.schema


def test_the_files_cover_every_result(validate: Validator) -> None:
    """Guards the test above: the files cover every result."""
    outcomes = {name: validate(content) for name, content in FILES.items()}
    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "valid": "accepted",
        "held": "accepted_with_held_rows",
        "sent twice": "accepted_with_held_rows",
        "refused": "refused",
        "personal": "refused",
        "rows that are not data": "accepted",
        "no table": "unreadable",
    }
    assert outcomes["rows that are not data"].verdict.rows.not_data == 3
    assert outcomes["sent twice"].verdict.rows.repeats
    assert outcomes["personal"].stored_findings["hidden"].all()
    assert outcomes["refused"].held
