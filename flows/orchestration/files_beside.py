"""Compare a file with those that lie beside it, for `pilots check`, which has no record of what was sent (rule F54)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import polars as pl

from flows.deliveries.compared_with_others import same_rows_as
from flows.deliveries.file_names import WHOLE_RETURN, read_name
from flows.deliveries.findings import Finding, findings_frame
from flows.store.raw_files import file_digest
from schemas._contract.model import Severity
from schemas._rules.months import OTHER_MONTH_RULE
from schemas.audit.deliveries import Delivery


def file_of_earlier_month(file: Path, delivery: Delivery) -> tuple[str, str]:
    """Name and month of a file beside this one that has the same bytes and an earlier month in its name; else ''."""
    dataset = WHOLE_RETURN if delivery.sheet else delivery.dataset
    found = ("", "")
    with suppress(OSError):
        for other in sorted(file.parent.iterdir()):
            name = read_name(other.name, delivery.site_code)
            if name is None or (name.site, name.dataset) != (delivery.site_code, dataset):
                continue
            is_earlier = found[1] < name.period < delivery.period
            if is_earlier and other.stat().st_size == delivery.bytes and file_digest(other) == delivery.sha256:
                found = (other.name, name.period)
    return found


def with_earlier_month(findings: pl.DataFrame, file: Path, delivery: Delivery, sheet: str) -> pl.DataFrame:
    """The findings, with a warning where the file is an earlier month's, in place of doubts about the month (F19)."""
    name, period = file_of_earlier_month(file, delivery)
    if not name:
        return findings
    found = Finding(OTHER_MONTH_RULE, Severity.WARNING, found=same_rows_as(name, period))
    doubts = (pl.col("rule_id") == "F19") & (pl.col("severity") == Severity.WARNING)
    return findings.filter(~doubts).vstack(findings_frame([found], sheet))
