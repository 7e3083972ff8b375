"""A small table in, what the judgement says of it out: what the tests of file and cell rules are written in.

A test gives a table as text, as bytes or as rows of a workbook, and looks at the source rows that were accepted and
held, at the findings, and at the verdict. Row 1 is the heading, so the first row of data is row 2. Every row is made
up.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import xlsxwriter

from flows.deliveries.corrections import NO_CORRECTIONS, Corrections
from flows.steps.receive import delivery_of
from flows.steps.receive.manifest import manifest_of
from flows.steps.validate_delivery import result_key, row_types, validate_file
from flows.store.paths import DataPaths
from flows.store.result_sink import HELD
from flows.store.results import ResultStore
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract
from schemas._rules.explain import rules_of
from schemas.audit.deliveries import Verdict

Row = Mapping[str, str]

# One sound row of each dataset: a test says only how its rows differ.
CONTACT: Row = {
    "contact_id": "BPL-C000001",
    "episode_id": "BPL-E000001",
    "contact_date": "2016-11-03",
    "contact_type": "review",
    "contact_medium": "01",
    "attended": "5",
    "duration_minutes": "45",
    "staff_role": "key_worker",
    "staff_ref": "W-0012",
    "with_employer": "N",
}
PARTICIPANT: Row = {
    "participant_ref": "BPL-000001",
    "site_code": "MHT-BPL",
    "year_of_birth": "1980",
    "gender": "2",
    "ethnic_category": "A",
    "disability_ea2010": "Y",
    "primary_condition": "common_mental_disorder",
    "la_code": "E06000009",
    "benefit_at_start": "esa_wrag",
    "consent_participation": "Y",
    "consent_data_sharing": "Y",
    "consent_date": "2016-05-09",
}
REFERRAL: Row = {
    "episode_id": "BPL-E000001",
    "participant_ref": "BPL-000001",
    "referral_received_date": "2016-03-01",
    "source_of_referral": "M5",
    "eligibility_outcome": "eligible",
    "eligibility_date": "2016-03-01",
    "programme_start_date": "2016-03-01",
    "start_basis": "first_contact",
    "support_model": "ips",
    "employment_status_at_start": "02",
    "weekly_hours_at_start": "98",
    "exit_date": "",
    "exit_reason": "",
}
JOB: Row = {
    "outcome_id": "BPL-J000001",
    "episode_id": "BPL-E000001",
    "job_spell_no": "1",
    "job_start_date": "2016-03-01",
    "job_end_date": "",
    "job_type": "employee",
    "paid_hours_week": "18.5",
    "weekly_hours_worked": "02",
    "at_least_nmw": "Y",
    "outcome_definition_code": "JOB_START",
    "sust_13w_date": "",
    "sust_26w_date": "",
    "evidence_type": "payslip",
    "in_work_at_start": "N",
}
AWARD: Row = {
    "award_id": "360G-madeup-1",
    "programme_code": "",
    "funding_org_name": "A made-up funder",
    "amount": "1100000.00",
    "financial_year": "2015-16",
    "source_document": "Made up for this test",
}


class Found(NamedTuple):
    """One finding, as a sender would speak of it."""

    rule: str
    severity: str
    row: int | None
    column: str | None  # the heading as it stands in the file
    found: str | None
    suggestion: str | None


class Formula(NamedTuple):
    """A cell of a workbook that holds a formula, and the value that was last reckoned."""

    formula: str
    value: str | float


@dataclass(frozen=True)
class Outcome:
    """What the judgement of a table says."""

    verdict: Verdict
    accepted: list[int]  # source rows
    held: list[int]
    findings: list[Found]
    cells: list[str]  # the address of each finding, such as D3, where it has one
    values: list[dict[str, Any]]  # the accepted rows, typed
    held_values: list[dict[str, Any]]  # what is kept of the held rows
    texts: pl.DataFrame  # the findings as they are stored

    @property
    def result(self) -> str:
        """The verdict's result in a word."""
        return str(self.verdict.result)

    @property
    def is_conserved(self) -> bool:
        """Whether every row that was read is accounted for."""
        rows = self.verdict.rows
        return rows.read == rows.accepted + rows.held + rows.repeats + rows.not_data

    @property
    def rules(self) -> list[tuple[str, str, int | None]]:
        """The findings without their cells: (rule, severity, row)."""
        return [(f.rule, f.severity, f.row) for f in self.findings]

    @property
    def refusals(self) -> list[str]:
        """The rules that refused the file, each once."""
        return sorted({f.rule for f in self.findings if f.severity == "file"})

    def of(self, rule: str) -> list[Found]:
        """The findings of one rule."""
        return [f for f in self.findings if f.rule == rule]


@dataclass(frozen=True)
class Judge:
    """Judges made-up files in a folder of its own."""

    folder: Path

    def __call__(
        self,
        content: str | bytes,
        dataset: str = "contacts",
        site: str = "MHT-BPL",
        period: str = "201611",
        suffix: str = "csv",
        manifest: str = "",
        sheet: str = "",
        contract: Contract | None = None,
        corrections: Corrections = NO_CORRECTIONS,
        slip: str = "",
        received: datetime | None = None,
    ) -> Outcome:
        """Judge one file of a site, with or without a manifest (its JSON text). A `slip` ends its name.

        It is received in the month after its own, unless it is said when.
        """
        data = content.encode() if isinstance(content, str) else content
        places = DataPaths(self.folder / f"case-{len(list(self.folder.iterdir()))}")
        name = f"{site}_{dataset}_{period}_v1{slip}"
        path = places.raw / site / f"{name}.{suffix}"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        if manifest:
            path.with_name(f"{name}.manifest.json").write_text(manifest)
        contract = contract or datasets()[dataset]
        delivery = delivery_of(
            path,
            f"{site}/{path.name}",
            site,
            dataset,
            period,
            1,
            hashlib.sha256(data).hexdigest(),
            received or datetime(int(period[:4]), int(period[4:]), 28, 16, 12, tzinfo=UTC) + timedelta(5),
            manifest_of(path, period),
            sheet=sheet,
        )
        store = ResultStore(places)
        key = result_key(delivery, contract, corrections)
        with store.open(key, row_types(contract)) as out:
            verdict = validate_file(path, delivery, contract, out, corrections)
            out.finish(verdict)
        return _outcome(store, key, verdict, contract)


@lru_cache
def rules_told(contract: Contract) -> frozenset[tuple[str, str, str]]:
    """What audit.rules explains of a dataset: (rule, severity, field)."""
    return frozenset((r.rule_id, str(severity), field) for r, severity, field in rules_of(contract))


def _outcome(store: ResultStore, key: str, verdict: Verdict, contract: Contract) -> Outcome:
    accepted = pl.read_parquet(store.accepted(key)).sort("source_row")
    held = pl.read_parquet(store.folder(key) / HELD).sort("source_row")
    texts = store.findings(key)
    told = texts.sort("source_row", "column_letter", "rule_id", nulls_last=True, maintain_order=True)
    keys = texts.select("rule_id", "severity", "field").unique().iter_rows()
    untold = [k for k in keys if k not in rules_told(contract)]
    assert not untold, f"audit.rules has no row for {untold}"
    return Outcome(
        verdict,
        accepted["source_row"].to_list(),
        held["source_row"].to_list(),
        [
            Found(f["rule_id"], f["severity"], f["source_row"], f["column_name"], f["found"], f["suggestion"])
            for f in told.to_dicts()
        ],
        [f"{f['column_letter']}{f['source_row']}" for f in told.to_dicts() if f["column_letter"] and f["source_row"]],
        accepted.to_dicts(),
        held.to_dicts(),
        texts,
    )


def contact(number: int = 1, **changes: str) -> dict[str, str]:
    """A sound contact, but for what the test says."""
    return {**CONTACT, "contact_id": f"BPL-C{number:06}", **changes}


def contacts(*changes: Row) -> list[dict[str, str]]:
    """Sound contacts with references of their own, one for each set of changes."""
    return [contact(n, **c) for n, c in enumerate(changes, 1)]


def participants(*changes: Row) -> list[dict[str, str]]:
    """Sound participants with references of their own, one for each set of changes."""
    return [{**PARTICIPANT, "participant_ref": f"BPL-{n:06}", **c} for n, c in enumerate(changes, 1)]


def awards(*changes: Row) -> list[dict[str, str]]:
    """Sound awards with references of their own, one for each set of changes."""
    return [{**AWARD, "award_id": f"360G-madeup-{n}", **c} for n, c in enumerate(changes, 1)]


def as_csv(rows: Sequence[Row], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Rows as CSV, the first one's keys on top."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerow(rows[0])
    writer.writerows(r.values() for r in rows)
    return out.getvalue()


def as_table(rows: Sequence[Row]) -> list[list[str]]:
    """Rows as a table of texts, the first one's keys on top."""
    return [list(rows[0]), *(list(r.values()) for r in rows)]


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]], dates_from_1904: bool = False) -> bytes:
    """An Excel workbook of tables: texts stay texts, dates are true dates."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "default_date_format": "dd/mm/yyyy"}
    with xlsxwriter.Workbook(file, {**options, "date_1904": dates_from_1904}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    if isinstance(cell, Formula):
                        sheet.write_formula(i, j, cell.formula, None, cell.value)
                    elif cell not in ("", None):
                        sheet.write(i, j, cell)
    return file.getvalue()
