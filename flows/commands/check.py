"""`pilots check`: one file judged on any computer, with the night's own judge. No warehouse and no Prefect."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import typer

from flows.judgement import judge_file, judgement_key, row_types
from flows.steps.receive import FILE_NAME, PERIOD, delivery_of
from flows.steps.receive.manifest import manifest_of
from flows.steps.report import delivery_report, report_json
from flows.store.judgements import Judgements
from flows.store.ledger import now
from flows.store.places import Places
from flows.store.raw import fingerprint
from flows.terminal import Exit, tell
from schemas.audit.deliveries import Delivery, Result
from schemas.audit.findings import Outcome
from schemas.catalogue import datasets
from schemas.contract import Severity
from schemas.registry import sites
from schemas.report import Report
from schemas.shapes import Finding, findings_frame


@dataclass(frozen=True)
class Checked:
    """What a check found: the report for machines, and in words."""

    report: Report
    report_json: str
    words: str
    must_be_fixed: bool


def check_file(file: Path, site: str, dataset: str, period: str) -> Checked:
    """Judge one file as the night would. What needs other deliveries is listed as not judged here.

    Raises typer.Exit(2) where neither the file's name nor the options say what it is.
    """
    delivery = _delivery(file, site, dataset, period)
    contract = datasets()[delivery.dataset]
    with tempfile.TemporaryDirectory() as folder:
        places = Places(Path(folder))
        places.make()
        judgements = Judgements(places)
        key = judgement_key(delivery, contract)
        with judgements.open(key, row_types(contract)) as out:
            verdict = judge_file(file, delivery, contract, out)
            out.finish(verdict)
        found = judgements.findings(key)
    elsewhere = [
        Finding(r.rule_id, Severity.WARNING, field=r.on, outcome=Outcome.NOT_JUDGED) for r in contract.relation_rules
    ]
    findings = found.vstack(findings_frame(elsewhere, verdict.sheet))
    report = delivery_report(delivery, verdict, findings, contract=contract)
    must_be_fixed = verdict.result is not Result.ACCEPTED
    return Checked(report, report_json(report), _words(report), must_be_fixed)


def _delivery(file: Path, site: str, dataset: str, period: str) -> Delivery:
    said = FILE_NAME.match(file.name)
    site = site or (said["site"] if said else "")
    dataset = dataset or (said["dataset"] if said else "")
    period = period or (said["period"] if said else "")
    if site not in sites() or dataset not in datasets() or not re.fullmatch(PERIOD, period):
        tell(
            "The file's name does not say what it is. Name it like MHT-BPL_participants_201611_v1.xlsx, or say"
            f" --site (one of {', '.join(sites())}), --dataset (one of {', '.join(datasets())}) and --period (yyyymm)."
        )
        raise typer.Exit(Exit.USAGE)
    version = int(said["version"]) if said else 1
    try:
        manifest = manifest_of(file, period)
    except ValueError as wrong:
        tell(f"{file.name}: {wrong}.")
        raise typer.Exit(Exit.MUST_BE_FIXED) from None
    return delivery_of(file, file.name, site, dataset, period, version, fingerprint(file), now(), manifest)


def _words(report: Report) -> str:
    """The report as lines for a terminal."""
    rows = report.rows
    lines = [report.instruction, f"{rows.accepted} of {rows.read} rows would be accepted, {rows.held} held back."]
    for item in report.items:
        where = (
            " ".join(p for p in ("column", item.column_letter, f"({item.column})") if p) if item.column else "the file"
        )
        ranges = item.to_json()["row_ranges"]
        noun = "row" if len(ranges) == 1 and "-" not in ranges[0] else "rows"
        places = ", ".join(ranges[:5]) + (" ..." if len(ranges) > 5 else "")
        lines.append(
            f"- [{item.rule_id}, {item.severity}] {item.title}: {where}{f', {noun} {places}' if places else ''}"
        )
        lines.append(f"    Expected {item.expected}. {item.fix}")
    return "\n".join(lines)
