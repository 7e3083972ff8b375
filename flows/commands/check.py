"""`pilots check`: validate one file on any computer, by the code of the nightly run. No warehouse and no Prefect."""

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
from flows.orchestration.one_file import InFile, OfDataset, SingleFile, columns_read, cross_check_file
from flows.reporting.render import delivery_report, report_json, report_lines, write_reports
from flows.reporting.report import Part, Report
from flows.reporting.words.page import no_workbook
from flows.runtime.wording import listed
from flows.steps.receive import ReceivedFile, delivery_of, sheets_of_return
from flows.steps.receive.manifest import read_manifest
from flows.steps.validate_delivery import validate_file
from flows.store.ledger.runs import now
from flows.store.raw_files import file_digest
from flows.store.result_sink import RowsInMemory
from schemas._contract.catalogue import datasets
from schemas._contract.registry import NONE, returns_for, sites
from schemas.audit.deliveries import Delivery, Result


@dataclass(frozen=True)
class Checked:
    """What a check found: the reports (one for each dataset in the file), for machines and in words.

    `written` are the pages, files and the marked workbook, where they were asked for.
    """

    reports: tuple[Report, ...]
    report_json: str
    words: str
    must_be_fixed: bool
    written: tuple[Path, ...] = ()


def check_file(
    file: Path,
    site: str = "",
    dataset: str = "",
    period: str = "",
    to: Path | None = None,
    moment: datetime | None = None,
) -> Checked:
    """Validate one file as the run would, and write its reports into the folder `to`, if one is given.

    It is taken as received at `moment`, or now.
    What needs other deliveries is listed as not judged here. Raises typer.Exit(2) where neither the file's name nor
    the options say what it is.
    """
    deliveries = _deliveries(file, site, dataset, period, moment or now())
    parts = _validated(file, deliveries)
    written, words = ((), []) if to is None else _write(file, deliveries[0], parts, to)
    reports = tuple(p.report for p in parts)
    several = json.dumps([r.to_json() for r in reports], indent=2, ensure_ascii=False)
    return Checked(
        reports,
        several if len(reports) > 1 else report_json(reports[0]),
        "\n".join([*(line for r in reports for line in _words(r, named=len(reports) > 1)), *words]),
        any(r.result is not Result.ACCEPTED for r in reports),
        written,
    )


def _deliveries(file: Path, site: str, dataset: str, period: str, moment: datetime) -> list[Delivery]:
    """What the file is: one delivery, or one for each dataset of a whole return."""
    said = read_name(file.name, site)
    site = site or (said.site if said else "")
    dataset = dataset or (said.dataset if said else "")
    period = period or (said.period if said else "")
    if wrong := _what_is_wrong(site, dataset, period):
        _refuse(wrong, Exit.USAGE)
    if unknown := _what_is_not_said(site, dataset, period):
        _refuse(
            f"It is not clear what {file.name} is. Name it like MHT-BPL_participants_201611_v1.xlsx, or say {unknown}.",
            Exit.USAGE,
        )
    try:
        sheets = sheets_of_return(file) if dataset == WHOLE_RETURN else [("", dataset)]
        manifest = read_manifest(file, period)
    except ValueError as wrong:
        _refuse(f"{file.name}: {wrong}.", Exit.MUST_BE_FIXED)
    if len(sheets) > 1:  # its totals are about the whole workbook
        manifest = manifest.model_copy(update={"rows": None, "gbp_total": None})
    received, version = ReceivedFile(file, file.name, file_digest(file), moment), said.version if said else 1
    return [
        delivery_of(received, FileName(site, name, period, version, file.suffix), manifest, sheet)
        for sheet, name in sheets
    ]


def _what_is_wrong(site: str, dataset: str, period: str) -> str:
    """Which of the site, dataset and month that were said there is none of; '' where there are all."""
    wrong = []
    if site and site not in sites():
        wrong.append(f"There is no site called {site}. A site code looks like MHT-BPL.")
    if dataset and dataset != WHOLE_RETURN and dataset not in datasets():
        wrong.append(f"There is no dataset called {dataset}. There are: {_datasets_of(site)}.")
    if period and not re.fullmatch(PERIOD, period):
        wrong.append(f"'{period}' is not a month as it is meant here: write November 2016 as 201611.")
    return " ".join(wrong)


def _what_is_not_said(site: str, dataset: str, period: str) -> str:
    """The options that have to be given, in words; '' where all is said."""
    options = (
        (site, "--site (a site code such as MHT-BPL)"),
        (dataset, f"--dataset ({_datasets_of(site)})"),
        (period, "--period (the month as yyyymm, such as 201611)"),
    )
    return listed([option for said, option in options if not said])


def _datasets_of(site: str) -> str:
    known = [n for n, need in returns_for(site).items() if need != NONE] if site in sites() else list(datasets())
    return f"{', '.join(known)}, or {WHOLE_RETURN} for a workbook with several"


def _refuse(words: str, end: Exit) -> NoReturn:
    echo(words)
    raise typer.Exit(end)


def _validated(file: Path, deliveries: Sequence[Delivery]) -> list[Part]:
    """The datasets of a file validated, each by itself and then beside the others. Nothing of them is kept."""
    alone = SingleFile.of(deliveries)
    in_file = []
    for delivery in deliveries:
        contract = datasets()[delivery.dataset]
        out = RowsInMemory(columns_read(contract, alone))
        in_file.append(InFile(delivery, contract, validate_file(file, delivery, contract, out), out))
    return [_part(p, checked) for p, checked in zip(in_file, cross_check_file(in_file), strict=True)]


def _part(part: InFile, checked: OfDataset) -> Part:
    """One dataset with its report, which says of each rule that was not judged what it lacks."""
    report = delivery_report(part.delivery, checked.verdict, checked.findings, contract=part.contract)
    not_validated = [
        replace(i, lacks=checked.lacks.get((i.rule_id, i.severity, i.field), "")) for i in report.not_validated
    ]
    return Part(replace(report, not_validated=tuple(not_validated)), checked.verdict, checked.findings, part.contract)


def _write(file: Path, delivery: Delivery, parts: Sequence[Part], to: Path) -> tuple[tuple[Path, ...], list[str]]:
    """Write the reports as the run does, and the marked workbook. Gives the files, and what to say of them.

    On Windows no file can be replaced while another program has it open. Raises typer.Exit(3) where one may not be.
    """
    try:
        return _written(file, delivery, parts, to)
    except PermissionError as error:
        way_out = "If it is open in Excel, close it there and try again."
        _refuse(f"{error.filename} may not be written. {way_out}", Exit.SETTINGS)


def _written(file: Path, delivery: Delivery, parts: Sequence[Part], to: Path) -> tuple[tuple[Path, ...], list[str]]:
    from flows.reporting.marking import (
        make_marked_workbook,  # most checks write nothing, and need no writer of workbooks
    )

    marked = make_marked_workbook(file, delivery, parts, to / delivery.site_code)
    why_none = no_workbook(marked.why_none)
    reports = [replace(p.report, marked_workbook=marked.name, no_marked_workbook=why_none) for p in parts]
    written = [path for r, p in zip(reports, parts, strict=True) for path in write_reports(to, r, p.findings).values()]
    written += [marked.path] if marked.path else []
    words = [f"Wrote {path}" for path in written]
    return tuple(written), words + ([why_none] if why_none else [])


def _words(report: Report, *, named: bool) -> list[str]:
    """The report as lines for a terminal."""
    return [*([f"{report.dataset_title}:"] if named else []), *report_lines(report)]
