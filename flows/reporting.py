"""Reports of a night: one for each delivery whose story changed, and the summary for the duty engineer.

What a report is made of has a digest in the ledger, so a report is written when its delivery is new, when a rule
between tables changed its mind, and again if the last run was cut off before writing it; never otherwise.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from flows.faults import told
from flows.marking import mark
from flows.replay import rows_held, since_told
from flows.steps.receive import UnusableFile
from flows.steps.report import Late, Night, count_findings, delivery_report, night_summary, write_reports
from flows.store.builds import fingerprint_of
from flows.store.ledger import Ledger
from flows.store.places import Places
from flows.versions import source_digest
from flows.workbooks.marked import Part
from schemas.audit.deliveries import Delivery, Result, Standing, Verdict
from schemas.catalogue import datasets
from schemas.registry import next_due, programmes, returns_for, rows
from schemas.replay import HeldThen, JudgedAgain, name_of
from schemas.report import Report
from schemas.shapes import FINDING_TYPES, Judged
from schemas.standing import extent
from schemas.wording import LONDON

EVERYTHING = "*"  # in the ledger: the build whose reports are all written
AFTER_THE_LAST_RETURN = timedelta(days=31)
_CODE = ("flows/steps/report/*.py", "flows/templates/*", "schemas/report.py", "schemas/told.py", "schemas/replay.py",
         "schemas/wording.py", "flows/marking.py", "flows/workbooks/*.py", "flows/steps/read/whole.py")  # fmt: skip


@dataclass(frozen=True)
class Reported:
    """What was told: the summary's text and path, and the page of each delivery that was reported."""

    summary: str = ""
    path: Path | None = None
    pages: dict[str, Path] = field(default_factory=dict)
    judged_again: dict[str, JudgedAgain] = field(default_factory=dict)


@dataclass(frozen=True)
class NightsWork:
    """What there is to report of a night. `moment` is what the run took for now."""

    judged: Sequence[Judged]
    tonight: Sequence[Judged]  # of those, the deliveries that were received or judged anew
    unusable: Sequence[UnusableFile]
    not_judged: Sequence[str]  # deliveries that could not be judged, and why
    corrections_to_mend: Sequence[str]
    moment: datetime
    quiet: bool


def report_night(places: Places, ledger: Ledger, warehouse: Path, work: NightsWork, run: dict[str, str]) -> Reported:
    """Write the reports that are due and the night's summary."""
    judged, tonight = work.judged, work.tonight
    new = {j.delivery.delivery_id for j in tonight}
    earlier = [j for j in judged if j.delivery.delivery_id not in new]
    build = fingerprint_of(warehouse)
    pages: dict[str, Path] = {}
    again: dict[str, JudgedAgain] = {}
    counts = pl.DataFrame()
    settled = {j.delivery.delivery_id: j.verdict for j in judged}
    if not work.quiet or ledger.reported().get(EVERYTHING) != build:
        with duckdb.connect(str(warehouse), read_only=True) as db:
            settled |= _settled(db, judged)
            pages, again = _write_due(places, ledger, db, work, settled, run)
            counts = _counts(db, tonight)
        ledger.remember_report(EVERYTHING, build)
    changed = {delivery_id: a for delivery_id, a in again.items() if a.changed}
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
                *(f"{name_of(a.delivery)}: {' '.join(a.sentences)}" for a in changed.values()),
                *_knock_on(earlier, settled, pages),
                *(f"`{u.path}` was not taken in ({u.rule_id}): {u.reason}" for u in work.unusable),
                *work.not_judged,
            ],
            corrections_to_mend=work.corrections_to_mend,
            last_change=max((j.delivery.received_at for j in judged), default=None),
        ),
    )
    return Reported(summary, _write_summary(places, run["id"], summary), pages, again)


def report_failure(places: Places, run: dict[str, str], error: Exception) -> Path:
    """Write the summary of a night that failed."""
    return _write_summary(places, run["id"], night_summary(run, Night(result="failed", problem=told(error))))


def _write_due(
    places: Places,
    ledger: Ledger,
    db: duckdb.DuckDBPyConnection,
    work: NightsWork,
    settled: dict[str, Verdict],
    run: dict[str, str],
) -> tuple[dict[str, Path], dict[str, JudgedAgain]]:
    """Write each report whose making has changed, and say how the delivery fares since the last one.

    A delivery that no longer counts keeps the report it had, unless it is refused only now.
    """
    written, made_of = ledger.reported(), _digests(db)
    pages: dict[str, Path] = {}
    fares: dict[str, JudgedAgain] = {}
    arrived: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for j in sorted(work.judged, key=lambda j: (j.delivery.received_at, *extent(j.delivery))):
        d = j.delivery
        before = [] if j.standing is Standing.STALE else list(arrived[d.site_code, d.dataset])
        if j.standing not in (Standing.STALE, Standing.SAME):
            arrived[d.site_code, d.dataset].append(j)
        history = [written.get(b.delivery.delivery_id, "") for b in before]
        digest = _digest(j, settled[d.delivery_id], made_of.get(d.delivery_id, ""), history)
        last_said = next(iter(ledger.told([d.delivery_id])), None)
        refused_now = j.standing is Standing.REFUSED and last_said is not None and not last_said.result.stops
        keeps = d.delivery_id in written and not (j.counts or refused_now)
        if written.get(d.delivery_id) == digest or keeps:
            continue
        findings, last = _findings(db, j), next((b for b in reversed(before) if b.verdict.rows_judged), None)
        report = delivery_report(
            d,
            settled[d.delivery_id],
            findings,
            ledger.told(b.delivery.delivery_id for b in before),
            None if last is None else _findings(db, last),
            _deadline(d),
            run,
        )
        again = since_told(db, j, settled[d.delivery_id], findings, last_said, ledger.held_then(d.delivery_id))
        if again is not None:
            report = replace(report, released=again.released, judged_again=again.sentences)
            fares[d.delivery_id] = again
        report = replace(report, marked_workbook=_marked_workbook(places, db, work, settled, j, report))
        pages[d.delivery_id] = write_reports(places.reports, report, findings)["html"]
        held = HeldThen(work.moment.date(), rows_held(findings))
        ledger.remember_report(d.delivery_id, digest, report.told, held)
        written[d.delivery_id] = digest
    return pages, fares


def _marked_workbook(
    places: Places,
    db: duckdb.DuckDBPyConnection,
    work: NightsWork,
    settled: dict[str, Verdict],
    j: Judged,
    report: Report,
) -> str:
    """The name of the sender's own file with the bad cells of all its datasets marked; '' where there is none."""
    d = j.delivery
    if j.standing is Standing.STALE:
        return ""
    parts = [Part(report, settled[d.delivery_id], _findings(db, j), datasets()[d.dataset])]
    for other in work.judged:
        o = other.delivery
        if (o.path, o.sha256) == (d.path, d.sha256) and o.delivery_id != d.delivery_id:
            verdict, findings = settled[o.delivery_id], _findings(db, other)
            told_of_it = delivery_report(o, verdict, findings, deadline=_deadline(o))
            parts.append(Part(told_of_it, verdict, findings, datasets()[o.dataset]))
    parts.sort(key=lambda part: list(datasets()).index(part.report.dataset))
    marked, _ = mark(places.raw / d.path, d, parts, places.reports / d.site_code, readers_of=places.pointer)
    return marked.name if marked else ""


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


def _digest(j: Judged, settled: Verdict, findings: str, history: list[str]) -> str:
    """What a report is made of: the judgement, and the reports that it is compared with."""
    said = (j.key, str(j.standing), settled.to_json(), findings, history, source_digest(_CODE))
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
