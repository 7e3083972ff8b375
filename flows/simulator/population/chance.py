"""Random codes and columns, and the days on which made-up things happen."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from schemas._contract.code_lists import code_list

Days = np.ndarray  # whole days since 1970-01-01; NEVER where there is no such day
NEVER = np.iinfo(np.int64).max // 2


def days(day: date) -> int:
    """A date as whole days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def dates(numbers: Days) -> pl.Series:
    """Whole days as a column of dates, empty where NEVER."""
    known = numbers < NEVER
    return pl.Series(np.where(known, numbers, 0)).cast(pl.Int32).cast(pl.Date).set(~pl.Series(known), None)


def filled(known: np.ndarray, values: np.ndarray) -> pl.Series:
    """The values where known, else empty."""
    return pl.Series(values).set(~pl.Series(known), None)


def picked(rng: np.random.Generator, name: str, size: int, **weights: float) -> np.ndarray:
    """Random codes of a list, by weight (all alike without weights)."""
    codes, shares = weighted(name, weights)
    return np.array(codes)[rng.choice(len(codes), size, p=shares)]


def picked_letters(rng: np.random.Generator, size: int, share: float) -> np.ndarray:
    """Y for about a share of the rows, else N."""
    return np.where(rng.random(size) < share, "Y", "N")


def weighted(name: str, weights: dict[str, float]) -> tuple[list[str], list[float]]:
    """The weighted codes that the list has (all of it alike where it has none), with shares that add to 1."""
    listed = code_list(name).codes
    known = {c: w for c, w in weights.items() if c in listed} or dict.fromkeys(listed, 1.0)
    total = sum(known.values())
    return list(known), [w / total for w in known.values()]
