"""This project: validate and report one file as the nightly run does, with the marked workbook."""

from __future__ import annotations

import csv
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import rules

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))

from flows.deliveries.file_names import FileName  # noqa: E402
from flows.reporting.render import delivery_report, write_reports  # noqa: E402
from flows.reporting.render.marked.marking import make_marked_workbook  # noqa: E402
from flows.reporting.report import DatasetReport  # noqa: E402
from flows.steps.receive import ReceivedFile, delivery_of  # noqa: E402
from flows.steps.receive.manifest import read_manifest  # noqa: E402
from flows.steps.validate_delivery import row_types, validate_file  # noqa: E402
from flows.store.paths import DataPaths  # noqa: E402
from flows.store.raw_files import file_digest  # noqa: E402
from flows.store.result_key import result_key  # noqa: E402
from flows.store.result_sink import HELD  # noqa: E402
from flows.store.results import ResultStore  # noqa: E402
from schemas._contract.catalogue import datasets  # noqa: E402
from schemas._contract.model import Contract  # noqa: E402

SITE, DATASET, PERIOD = "MHT-BPL", "contacts", "201611"
RECEIVED = datetime(2016, 12, 2, 16, 12, tzinfo=UTC)


def main(file: Path, out: Path, store: Path) -> None:
    contract = datasets()[DATASET]
    require_same_rules(contract)
    paths = DataPaths(store)
    paths.make()
    received = ReceivedFile(file, f"{SITE}/{file.name}", file_digest(file), RECEIVED)
    delivery = delivery_of(
        received, FileName(SITE, DATASET, PERIOD, 1, file.suffix), read_manifest(file, PERIOD, RECEIVED.date())
    )
    results = ResultStore(paths)
    key = result_key(delivery, contract)
    with results.open(key, row_types(contract)) as writer:
        verdict = validate_file(file, delivery, contract, writer)
        writer.finish(verdict)
    findings = results.findings(key)
    report = delivery_report(delivery, verdict, findings, contract=contract)
    write_reports(out, report, findings)
    make_marked_workbook(file, delivery, [DatasetReport(report, verdict, findings)], out / SITE)
    write_rows_read(results, key, out)


def write_rows_read(results: ResultStore, key: str, out: Path) -> None:
    import polars as pl

    stored = [p for p in (results.accepted(key), results.folder(key) / HELD) if p.exists()]
    read = sorted(row for p in stored for row in pl.read_parquet(p).select("source_row", rules.KEY).iter_rows())
    with (out / "rows_read.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[rules.KEY], *([reference] for _, reference in read)])


def require_same_rules(contract: Contract) -> None:
    """Exit if `rules.py`, which the other tools use, differs from the contract."""
    fields = contract.by_name
    minutes = fields["duration_minutes"]
    both = {
        "columns": (rules.COLUMNS, tuple(fields)),
        "required": (rules.REQUIRED, tuple(n for n, f in fields.items() if f.required)),
        "patterns": (rules.PATTERNS, {n: f.pattern for n, f in fields.items() if f.pattern}),
        "lists": (
            {n: set(c) for n, c in rules.LISTS.items() if n != "with_employer"},
            {n: set(f.code_list.codes) for n, f in fields.items() if f.codes},
        ),
        "range": ((0, rules.MAX_MINUTES), (minutes.low, minutes.high)),
        "key": ((rules.KEY,), contract.key),
    }
    differ = [what for what, (here, there) in both.items() if here != there]
    if differ:
        raise SystemExit(f"tests/peers/rules.py differs from the contract: {', '.join(differ)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as store:
        main(Path(sys.argv[1]), Path(sys.argv[2]), Path(store))
