"""What truly happened, as files beside the list of planted faults: the lives of people, and the ledgers of money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.simulator.files.extract import as_of
from flows.simulator.files.lives_files import LivesFiles, lives_folder
from flows.simulator.money.ledger_files import LedgerFiles, ledger_folder
from flows.simulator.programmes import SimulatedSite
from schemas._contract.catalogue import datasets


@dataclass(frozen=True)
class TrueFiles:
    """What truly happened, as files."""

    lives: LivesFiles
    ledgers: LedgerFiles

    @classmethod
    def next_to(cls, truth: Path) -> TrueFiles:
        """The files that belong to a list of planted faults."""
        return cls(LivesFiles(lives_folder(truth)), LedgerFiles(ledger_folder(truth)))

    def append(self, site: SimulatedSite, tables: dict[str, pl.DataFrame], cut_off: date) -> None:
        """Append the lives of a batch of a site's people, as known on a day."""
        for dataset in (d for d in site.datasets if d in tables):
            fields = tuple(datasets()[dataset].by_name)
            known = as_of(tables[dataset], cut_off, fields).select(fields)
            self.lives.append(
                dataset, known.with_columns(programme_code=pl.lit(site.programme_code), site_code=pl.lit(site.code))
            )
