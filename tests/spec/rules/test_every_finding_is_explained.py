"""audit.rules explains every finding of audit.findings, and holds no rule that could not be found.

What validating one file finds is compared with audit.rules in every such test (`tests/fixtures/file_validator.py`);
what a whole run finds, in `tests/flow/reporting/test_every_finding_of_a_run_is_explained.py`.
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
def test_a_rule_about_cells_stands_where_such_cells_are(rule_id: str, kinds: set[Kind]) -> None:
    for contract in datasets().values():
        on = {field for rule, _, field in rules_of(contract) if rule.rule_id == rule_id and field}
        assert on == {f.name for f in contract.fields if f.kind in kinds}


def test_only_people_have_personal_data() -> None:
    for contract in datasets().values():
        on = {field for rule, _, field in rules_of(contract) if rule.rule_id in ("P01", "P03")}
        assert on == ({"", *contract.by_name} if contract.participant_level else set())
