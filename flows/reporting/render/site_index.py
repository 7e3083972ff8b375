"""Write the index page of each site: its latest files, what to do with them, what is due next, and its history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.deliveries.standings import extent
from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.overdue import overdue_returns
from flows.reporting.render.files import write_site_index
from flows.reporting.render.marked.marking import MARKED_SUFFIX
from flows.reporting.report import report_stem
from flows.reporting.words.not_taken_in import page_name
from flows.reporting.words.site_index import SentFile, SiteIndex
from flows.runtime.wording import LONDON, counted
from schemas._contract.catalogue import datasets
from schemas._contract.registry import REQUIRED, OverdueReturn, next_due, owes, returns_for, sites
from schemas.audit.deliveries import Result, Standing

_OUTCOMES = {
    Standing.HELD_UP: "Held up: not in the figures",
    Standing.WITHDRAWN: "Withdrawn by the data team",
    Standing.SAME: "The same as an earlier file",
    Standing.STALE: "Older than one that was accepted",
}


def write_site_indexes(
    reports: Path, validated: Sequence[ValidatedDelivery], moment: datetime, contact: str
) -> list[Path]:
    """Write `index.html` in the folder of each site that has sent a file. `moment` is the time of the run (UTC).

    Call it after the reports: what to do with a file is the title of its report.
    """
    by_site: dict[str, list[ValidatedDelivery]] = {}
    for v in validated:
        by_site.setdefault(v.delivery.site_code, []).append(v)
    overdue = overdue_returns(validated, moment)
    indexes = [
        _index(site, files, reports / site, moment, [o for o in overdue if o.site_code == site])
        for site, files in sorted(by_site.items())
        if site in sites()
    ]
    return [write_site_index(reports, replace(index, contact=contact)) for index in indexes]


def _index(
    site: str, files: Sequence[ValidatedDelivery], folder: Path, moment: datetime, overdue: Sequence[OverdueReturn]
) -> SiteIndex:
    newest = sorted(files, key=lambda v: (v.delivery.received_at, *extent(v.delivery)), reverse=True)
    latest: dict[str, ValidatedDelivery] = {}
    for v in newest:
        if v.standing is not Standing.SAME:
            latest.setdefault(v.delivery.dataset, v)
    required = [name for name in datasets() if returns_for(site).get(name) == REQUIRED]
    due = next_due(moment.replace(tzinfo=UTC).astimezone(LONDON).date())
    owed = [name for name in required if due and owes(site, name, due[0])]
    sent = [_sent(latest[name], folder, is_latest=True) for name in datasets() if name in latest]
    return SiteIndex(
        site=site,
        latest=tuple(sorted(sent, key=lambda file: not file.must_act)),
        history=tuple(_sent(v, folder) for v in newest),
        never_sent=tuple(_titles(name for name in required if name not in latest)),
        overdue=tuple((o.period, datasets()[o.dataset].title) for o in overdue),
        due_period=due[0] if due and owed else "",
        due=due[1] if due else None,
        due_datasets=tuple(_titles(name for name in owed if due and not _has_come(latest.get(name), due[0]))),
        not_taken_in=page_name(site) if (folder / page_name(site)).exists() else "",
    )


def _has_come(latest: ValidatedDelivery | None, period: str) -> bool:
    return latest is not None and latest.delivery.period >= period


def _titles(names: Iterable[str]) -> list[str]:
    return [datasets()[name].title for name in names]


def _sent(v: ValidatedDelivery, folder: Path, *, is_latest: bool = False) -> SentFile:
    """One line of the index. Only a latest file says what to do, by the report that was written about it."""
    d = v.delivery
    stem = report_stem(d.file_name, d.dataset)
    report = _report_of(folder / f"{stem}.report.json") if is_latest else {}
    marked = f"{d.stem}{MARKED_SUFFIX}"
    return SentFile(
        dataset_title=datasets()[d.dataset].title if d.dataset in datasets() else d.dataset,
        period=d.period,
        version=d.version,
        file_name=d.file_name,
        received_at=d.received_at,
        outcome=_outcome(v),
        what_to_do=str(report.get("in_words", "")),
        must_act=bool(report.get("must_act")),
        report=_if_there(folder, f"{stem}.html"),
        workbook=_if_there(folder, marked) if is_latest and report.get("marked_workbook") else "",
        findings=_if_there(folder, f"{stem}.findings.csv") if is_latest else "",
    )


def _if_there(folder: Path, name: str) -> str:
    return name if (folder / name).exists() else ""


def _report_of(path: Path) -> Mapping[str, Any]:
    """A report as it was written; empty where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _outcome(v: ValidatedDelivery) -> str:
    """The result of a file in a few words."""
    if v.standing in _OUTCOMES:
        return _OUTCOMES[v.standing]
    rows, since = v.verdict.rows, "; replaced since" if v.standing is Standing.SUPERSEDED else ""
    if v.verdict.result is Result.UNREADABLE:
        return f"Could not be read{since}"
    if v.verdict.result is Result.REFUSED:
        return f"Refused{since}"
    held = f", {rows.at_fault:,} held back" if rows.at_fault else ""
    deleted = f", {rows.deleted:,} of deleted records" if rows.deleted else ""
    return f"{rows.accepted:,} of {counted(rows.read, 'row')} accepted{held}{deleted}{since}"
