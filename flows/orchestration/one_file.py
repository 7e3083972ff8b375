"""Cross-check one file by itself: the rules between rows that `pilots check` can apply without a warehouse.

The datasets of the file are loaded into `core` in an in-memory DuckDB and checked there by the code of the run. The
outcome is that of a run in an empty warehouse.

A rule is applied where every dataset that it reads is in the file or is never sent by the programme. A dataset that is
optional for the site and absent from a return of several datasets is taken as not sent, as in a run. For every other
rule, and for one whose result is not final, the report says what is missing.
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
from flows.store.findings_table import select_findings
from flows.store.result_sink import RowsInMemory
from schemas._contract.catalogue import DELETIONS, audit_tables, datasets, reference_tables
from schemas._contract.derive import create_table, quoted
from schemas._contract.model import Contract, Rule, Severity
from schemas._contract.registry import NONE, OPTIONAL, returns_for
from schemas._rules.deletions import DELETION_RULES, is_about_people
from schemas._rules.files import DELIVERY_RULES
from schemas.audit.deliveries import Delivery, ExtractType, Standing, Verdict
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import duckdb  # not imported at run time: most single files need no cross-check, and start faster without it

_BEFORE, _OTHERS, _ROWS = "what you sent before", "what others sent", "rows that are accepted"
_YOUR_DELETIONS = "your accepted files of deletions, if you send any"


@dataclass(frozen=True)
class SingleFile:
    """The datasets of one file, and which rules between rows can be applied to it alone."""

    site_code: str
    sent: frozenset[str]  # datasets in the file
    current: frozenset[str]  # those of them that are not refused
    complete: frozenset[str]  # those of `current` that are cumulative: of a dataset by periods, a file has only one

    @classmethod
    def of(cls, deliveries: Sequence[Delivery], verdicts: Mapping[str, Verdict] | None = None) -> SingleFile:
        """Describe the deliveries of one file. Without verdicts, assume that each of them will count."""
        standing = standings(deliveries, verdicts) if verdicts else {}
        current = {d.dataset for d in deliveries if standing.get(d.delivery_id, Standing.CURRENT) is Standing.CURRENT}
        cumulative = {d.dataset for d in deliveries if d.extract_type is ExtractType.CUMULATIVE}
        sent = frozenset(d.dataset for d in deliveries)
        return cls(deliveries[0].site_code, sent, frozenset(current), frozenset(current & cumulative))

    def applicable_rules(self, contract: Contract) -> tuple[Rule, ...]:
        """The rules between rows of a dataset that can be applied to this file."""
        return tuple(
            r
            for r in contract.cross_check_rules
            if not r.reads_history and all(self._is_optional(n, r) for n in self._unavailable(contract, r))
        )

    def missing_inputs(self, contract: Contract, rule: Rule) -> str:
        """What else would be needed to say that no row breaks the rule, in words; '' where nothing is."""
        absent = self._unavailable(contract, rule)
        missing = []
        if others := [n for n in absent if n != contract.dataset]:
            titles = listed([datasets()[n].title.lower() for n in others])
            is_owed = any(returns_for(self.site_code).get(n) != OPTIONAL for n in others)
            missing.append(f"your accepted files of {titles}{'' if is_owed else ', if you send any'}")
        if contract.dataset in absent:
            missing.append(_BEFORE if contract.dataset in self.current else _ROWS)
        elif rule.reads_history or rule in DELIVERY_RULES:
            missing.append(_BEFORE)
        return listed([*missing, _OTHERS] if rule.across_sites else missing)

    def _unavailable(self, contract: Contract, rule: Rule) -> list[str]:
        """Datasets that the rule reads and the file does not have in full, except those that the site never sends."""
        need = returns_for(self.site_code)
        # which tables a rule reads follows from its SQL, so nothing has to be kept in step by hand
        read = {table.removeprefix("core.") for table in rule.reads if table.startswith("core.")} | {contract.dataset}
        return [n for n in datasets() if n in read - self.complete and (n == contract.dataset or need.get(n) != NONE)]

    def _is_optional(self, dataset: str, rule: Rule) -> bool:
        """Whether the rule applies without a dataset: optional for the site, and absent from its whole return.

        Not where other senders' rows matter: the awards that claims refer to may be the programme office's.
        """
        needed = dataset in rule.needs or rule.across_sites
        is_optional = not needed and returns_for(self.site_code).get(dataset) == OPTIONAL
        return is_optional and len(self.sent) > 1 and dataset not in self.sent


@dataclass(frozen=True)
class DatasetInFile:
    """One dataset of a file after validation by itself. The sink holds its accepted rows until they are taken."""

    delivery: Delivery
    contract: Contract
    verdict: Verdict
    sink: RowsInMemory


@dataclass(frozen=True)
class DatasetOutcome:
    """Final outcome of one dataset of a file.

    `missing_inputs` says in words what each rule that was not fully checked would need, by (rule_id, severity, field).
    """

    verdict: Verdict
    findings: pl.DataFrame  # columns of FINDING_TYPES
    missing_inputs: Mapping[tuple[str, str, str], str]


def columns_read(contract: Contract, single_file: SingleFile) -> tuple[str, ...]:
    """Columns of a dataset that the applicable rules between rows read, so that only these stay in memory."""
    rules = [(c, r) for c in datasets().values() for r in single_file.applicable_rules(c)]
    sql = [r.violations_sql for _, r in rules if f"core.{contract.dataset}" in r.reads]
    own = {r.field for c, r in rules if c is contract}
    named = own | set(re.findall(r"\w+", " ".join(sql)))  # every word of the SQL: a superset is harmless
    return tuple(f.name for f in contract.fields if sql and (f.name in named or f.name == contract.key[0]))


def cross_check_file(in_file: Sequence[DatasetInFile]) -> list[DatasetOutcome]:
    """Apply the rules between rows to the datasets of one file. Takes the rows out of the sinks to save memory."""
    verdicts = {p.delivery.delivery_id: p.verdict for p in in_file}
    single_file = SingleFile.of([p.delivery for p in in_file], verdicts)
    to_check = [
        p for p in in_file if p.delivery.dataset in single_file.complete and single_file.applicable_rules(p.contract)
    ]
    found = _found_between_rows(in_file, single_file) if any(p.verdict.rows.accepted for p in to_check) else {}
    return [_outcome(p, single_file, found.get(p.delivery.dataset)) for p in in_file]


def _outcome(part: DatasetInFile, single_file: SingleFile, found: pl.DataFrame | None) -> DatasetOutcome:
    contract = part.contract
    missing = [(r, single_file.missing_inputs(contract, r)) for r in (*contract.cross_check_rules, *DELIVERY_RULES)]
    if is_about_people(contract) and returns_for(single_file.site_code).get(DELETIONS) == OPTIONAL:
        missing += [(replace(r, field=contract.key[0]), _YOUR_DELETIONS) for r in DELETION_RULES]
    not_validated = [
        Finding(r.rule_id, r.severity, field=r.field, outcome=Outcome.NOT_CHECKED) for r, inputs in missing if inputs
    ]
    findings = pl.concat([part.sink.findings, *([] if found is None else [found])])
    held = 0 if found is None else found.filter(pl.col("severity") == Severity.ROW)["source_row"].n_unique()
    return DatasetOutcome(
        part.verdict.with_accepted(part.verdict.rows.accepted - held),
        findings.vstack(findings_frame(not_validated, part.verdict.sheet)),
        {(r.rule_id, str(r.severity), r.field): inputs for r, inputs in missing if inputs},
    )


def _found_between_rows(in_file: Sequence[DatasetInFile], single_file: SingleFile) -> dict[str, pl.DataFrame]:
    """Findings of the rules between rows by dataset (columns of FINDING_TYPES), for the datasets that are complete."""
    from flows.steps.cross_check.check_rows import check_rows, make_work_tables
    from flows.store.warehouse.connection import in_memory

    by_dataset = {p.delivery.dataset: p for p in in_file if p.delivery.dataset in single_file.complete}
    validated = [ValidatedDelivery(p.delivery, "", p.verdict, Standing.CURRENT) for p in by_dataset.values()]
    with in_memory() as db:  # the code of the run, so that a check and a run cannot differ
        make_work_tables(db)
        _fill_tables(db, by_dataset, single_file)
        for name, contract in datasets().items():
            current = [v for v in validated if v.delivery.dataset == name]
            check_rows(db, replace(contract, rules=single_file.applicable_rules(contract)), current, validated)
        return {name: select_findings(db, [p.delivery.delivery_id]) for name, p in by_dataset.items()}


def _fill_tables(
    db: duckdb.DuckDBPyConnection, by_dataset: Mapping[str, DatasetInFile], single_file: SingleFile
) -> None:
    """Create the tables that rules read: the file's datasets, datasets that are not in it (empty), reference tables."""
    from flows.steps.cross_check.history import OF_DELIVERY
    from flows.steps.load import fill_reference

    db.execute("create schema core; create schema audit")
    db.execute(create_table("audit", audit_tables()["findings"]))
    deliveries = pl.DataFrame(
        [{n: getattr(p.delivery, n) for n in OF_DELIVERY} for p in by_dataset.values()], OF_DELIVERY
    )
    db.register("deliveries_in_file", deliveries.to_arrow())
    db.execute("create table audit.deliveries as from deliveries_in_file")
    read = {table for name in by_dataset for r in single_file.applicable_rules(datasets()[name]) for table in r.reads}
    for name in sorted(table.removeprefix("core.") for table in read if table.startswith("core.")):
        if name in by_dataset:
            _take_rows(db, by_dataset[name])
        elif name in datasets():
            db.execute(create_table("core", datasets()[name], sent_by_sites=True))
        else:
            db.execute(create_table("core", reference_tables()[name]))
            fill_reference(db, reference_tables()[name])


def _take_rows(db: duckdb.DuckDBPyConnection, part: DatasetInFile) -> None:
    """Create the `core` table of a dataset from its accepted rows, with only the columns that rules read."""
    from flows.store.accepted_rows import OF_THE_DELIVERY

    contract, delivery = part.contract, part.delivery
    added = "".join(f", {quoted(getattr(delivery, n))} as {n}" for n in OF_THE_DELIVERY if n not in contract.by_name)
    table = f'core."{contract.dataset}"'
    is_created = False
    for rows in part.sink.take_rows():
        db.register("some_rows", rows.to_arrow())
        into = f"insert into {table} by name" if is_created else f"create table {table} as"
        db.execute(f"{into} select *{added} from some_rows")
        db.unregister("some_rows")
        is_created = True
    if not is_created:
        db.execute(create_table("core", contract, sent_by_sites=True))
