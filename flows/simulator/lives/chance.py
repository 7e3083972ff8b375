"""Random codes and columns, and days as integers."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from schemas._contract.code_lists import code_list

Days = np.ndarray  # integer days since 1970-01-01; NEVER where the event does not happen
NEVER = np.iinfo(np.int64).max // 2


def days(day: date) -> int:
    """Convert a date to days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def dates(numbers: Days) -> pl.Series:
    """Convert days since 1970-01-01 to a column of dates, null where NEVER."""
    known = numbers < NEVER
    return pl.Series(np.where(known, numbers, 0)).cast(pl.Int32).cast(pl.Date).set(~pl.Series(known), None)


def days_of(column: pl.Series) -> Days:
    """Convert a column of dates, none of them null, to days since 1970-01-01."""
    return column.cast(pl.Int32).to_numpy().astype(int)


def spell(rng: np.random.Generator, size: int, mean: float) -> Days:
    """Random numbers of days, exponentially distributed."""
    return rng.exponential(mean, size).astype(int)


def years_of(numbers: Days) -> np.ndarray:
    """Calendar years of days."""
    return numbers.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970


def where_known(known: np.ndarray, values: np.ndarray) -> pl.Series:
    """Column of the values where `known`, else null."""
    return pl.Series(values).set(~pl.Series(known), None)


def random_codes(rng: np.random.Generator, name: str, size: int, **weights: float) -> np.ndarray:
    """Random codes of the code list `name`, by weight; without weights all are equally likely."""
    codes, shares = weighted(name, weights)
    return np.array(codes)[rng.choice(len(codes), size, p=shares)]


def random_yes_no(rng: np.random.Generator, size: int, share: float) -> np.ndarray:
    """Random Y and N; `share` is the probability of Y."""
    return np.where(rng.random(size) < share, "Y", "N")


def weighted(name: str, weights: dict[str, float]) -> tuple[list[str], list[float]]:
    """Codes of a list and their probabilities. Weights for codes that the list lacks are ignored.

    If no weight is left, all codes of the list are equally likely.
    """
    codes = code_list(name).codes
    usable = {c: w for c, w in weights.items() if c in codes} or dict.fromkeys(codes, 1.0)
    total = sum(usable.values())
    return list(usable), [w / total for w in usable.values()]
