"""Look up the text of a rule for one field, wherever the rule is stated, with its placeholders filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas._contract.expected import empty_if, expected
from schemas._contract.model import Contract, Field, Rule, Severity
from schemas._rules.agreements import CONFIRMATION_RULES, CORRECTION_RULES
from schemas._rules.cells import CELL_RULES
from schemas._rules.checks import checks_of
from schemas._rules.deletions import DELETION_RULES
from schemas._rules.files import FILE_RULES
from schemas._rules.misplaced import MISPLACED_RULES
from schemas._rules.not_data import CALCULATE
from schemas._rules.privacy import PERSONAL_DATA_RULES

RULES_OF_ANY_DATASET: tuple[Rule, ...] = (
    *FILE_RULES,
    *MISPLACED_RULES,
    *PERSONAL_DATA_RULES,
    *DELETION_RULES,
    *CELL_RULES,
    *CORRECTION_RULES,
    *CONFIRMATION_RULES,
)


MAX_NAMED = 3  # missing columns in a title
MIN_PIVOTED = 3  # unknown columns beside missing ones: perhaps the values of one, side by side
MAX_EXPECTED = 3  # columns of which a warning says what each may hold


@dataclass(frozen=True)
class RuleText:
    """Text of a rule for one field, in plain English."""

    title: str
    expected: str
    fix: str


def rule(contract: Contract | None, rule_id: str, field: str, severity: str) -> Rule:
    """Find a rule by its id, field and severity. The contract's own rules come before those of every dataset.

    A field may report a general check under an id of its own (its `range_rule` may be E06). If the contract has no rule
    of that id, the general rule is returned. Raises KeyError for an unknown rule.
    """
    own = [] if contract is None else [r for r in contract.rules if r.rule_id == rule_id]
    exact = [r for r in own if r.field == field and r.severity == severity]
    general = [r for r in RULES_OF_ANY_DATASET if r.rule_id == rule_id and r.severity == severity]
    if found := (exact or general):
        # of two general rules of one id, one is about cells and one about whole rows
        of_field = [r for r in found if contract is not None and field in r.found_on(contract)] if found[1:] else []
        return (of_field or found)[0]
    if contract is not None and (f := contract.by_name.get(field)):
        for own_id, general_id in ((f.not_listed_rule, "V02"), (f.range_rule, "V03"), (f.pattern_rule, "V04")):
            if rule_id == own_id != general_id and severity == Severity.ROW:
                return rule(contract, general_id, field, severity)
    if own:  # asked for with another severity: a rule that could not be checked is reported as a warning
        return next((r for r in own if r.field == field), own[0])
    raise KeyError(f"no rule {rule_id} ({severity}) for field {field!r}")


def explain(
    contract: Contract | None, rule_id: str, field: str, severity: str, letter: str = "", heading_row: int | None = None
) -> RuleText:
    """The text of a rule for one field, for the sender: title, what was expected, how to fix it.

    `letter` is the letter of the field's column in the sender's file, and `heading_row` the row of its heading, where
    they are known.
    """
    f = contract.by_name.get(field) if contract is not None else None
    stated = rule(contract, rule_id, field, severity)
    return _filled_in(
        _may_be_empty(stated, [f] if f else []),
        contract,
        title=f.title if f else "A cell",
        field=field,
        column=f"column {letter}" if letter else "the column",
        each="",
        heading=f"cell {letter}{heading_row}" if letter and heading_row else "the cell of its heading",
        expected=expected(f) if f else "a value in the agreed form",
    )


def _filled_in(stated: Rule, contract: Contract | None, **placeholders: str) -> RuleText:
    """The texts of a rule with their placeholders filled in."""
    limit = f"{contract.bad_share_limit:.0%}" if contract else "20%"
    sheet = contract.title if contract else "of the dataset"
    texts = []
    for text in (stated.title, stated.expected, stated.fix):
        for name, value in (placeholders | {"limit": limit, "sheet": sheet}).items():
            text = text.replace(f"{{{name}}}", value)
        texts.append(text)
    return RuleText(*texts)


def _may_be_empty(stated: Rule, fields: Sequence[Field]) -> Rule:
    """A rule about cells that hold rows back, with what to do where a cell may be empty, so that nobody guesses."""
    optional = [f for f in fields if not f.required]
    has_value = stated.fix == CALCULATE  # its formula gives the value
    if stated.severity is not Severity.ROW or stated.expected != "{expected}" or has_value or not optional:
        return stated
    reasons = {empty_if(f) for f in optional}
    if len(optional) == len(fields) and len(reasons) == 1:
        sentence = f"If {reasons.pop()}, leave the cell empty."
    else:
        each = [f"of {f.title} if {empty_if(f)}" for f in optional]
        sentence = f"Leave a cell empty {_listed(each)}."
    return replace(stated, fix=f"{stated.fix} {sentence}")


def explain_columns(
    contract: Contract | None,
    rule_id: str,
    severity: str,
    columns: Sequence[tuple[str, str]],
    heading_row: int | None = None,
) -> RuleText:
    """The text of a rule that several columns break, given as pairs of field and column letter."""
    names = [name for name, _ in columns]
    fields = [contract.by_name[name] for name in names if contract and name in contract.by_name]
    letters = [letter for _, letter in columns if letter]
    stated = _may_be_empty(rule(contract, rule_id, names[0], severity), fields)
    texts = {
        "title": _and_more([f.title for f in fields] or names),
        "column": f"columns {_listed(letters)}" if letters[1:] else "the columns",
        "each": ", one at a time",
        "heading": f"cells {_listed([f'{a}{heading_row}' for a in letters])}"
        if letters[1:] and heading_row
        else "the cells of their headings",
        # where a value must be entered, the text says which
        "expected": _expected_of_each(fields, in_full=severity != Severity.WARNING),
    }
    in_short = _filled_in(stated, contract, field=_and_more(names), **texts)
    # what to write into each heading has to be said of each
    in_full = _filled_in(stated, contract, field=_listed(names), **texts)
    return RuleText(in_short.title, in_full.expected, in_full.fix)


def explain_headings(renamed: int, missing: Sequence[tuple[str, str]], unknown: Sequence[str]) -> RuleText:
    """The text for several columns that are missing or may be renamed, all at once.

    `renamed` is how many have a likely partner, `missing` names and titles those without, and `unknown` the letters of
    the columns that were left out.
    """
    which = "are renamed or missing" if renamed and missing else "seem to be renamed" if renamed else "are missing"
    titles = [title for _, title in missing]
    # where some are renamed, the table and the fix name them all
    named = "" if renamed else f": {_listed(titles) if len(titles) <= MAX_NAMED else _and_more(titles)}"
    fix = []
    if renamed:
        fix.append(
            "Rename a column only if it means the same as the new heading, and holds what is said beside it: type the"
            " new heading in its cell. If it does not, add a column with the new heading and its own values."
        )
    if missing:
        names = _listed([f"{title} ({name})" for name, title in missing])
        each = "one for each" if missing[1:] else "one"
        fix.append(f"No column was found for {names}: add {each}, or the heading alone if the values are there.")
    if unknown:
        fix.append(f"Headings that we do not know are in column{'s' if unknown[1:] else ''} {_listed(unknown)}.")
    if len(missing) > 1 and len(unknown) >= MIN_PIVOTED:
        fix.append(
            "If each of these stands for one value of a missing column, as a column for each quarter or questionnaire"
            " does, put each value on a row of its own, under one heading."
        )
    return RuleText(
        f"{renamed + len(missing)} columns {which}{named}",
        "the headings of the guide",
        " ".join([*fix, "Then send the file again."]),
    )


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))


def _and_more(names: Sequence[str]) -> str:
    """The first of several columns, and how many more there are."""
    return f"{names[0]} (and {len(names) - 1} more column{'s' if len(names) > 2 else ''})"


def _expected_of_each(fields: Sequence[Field], *, in_full: bool) -> str:
    """What cells of several columns may hold: once if that is the same for all with a value, else by column."""
    texts = {f.title: expected(f.replace(required=True)) for f in fields}
    if len(set(texts.values())) == 1:
        return texts[fields[0].title]
    if not texts or (len(texts) > MAX_EXPECTED and not in_full):
        return "in each column what belongs under its heading"
    return "; ".join(f"in {title} {text}" for title, text in texts.items())


def rules_of(contract: Contract) -> list[tuple[Rule, Severity, str]]:
    """Every rule that can be reported for a dataset, with its severity and field ('' for the file).

    A rule between tables is listed as a warning too: that is its severity where it could not be checked.
    """
    found: dict[tuple[str, Severity, str], Rule] = {}

    def add(rule_id: str, severity: Severity, field: str) -> None:
        if (rule_id, severity, field) not in found:
            stated = rule(contract, rule_id, field, severity)
            # a general rule is listed under the id by which this field reports it
            found[rule_id, severity, field] = stated if stated.rule_id == rule_id else replace(stated, rule_id=rule_id)

    for stated in contract.rules:
        field_name = stated.field or (contract.key[0] if stated.violations_sql else "")
        add(stated.rule_id, stated.severity, field_name)
        if any(needed != contract.dataset for needed in stated.needs):
            add(stated.rule_id, Severity.WARNING, stated.field)
    for field in contract.fields:
        for rule_id, _ in checks_of(field):
            add(rule_id, Severity.ROW, field.name)
        if field.codes:
            add(field.not_listed_rule, Severity.ROW, field.name)
    for general in RULES_OF_ANY_DATASET:
        for name in general.found_on(contract):
            add(general.rule_id, general.severity, name)
    return [(stated, severity, name) for (_, severity, name), stated in found.items()]
