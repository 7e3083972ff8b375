"""Every rule has its words: a sender reads what is wrong, what was expected and what to do, in plain English."""

from __future__ import annotations

import re

import pytest

import flows.judgement
import flows.steps.conform
import flows.steps.judge
import flows.steps.read.delimited
import flows.steps.read.workbook
import schemas.cells
from schemas.catalogue import datasets
from schemas.contract import Contract
from schemas.explain import RULES_OF_ANY_DATASET, explain, rules_of

UNSAID = re.compile(r"\b(schema|null|regex|dtype|constraint|please)\b", re.IGNORECASE)
CONTRACTS = datasets().values()
# Modules that find rules broken by name. C06 and V01-V04 come from `checks_of` and pandera.
MODULES = (
    flows.judgement,
    flows.steps.conform,
    flows.steps.judge,
    flows.steps.read.delimited,
    flows.steps.read.workbook,
    schemas.cells,
)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.dataset)
def test_every_rule_of_a_dataset_is_explained(contract: Contract) -> None:
    """{expected} may quote a code list, so the words that nobody should read are looked for in the rule's own text."""
    for rule, severity, field in rules_of(contract):
        said = explain(contract, rule.rule_id, field, severity)
        for text in (said.title, said.expected, said.fix):
            assert text.strip(), (rule.rule_id, field)
            assert not re.search(r"\{\w*\}", text), (rule.rule_id, field, text)
        for text in (rule.title, rule.expected, rule.fix):
            assert not UNSAID.search(text), (rule.rule_id, field, text)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.dataset)
def test_every_field_says_what_it_expects(contract: Contract) -> None:
    for field in contract.fields:
        assert field.title
        assert not re.search(r"\b(schema|regex|dtype|constraint|please)\b", field.expects(), re.IGNORECASE)


def named_in(module: object) -> set[str]:
    """The rule ids that a module's text names."""
    with open(module.__file__, encoding="utf-8") as file:  # type: ignore[attr-defined] # noqa: PTH123
        return set(re.findall(r'"([A-Z]\d\d)"', file.read()))


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_rule_that_code_names_is_stated(module: object) -> None:
    stated = {r.rule_id for r in RULES_OF_ANY_DATASET}
    assert named_in(module)
    assert named_in(module) <= stated


def test_no_rule_is_stated_twice() -> None:
    said = [(r.rule_id, r.severity) for r in RULES_OF_ANY_DATASET]
    assert len(said) == len(set(said))


def test_a_rule_that_nobody_states_is_an_error() -> None:
    with pytest.raises(KeyError, match="no rule Z99"):
        explain(datasets()["contacts"], "Z99", "contact_id", "row")
