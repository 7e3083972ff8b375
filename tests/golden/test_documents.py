"""The generated pages of docs/ are up to date with the contracts and rules.

After an intended change, regenerate them and review the diff: `UPDATE_GOLDEN=1 pytest tests/golden`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from test_every_rule import CASES

from flows.commands.reference_docs import COSTLY_FAULTS, site_guide
from flows.commands.rules_page import rules_page
from flows.reporting.render.dictionary.markdown import dictionary_markdown
from schemas._contract.catalogue import datasets
from schemas._rules.explain import RULES_OF_ANY_DATASET, rules_of
from tests.golden.glossary_index import public_classes, steps, with_index
from tests.golden.rule_examples import example_of


def rules_with_examples() -> str:
    return rules_page(example_of)


DOCS = Path(__file__).parents[2] / "docs"


MISPLACED = (("F50", "file"), ("F51", "file"), ("F52", "file"), ("F53", "file"), ("F53", "row"))
PAGES = (
    ("guide-for-sites.md", site_guide),
    ("rules.md", rules_with_examples),
    ("data-dictionary.md", dictionary_markdown),
)


@pytest.mark.parametrize(("name", "make"), PAGES)
def test_the_generated_page_is_up_to_date(name: str, make: Callable[[], str]) -> None:
    page = DOCS / name
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(make(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == make()


def test_the_page_of_rules_has_an_example_of_every_rule_of_a_dataset() -> None:
    """A rule without one has no case that `rule_examples.py` knows of."""
    rules = [(c.dataset, r) for c in datasets().values() for r in c.rules]
    assert not [(dataset, r.rule_id, r.field, r.title) for dataset, r in rules if not example_of(r)]


def test_an_example_shows_what_is_broken_and_what_is_sound() -> None:
    for rule in (r for c in datasets().values() for r in c.rules):
        labels = {
            line.split("|")[1].split()[0] for line in example_of(rule) if line.startswith(("| broken", "| sound"))
        }
        assert labels == {"broken", "sound"}, (rule.rule_id, rule.title)


def test_the_page_of_rules_has_an_example_of_every_general_rule_with_a_case() -> None:
    shown = {(r.rule_id, str(r.severity)) for r in RULES_OF_ANY_DATASET if example_of(r)}
    assert shown == {(case.rule, case.severity) for case in CASES} | {*MISPLACED}


def test_the_glossary_lists_every_step_and_public_class_once() -> None:
    page = DOCS / "glossary.md"
    made = with_index(page.read_text(encoding="utf-8"))
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(made, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == made
    for name, line, home in [*public_classes(), *steps()]:
        assert line.endswith((".", "?", ":")), f"{home}: the first line of {name}'s docstring is no sentence"


def test_no_public_class_has_two_homes() -> None:
    homes = Counter(name for name, _, _ in public_classes())
    assert not {name for name, n in homes.items() if n > 1}


def test_the_costly_faults_of_the_guide_are_rules_of_their_datasets() -> None:
    for dataset, rule_id, field, severity in COSTLY_FAULTS:
        assert (rule_id, severity, field) in {(r.rule_id, s, f) for r, s, f in rules_of(datasets()[dataset])}


def test_the_page_of_rules_lists_every_rule() -> None:
    rules = [*RULES_OF_ANY_DATASET, *(r for c in datasets().values() for r in c.rules)]
    page = rules_page()
    assert page.count("\n| ") == len(rules) + page.count("\n| rule |")
    assert all(f"| {r.rule_id} | {r.severity} |" in page for r in rules)
    assert "{" not in page.replace('{"nil_return": true}', "")
