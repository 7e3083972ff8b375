"""What a dataset, a field and a rule may say of themselves.

A contract is stated once, in `schemas/core/<dataset>.py`. Cell parsing, column mapping, the pandera schema, the table
and its comments are all derived from it (see `derive.py`). Only the vocabulary of contracts belongs here; what holds
for every dataset (blank cells, dates, code lists) is in `cells.py` and `files.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from schemas._contract.code_lists import CodeList, code_list

if TYPE_CHECKING:
    import polars as pl


LEAST_ROWS_FOR_BAD_SHARE = 20  # in a smaller number of faults no share says anything
CONSENT = "P19"  # the rule that holds people without consent: such rows say nothing of how good a file is
SHARE = "proportion, 0 to 1"  # the unit of a share: 0.45 for forty-five in a hundred (rule C21)


PERCENTAGES = ("percentage", "percentage_points")  # codes of a `statistic` beside which 46% is 46


class Severity(StrEnum):
    """What a broken rule costs. Source: docs/domain.md 6.0."""

    FILE = "file"  # the whole file is refused
    ROW = "row"  # the row is held back
    WARNING = "warning"  # the row loads; the sender sees a warning


class Kind(StrEnum):
    """How the text of a cell is to be read."""

    TEXT = "text"
    REFERENCE = "reference"  # an identifier: never a number, never repaired
    CODE = "code"  # one of a code list
    DATE = "date"
    WHOLE = "whole number"
    DECIMAL = "decimal number"
    MONEY = "pounds"
    YES_NO = "yes or no"
    FINANCIAL_YEAR = "financial year"
    MOMENT = "date and time"  # never sent by sites: audit tables only


class PersonalWhen(StrEnum):
    """What would make the text of a field personal data, besides what would in any cell.

    Source: docs/domain.md 6.3 (P02, P03).
    """

    NHS_NUMBER = "an NHS number"
    FULL_DATE = "a full date"


@dataclass(frozen=True)
class Field:
    """One column of a dataset: its meaning, its unit, and what a cell of it may hold.

    `aliases` are headings that sites really use for it (matched without case, spaces and punctuation).
    `personal` fields never show their values outside the sender's own folder.
    `not_listed_rule` and `range_rule` name the rule that the general check carries for this field.
    """

    name: str
    kind: Kind
    title: str
    description: str
    unit: str = ""
    codes: str = ""  # name of a list in schemas/core/codes/
    aliases: tuple[str, ...] = ()
    required: bool = True
    column_required: bool | None = None  # may the whole column be absent? by default only where the cell is optional
    personal: bool = False
    personal_when: PersonalWhen | None = None
    free_text: bool = False
    pattern: str = ""
    pattern_rule: str = "V04"
    low: Decimal | int | None = None
    high: Decimal | int | None = None
    range_rule: str = "V03"
    not_listed_rule: str = "V02"
    old_code_rule: str = ""  # the rule that carries an old one-letter code, an alias of the list (else C16)
    decimals: int = 2
    statistic: str = ""  # the field that says what kind of number it is: '46%' is read where it is a percentage (C21)
    sentinels: tuple[str, ...] = ()  # placeholder numbers such as 99999 (rule C08)
    example: str = ""
    default: str = ""  # the value of every row where the whole column is absent
    status_of: str = ""  # for a status column that is absent: read from the text of this field ...
    status_words: tuple[tuple[str, str], ...] = ()  # ... by these words: (text, code); any other text is the default
    may_be_future: bool = False  # planned dates may lie after the data cut-off (rule C06)

    def but(self, **changes: Any) -> Field:
        """The same field with some statements changed, as when a dataset makes it optional."""
        return replace(self, **changes)

    @property
    def column_is_required(self) -> bool:
        """Whether a file without this column is refused (rule F09)."""
        if self.column_required is not None:
            return self.column_required
        return self.required and not self.default and not self.status_of

    @property
    def code_list(self) -> CodeList:
        """The code list of a CODE field."""
        return code_list(self.codes)


# Tables are told by their names in the text, for contracts are read where DuckDB, whose parser would tell them too, is
# not imported. A test holds both to the same tables. In a rule of any dataset, `{dataset}` stands for its name.
_TABLE = re.compile(r"\b(core|audit|history|before|sound|held)\.\"?([\w{}]+)")


@dataclass(frozen=True)
class Rule:
    """One thing that must be true, with what to tell the sender when it is not.

    `field` is the one whose cell the sender should fix ('' for the file). A rule within a row gives `check`: a polars
    expression that is true for rows that keep it (unknown where a cell is empty: then the rule does not apply).
    A rule between rows, tables or deliveries gives `violations_sql`: a SELECT of `delivery_id, source_row` of the rows
    that break it, over the schemas `core` (current rows) and `history` (every accepted delivery's rows; `counts` says
    whether they are current). Where it is about deliveries as a whole, of any dataset, it gives `delivery_id, found`
    and has blanks for the dataset's name and key. It may read, each by the delivery that counts and is compared,
    `before.<dataset>` (the rows of the cumulative extract before it), `sound.<dataset>` and `held.<dataset>` (the rows
    that its own validation result accepts and holds) and `before.<dataset>_compared` (the `deletes` that it declares);
    it is not asked where no extract has one before it. A rule that a step applies by hand (file structure, cell
    reading) gives neither: it holds for any dataset, and `found_on` says on which fields of one it can be found broken
    ('' for the file). `shows` names a column of `violations_sql` that a finding shows in place of the cell, where one
    cell does not say what was found: of published figures only, for it is shown as it is. `needs` lists datasets
    without which a rule between tables could not be checked for a site. `parent` names the one of them whose row that
    field refers to, where the rule holds rows that refer to none. `across_sites` says that rows of other sites bear on
    it: from one site's rows alone it cannot be told that nothing breaks it. `after` lists datasets that it reads where
    they were sent, and can be validated without: they too are settled before its own.
    """

    rule_id: str
    severity: Severity
    title: str
    expected: str
    fix: str
    field: str = ""
    check: Callable[[], pl.Expr] | None = None
    violations_sql: str = ""
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    parent: str = ""
    across_sites: bool = False
    shows: str = ""
    reinstate_sql: str = ""  # SELECT delivery_id, source_row of the rows of `history` that stand in place of those held
    found_on: Callable[[Contract], tuple[str, ...]] = lambda _: ("",)

    @property
    def reads(self) -> frozenset[str]:
        """The tables that its SQL reads, such as 'core.referrals'."""
        return frozenset(
            f"{schema}.{table}" for schema, table in _TABLE.findall(f"{self.violations_sql} {self.reinstate_sql}")
        )

    @property
    def looks_back(self) -> bool:
        """Whether it compares with what earlier deliveries brought."""
        return any(table.startswith(("history.", "before.", "sound.", "held.")) for table in self.reads)


@dataclass(frozen=True)
class Contract:
    """One dataset: its grain, key, fields and rules.

    `participant_level` datasets refuse columns they do not know that look personal, and are searched for personal
    data; others (published grants, targets) only drop unknown columns (docs/domain.md 5.2).
    `bad_share_limit` is the share of rows at fault over which the file is refused whole (docs/domain.md 6.0).
    """

    dataset: str
    title: str
    description: str
    grain: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    participant_level: bool = False
    reference: bool = False  # not sent by sites: its content lies beside it as CSV, or is derived
    bad_share_limit: float = 0.2
    control_total: str = ""  # the money field that a manifest's gbp_total adds up
    event_date: str = ""  # the field that says when what a row tells of took place (rule F19)
    dated_by: str = ""  # where a row tells of no event: the field whose dates still show which month a file is about

    def __post_init__(self) -> None:
        names = [f.name for f in self.fields]
        repeated = {n for n in names if names.count(n) > 1}
        named = {*self.key, *(r.field for r in self.rules), self.control_total, self.month_shown_by}
        unknown = named - {"", *names}
        if repeated or unknown:
            raise ValueError(f"contract {self.dataset}: repeated fields {repeated}, unknown fields {unknown}")
        for rule in self.rules:
            if rule.shows and self.participant_level:
                raise ValueError(f"contract {self.dataset}: {rule.rule_id} shows what may be personal")
            if rule.check is not None and (not rule.field or rule.violations_sql):
                raise ValueError(f"contract {self.dataset}: {rule.rule_id} holds within a row, so it names one field in"
                                 " `field` and no `violations_sql`: it would never be validated")  # fmt: skip

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by name."""
        return {f.name: f for f in self.fields}

    @property
    def month_shown_by(self) -> str:
        """The field whose dates show which month a file is about ('' where none does)."""
        return self.event_date or self.dated_by

    @property
    def row_rules(self) -> tuple[Rule, ...]:
        """Rules that pandera can validate within one row."""
        return tuple(r for r in self.rules if r.check is not None)

    @property
    def relation_rules(self) -> tuple[Rule, ...]:
        """Rules between rows, tables or deliveries, validated in SQL."""
        return tuple(r for r in self.rules if r.violations_sql)

    @property
    def parent_rules(self) -> tuple[Rule, ...]:
        """The rules that hold rows which refer to a row that is not there."""
        return tuple(r for r in self.relation_rules if r.parent)

    def exceeds_bad_share(self, at_fault: int, rows: int) -> bool:
        """Whether too many of a file's rows are at fault for the rest to count. Source: docs/domain.md 6.0."""
        return at_fault >= LEAST_ROWS_FOR_BAD_SHARE and at_fault > rows * self.bad_share_limit

    @property
    def needs(self) -> tuple[str, ...]:
        """Datasets that must be related before this one."""
        return tuple(dict.fromkeys(n for r in self.relation_rules for n in r.needs if n != self.dataset))

    @property
    def comes_after(self) -> tuple[str, ...]:
        """Datasets that are settled before this one: those it needs, and those its rules read where they were sent."""
        return tuple(dict.fromkeys((*self.needs, *(n for r in self.relation_rules for n in r.after))))
