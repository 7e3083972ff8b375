"""Write the ledgers of all sites as CSV files, beside the list of planted faults: a file for each kind of entry.

Amounts are in pence. An entry is as it was known at its site's last cut-off, so figures can be compared with it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from flows.simulator.money.ledger import ENTRIES, ClaimLine, SiteLedger


def ledger_folder(truth: Path) -> Path:
    """The folder of the ledgers that belong to a list of planted faults."""
    return truth.with_suffix(".ledger")


class LedgerFiles:
    """The CSV files of the ledgers, while they are written site by site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, ledger: SiteLedger) -> None:
        """Append the entries of a site."""
        for name in ENTRIES:
            self._write(name, ledger, (_cells(entry) for entry in getattr(ledger, name)))
        self._write("claim_lines", ledger, _lines(ledger))

    def _write(self, name: str, ledger: SiteLedger, rows: Iterator[dict[str, Any]]) -> None:
        path = self._folder / f"{name}.csv"
        first = next(rows, None)
        if first is None:
            return
        is_new = not path.exists()
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if is_new:
                writer.writerow(["site_code", "programme_code", *first])
            for row in (first, *rows):
                writer.writerow([ledger.site_code, ledger.programme_code, *row.values()])


def _cells(entry: Any) -> dict[str, Any]:
    """An entry by column; a claim also has its status, and what was approved."""
    cells = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name != "lines"}
    if hasattr(entry, "status"):
        cells |= {"status": entry.status, "approved": entry.approved}
    return cells


def _lines(ledger: SiteLedger) -> Iterator[dict[str, Any]]:
    for claim in ledger.claims:
        for line in claim.lines:
            yield {"claim_id": claim.claim_id} | {f.name: getattr(line, f.name) for f in fields(ClaimLine)}
