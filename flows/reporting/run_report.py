"""Reporting step: write a report for each delivery whose outcome changed, and the summary for the duty engineer."""

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
from flows.reporting.follow_up import files_to_purge, missing_raw_files, personal_deliveries, personal_files_present
from flows.reporting.overdue import overdue_returns
from flows.reporting.render import write_not_taken_in
from flows.reporting.render.dictionary.page import PAGE as DICTIONARY_PAGE
from flows.reporting.render.dictionary.page import write_dictionary
from flows.reporting.render.funding import write_funding_pages
from flows.reporting.render.run_summary import LAST_GOOD, RunSummary, render_run_summary, sections_of, verdict_of
from flows.reporting.render.site_index import write_site_indexes
from flows.reporting.result import ReportingResult, write_summary
from flows.reporting.site_reports import DeliveryReports
from flows.reporting.words.delivery_names import short_name, withdrawal_notice
from flows.reporting.words.not_taken_in import FileLeft, NotTakenIn, page_name
from flows.reporting.words.revalidated import sentences
from flows.runtime.code_fingerprint import code_digest, source_digest
from flows.runtime.log import Entry, Event, log
from flows.runtime.safe_errors import LoggedError, safe_message
from flows.steps.receive import MANIFEST_BEFORE_FILE, UnusableFile
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

# under this id the ledger records that all reports on a build are written, and which files they ask to delete
ALL_REPORTS = "*"
MONEY_PAGES = "* money"  # the same for the pages on money
MONEY_CODE = ("flows/reporting/render/**/*", "flows/reporting/words/funding/*.py", "flows/runtime/wording.py")

DICTIONARY = "* dictionary"  # and for the data dictionary
DICTIONARY_CODE = (
    "schemas/**/*.py",
    "schemas/**/*.csv",
    "schemas/**/*.sql",
    "flows/reporting/render/dictionary/*.py",
    "flows/reporting/render/templates/*",
)


@dataclass(frozen=True)
class ReportingInput:
    """Everything a run hands to its reporting step. `moment` is the time of the run (UTC)."""

    validated: Sequence[ValidatedDelivery]  # every known delivery
    to_report: Sequence[ValidatedDelivery]  # those that were received or re-validated in this run
    unusable: Sequence[UnusableFile]
    not_validated: Sequence[str]  # deliveries that could not be checked, and why
    corrections_to_review: Sequence[str]
    faulty_confirmations: Sequence[str]
    moment: datetime
    is_quiet: bool  # the current build is up to date: no new one was made
    new_files: bool = True  # whether data/raw was scanned: `pilots revalidate` takes in no file
    is_broken: bool = False  # the current build could not be opened
    contact: str = ""  # of the data team, for the pages
    cache_error: Exception | None = None  # why the load cache could not be used, if it could not


def report_run(
    paths: DataPaths,
    ledger: Ledger,
    build: Build,
    inputs: ReportingInput,
    run_metadata: dict[str, str],
) -> ReportingResult:
    """Write the reports that are due and the run's summary.

    Two summaries are put together: this run's, and the one that later runs reissue while nothing changes.
    """
    reported_ids = {v.delivery.delivery_id for v in inputs.to_report}
    known_files = ledger.known_files()
    withdrawn = _withdrawn(inputs.validated)
    with build.read() as db:
        validated = final_outcomes(db, inputs.validated)
        replaced = replacements(validated)
        to_report = [v for v in validated if v.delivery.delivery_id in reported_ids]
        others = [v for v in validated if v.delivery.delivery_id not in reported_ids]
        personal = personal_deliveries(db, (v.delivery for v in validated))
        to_purge = files_to_purge(personal.values(), paths.raw, known_files)
        to_delete = {i for i, d in personal.items() if d.sha256 in to_purge.values()}
        reports = DeliveryReports(
            paths=paths,
            ledger=ledger,
            db=db,
            validated=validated,
            moment=inputs.moment,
            replaced=replaced,
            run=run_metadata,
            contact=inputs.contact,
            to_delete=to_delete,
        )
        # deleting a file with personal data changes its page, though not the build
        reported_of = " ".join((build.made_from, *sorted(to_delete)))
        if not inputs.is_quiet or ledger.report_digests().get(ALL_REPORTS) != reported_of:
            reports.write_due()
            # with failures, the next run has to try again although the build is the same
            if not reports.failures:
                ledger.record_report(ALL_REPORTS, reported_of)
        money, money_failure = _write_money(paths, ledger, build, db)
        counts, sudden = reports.counts(to_report), _sudden_changes(db, to_report)
    if inputs.new_files:
        _write_not_taken_in(paths, inputs.unusable)
    _write_dictionary(paths, ledger)
    write_site_indexes(paths.reports, validated, inputs.moment, inputs.contact)
    pages, failures = reports.pages, [*reports.failures, *money_failure]
    revalidated = [r for r in reports.revalidations.values() if r.changed]
    no_op_summary = replace(
        _always_reported(inputs, validated, replaced),
        files_to_purge=list(to_purge),
        missing_raw_files=missing_raw_files(validated, paths.raw, known_files),
        last_change=_last_change(build, ledger),
    )
    run_summary = replace(
        no_op_summary,
        result="quiet" if inputs.is_quiet else "published",
        deliveries=[(v.delivery, v.verdict) for v in to_report],
        findings=counts if len(counts) else None,
        reports={k: p.relative_to(paths.data).as_posix() for k, p in pages.items()},
        replaced=frozenset(replaced),
        released=sum(r.released for r in revalidated),
        sudden_changes=sudden,
        changes=[
            *_unchanged(to_report),
            *(f"`{v.delivery.path}` is withdrawn: {withdrawn[v.delivery.delivery_id]}" for v in reports.withdrawn),
            *(
                f"`{v.delivery.path}` is no longer withdrawn: its report is written as usual"
                for v in reports.reinstated
            ),
            *(f"{short_name(r.delivery)}: {' '.join(sentences(r))}" for r in revalidated),
            *_changed_by_others([v for v in others if v.delivery.delivery_id not in (*personal, *withdrawn)], pages),
            *_rebuilt(inputs),
        ],
        not_validated=inputs.not_validated,
        not_reported=failures,
        money=money.relative_to(paths.data).as_posix() if money else "",
    )
    summary = render_run_summary(run_metadata, run_summary)
    return ReportingResult(
        summary=summary,
        summary_path=write_summary(paths, run_metadata["id"], summary),
        pages=pages,
        revalidated=reports.revalidations,
        outcomes={v.delivery.delivery_id: v for v in validated},
        replaced=replaced,
        not_reported=tuple(failures),
        money=money,
        personal=frozenset(personal),
        no_op_verdict=verdict_of(no_op_summary),
        no_op_sections=sections_of(no_op_summary),
    )


def _write_money(
    paths: DataPaths, ledger: Ledger, build: Build, db: duckdb.DuckDBPyConnection
) -> tuple[Path | None, list[str]]:
    """Write the pages on money unless they are those of this build. Returns their index, or why there is none."""
    made_of = f"{build.made_from} {code_digest(MONEY_CODE)}"
    if ledger.report_digests().get(MONEY_PAGES) == made_of:
        return None, []
    try:
        pages = write_funding_pages(paths.reports, db)
    except OSError:  # a fault of the disk
        raise
    except Exception as error:
        log(Entry(Event.MONEY_NOT_REPORTED, "report", error=LoggedError.of(error)))
        return None, [f"The pages on money could not be written: {safe_message(error)}"]
    log(Entry(Event.MONEY_REPORTED, "report", counts={"pages": len(pages)}))
    ledger.record_report(MONEY_PAGES, made_of)
    return next(iter(pages), None), []


def _write_dictionary(paths: DataPaths, ledger: Ledger) -> None:
    """Write the data dictionary unless it is there as of this code: making it takes a second."""
    made_of = source_digest(DICTIONARY_CODE)
    if ledger.report_digests().get(DICTIONARY) != made_of or not (paths.reports / DICTIONARY_PAGE).exists():
        write_dictionary(paths.reports)
        ledger.record_report(DICTIONARY, made_of)


def _write_not_taken_in(paths: DataPaths, unusable: Sequence[UnusableFile]) -> None:
    """Write a page for each site with files that were not taken in, and delete the page of a site without any."""
    by_site: dict[str, list[FileLeft]] = defaultdict(list)
    for file in unusable:
        site, _, name = file.path.partition("/")
        if site in sites() and name and file.reason != MANIFEST_BEFORE_FILE:
            by_site[site].append(FileLeft(name, file.reason, file.send_as))
    for site in sites():
        if site in by_site:
            write_not_taken_in(paths.reports, NotTakenIn(site, tuple(by_site[site])))
        else:
            (paths.reports / site / page_name(site)).unlink(missing_ok=True)


def _always_reported(
    inputs: ReportingInput, validated: Sequence[ValidatedDelivery], replaced: Collection[str]
) -> RunSummary:
    """The part of the summary that every run repeats, even one without changes. `replaced` holds delivery_ids."""
    validated = sorted(validated, key=lambda v: extent(v.delivery))
    return RunSummary(
        result="quiet",
        current={(v.delivery.site_code, v.delivery.dataset): v.delivery.data_cut_date for v in validated if v.counts},
        overdue_returns=overdue_returns(validated, inputs.moment),
        still_stopped=[
            v.delivery
            for v in validated
            if v.verdict.result.is_rejected and v.delivery.delivery_id not in replaced and not v.withdrawal
        ],
        held_up=[
            v.delivery for v in validated if v.standing is Standing.HELD_UP and v.delivery.delivery_id not in replaced
        ],
        withdrawn=_withdrawn(validated),
        without_successor=[
            v.delivery for v in validated if v.withdrawal and not _came_since(v.withdrawal, v, validated)
        ],
        not_taken_in=[f"`{u.path}` was not taken in ({u.rule_id}): {u.reason}" for u in inputs.unusable],
        corrections_to_review=inputs.corrections_to_review,
        faulty_confirmations=inputs.faulty_confirmations,
    )


def _withdrawn(validated: Sequence[ValidatedDelivery]) -> dict[str, str]:
    """delivery_id -> the notice of its withdrawal, for the deliveries that the data team has withdrawn."""
    return {v.delivery.delivery_id: withdrawal_notice(v.withdrawal, v.delivery) for v in validated if v.withdrawal}


def _came_since(withdrawal: Withdrawal, withdrawn: ValidatedDelivery, validated: Sequence[ValidatedDelivery]) -> bool:
    """Whether a file that came after the withdrawal counts in place of the withdrawn one."""
    series = withdrawn.delivery.site_code, withdrawn.delivery.dataset
    counting = (v.delivery for v in validated if v.counts)
    return any((d.site_code, d.dataset) == series and d.received_at > withdrawal.withdrawn_at for d in counting)


def _last_change(build: Build, ledger: Ledger) -> datetime | None:
    """When the figures last changed: the time of the run that made the current build; None where it is not known."""
    return next((datetime.fromisoformat(r["as_of"]) for r in ledger.runs() if build.is_made_by(r["run_id"])), None)


def report_failure(warehouse: Warehouse, run_metadata: dict[str, str], error: Exception, *, published: bool) -> Path:
    """Write the summary of a run that failed. `published` says whether it had promoted new figures before."""
    result = "not reported" if published else "failed"
    paths, build = warehouse.paths, warehouse.current()
    summary = RunSummary(
        result=result,
        problem=safe_message(error),
        figures=_current_figures(build),
        files_to_purge=_files_to_purge(paths, build),
    )
    return write_summary(paths, run_metadata["id"], render_run_summary(run_metadata, summary))


def _files_to_purge(paths: DataPaths, build: Build | None) -> list[str]:
    """The paths of files with personal data under data/raw, as far as a failed run can find out."""
    if build is None:
        return []
    try:
        return build.query_or_none(lambda db: personal_files_present(paths, db)) or []
    except (sqlite3.Error, OSError, LedgerUnusable):
        return []


def _current_figures(build: Build | None) -> str:
    """Which figures readers see after a failed run."""
    if build is None:
        return "no figures are published yet"
    return LAST_GOOD if build.can_be_opened() else "the published figures cannot be opened until a night ends well"


def _sudden_changes(
    db: duckdb.DuckDBPyConnection, to_report: Sequence[ValidatedDelivery]
) -> list[tuple[Delivery, str, str]]:
    """Findings of the rules between deliveries on those of this run: delivery, rule and the value found."""
    by_id = {v.delivery.delivery_id: v.delivery for v in to_report}
    findings = db.execute(
        "select delivery_id, rule_id, found from audit.findings where list_contains(?, rule_id) order by all",
        [[r.rule_id for r in DELIVERY_RULES]],
    ).fetchall()
    return [(by_id[i], rule_id, found) for i, rule_id, found in findings if i in by_id]


def _rebuilt(inputs: ReportingInput) -> list[str]:
    """Lines on a current build or a load cache that was damaged and has been rebuilt."""
    broken = ["The published warehouse could not be opened: its file was damaged, and it was made anew"]
    if inputs.cache_error is None:
        return broken * inputs.is_broken
    reloaded = f"The load cache could not be used, so everything was loaded again: {safe_message(inputs.cache_error)}"
    return [*broken * inputs.is_broken, reloaded]


def _changed_by_others(others: Sequence[ValidatedDelivery], pages: dict[str, Path]) -> list[str]:
    """Lines on earlier deliveries whose rules between tables came to another result because of this run's files."""
    changed = [(v.delivery.path, v.verdict.rows) for v in others if v.delivery.delivery_id in pages]
    return [
        f"`{path}`: its report changed with what else came in: {rows.accepted:,} of {rows.read:,} rows accepted,"
        f" {rows.held:,} held"
        for path, rows in changed
    ]


def _unchanged(to_report: Sequence[ValidatedDelivery]) -> list[str]:
    """Lines on new deliveries that change nothing."""
    why = {
        Standing.SAME: "is identical to one already received (F17)",
        Standing.STALE: "is older than the one accepted (F18)",
    }
    other_month = "is identical to the file of an earlier month (F54)"
    return [
        f"`{v.delivery.path}` {other_month if _is_of_other_month(v) else why[v.standing]}: nothing changed"
        for v in to_report
        if v.standing in why
    ]


def _is_of_other_month(v: ValidatedDelivery) -> bool:
    return v.standing is Standing.SAME and not v.delivery.same_as
