"""Every rule has its words: a sender reads what is wrong, what was expected and what to do, in plain English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import flows
import schemas
from schemas._contract.catalogue import datasets
from schemas._contract.expected import expected
from schemas._contract.model import Contract
from schemas._rules.explain import RULES_OF_ANY_DATASET, explain, rules_of

UNSAID = re.compile(r"\b(schema|null|regex|dtype|constraint|please)\b", re.IGNORECASE)
CONTRACTS = datasets().values()
SOURCES = (*sorted(Path(flows.__file__).parent.rglob("*.py")), *sorted(Path(schemas.__file__).parent.glob("*.py")))
RULE_ID = re.compile(r'"([A-Z]\d\d)"')
NAMING = [p for p in SOURCES if "simulator" not in p.parts and RULE_ID.search(p.read_text(encoding="utf-8"))]


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
        assert not re.search(r"\b(schema|regex|dtype|constraint|please)\b", expected(field), re.IGNORECASE)


@pytest.mark.parametrize("source", NAMING, ids=lambda p: p.stem)
def test_every_rule_that_code_names_is_stated(source: Path) -> None:
    stated = {r.rule_id for r in RULES_OF_ANY_DATASET} | {r.rule_id for c in CONTRACTS for r in c.rules}
    stated |= {lent for c in CONTRACTS for f in c.fields for lent in (f.not_listed_rule, f.range_rule, f.pattern_rule)}
    assert set(RULE_ID.findall(source.read_text(encoding="utf-8"))) <= stated


def test_no_rule_is_stated_twice() -> None:
    said = [(r.rule_id, r.severity) for r in RULES_OF_ANY_DATASET]
    assert len(said) == len(set(said))


def test_a_rule_that_nobody_states_is_an_error() -> None:
    with pytest.raises(KeyError, match="no rule Z99"):
        explain(datasets()["contacts"], "Z99", "contact_id", "row")
