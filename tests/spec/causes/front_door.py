"""Check a file as `pilots check` does: the report for its sender, and the rows that a run would load."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from sound_files import SentFile

from flows.deliveries.file_names import FileName
from flows.orchestration.files_beside import with_earlier_month
from flows.orchestration.one_file import DatasetInFile, cross_check_file
from flows.reporting.render import delivery_report
from flows.reporting.report import Report
from flows.reporting.report_item import Item
from flows.steps.receive import ReceivedFile, delivery_of
from flows.steps.receive.manifest import Manifest
from flows.steps.validate_delivery import validate_file
from flows.store.result_sink import RowsInMemory
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas.audit.deliveries import Delivery, Verdict


@dataclass(frozen=True)
class Checked:
    """The report on a file, its findings, and the rows that would load."""

    delivery: Delivery
    verdict: Verdict
    report: Report
    findings: pl.DataFrame
    rows: pl.DataFrame

    @property
    def items(self) -> tuple[Item, ...]:
        """The items of the report, in its order."""
        return self.report.items

    @cached_property
    def loaded(self) -> Mapping[tuple[Any, ...], dict[str, Any]]:
        """The rows that would load, by key."""
        key = datasets()[self.report.dataset].key
        rows = self.rows.drop("source_row").to_dicts()
        return {tuple(row[name] for name in key): row for row in rows}

    @property
    def report_of_check(self) -> Report:
        """The report as `pilots check` shows it."""
        return replace(self.report, is_check=True)

    @property
    def items_in_short(self) -> list[str]:
        """The items in short, to be read in a failed test."""
        return [f"{i.rule_id} {i.severity}: {i.title} | {i.column_letter} | {i.rows_affected}" for i in self.items]


def check(file: SentFile, folder: Path, name: str = "") -> Checked:
    """Validate a file as `pilots check` does, and keep its rows."""
    content, contract = file.content, datasets()[file.dataset]
    path = folder / (name or f"{file.site}_{file.dataset}_{file.period}_v1.{file.suffix}")
    path.write_bytes(content)
    received = ReceivedFile(path, f"{file.site}/{path.name}", hashlib.sha256(content).hexdigest(), file.received)
    file_name = FileName(file.site, file.dataset, file.period, 1, path.suffix)
    delivery = delivery_of(received, file_name, Manifest(), "")
    sink = _Rows(tuple(contract.by_name))
    verdict = validate_file(path, delivery, contract, sink)
    accepted = sink.accepted_rows()
    [outcome] = cross_check_file([DatasetInFile(delivery, contract, verdict, sink)])
    held = outcome.findings.filter(pl.col("severity") == Severity.ROW)["source_row"].drop_nulls()
    findings = with_earlier_month(outcome.findings, path, delivery, verdict.sheet)
    report = delivery_report(delivery, outcome.verdict, findings, contract=contract)
    loaded = accepted.filter(~pl.col("source_row").is_in(held.implode()))
    assert len(loaded) == report.rows.accepted
    return Checked(delivery, outcome.verdict, report, findings, loaded)


class _Rows(RowsInMemory):
    """Keeps every column of the accepted rows, also after they were taken to be cross-checked."""

    def accepted_rows(self) -> pl.DataFrame:
        """The rows that the file by itself shows to be sound."""
        sound = [rows.filter(~pl.col("source_row").is_in(self._moved.implode())) for rows in self._rows]
        return pl.concat(sound) if sound else pl.DataFrame({"source_row": []}, {"source_row": pl.Int64})
