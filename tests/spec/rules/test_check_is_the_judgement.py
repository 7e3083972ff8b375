"""What a check finds is what the night's result keeps: the same verdict, and the same findings in the same order."""

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
KINDS = {
    "sound": as_csv(contacts({}, {})),
    "held": as_csv(contacts({}, {"contact_date": "2016-13-40"}, {"contact_date": "2016-02-01"})),
    "sent twice": as_csv([*contacts({}, {}), *contacts({}), *contacts({}, {"contact_date": "2016-05-10"})[1:]]),
    "refused": as_csv(contacts({}, {})).replace("contact_date", "when"),
    "personal": as_csv(contacts({}, {"participant_ref": "QQ123456C"}, {"contact_date": "2016-13-40"})),
    "rows that are no data": HEADING + HEADING + "," * HEADING.count(",") + "\n" + ROWS + "\n",
    "no table": "nothing of the kind",
}


@pytest.mark.parametrize("content", KINDS.values(), ids=KINDS)
def test_a_check_finds_what_the_night_keeps(validate: Validator, tmp_path: Path, content: str) -> None:
    kept = validate(content)
    file = tmp_path / NAME
    file.write_text(content, encoding="utf-8")
    received, said = ReceivedFile(file, NAME, "", datetime(2016, 12, 2)), read_name(NAME)
    assert said is not None
    read_only_run = CountingSink()
    verdict = validate_file(
        file, delivery_of(received, said, read_manifest(file, "201611")), datasets()["contacts"], read_only_run
    )
    assert verdict == kept.verdict
    assert read_only_run.findings.equals(kept.stored_findings)
    assert read_only_run.findings.schema == kept.stored_findings.schema


def test_the_kinds_of_judgement_differ(validate: Validator) -> None:
    """Else the test above would show little."""
    told = {name: validate(content) for name, content in KINDS.items()}
    assert {name: outcome.result for name, outcome in told.items()} == {
        "sound": "accepted",
        "held": "accepted_with_held_rows",
        "sent twice": "accepted_with_held_rows",
        "refused": "refused",
        "personal": "refused",
        "rows that are no data": "accepted",
        "no table": "unreadable",
    }
    assert told["rows that are no data"].verdict.rows.not_data == 3
    assert told["sent twice"].verdict.rows.repeats
    assert told["personal"].stored_findings["hidden"].all()
    assert told["refused"].held
