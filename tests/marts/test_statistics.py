"""The macros of schemas/_contract/macros.sql, compared with published figures and with statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any

import duckdb
import pytest

from schemas._contract import catalogue

Query = Callable[..., tuple[Any, ...]]


@pytest.fixture(scope="module")
def query() -> Query:
    db = duckdb.connect()
    db.execute(catalogue.MACROS.read_text(encoding="utf-8"))
    return lambda what, *values: db.execute(f"SELECT {what}", list(values)).fetchone()


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (0, 10, 0, 0.277533),
        (1, 10, 0.017876, 0.404150),
        (5, 20, 0.111862, 0.468701),
        (10, 10, 0.722467, 1),
        (170, 340, 0.447151, 0.552849),
        (250, 1450, 0.153843, 0.192716),
        (7, 100, 0.034319, 0.137495),
    ],
)
def test_wilson_matches_the_values_in_the_domain_document(
    query: Query, x: int, n: int, low: float, high: float
) -> None:
    assert query("wilson_low($1, $2), wilson_high($1, $2)", x, n) == pytest.approx((low, high), abs=5e-7)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((50, 100, 30, 100), 0.0642, 0.3258),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
    ],
)
def test_newcombe_matches_the_values_in_the_domain_document(
    query: Query, counts: tuple[int, ...], low: float, high: float
) -> None:
    found = query("newcombe_low($1, $2, $3, $4), newcombe_high($1, $2, $3, $4)", *counts)
    assert found == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_exactly_0_and_1_at_the_ends(query: Query) -> None:
    for n in (1, 3, 7, 49, 1450, 9785):
        assert query("wilson_low(0, $1), wilson_high($1, $1)", n) == (0.0, 1.0)


@pytest.mark.soak
def test_wilson_agrees_with_statsmodels(query: Query) -> None:
    from statsmodels.stats.proportion import proportion_confint

    for n in (1, 2, 5, 10, 37, 340, 9785):
        for x in {0, 1, n // 3, n // 2, n - 1, n}:
            found = query("wilson_low($1, $2), wilson_high($1, $2)", x, n)
            assert found == pytest.approx(proportion_confint(x, n, method="wilson"), abs=1e-12), (x, n)


@pytest.mark.soak
def test_newcombe_and_risk_ratio_agree_with_statsmodels(query: Query) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    for n1, n2 in product((3, 20, 1838), (5, 80, 1837)):
        for x1, x2 in product({0, 1, n1 // 2, n1}, {0, 1, n2 // 2, n2}):
            found = query("newcombe_low($1, $2, $3, $4), newcombe_high($1, $2, $3, $4)", x1, n1, x2, n2)
            expected = confint_proportions_2indep(x1, n1, x2, n2, compare="diff", method="newcomb")
            assert found == pytest.approx(expected, abs=1e-12), (x1, n1, x2, n2)
            if x1 and x2 and (x1 < n1 or x2 < n2):
                found = query("risk_ratio_low($1, $2, $3, $4), risk_ratio_high($1, $2, $3, $4)", x1, n1, x2, n2)
                expected = confint_proportions_2indep(x1, n1, x2, n2, compare="ratio", method="log")
                assert found == pytest.approx(expected, rel=1e-9), (x1, n1, x2, n2)


@pytest.mark.parametrize(("x", "n"), [(0, 0), (None, 10), (3, None), (5, 4), (-1, 4), (1, 0)])
def test_statistics_of_impossible_counts_are_null(query: Query, x: int | None, n: int | None) -> None:
    one = "share($1, $2), wilson_low($1, $2), wilson_high($1, $2)"
    two = "newcombe_low($1, $2, 1, 2), newcombe_high(1, 2, $1, $2), risk_ratio($1, $2, 1, 2)"
    assert query(f"{one}, {two}, risk_ratio_low(1, 2, $1, $2)", x, n) == (None,) * 7


def test_a_ratio_to_zero_is_null(query: Query) -> None:
    assert query("risk_ratio(0, 9, 1, 9), risk_ratio_low(1, 9, 0, 9), risk_ratio_high(0, 9, 0, 9)") == (None,) * 3
    assert query("risk_ratio(4, 10, 2, 10)") == (2.0,)


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2016, 3, 31), "2015-16"),
        (date(2016, 4, 1), "2016-17"),
        (date(1999, 12, 31), "1999-00"),
        (date(2009, 5, 31), "2009-10"),
        (None, None),
    ],
)
def test_financial_year_of_a_day(query: Query, day: date | None, year: str | None) -> None:
    assert query("financial_year($1::DATE)", day) == (year,)


def test_financial_year_end_and_days(query: Query) -> None:
    assert query("financial_year_end('1999-00')") == (date(2000, 3, 31),)
    assert query("days_in(DATE '2016-01-01', DATE '2016-03-31')") == (91,)
    assert query("days_in(DATE '2016-01-02', DATE '2016-01-01')") == (0,)
    assert query("days_in(NULL::DATE, DATE '2016-03-31'), earlier_of(NULL::DATE, DATE '2016-03-31')") == (None, None)
