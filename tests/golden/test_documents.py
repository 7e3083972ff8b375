"""The pages of docs/ that are made from the contracts and the rules are the ones that would be made now.

After a wanted change, write them anew and look at the difference: `UPDATE_GOLDEN=1 pytest tests/golden`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.commands.reference_docs import COSTLY_FAULTS, rules_page, site_guide
from schemas._contract.catalogue import datasets
from schemas._rules.explain import RULES_OF_ANY_DATASET, rules_of

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("name", "make"), [("guide-for-sites.md", site_guide), ("rules.md", rules_page)])
def test_the_page_is_the_one_that_would_be_made_now(name: str, make: Callable[[], str]) -> None:
    page = DOCS / name
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(make(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == make()


def test_the_faults_that_cost_most_are_rules_of_their_datasets() -> None:
    for dataset, rule_id, field, severity in COSTLY_FAULTS:
        assert (rule_id, severity, field) in {(r.rule_id, s, f) for r, s, f in rules_of(datasets()[dataset])}


def test_the_page_of_rules_leaves_none_out() -> None:
    stated = [*RULES_OF_ANY_DATASET, *(r for c in datasets().values() for r in c.rules)]
    told = rules_page()
    assert told.count("\n| ") == len(stated) + told.count("\n| rule |")
    assert all(f"| {r.rule_id} | {r.severity} |" in told for r in stated)
    assert "{" not in told.replace('{"nil_return": true}', "")
