"""Reporting step: a report for each delivery whose outcome changed, and the summary for the duty engineer."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.deliveries.final_outcomes import final_outcomes
from flows.deliveries.standings import extent, replacements
from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.follow_up import files_to_purge, missing_raw_files, personal_deliveries, personal_files_there
from flows.reporting.overdue import overdue_returns
from flows.reporting.render import write_not_taken_in
from flows.reporting.render.run_summary import LAST_GOOD, RunSummary, render_run_summary, sections_of, verdict_of
from flows.reporting.result import ReportingResult, write_summary
from flows.reporting.site_reports import DeliveryReports
from flows.reporting.words.deliveries import short_name, withdrawal_notice
from flows.reporting.words.not_taken_in import FileLeft, NotTakenIn, page_name
from flows.reporting.words.revalidated import sentences
from flows.runtime.safe_errors import safe_message
from flows.steps.receive import NO_FILE_YET, UnusableFile
from flows.store.ledger import Ledger
from flows.store.ledger.runs import LedgerUnusable
from flows.store.paths import DataPaths
from flows.store.warehouse import Build, Warehouse
from schemas._contract.registry import sites
from schemas._rules.files import DELIVERY_RULES
from schemas.audit.deliveries import Delivery, Standing
from schemas.audit.withdrawals import Withdrawal

if TYPE_CHECKING:
    import duckdb

ALL_REPORTS = "*"  # in the ledger: the build whose reports are all written, and the files that they ask to delete


@dataclass(frozen=True)
class ReportingInput:
    """What there is to report of a run. `moment` is what the run took for now."""

    validated: Sequence[ValidatedDelivery]
    tonight: Sequence[ValidatedDelivery]  # of those, the deliveries that were received or re-validated
    unusable: Sequence[UnusableFile]
    not_validated: Sequence[str]  # deliveries that could not be checked, and why
    corrections_to_review: Sequence[str]
    moment: datetime
    quiet: bool
    looked: bool = True  # at what lies in data/raw: a retry takes in no file
    broken: bool = False  # the build that readers saw could not be opened
    doubt: Exception | None = None  # why what was kept of earlier runs was not relied on, if it was not


def report_run(
    places: DataPaths,
    ledger: Ledger,
    build: Build,
    work: ReportingInput,
    run: dict[str, str],
) -> ReportingResult:
    """Write the reports that are due and the run's summary."""
    new = {j.delivery.delivery_id for j in work.tonight}
    seen = ledger.known_files()
    withdrawn = _withdrawn(work.validated)
    with build.read() as db:
        validated = final_outcomes(db, work.validated)
        replaced = replacements(validated)
        tonight = [j for j in validated if j.delivery.delivery_id in new]
        earlier = [j for j in validated if j.delivery.delivery_id not in new]
        personal = personal_deliveries(db, (j.delivery for j in validated))
        must_go = files_to_purge(personal.values(), places.raw, seen)
        concerned = {i for i, d in personal.items() if d.sha256 in must_go.values()}
        reports = DeliveryReports(
            places=places,
            ledger=ledger,
            db=db,
            validated=validated,
            moment=work.moment,
            replaced=replaced,
            run=run,
            must_go=concerned,
        )
        # a file that was deleted changes its page, and no build
        reported_of = " ".join((build.made_from, *sorted(concerned)))
        if not work.quiet or ledger.report_digests().get(ALL_REPORTS) != reported_of:
            reports.write_due()
            if not reports.failures:
                ledger.record_report(ALL_REPORTS, reported_of)
        counts, sudden = reports.counts(tonight), _sudden_changes(db, tonight)
    if work.looked:
        _tell_what_was_not_taken_in(places, work.unusable)
    pages = reports.pages
    changed = {delivery_id: a for delivery_id, a in reports.fares.items() if a.changed}
    if_quiet = replace(
        _quiet(work, validated, replaced),
        files_to_purge=list(must_go),
        missing_raw_files=missing_raw_files(validated, places.raw, seen),
        last_change=_made_at(build, ledger),
    )
    tonight_too = replace(
        if_quiet,
        result="quiet" if work.quiet else "published",
        deliveries=[(j.delivery, j.verdict) for j in tonight],
        findings=counts if len(counts) else None,
        reports={k: p.relative_to(places.data).as_posix() for k, p in pages.items()},
        replaced=frozenset(replaced),
        released=sum(a.released for a in changed.values()),
        sudden_changes=sudden,
        changes=[
            *_unchanged(tonight),
            *(f"`{j.delivery.path}` is withdrawn: {withdrawn[j.delivery.delivery_id]}" for j in reports.withdrawn),
            *(f"`{j.delivery.path}` is withdrawn no more, and is told as what it is now" for j in reports.let_back),
            *(f"{short_name(a.delivery)}: {' '.join(sentences(a))}" for a in changed.values()),
            *_knock_on([j for j in earlier if j.delivery.delivery_id not in (*personal, *withdrawn)], pages),
            *_made_anew(work),
        ],
        not_validated=work.not_validated,
        not_reported=reports.failures,
    )
    summary = render_run_summary(run, tonight_too)
    return ReportingResult(
        summary=summary,
        path=write_summary(places, run["id"], summary),
        pages=pages,
        revalidated=reports.fares,
        outcomes={j.delivery.delivery_id: j for j in validated},
        replaced=replaced,
        not_reported=tuple(reports.failures),
        personal=frozenset(personal),
        verdict_if_quiet=verdict_of(if_quiet),
        sections_if_quiet=sections_of(if_quiet),
    )


def _tell_what_was_not_taken_in(places: DataPaths, unusable: Sequence[UnusableFile]) -> None:
    """Write a page for each site in whose folder something was not taken in; take away a page with nothing to say."""
    left: dict[str, list[FileLeft]] = defaultdict(list)
    for file in unusable:
        site, _, name = file.path.partition("/")
        if site in sites() and name and file.reason != NO_FILE_YET:
            left[site].append(FileLeft(name, file.reason, file.send_as))
    for site in sites():
        if site in left:
            write_not_taken_in(places.reports, NotTakenIn(site, tuple(left[site])))
        else:
            (places.reports / site / page_name(site)).unlink(missing_ok=True)


def _quiet(work: ReportingInput, validated: Sequence[ValidatedDelivery], replaced: Collection[str]) -> RunSummary:
    """What there is to say of any run, even one on which nothing changed. `replaced` are ids of deliveries."""
    validated = sorted(validated, key=lambda j: extent(j.delivery))
    return RunSummary(
        result="quiet",
        current={(j.delivery.site_code, j.delivery.dataset): j.delivery.data_cut_date for j in validated if j.counts},
        overdue_returns=overdue_returns(validated, work.moment),
        still_stopped=[
            j.delivery
            for j in validated
            if j.verdict.result.is_rejected and j.delivery.delivery_id not in replaced and not j.withdrawal
        ],
        held_up=[
            j.delivery for j in validated if j.standing is Standing.HELD_UP and j.delivery.delivery_id not in replaced
        ],
        withdrawn=_withdrawn(validated),
        without_successor=[
            j.delivery for j in validated if j.withdrawal and not _came_since(j.withdrawal, j, validated)
        ],
        not_taken_in=[f"`{u.path}` was not taken in ({u.rule_id}): {u.reason}" for u in work.unusable],
        corrections_to_review=work.corrections_to_review,
    )


def _withdrawn(validated: Sequence[ValidatedDelivery]) -> dict[str, str]:
    """By delivery_id: what is said of those that the data team has withdrawn."""
    return {j.delivery.delivery_id: withdrawal_notice(j.withdrawal, j.delivery) for j in validated if j.withdrawal}


def _came_since(withdrawal: Withdrawal, withdrawn: ValidatedDelivery, validated: Sequence[ValidatedDelivery]) -> bool:
    """Whether a file counts in place of a withdrawn one that came after it was withdrawn."""
    series = withdrawn.delivery.site_code, withdrawn.delivery.dataset
    counting = (j.delivery for j in validated if j.counts)
    return any((d.site_code, d.dataset) == series and d.received_at > withdrawal.withdrawn_at for d in counting)


def _made_at(build: Build, ledger: Ledger) -> datetime | None:
    """When the figures last changed: the moment of the run that made the build they are read from."""
    return next((datetime.fromisoformat(r["as_of"]) for r in ledger.runs() if build.is_made_by(r["run_id"])), None)


def report_failure(warehouse: Warehouse, run: dict[str, str], error: Exception, *, published: bool) -> Path:
    """Write the summary of a run that failed. `published` says whether its new figures are out all the same."""
    result = "not told" if published else "failed"
    places, build = warehouse.places, warehouse.current()
    night = RunSummary(
        result=result,
        problem=safe_message(error),
        figures=_what_stands(build),
        files_to_purge=_still_to_delete(places, build),
    )
    return write_summary(places, run["id"], render_run_summary(run, night))


def _still_to_delete(places: DataPaths, build: Build | None) -> list[str]:
    """The paths of files with personal data, as far as a run that failed can tell."""
    if build is None:
        return []
    try:
        return build.ask_if_sound(lambda db: personal_files_there(places, db)) or []
    except (sqlite3.Error, OSError, LedgerUnusable):
        return []


def _what_stands(build: Build | None) -> str:
    """What readers see where the run failed."""
    if build is None:
        return "no figures are published yet"
    return LAST_GOOD if build.can_be_opened() else "the published figures cannot be opened until a night ends well"


def _sudden_changes(
    db: duckdb.DuckDBPyConnection, tonight: Sequence[ValidatedDelivery]
) -> list[tuple[Delivery, str, str]]:
    """What rules between deliveries say of this run's: delivery, rule, and what was found."""
    of_tonight = {j.delivery.delivery_id: j.delivery for j in tonight}
    said = db.execute(
        "select delivery_id, rule_id, found from audit.findings where list_contains(?, rule_id) order by all",
        [[r.rule_id for r in DELIVERY_RULES]],
    ).fetchall()
    return [(of_tonight[i], rule_id, found) for i, rule_id, found in said if i in of_tonight]


def _made_anew(work: ReportingInput) -> list[str]:
    """That the warehouse, or what was kept of earlier runs, was made from nothing because it was not sound."""
    broken = ["The published warehouse could not be opened: its file was damaged, and it was made anew"]
    if work.doubt is None:
        return broken * work.broken
    doubt = f"What was kept of earlier nights was not relied on, and all was loaded anew: {safe_message(work.doubt)}"
    return [*broken * work.broken, doubt]


def _knock_on(earlier: Sequence[ValidatedDelivery], pages: dict[str, Path]) -> list[str]:
    """Deliveries of earlier runs whose rows are validated otherwise because of what came in in this run."""
    touched = [(j.delivery.path, j.verdict.rows) for j in earlier if j.delivery.delivery_id in pages]
    return [
        f"`{path}`: its report changed with what else came in: {rows.accepted:,} of {rows.read:,} rows accepted,"
        f" {rows.held:,} held"
        for path, rows in touched
    ]


def _unchanged(tonight: Sequence[ValidatedDelivery]) -> list[str]:
    said = {
        Standing.SAME: "is identical to one already received (F17)",
        Standing.STALE: "is older than the one accepted (F18)",
    }
    return [f"`{j.delivery.path}` {said[j.standing]}: nothing changed" for j in tonight if j.standing in said]
