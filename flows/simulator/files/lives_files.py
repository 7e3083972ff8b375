"""Write the lives of all people as CSV files, beside the list of planted faults: a file for each dataset.

They are as known at each site's last cut-off, without any fault, so figures can be compared with them.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl


def lives_folder(truth: Path) -> Path:
    """The folder of the lives that belong to a list of planted faults."""
    return truth.with_suffix(".lives")


class LivesFiles:
    """The CSV files of the lives, while they are written batch by batch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, dataset: str, rows: pl.DataFrame) -> None:
        """Append the rows of a batch."""
        path = self._folder / f"{dataset}.csv"
        is_new = not path.exists()
        with path.open("ab") as file:
            rows.write_csv(file, include_header=is_new)
