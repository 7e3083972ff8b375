"""Cross-check one file alone: the rules between rows that `pilots check` can ask without a warehouse.

The datasets of the file are put into `core` in a DuckDB in memory, and validated there by the very code of the run,
with the outcome of a run in an empty warehouse. A rule is judged where all that it reads is in the file, or is never
sent by the programme. What a return of several datasets does without, and the site need not send, is taken as not sent,
as the run takes it. Of any rule that is not judged, or not for certain, it is said what it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from flows.deliveries.findings import Finding, findings_frame
from flows.deliveries.standings import standings
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.wording import listed
from flows.store.findings import select_findings
from flows.store.result_sink import RowsInMemory
from schemas._contract.catalogue import audit_tables, datasets, reference_tables
from schemas._contract.derive import create_table, quoted
from schemas._contract.model import Contract, Rule, Severity
from schemas._contract.registry import NONE, OPTIONAL, returns_for
from schemas._rules.files import DELIVERY_RULES
from schemas.audit.deliveries import Delivery, ExtractType, Standing, Verdict
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb  # a file in which no rule between rows can be validated is checked without it

_BEFORE, _OTHERS, _ROWS = "what you sent before", "what others sent", "rows that are accepted"


@dataclass(frozen=True)
class SingleFile:
    """Which rules between rows can be validated from one file alone.

    `sent` are the datasets in the file, `counting` those that are not refused, `at_hand` those of them that are whole:
    of one that adds up period by period, a file holds but a part.
    """

    site_code: str
    sent: frozenset[str]
    counting: frozenset[str]
    at_hand: frozenset[str]

    @classmethod
    def of(cls, deliveries: Sequence[Delivery], verdicts: Mapping[str, Verdict] | None = None) -> SingleFile:
        """Of the deliveries in one file; before they are validated, as if each of them will count."""
        standing = standings(deliveries, verdicts) if verdicts else {}
        counting = {d.dataset for d in deliveries if standing.get(d.delivery_id, Standing.CURRENT) is Standing.CURRENT}
        whole = {d.dataset for d in deliveries if d.extract_type is ExtractType.CUMULATIVE}
        sent = frozenset(d.dataset for d in deliveries)
        return cls(deliveries[0].site_code, sent, frozenset(counting), frozenset(counting & whole))

    def rules(self, contract: Contract) -> tuple[Rule, ...]:
        """The rules between rows of a dataset that can be validated."""
        return tuple(
            r
            for r in contract.cross_check_rules
            if not r.reads_history and all(self._may_be_left_out(n, r) for n in self._absent(contract, r))
        )

    def lacks(self, contract: Contract, rule: Rule) -> str:
        """What besides the file is needed to be sure that nothing breaks a rule, in words; '' where nothing is."""
        absent = self._absent(contract, rule)
        said = []
        if others := [n for n in absent if n != contract.dataset]:
            titles = listed([datasets()[n].title.lower() for n in others])
            is_owed = any(returns_for(self.site_code).get(n) != OPTIONAL for n in others)
            said.append(f"your accepted files of {titles}{'' if is_owed else ', if you send any'}")
        if contract.dataset in absent:
            said.append(_BEFORE if contract.dataset in self.counting else _ROWS)
        elif rule.reads_history or rule in DELIVERY_RULES:
            said.append(_BEFORE)
        return listed([*said, _OTHERS] if rule.across_sites else said)

    def _absent(self, contract: Contract, rule: Rule) -> list[str]:
        """The datasets that a rule reads, but for those at hand and those that are known never to be sent."""
        need = returns_for(self.site_code)
        read = {table.removeprefix("core.") for table in rule.reads if table.startswith("core.")} | {contract.dataset}
        return [n for n in datasets() if n in read - self.at_hand and (n == contract.dataset or need.get(n) != NONE)]

    def _may_be_left_out(self, dataset: str, rule: Rule) -> bool:
        """Whether a rule is validated without a dataset: the site need not send it, and its return does without."""
        is_optional = dataset not in rule.needs and returns_for(self.site_code).get(dataset) == OPTIONAL
        return is_optional and len(self.sent) > 1 and dataset not in self.sent


@dataclass(frozen=True)
class InFile:
    """One dataset of a file as its own validation result leaves it. Its accepted rows are kept until they are taken."""

    delivery: Delivery
    contract: Contract
    verdict: Verdict
    out: RowsInMemory


@dataclass(frozen=True)
class OfDataset:
    """The outcome of one dataset of a file in the end, and what each rule that was not judged lacks, in words.

    Such a rule goes by its id, its severity and its field.
    """

    verdict: Verdict
    findings: pl.DataFrame  # columns of FINDING_TYPES
    lacks: Mapping[tuple[str, str, str], str]


def columns_read(contract: Contract, alone: SingleFile) -> tuple[str, ...]:
    """The fields of a dataset that the applicable rules between rows read: the columns to keep of each row."""
    validated = [(c, r) for c in datasets().values() for r in alone.rules(c)]
    sql = [r.violations_sql for _, r in validated if f"core.{contract.dataset}" in r.reads]
    own = {r.field for c, r in validated if c is contract}
    named = own | set(re.findall(r"\w+", " ".join(sql)))  # any word: a column too many costs a little memory, no more
    return tuple(f.name for f in contract.fields if sql and (f.name in named or f.name == contract.key[0]))


def cross_check_file(in_file: Sequence[InFile]) -> list[OfDataset]:
    """Validate the rules between rows of the datasets of one file, each after those that it needs. Takes their rows."""
    verdicts = {p.delivery.delivery_id: p.verdict for p in in_file}
    alone = SingleFile.of([p.delivery for p in in_file], verdicts)
    validated = [p for p in in_file if p.delivery.dataset in alone.at_hand and alone.rules(p.contract)]
    found = _found_between_rows(in_file, alone) if any(p.verdict.rows.accepted for p in validated) else {}
    return [_outcome(p, alone, found.get(p.delivery.dataset)) for p in in_file]


def _outcome(part: InFile, alone: SingleFile, found: pl.DataFrame | None) -> OfDataset:
    contract = part.contract
    lacking = [(r, alone.lacks(contract, r)) for r in (*contract.cross_check_rules, *DELIVERY_RULES)]
    not_validated = [
        Finding(r.rule_id, r.severity, field=r.field, outcome=Outcome.NOT_CHECKED) for r, lacks in lacking if lacks
    ]
    findings = pl.concat([part.out.findings, *([] if found is None else [found])])
    held = 0 if found is None else found.filter(pl.col("severity") == Severity.ROW)["source_row"].n_unique()
    return OfDataset(
        part.verdict.with_accepted(part.verdict.rows.accepted - held),
        findings.vstack(findings_frame(not_validated, part.verdict.sheet)),
        {(r.rule_id, str(r.severity), r.field): lacks for r, lacks in lacking if lacks},
    )


def _found_between_rows(in_file: Sequence[InFile], alone: SingleFile) -> dict[str, pl.DataFrame]:
    """What the rules between rows find in each dataset of a file that counts (columns of FINDING_TYPES)."""
    from flows.steps.cross_check.rows import check_rows, make_work_tables
    from flows.store.warehouse.connection import in_memory

    by_dataset = {p.delivery.dataset: p for p in in_file if p.delivery.dataset in alone.at_hand}
    validated = [ValidatedDelivery(p.delivery, "", p.verdict, Standing.CURRENT) for p in by_dataset.values()]
    with in_memory() as db:
        make_work_tables(db)
        _fill_tables(db, by_dataset, alone)
        for name, contract in datasets().items():
            current = [j for j in validated if j.delivery.dataset == name]
            check_rows(db, replace(contract, rules=alone.rules(contract)), current, validated)
        return {name: select_findings(db, [p.delivery.delivery_id]) for name, p in by_dataset.items()}


def _fill_tables(db: duckdb.DuckDBPyConnection, by_dataset: Mapping[str, InFile], alone: SingleFile) -> None:
    """Make the tables that rules read: of the file's datasets, of those never sent, and of what no site sends."""
    from flows.steps.cross_check.history import OF_DELIVERY
    from flows.steps.load import fill_reference

    db.execute("create schema core; create schema audit")
    db.execute(create_table("audit", audit_tables()["findings"]))
    deliveries = pl.DataFrame(
        [{n: getattr(p.delivery, n) for n in OF_DELIVERY} for p in by_dataset.values()], OF_DELIVERY
    )
    db.register("deliveries_in_file", deliveries.to_arrow())
    db.execute("create table audit.deliveries as from deliveries_in_file")
    read = {table for name in by_dataset for r in alone.rules(datasets()[name]) for table in r.reads}
    for name in sorted(table.removeprefix("core.") for table in read if table.startswith("core.")):
        if name in by_dataset:
            _take_rows(db, by_dataset[name])
        elif name in datasets():
            db.execute(create_table("core", datasets()[name], sent_by_sites=True))
        else:
            db.execute(create_table("core", reference_tables()[name]))
            fill_reference(db, reference_tables()[name])


def _take_rows(db: duckdb.DuckDBPyConnection, part: InFile) -> None:
    """Make the table of a dataset in `core` from the rows that were kept: with the columns that are read, no others."""
    from flows.store.accepted_rows import OF_THE_DELIVERY

    contract, delivery = part.contract, part.delivery
    added = "".join(f", {quoted(getattr(delivery, n))} as {n}" for n in OF_THE_DELIVERY if n not in contract.by_name)
    table = f'core."{contract.dataset}"'
    is_made = False
    for rows in part.out.take_rows():
        db.register("some_rows", rows.to_arrow())
        into = f"insert into {table} by name" if is_made else f"create table {table} as"
        db.execute(f"{into} select *{added} from some_rows")
        db.unregister("some_rows")
        is_made = True
    if not is_made:
        db.execute(create_table("core", contract, sent_by_sites=True))
