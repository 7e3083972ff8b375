"""What the fidelity scale of IPS consists of. Source: docs/domain.md 2.7."""

from __future__ import annotations

import polars as pl

ITEMS, LOWEST, HIGHEST = 25, 1, 5  # items of the scale, and the range of the score of each
TOTALS = (ITEMS * LOWEST, ITEMS * HIGHEST)
BANDS = {"exemplary": 115, "good": 100, "fair": 74, "not_ips": TOTALS[0]}  # the lowest total of each band


def band_of(total: str) -> pl.Expr:
    """The band of a column of total scores; null below the lowest total."""
    bands = pl.lit(None, dtype=pl.String)
    for band, lowest in sorted(BANDS.items(), key=lambda entry: entry[1]):
        bands = pl.when(pl.col(total) >= lowest).then(pl.lit(band)).otherwise(bands)
    return bands
