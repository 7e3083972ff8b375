"""What a rule says to the sender about one field: found wherever the rule is stated, its blanks filled in."""

from __future__ import annotations

from dataclasses import dataclass

from schemas._contract.expected import expected
from schemas._contract.model import Contract, Rule, Severity
from schemas._rules.cells import CELL_RULES
from schemas._rules.checks import checks_of
from schemas._rules.corrections import CORRECTION_RULES
from schemas._rules.files import FILE_RULES
from schemas._rules.privacy import PERSONAL_DATA_RULES

RULES_OF_ANY_DATASET: tuple[Rule, ...] = (*FILE_RULES, *PERSONAL_DATA_RULES, *CELL_RULES, *CORRECTION_RULES)


@dataclass(frozen=True)
class RuleText:
    """A rule in plain words for one field."""

    title: str
    expected: str
    fix: str


def rule(contract: Contract | None, rule_id: str, field: str, severity: str) -> Rule:
    """The statement of a rule. A contract's own rule for the field comes before the rules of any dataset.

    A field may lend a cell rule another name (its `range_rule` is E06, say): then the general text is used.
    Raises KeyError for a rule that nobody states.
    """
    own = [] if contract is None else [r for r in contract.rules if r.rule_id == rule_id]
    exact = [r for r in own if r.field == field and r.severity == severity]
    general = [r for r in RULES_OF_ANY_DATASET if r.rule_id == rule_id and r.severity == severity]
    if found := (exact or general):
        return found[0]
    if contract is not None and (f := contract.by_name.get(field)):
        for lent, meant in ((f.not_listed_rule, "V02"), (f.range_rule, "V03"), (f.pattern_rule, "V04")):
            if rule_id == lent != meant:
                return rule(contract, meant, field, severity)
    if own:  # it could not be checked: a warning
        return next((r for r in own if r.field == field), own[0])
    raise KeyError(f"no rule {rule_id} ({severity}) for field {field!r}")


def explain(contract: Contract | None, rule_id: str, field: str, severity: str) -> RuleText:
    """What to tell the sender about a rule and a field: title, what was expected, how to fix it."""
    stated = rule(contract, rule_id, field, severity)
    f = contract.by_name.get(field) if contract is not None else None
    blanks = {
        "{title}": f.title if f else "A cell",
        "{field}": field,
        "{expected}": expected(f) if f else "a value in the agreed form",
        "{limit}": f"{contract.bad_share_limit:.0%}" if contract else "20%",
    }
    said = []
    for text in (stated.title, stated.expected, stated.fix):
        for blank, value in blanks.items():
            text = text.replace(blank, value)
        said.append(text)
    return RuleText(*said)


def rules_of(contract: Contract) -> list[tuple[Rule, Severity, str]]:
    """Every rule that can be found in a dataset, how severe, and on which field ('' for the file).

    A rule between tables that could not be checked is a warning, whatever it costs when it is broken.
    """
    found: dict[tuple[str, Severity, str], Rule] = {}

    def add(rule_id: str, severity: Severity, field: str) -> None:
        if (rule_id, severity, field) not in found:
            found[rule_id, severity, field] = rule(contract, rule_id, field, severity)

    for stated in contract.rules:
        on = stated.field or (contract.key[0] if stated.violations_sql else "")
        add(stated.rule_id, stated.severity, on)
        if any(needed != contract.dataset for needed in stated.needs):
            add(stated.rule_id, Severity.WARNING, stated.field)
    for field in contract.fields:
        for rule_id, _ in checks_of(field):
            add(rule_id, Severity.ROW, field.name)
    for general in RULES_OF_ANY_DATASET:
        for name in general.found_on(contract):
            add(general.rule_id, general.severity, name)
    return [(stated, severity, name) for (_, severity, name), stated in found.items()]
