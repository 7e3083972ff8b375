"""The words for what re-validation changed: on the sender's page, in the run's summary and in `pilots revalidate`.

All three use the same sentences, so they address nobody in particular.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flows.reporting.words.delivery_names import short_name
from flows.runtime.wording import counted, day, listed
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Kind
from schemas._rules.deletions import DELETED_RULE

if TYPE_CHECKING:
    from flows.reporting.revalidated import Revalidation
    from flows.store.ledger.held_rows import Rows

NOW_REFUSED = "the file is refused now"
NO_LONGER_REFUSED = "the file is no longer refused"
_CORRECTED = ("", "")  # in place of rule and field: the row was corrected


def sentences(again: Revalidation) -> tuple[str, ...]:
    """The released and the newly held rows, a sentence each; none where nothing changed."""
    why_released = f": {again.why_released}" if again.why_released else ""
    released = (
        f"{_that(again.released)} held back on {day(again.on)} {_are(again.released)} now in the figures"
        f"{why_released}. There is nothing to do about {'it' if again.released == 1 else 'them'}."
    )
    why_held = f": {again.why_held}" if again.why_held else ""
    held = f"{_that(again.newly_held)} accepted on {day(again.on)} {_are(again.newly_held)} now held back{why_held}."
    return (*((released,) if again.released else ()), *((held,) if again.newly_held else ()))


def in_short(again: Revalidation) -> str:
    """'MHT-BPL contacts November 2016 v1: 12 rows released, 3 still held'."""
    parts = [f"{counted(again.released, 'row')} released"] if again.released else []
    parts += [f"{counted(again.newly_held, 'row')} newly held"] if again.newly_held else []
    still = f"{again.still_held:,} still held" if parts else f"nothing released, {again.still_held:,} still held"
    return f"{short_name(again.delivery)}: {', '.join([*parts, still])}"


def why_released(contract: Contract, before: Rows, released: frozenset[int], corrected: frozenset[int]) -> str:
    """Why rows were released, the commonest reason first, inferred from the rules that held them `before`."""
    rows_by_reason: Counter[tuple[str, str]] = Counter({_CORRECTED: len(released & corrected)})
    for rule_and_field, rows in before.items():
        rows_by_reason[rule_and_field] += len((rows & released) - corrected)
    reasons = (_reason(contract, *rule_and_field, n) for rule_and_field, n in rows_by_reason.most_common() if n)
    return listed(list(dict.fromkeys(reasons)))


def why_held(now: Rows, newly_held: frozenset[int]) -> str:
    """Which checks hold rows that were accepted before."""
    rules = sorted({rule_id for (rule_id, _), rows in now.items() if rows & newly_held})
    if rules == [DELETED_RULE]:
        return f"named in a deletions file (check {DELETED_RULE})"
    return f"see {'checks' if len(rules) > 1 else 'check'} {listed(rules)}" if rules else ""


def _reason(contract: Contract, rule_id: str, field: str, rows: int) -> str:
    if (rule_id, field) == _CORRECTED:
        return f"{counted(rows, 'agreed correction')} {'was' if rows == 1 else 'were'} made"
    if rule_id == DELETED_RULE:
        return "no longer named in a deletions file"
    stated = contract.by_name.get(field)
    if stated and stated.kind is Kind.CODE and rule_id in (stated.not_listed_rule, "V02"):
        return f"the list for {stated.title} was extended"
    rules = [r for r in contract.cross_check_rules if r.rule_id == rule_id]
    if needed := {n for r in rules for n in r.needs if n != contract.dataset}:
        titles = [contract_.title.lower() for name, contract_ in datasets().items() if name in needed]
        return f"the {listed(titles)} they refer to came in"
    return f"check {rule_id} was changed"


def _that(rows: int) -> str:
    return f"{counted(rows, 'row')} that {'was' if rows == 1 else 'were'}"


def _are(rows: int) -> str:
    return "is" if rows == 1 else "are"
