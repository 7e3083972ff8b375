"""The classes that data contracts are written in: `Contract`, `Field` and `Rule`.

Each contract is stated once, in `schemas/core/<dataset>.py` or `schemas/audit/<table>.py`. Cell parsing, column
mapping, the pandera schema, the table and its comments are derived from it. Rules that hold for every dataset are in
`schemas/_rules/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from schemas._contract.code_lists import CodeList, code_list

if TYPE_CHECKING:
    import polars as pl


MIN_FAULTS_FOR_BAD_SHARE = 20  # with fewer rows at fault, their share of a small file says little
MIN_ROWS_FOR_A_PATTERN = 30  # with fewer rows, what is common to most of them may be chance (docs/domain.md 6.0)
CONSENT_RULE = "P19"  # holds people without consent; its rows do not count towards the bad share of a file
SHARE = "proportion, 0 to 1"  # the unit of fields in which 45% is read as 0.45 (rule C21), like FULL_TIME
# Units of fields in which a number may be written with its unit, such as '45 mins' (rule C29).
MINUTES, HOURS_A_WEEK, MONTHS, YEARS, POUNDS_AN_HOUR = "minutes", "hours a week", "months", "years", "pounds an hour"
LEDGER_PERIOD, FULL_TIME = "periods of the ledger", "full-time posts, 0 to 1"
COUNTED_UNITS = (MINUTES, HOURS_A_WEEK, MONTHS, YEARS, POUNDS_AN_HOUR, LEDGER_PERIOD, FULL_TIME, "days", "conditions")
FIRST_DAY, LAST_DAY = "first day", "last day"  # of a month: `Field.month_means`
PERCENTAGES = ("percentage", "percentage_points")  # codes of a `statistic` field with which 46% is read as 46


class Severity(StrEnum):
    """Consequence of breaking a rule. Source: docs/domain.md 6.0."""

    FILE = "file"  # the whole file is refused
    ROW = "row"  # the row is held back
    WARNING = "warning"  # the row is loaded, with a warning to the sender


class Kind(StrEnum):
    """Type of a field: how the text of its cells is parsed."""

    TEXT = "text"
    REFERENCE = "reference"  # an identifier: never parsed as a number; repaired only if it has one reading (rule C33)
    CODE = "code"  # an entry of the code list that `Field.codes` names
    DATE = "date"
    INTEGER = "whole number"
    DECIMAL = "decimal number"
    MONEY = "pounds"
    YES_NO = "yes or no"
    FINANCIAL_YEAR = "financial year"
    TIMESTAMP = "date and time"  # audit and reference tables only: sites never send one


class PersonalWhen(StrEnum):
    """Text that is personal data in one field only, in addition to what is personal in any cell.

    Source: docs/domain.md 6.3 (P02, P03).
    """

    NHS_NUMBER = "an NHS number"
    FULL_DATE = "a full date"


@dataclass(frozen=True)
class Usual:
    """What most values of a column are in any sound file: else it holds those of another (rule F51)."""

    in_words: str
    low: int = 0  # Y counts as 1, N as 0
    high: int | None = None
    least: float = 1 / 3  # the least share of its filled cells


@dataclass(frozen=True)
class Field:
    """One column of a dataset: its type, meaning and unit, and the checks on each of its cells.

    `aliases` are other headings that sites use for it, compared without case, spaces and punctuation.
    Values of `personal` fields are never shown outside the sender's own folder.
    `not_listed_rule`, `range_rule` and `pattern_rule` are the rule ids under which those checks report this field.
    """

    name: str
    kind: Kind
    title: str
    description: str
    unit: str = ""
    codes: str = ""  # name of a list in schemas/core/codes/
    aliases: tuple[str, ...] = ()
    required: bool = True  # no cell may be empty
    empty_if: str = "there is none"  # when a cell may be empty, in words, if the column is not required
    column_required: bool | None = None  # None: see `column_is_required`
    personal: bool = False
    personal_when: PersonalWhen | None = None
    free_text: bool = False  # may hold line breaks (rule F14)
    pattern: str = ""
    pattern_rule: str = "V04"
    joined_by: str | None = None  # of a list of answers: the sign between them, for which others are read too (C33)
    low: Decimal | int | None = None
    high: Decimal | int | None = None
    range_rule: str = "V03"
    not_listed_rule: str = "V02"
    old_code_rule: str = ""  # the rule that reports an old one-letter code, an alias in the list (by default C16)
    decimals: int = 2
    statistic: str = ""  # the field with the kind of number; where that is a percentage, '46%' is read as 46 (C21)
    usual: Usual | None = None
    sentinels: tuple[str, ...] = ()  # placeholder numbers such as 99999 (rule C08)
    example: str = ""
    default: str = ""  # the value of every row if the file lacks the column
    status_of: str = ""  # if the file lacks this status column, its code is read from the text of that field ...
    status_words: tuple[tuple[str, str], ...] = ()  # ... as (text, code) says; any other text gives the default
    month_means: str = ""  # of a date that begins or ends a period: the day suggested for a month alone, as Jun-16
    may_go_on: bool = False  # a last day, for which 'current' and such words say that there is none yet (rule C09)
    may_be_future: bool = False  # a planned date, which may be after the data cut-off (rule C06)

    def replace(self, **changes: Any) -> Field:
        """Copy the field with some attributes changed, as when one dataset makes a shared field optional."""
        return replace(self, **changes)

    @property
    def comes_later(self) -> bool:
        """Whether it is empty until something has happened, such as the exit: its column is there all the same."""
        return bool(self.column_required) and not self.required

    @property
    def is_share(self) -> bool:
        """Whether it is a share from 0 to 1, which may be written as a percentage."""
        return self.unit in (SHARE, FULL_TIME)

    @property
    def column_is_required(self) -> bool:
        """Whether a file that lacks this column is refused (rule F09)."""
        if self.column_required is not None:
            return self.column_required
        return self.required and not self.default and not self.status_of

    @property
    def code_list(self) -> CodeList:
        """The code list of a CODE field."""
        return code_list(self.codes)


# Tables are found by pattern: contracts are used where DuckDB and its parser are not imported. A test compares the two.
# In a rule that holds for any dataset, `{dataset}` is a placeholder for the dataset's name.
_TABLE = re.compile(r"\b(core|audit|history|before|sound|held)\.\"?([\w{}]+)")


@dataclass(frozen=True)
class Rule:
    """One data quality rule, with the text for the sender of what breaks it.

    `field` is the one whose cell the sender should fix ('' for the file). There are three kinds of rule.

    Within a row: `check` gives a polars expression that is true for valid rows. Null counts as valid, so the rule does
    not apply where a cell that it reads is empty. `suggested`, if there is one, gives what the cell should hold,
    derived from the rest of the row; of people's data only for a code, because other values are not repeated. A warning
    that `stores_suggestion` loads the row with it.

    Between rows, tables or deliveries: `violations_sql` selects `delivery_id, source_row` of the rows that break the
    rule. A rule about whole deliveries of any dataset (`_rules/files.py`) selects `delivery_id, found` instead, and has
    placeholders for the dataset's name and key. A `whole_file` rule of one dataset selects the same: what it finds is
    in no single row, such as the share of an answer. It gives one warning on the column of `field`, and `found` has
    counts and dates, never what a row holds. The SQL may read these schemas:

    - `core`: the rows of the deliveries that count;
    - `history`: the rows of every accepted delivery; `counts` says whether they are in `core`. `history.sent_records`
      has those records named in a deletions file that the site has ever sent;
    - `before.<dataset>`: the rows of the cumulative extract that came before the delivery which counts, under the
      `delivery_id` of the latter, like the next three. Without any such extract the rule is not run;
    - `before.<dataset>_compared`: the `deletes` that the delivery declares in its manifest;
    - `sound.<dataset>` and `held.<dataset>`: the rows that the delivery's own validation result accepts and holds.

    Found by a step in code (file structure, cell parsing): neither of the two. Such a rule holds for any dataset, and
    `found_on` gives the fields of a contract on which it can be reported ('' for the file).

    A `confirmable` rule is about a value that is unlikely and possible: the site can say once that it is right, and is
    not warned of it again while the value stays (docs/glossary.md, confirmation). It is a warning about a cell.

    The other attributes of rules between tables:

    - `needs`: datasets without which the rule cannot be checked for a site;
    - `also_reads`: datasets that it reads if they were sent, and can do without; they too are settled before its own;
    - `parent`: the one of `needs` that `field` refers to, for rules that hold rows with a dangling reference;
    - `across_sites`: other sites' rows matter, so one site's rows alone cannot show that nothing breaks the rule;
    - `found_column`: a column of `violations_sql` that a finding shows instead of the cell. For published figures only:
      its text is shown without redaction;
    - `names_other`: the words before the place of another row, which a finding shows instead of the cell, such as 'the
      same contact as' (row 7). Its SQL also selects that place, as `other_delivery` and `other_row`;
    - `reinstate_sql`: selects `delivery_id, source_row` of the rows of `history` that replace the rows held.
    """

    rule_id: str
    severity: Severity
    title: str
    expected: str
    fix: str
    field: str = ""
    check: Callable[[], pl.Expr] | None = None
    suggested: Callable[[], pl.Expr] | None = None
    stores_suggestion: bool = False
    violations_sql: str = ""
    needs: tuple[str, ...] = ()
    also_reads: tuple[str, ...] = ()
    parent: str = ""
    across_sites: bool = False
    found_column: str = ""
    names_other: str = ""
    reinstate_sql: str = ""
    whole_file: bool = False
    confirmable: bool = False
    found_on: Callable[[Contract], tuple[str, ...]] = lambda _: ("",)

    @property
    def reads(self) -> frozenset[str]:
        """Full names of the tables that its SQL reads, such as 'core.referrals'."""
        return _tables_in(f"{self.violations_sql} {self.reinstate_sql}")

    @property
    def reads_history(self) -> bool:
        """Whether it compares a delivery with earlier ones."""
        return any(table.startswith(("history.", "before.", "sound.", "held.")) for table in self.reads)


@cache
def _tables_in(sql: str) -> frozenset[str]:
    """Full names of the tables in SQL. A run asks for them hundreds of times."""
    return frozenset(f"{schema}.{table}" for schema, table in _TABLE.findall(sql))


@dataclass(frozen=True)
class Contract:
    """One dataset: its grain, key, fields and rules.

    Files of `participant_level` datasets are searched for personal data, and refused for an unknown column that looks
    personal. Those of other datasets (published grants, targets) only lose unknown columns (docs/domain.md 5.2).
    `bad_share_limit` is the share of rows at fault above which the whole file is refused (docs/domain.md 6.0).
    """

    dataset: str
    title: str
    description: str
    grain: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    participant_level: bool = False
    reference: bool = False  # not sent by sites: its rows are in the CSV beside it, or derived
    bad_share_limit: float = 0.2
    control_total: str = ""  # the money field whose sum a manifest may state as gbp_total
    event_date: str = ""  # the field with the date of the event that a row records (rule F19)
    dated_by: str = ""  # for a dataset without events: the field whose dates show which month a file is about
    nil_return_replaces: bool = False  # a nil return says that none is left, and replaces the rows sent before

    def __post_init__(self) -> None:
        names = [f.name for f in self.fields]
        repeated = {n for n in names if names.count(n) > 1}
        named = {*self.key, *(r.field for r in self.rules), self.control_total, self.month_shown_by}
        unknown = named - {"", *names}
        if repeated or unknown:
            raise ValueError(f"contract {self.dataset}: repeated fields {repeated}, unknown fields {unknown}")
        for rule in self.rules:
            suggests_value = rule.suggested and self.by_name[rule.field].kind is not Kind.CODE
            if (rule.found_column or suggests_value) and self.participant_level:
                raise ValueError(f"contract {self.dataset}: {rule.rule_id} shows what may be personal")
            if rule.stores_suggestion and (rule.severity is not Severity.WARNING or not rule.suggested):
                raise ValueError(f"contract {self.dataset}: {rule.rule_id} has no suggestion to load a row with")
            if rule.confirmable and (rule.severity is not Severity.WARNING or not rule.field):
                raise ValueError(f"contract {self.dataset}: {rule.rule_id} is not a warning about a cell: nobody can"
                                 " confirm it")  # fmt: skip
            if rule.whole_file and (rule.severity is not Severity.WARNING or not rule.field or rule.confirmable):
                raise ValueError(f"contract {self.dataset}: {rule.rule_id} is about a whole file, so it is a warning"
                                 " about a column, and no row has a value to confirm")  # fmt: skip
            if rule.check is not None and (not rule.field or rule.violations_sql):
                raise ValueError(f"contract {self.dataset}: {rule.rule_id} holds within a row, so it names one field in"
                                 " `field` and no `violations_sql`: it would never be validated")  # fmt: skip

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Fields by name."""
        return {f.name: f for f in self.fields}

    @property
    def month_shown_by(self) -> str:
        """The field whose dates show which month a file is about ('' where none does)."""
        return self.event_date or self.dated_by

    @property
    def row_rules(self) -> tuple[Rule, ...]:
        """Rules within one row, checked by pandera."""
        return tuple(r for r in self.rules if r.check is not None)

    @property
    def repairing_rules(self) -> tuple[Rule, ...]:
        """Rules within one row that load it with what they suggest."""
        return tuple(r for r in self.row_rules if r.stores_suggestion)

    @property
    def cross_check_rules(self) -> tuple[Rule, ...]:
        """Rules between rows, tables or deliveries, checked in SQL."""
        return tuple(r for r in self.rules if r.violations_sql)

    @property
    def confirmable_rules(self) -> tuple[Rule, ...]:
        """Warnings that a site can confirm to be right all the same."""
        return tuple(r for r in self.rules if r.confirmable)

    def confirmable_rule(self, rule_id: str, field: str) -> Rule | None:
        """The rule with this id and field that a site can confirm; None where there is none."""
        return next((r for r in self.confirmable_rules if (r.rule_id, r.field) == (rule_id, field)), None)

    @property
    def parent_rules(self) -> tuple[Rule, ...]:
        """Rules that hold rows with a dangling reference to another dataset."""
        return tuple(r for r in self.cross_check_rules if r.parent)

    def exceeds_bad_share(self, at_fault: int, rows: int) -> bool:
        """Whether so many rows are at fault that the whole file is refused. Source: docs/domain.md 6.0."""
        return at_fault >= MIN_FAULTS_FOR_BAD_SHARE and at_fault > rows * self.bad_share_limit

    @property
    def needs(self) -> tuple[str, ...]:
        """Other datasets without which some rule of this one cannot be checked."""
        return tuple(dict.fromkeys(n for r in self.cross_check_rules for n in r.needs if n != self.dataset))

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Datasets to settle before this one: those in `needs`, and those that its rules read if they were sent."""
        return tuple(dict.fromkeys((*self.needs, *(n for r in self.cross_check_rules for n in r.also_reads))))
