"""Every rule states in plain English what is wrong, what was expected and how to fix it."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

import flows
import schemas
from schemas._contract.catalogue import datasets
from schemas._contract.expected import expected
from schemas._contract.model import Contract
from schemas._rules.explain import RULES_OF_ANY_DATASET, explain, rules_of

JARGON = re.compile(r"\b(schema|null|regex|dtype|constraint|please)\b", re.IGNORECASE)
CONTRACTS = datasets().values()
SOURCES = (*sorted(Path(flows.__file__).parent.rglob("*.py")), *sorted(Path(schemas.__file__).parent.glob("*.py")))
RULE_ID = re.compile(r'"([A-Z]\d\d)"')
NOT_RULES = ("simulator", "giving")  # prefixes of area codes, such as E14, look like rules
FILES_NAMING_RULES = [
    p for p in SOURCES if not {*NOT_RULES} & {*p.parts} and RULE_ID.search(p.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.dataset)
def test_every_rule_of_a_dataset_has_its_texts(contract: Contract) -> None:
    """Jargon is searched for in the rule's template, as {expected} may quote a code list."""
    for rule, severity, field in rules_of(contract):
        explanation = explain(contract, rule.rule_id, field, severity)
        for text in (explanation.title, explanation.expected, explanation.fix):
            assert text.strip(), (rule.rule_id, field)
            assert not re.search(r"\{\w*\}", text), (rule.rule_id, field, text)
        for text in (rule.title, rule.expected, rule.fix):
            assert not JARGON.search(text), (rule.rule_id, field, text)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.dataset)
def test_every_field_has_an_expectation_in_plain_english(contract: Contract) -> None:
    for field in contract.fields:
        assert field.title
        assert not re.search(r"\b(schema|regex|dtype|constraint|please)\b", expected(field), re.IGNORECASE)


@pytest.mark.parametrize("source", FILES_NAMING_RULES, ids=lambda p: p.stem)
def test_every_rule_id_in_the_code_is_defined(source: Path) -> None:
    defined = {r.rule_id for r in RULES_OF_ANY_DATASET} | {r.rule_id for c in CONTRACTS for r in c.rules}
    defined |= {
        rule_id for c in CONTRACTS for f in c.fields for rule_id in (f.not_listed_rule, f.range_rule, f.pattern_rule)
    }
    assert set(RULE_ID.findall(source.read_text(encoding="utf-8"))) <= defined


def test_no_rule_is_defined_twice() -> None:
    """Two rules of one id and severity are about different fields of a dataset: one about cells, one about rows."""
    for rule, other in combinations(RULES_OF_ANY_DATASET, 2):
        if (rule.rule_id, rule.severity) == (other.rule_id, other.severity):
            for contract in datasets().values():
                assert not set(rule.found_on(contract)) & set(other.found_on(contract)), (
                    rule.rule_id,
                    contract.dataset,
                )


def test_an_undefined_rule_raises() -> None:
    with pytest.raises(KeyError, match="no rule Z99"):
        explain(datasets()["contacts"], "Z99", "contact_id", "row")
