"""The outcome of validating a delivery again: which rows left quarantine since its last report, and which went there.

A rule, a code list or a correction changed, or what the rows refer to came in since: then a site is told, in the words
that stand here and speak to nobody in particular, on its page, in the run's summary and by `pilots revalidate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows.runtime.wording import counted, day, listed, month
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Kind
from schemas.audit.deliveries import Delivery

Rows = Mapping[tuple[str, str], frozenset[int]]  # (rule, field) -> the source rows it holds
CORRECTED = ("", "")  # in place of rule and field: the row was corrected


@dataclass(frozen=True)
class HeldThen:
    """The rows that a report said were held back, and the day it said so."""

    on: date
    rows: Rows

    def to_json(self) -> dict[str, Any]:
        """The rows as plain JSON values."""
        return {"on": self.on.isoformat(), "rows": [[*by, sorted(rows)] for by, rows in self.rows.items()]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> HeldThen:
        """The rows that `to_json` wrote. Raises KeyError, TypeError or ValueError where they are in another form."""
        rows = {(rule_id, field): frozenset(held) for rule_id, field, held in data["rows"]}
        return cls(date.fromisoformat(data["on"]), rows)


@dataclass(frozen=True)
class Revalidation:
    """How a delivery fares since its last report: rows released, rows newly held, and why."""

    delivery: Delivery
    on: date  # of the last report
    released: int = 0
    newly_held: int = 0
    still_held: int = 0
    why_released: str = ""
    why_held: str = ""

    @property
    def changed(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.released or self.newly_held)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the site is told."""
        why_released = f": {self.why_released}" if self.why_released else ""
        released = (
            f"{_that(self.released)} held back on {day(self.on)} {_are(self.released)} now in the figures"
            f"{why_released}. There is nothing to do about {'it' if self.released == 1 else 'them'}."
        )
        why_held = f": {self.why_held}" if self.why_held else ""
        held = f"{_that(self.newly_held)} accepted on {day(self.on)} {_are(self.newly_held)} now held back{why_held}."
        return (*((released,) if self.released else ()), *((held,) if self.newly_held else ()))

    @property
    def in_short(self) -> str:
        """'MHT-BPL contacts November 2016 v1: 12 rows released, 3 still held'."""
        parts = [f"{counted(self.released, 'row')} released"] if self.released else []
        parts += [f"{counted(self.newly_held, 'row')} newly held"] if self.newly_held else []
        still = f"{self.still_held:,} still held" if parts else f"nothing released, {self.still_held:,} still held"
        return f"{name_of(self.delivery)}: {', '.join([*parts, still])}"


def name_of(delivery: Delivery) -> str:
    """A delivery in a few words: 'MHT-BPL contacts November 2016 v1'."""
    return f"{delivery.site_code} {delivery.dataset} {month(delivery.period)} v{delivery.version}"


def why_released(contract: Contract, then: Rows, released: frozenset[int], corrected: frozenset[int]) -> str:
    """Why rows left quarantine, the commonest reason first, as far as what held them tells."""
    by: Counter[tuple[str, str]] = Counter({CORRECTED: len(released & corrected)})
    for rule_and_field, rows in then.items():
        by[rule_and_field] += len((rows & released) - corrected)
    reasons = (_reason(contract, *rule_and_field, n) for rule_and_field, n in by.most_common() if n)
    return listed(list(dict.fromkeys(reasons)))


def why_held(now: Rows, newly: frozenset[int]) -> str:
    """Which checks hold rows that were accepted before."""
    rules = sorted({rule_id for (rule_id, _), rows in now.items() if rows & newly})
    return f"see {'checks' if len(rules) > 1 else 'check'} {listed(rules)}" if rules else ""


def _reason(contract: Contract, rule_id: str, field: str, rows: int) -> str:
    if (rule_id, field) == CORRECTED:
        return f"{counted(rows, 'agreed correction')} {'was' if rows == 1 else 'were'} made"
    stated = contract.by_name.get(field)
    if stated and stated.kind is Kind.CODE and rule_id in (stated.not_listed_rule, "V02"):
        return f"the list for {stated.title} was extended"
    if needed := {n for r in contract.relation_rules if r.rule_id == rule_id for n in r.needs if n != contract.dataset}:
        titles = [contract_.title.lower() for name, contract_ in datasets().items() if name in needed]
        return f"the {listed(titles)} they refer to came in"
    return f"check {rule_id} was changed"


def _that(rows: int) -> str:
    return f"{counted(rows, 'row')} that {'was' if rows == 1 else 'were'}"


def _are(rows: int) -> str:
    return "is" if rows == 1 else "are"
