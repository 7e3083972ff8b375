"""Reports of a night: one for each delivery whose story changed, and the summary for the duty engineer.

What a report is made of has a digest in the ledger, so a report is written when its delivery is new, when a rule
between tables changed its mind, and again if the last run was cut off before writing it; never otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from flows.faults import told
from flows.steps.receive import UnusableFile
from flows.steps.report import Late, Night, count_findings, delivery_report, night_summary, write_reports
from flows.store.builds import fingerprint_of
from flows.store.ledger import Ledger
from flows.store.places import Places
from flows.versions import source_digest
from schemas.audit.deliveries import Delivery, Result, Standing, Verdict
from schemas.catalogue import datasets
from schemas.registry import next_due, programmes, returns_for, rows
from schemas.shapes import FINDING_TYPES, Judged
from schemas.standing import extent
from schemas.wording import LONDON

EVERYTHING = "*"  # in the ledger: the build whose reports are all written
AFTER_THE_LAST_RETURN = timedelta(days=31)
_CODE = ("flows/steps/report/*.py", "flows/templates/*", "schemas/report.py", "schemas/wording.py")


@dataclass(frozen=True)
class Reported:
    """What was told: the summary's text and path, and the page of each delivery that was reported."""

    summary: str = ""
    path: Path | None = None
    pages: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class NightsWork:
    """What there is to report of a night. `moment` is what the run took for now."""

    judged: Sequence[Judged]
    tonight: Sequence[Judged]  # of those, the deliveries that were received or judged anew
    unusable: Sequence[UnusableFile]
    not_judged: Sequence[str]  # deliveries that could not be judged, and why
    moment: datetime
    quiet: bool


def report_night(places: Places, ledger: Ledger, warehouse: Path, work: NightsWork, run: dict[str, str]) -> Reported:
    """Write the reports that are due and the night's summary."""
    judged, tonight = work.judged, work.tonight
    new = {j.delivery.delivery_id for j in tonight}
    earlier = [j for j in judged if j.delivery.delivery_id not in new]
    build = fingerprint_of(warehouse)
    pages: dict[str, Path] = {}
    counts = pl.DataFrame()
    settled = {j.delivery.delivery_id: j.verdict for j in judged}
    if not work.quiet or ledger.reported().get(EVERYTHING) != build:
        with duckdb.connect(str(warehouse), read_only=True) as db:
            settled |= _settled(db, judged)
            pages = _write_due(places, ledger, db, judged, settled, run)
            counts = _counts(db, tonight)
        ledger.remember_report(EVERYTHING, build)
    summary = night_summary(
        run,
        Night(
            result="quiet" if work.quiet else "published",
            deliveries=[(j.delivery, settled[j.delivery.delivery_id]) for j in tonight],
            findings=counts if len(counts) else None,
            current={(j.delivery.site_code, j.delivery.dataset): j.delivery.data_cut_date for j in judged if j.counts},
            late=_late(judged, work.moment),
            reports={k: p.relative_to(places.data).as_posix() for k, p in pages.items()},
            still_stopped=[j.delivery for j in earlier if j.verdict.result.stops],
            changes=[
                *_unchanged(tonight),
                *_knock_on(earlier, settled, pages),
                *(f"`{u.path}` was not taken in ({u.rule_id}): {u.reason}" for u in work.unusable),
                *work.not_judged,
            ],
            last_change=max((j.delivery.received_at for j in judged), default=None),
        ),
    )
    return Reported(summary, _write_summary(places, run["id"], summary), pages)


def report_failure(places: Places, run: dict[str, str], error: Exception) -> Path:
    """Write the summary of a night that failed."""
    return _write_summary(places, run["id"], night_summary(run, Night(result="failed", problem=told(error))))


def _write_due(
    places: Places,
    ledger: Ledger,
    db: duckdb.DuckDBPyConnection,
    judged: Sequence[Judged],
    settled: dict[str, Verdict],
    run: dict[str, str],
) -> dict[str, Path]:
    """Write each report whose making has changed. A delivery that no longer counts keeps the report it had."""
    written, made_of = ledger.reported(), _digests(db)
    pages: dict[str, Path] = {}
    latest: dict[tuple[str, str], Judged] = {}
    for j in sorted(judged, key=lambda j: (j.delivery.received_at, *extent(j.delivery))):
        d = j.delivery
        before = latest.get((d.site_code, d.dataset))
        latest[d.site_code, d.dataset] = j
        digest = _digest(j, settled[d.delivery_id], made_of.get(d.delivery_id, ""))
        if written.get(d.delivery_id) == digest or (d.delivery_id in written and not j.counts):
            continue
        previous = None if before is None else (_findings(db, before), _report_id(before, settled))
        findings = _findings(db, j)
        report = delivery_report(d, settled[d.delivery_id], findings, previous, _deadline(d), run)
        pages[d.delivery_id] = write_reports(places.reports, d, report, findings)["html"]
        ledger.remember_report(d.delivery_id, digest)
    return pages


def _settled(db: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> dict[str, Verdict]:
    """Each delivery's verdict, with the rows that a rule between tables held counted as held."""
    counted = {
        r[0]: (Result(r[1]), r[2], r[3])
        for r in db.execute("select delivery_id, result, rows_accepted, rows_held from audit.deliveries").fetchall()
    }
    settled = {}
    for j in judged:
        result, accepted, held = counted[j.delivery.delivery_id]
        result = Result.REFUSED if j.standing is Standing.STALE else result
        rows = replace(j.verdict.rows, accepted=accepted, held=held)
        settled[j.delivery.delivery_id] = replace(j.verdict, result=result, rows=rows)
    return settled


def _digests(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A digest of each delivery's findings, whatever their order."""
    rows = db.execute(
        "select delivery_id, count(*), sum(hash(f)::hugeint % 1000000000000000) from audit.findings f group by 1"
    ).fetchall()
    return {r[0]: f"{r[1]}-{r[2]}" for r in rows}


def _digest(j: Judged, settled: Verdict, findings: str) -> str:
    said = (j.key, str(j.standing), settled.to_json(), findings, source_digest(_CODE))
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _findings(db: duckdb.DuckDBPyConnection, j: Judged) -> pl.DataFrame:
    """What was found in a delivery, and in the one it is the same as."""
    found = db.execute(
        f"select {', '.join(FINDING_TYPES)} from audit.findings where delivery_id in (?, ?)"
        " order by source_row nulls first, column_letter, rule_id, severity",
        [j.delivery.delivery_id, j.delivery.same_as],
    ).pl()
    return found.cast(dict(FINDING_TYPES))  # type: ignore[arg-type]


def _counts(db: duckdb.DuckDBPyConnection, tonight: Sequence[Judged]) -> pl.DataFrame:
    counts = [count_findings(j.delivery.delivery_id, _findings(db, j)) for j in tonight]
    return pl.concat(counts) if counts else pl.DataFrame()


def _report_id(j: Judged, settled: dict[str, Verdict]) -> str:
    version = settled[j.delivery.delivery_id].contract_version
    return "-".join(part for part in (j.delivery.delivery_id, version) if part)


def _deadline(delivery: Delivery) -> datetime | None:
    """When the next return is due after this one was received; none where the calendar has no such date."""
    coming = next_due(delivery.received_at.date())
    return coming[1] if coming else None


def _knock_on(earlier: Sequence[Judged], settled: dict[str, Verdict], pages: dict[str, Path]) -> list[str]:
    """Deliveries of earlier nights whose rows are judged otherwise because of what came in tonight."""
    touched = [
        (j.delivery.path, settled[j.delivery.delivery_id].rows) for j in earlier if j.delivery.delivery_id in pages
    ]
    return [
        f"`{path}`: its report changed with what else came in: {rows.accepted:,} of {rows.read:,} rows accepted,"
        f" {rows.held:,} held"
        for path, rows in touched
    ]


def _unchanged(tonight: Sequence[Judged]) -> list[str]:
    said = {
        Standing.SAME: "is identical to one already received (F17)",
        Standing.STALE: "is older than the one accepted (F18)",
    }
    return [f"`{j.delivery.path}` {said[j.standing]}: nothing changed" for j in tonight if j.standing in said]


def _late(judged: Sequence[Judged], moment: datetime) -> list[Late]:
    """Who owes what: the last return that was due by the moment of the run, for each site that has ever sent."""
    due = [(r["period"], datetime.fromisoformat(r["due_at"])) for r in rows("return_calendar")]
    london = moment.replace(tzinfo=UTC).astimezone(LONDON).replace(tzinfo=None)  # the calendar's times are London's
    past = [(period, at) for period, at in due if at <= london]
    if not past or london > due[-1][1] + AFTER_THE_LAST_RETURN:
        return []
    period, at = past[-1]
    senders = {j.delivery.site_code for j in judged if _was_running(j.delivery.programme_code, int(period[:4]))}
    had = {(j.delivery.site_code, j.delivery.dataset) for j in judged if j.delivery.period >= period}
    return [
        Late(site, dataset, period, at)
        for site in sorted(senders)
        for dataset, need in returns_for(site).items()
        if need == "required" and (site, dataset) not in had and dataset in datasets()
    ]


def _was_running(programme_code: str, year: int) -> bool:
    programme = programmes().get(programme_code)
    return programme is not None and (programme.start_year or year) <= year <= (programme.end_year or year)


def _write_summary(places: Places, run_id: str, summary: str) -> Path:
    folder = places.reports / "nights"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run_id}.md"
    path.write_text(summary, encoding="utf-8")
    return path
