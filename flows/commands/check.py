"""`pilots check`: validate one file on any computer with the code of the nightly run, without warehouse or Prefect."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import typer

from flows.commands.console import Exit, echo
from flows.deliveries.file_names import PERIOD, WHOLE_RETURN, FileName, read_name
from flows.deliveries.months import day_received
from flows.orchestration.files_beside import with_earlier_month
from flows.orchestration.one_file import DatasetInFile, DatasetOutcome, SingleFile, columns_read, cross_check_file
from flows.reporting.render import delivery_report, report_json, report_lines, write_reports
from flows.reporting.report import DatasetReport, Report
from flows.reporting.words.sending import no_workbook
from flows.runtime.wording import listed
from flows.steps.confirm.matching import columns_matched, mark_confirmed
from flows.steps.confirm.record import NO_CONFIRMATIONS, Confirmations, read_confirmations
from flows.steps.receive import ReceivedFile, delivery_of, sheets_of_return
from flows.steps.receive.manifest import read_manifest
from flows.steps.validate_delivery import validate_file
from flows.store.ledger.runs import now
from flows.store.paths import DataPaths
from flows.store.raw_files import file_digest
from flows.store.result_sink import RowsInMemory
from schemas._contract.catalogue import datasets
from schemas._contract.registry import NONE, returns_for, sites
from schemas.audit.deliveries import Delivery, Result


@dataclass(frozen=True)
class CheckResult:
    """Result of a check."""

    reports: tuple[Report, ...]  # one per dataset in the file
    report_json: str
    text: str  # the reports as lines for a terminal
    must_be_fixed: bool
    written: tuple[Path, ...] = ()  # pages, data files and marked workbook, where a folder was given


def check_file(  # parameters: the options of a command
    file: Path,
    site: str = "",
    dataset: str = "",
    period: str = "",
    to: Path | None = None,
    moment: datetime | None = None,
    data: DataPaths | None = None,
    *,
    in_full: bool = False,
) -> CheckResult:
    """Validate one file as the run would, and write its reports into the folder `to`, if one is given.

    The file is treated as received at `moment` (default: now). Rules that need other deliveries are listed as not
    checked. The data folder `data` has on record which warnings the site has confirmed; on the site's own computer
    there is none, and these warnings are listed. `in_full` shows hidden values in `text`, which must then go to a
    terminal only.

    Raises typer.Exit(2) where neither the file's name nor the options give its site, dataset and month.
    """
    deliveries = _deliveries(file, site, dataset, period, moment or now())
    confirmations = read_confirmations(data) if data and data.confirmations.exists() else NO_CONFIRMATIONS
    parts = _validated(file, deliveries, confirmations)
    written, notes = ((), []) if to is None else _write(file, deliveries[0], parts, to)
    reports = tuple(p.report for p in parts)
    of_text = _in_full(file, deliveries, parts) if in_full else reports
    all_as_json = json.dumps([r.to_json() for r in reports], indent=2, ensure_ascii=False)
    return CheckResult(
        reports,
        all_as_json if len(reports) > 1 else report_json(reports[0]),
        "\n".join([*(line for r in of_text for line in _lines(r, with_title=len(reports) > 1)), *notes]),
        any(r.result is not Result.ACCEPTED for r in reports),
        written,
    )


def _deliveries(file: Path, site: str, dataset: str, period: str, moment: datetime) -> list[Delivery]:
    """The deliveries in the file: one, or one per dataset of a whole return. Options win over the file's name."""
    name = read_name(file.name, site)
    site = site or (name.site if name else "")
    dataset = dataset or (name.dataset if name else "")
    period = period or (name.period if name else "")
    if problem := _invalid_options(site, dataset, period):
        _refuse(problem, Exit.USAGE)
    if missing := _missing_options(site, dataset, period):
        _refuse(
            f"It is not clear what {file.name} is. Name it like MHT-BPL_participants_201611_v1.xlsx, or say {missing}.",
            Exit.USAGE,
        )
    try:
        sheets = sheets_of_return(file) if dataset == WHOLE_RETURN else [("", dataset)]
        manifest = read_manifest(file, period, day_received(moment))
    except ValueError as error:
        _refuse(f"{file.name}: {error}.", Exit.MUST_BE_FIXED)
    if len(sheets) > 1:  # the manifest's totals cover all sheets together, so no single dataset can be held to them
        manifest = manifest.model_copy(update={"rows": None, "gbp_total": None})
    received, version = ReceivedFile(file, file.name, file_digest(file), moment), name.version if name else 1
    return [
        delivery_of(received, FileName(site, in_sheet, period, version, file.suffix), manifest, sheet)
        for sheet, in_sheet in sheets
    ]


def _invalid_options(site: str, dataset: str, period: str) -> str:
    """Sentences about each of site, dataset and month that does not exist; '' where all do."""
    problems = []
    if site and site not in sites():
        problems.append(f"There is no site called {site}. A site code looks like MHT-BPL.")
    if dataset and dataset != WHOLE_RETURN and dataset not in datasets():
        problems.append(f"There is no dataset called {dataset}. There are: {_datasets_of(site)}.")
    if period and not re.fullmatch(PERIOD, period):
        problems.append(f"'{period}' is not a valid month: write November 2016 as 201611.")
    return " ".join(problems)


def _missing_options(site: str, dataset: str, period: str) -> str:
    """The options that still have to be given, in words; '' where none is missing."""
    options = (
        (site, "--site (a site code such as MHT-BPL)"),
        (dataset, f"--dataset ({_datasets_of(site)})"),
        (period, "--period (the month as yyyymm, such as 201611)"),
    )
    return listed([option for value, option in options if not value])


def _datasets_of(site: str) -> str:
    known = [n for n, need in returns_for(site).items() if need != NONE] if site in sites() else list(datasets())
    return f"{', '.join(known)}, or {WHOLE_RETURN} for a workbook with several"


def _refuse(message: str, code: Exit) -> NoReturn:
    echo(message)
    raise typer.Exit(code)


def _validated(file: Path, deliveries: Sequence[Delivery], confirmations: Confirmations) -> list[DatasetReport]:
    """Validate the datasets of a file, each by itself and then against the others. Nothing is stored on disk."""
    single_file = SingleFile.of(deliveries)
    in_file = []
    for delivery in deliveries:
        contract = datasets()[delivery.dataset]
        of_all = columns_matched(contract, confirmations.of(delivery.site_code, delivery.dataset))
        sink = RowsInMemory(columns_read(contract, single_file), of_all)
        in_file.append(DatasetInFile(delivery, contract, validate_file(file, delivery, contract, sink), sink))
    checked = zip(in_file, cross_check_file(in_file), strict=True)
    parts = [_part(file, p, outcome, confirmations) for p, outcome in checked]
    to_fix = [p.report.dataset_title for p in parts if p.report.send_again]
    return [_with_others(p, [title for title in to_fix if title != p.report.dataset_title]) for p in parts]


def _with_others(part: DatasetReport, to_fix: Sequence[str]) -> DatasetReport:
    """One dataset with its report, which names the other sheets that have to be fixed."""
    return replace(part, report=replace(part.report, sheets_to_fix=tuple(to_fix)))


def _part(file: Path, part: DatasetInFile, outcome: DatasetOutcome, confirmations: Confirmations) -> DatasetReport:
    """One dataset with its report, which says for each rule that was not checked what it would need."""
    findings = mark_confirmed(
        outcome.findings, part.delivery.site_code, part.contract, part.sink.some_rows, confirmations
    )
    findings = with_earlier_month(findings, file, part.delivery, outcome.verdict.sheet)
    report = delivery_report(part.delivery, outcome.verdict, findings, contract=part.contract)
    not_validated = [
        replace(i, lacks=outcome.missing_inputs.get((i.rule_id, i.severity, i.field), "")) for i in report.not_validated
    ]
    return DatasetReport(
        replace(report, not_validated=tuple(not_validated), is_check=True),
        outcome.verdict,
        findings,
    )


def _in_full(file: Path, deliveries: Sequence[Delivery], parts: Sequence[DatasetReport]) -> list[Report]:
    """The reports with hidden values, for the lines of a terminal."""
    from flows.reporting.render.full_values import findings_in_full  # only a terminal needs it

    findings = findings_in_full(file, deliveries[0], parts)
    return [
        replace(p.report, items=delivery_report(d, p.verdict, f, contract=p.contract).items)
        for d, p, f in zip(deliveries, parts, findings, strict=True)
    ]


def _write(
    file: Path, delivery: Delivery, parts: Sequence[DatasetReport], to: Path
) -> tuple[tuple[Path, ...], list[str]]:
    """Write the reports as the run does, and the marked workbook. Returns the paths, and lines about them.

    Raises typer.Exit(3) where a file may not be written. On Windows that is any file that is open in another program.
    """
    try:
        return _written(file, delivery, parts, to)
    except PermissionError as error:
        advice = "If it is open in Excel, close it there and try again."
        _refuse(f"{error.filename} may not be written. {advice}", Exit.SETTINGS)


def _written(
    file: Path, delivery: Delivery, parts: Sequence[DatasetReport], to: Path
) -> tuple[tuple[Path, ...], list[str]]:
    from flows.reporting.render.marked.marking import (
        make_marked_workbook,  # most checks write nothing, and need no writer of workbooks
    )

    marked = make_marked_workbook(file, delivery, parts, to / delivery.site_code)
    why_none = no_workbook(marked.why_none)
    reports = [
        replace(p.report, marked_workbook=marked.name if p.report.send_again else "", no_marked_workbook=why_none)
        for p in parts
    ]
    written = [path for r, p in zip(reports, parts, strict=True) for path in write_reports(to, r, p.findings).values()]
    written += [marked.path] if marked.path else []
    notes = [f"Wrote {path}" for path in written]
    return tuple(written), notes + ([why_none] if why_none else [])


def _lines(report: Report, *, with_title: bool) -> list[str]:
    """The report as lines for a terminal, headed by its dataset if there are several."""
    return [*([f"{report.dataset_title}:"] if with_title else []), *report_lines(report)]
