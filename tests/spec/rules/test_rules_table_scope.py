"""audit.rules lists a rule only for datasets and fields where it can be broken.

The reverse, that audit.rules explains every finding, is asserted wherever a test validates a file
(`tests/fixtures/file_validator.py`), and for a whole run in
`tests/flow/reporting/test_every_finding_of_a_run_is_explained.py`.
"""

from __future__ import annotations

import pytest

from schemas._contract.catalogue import datasets
from schemas._contract.model import Kind
from schemas._rules.explain import rules_of


@pytest.mark.parametrize(
    ("rule_id", "kinds"),
    [
        ("C01", {Kind.DATE}),
        ("C07", {Kind.INTEGER, Kind.DECIMAL, Kind.MONEY}),
        ("C11", {Kind.MONEY}),
        ("C15", {Kind.REFERENCE}),
        ("C18", {Kind.YES_NO}),
        ("C20", {Kind.CODE}),
    ],
)
def test_a_cell_rule_is_listed_for_fields_of_its_kinds_only(rule_id: str, kinds: set[Kind]) -> None:
    for contract in datasets().values():
        fields = {field for rule, _, field in rules_of(contract) if rule.rule_id == rule_id and field}
        assert fields == {f.name for f in contract.fields if f.kind in kinds}


def test_personal_data_rules_are_listed_for_participant_level_datasets_only() -> None:
    for contract in datasets().values():
        fields = {field for rule, _, field in rules_of(contract) if rule.rule_id in ("P01", "P03")}
        assert fields == ({"", *contract.by_name} if contract.participant_level else set())
