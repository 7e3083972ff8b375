"""published.unit_costs and published.outcome_payments: no count in them is exact, and no hidden one can be worked out.

Source: docs/domain.md 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas._contract import catalogue

SITES, YEARS = ("MHT-BPL", "MHT-GM", "MHT-WLA"), ("2014-15", "2015-16", "2016-17")
UNIT, FIGURE = "person_into_work", "kpi_06_job_within_12_months"
GRANT = 12_345
Counts = dict[tuple[str, str], int]
Published = dict[tuple[str, str], tuple[int | None, Decimal | None, str | None]]


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts that published.unit_costs reads, as tables that a test fills: all years are over, and mature."""
    db = duckdb.connect(config={"threads": 1})
    db.execute(catalogue.MACROS.read_text(encoding="utf-8"))
    db.execute("create schema funding; create schema outcomes; create schema published")
    for address in ("funding.unit_costs", "outcomes.reach", "outcomes.kpi_definitions", "published.kpi"):
        columns = ", ".join(f'"{c.name}" {c.type}' for c in _mart(address).columns)
        db.execute(f"create table {address} ({columns})")
    _insert(db, "outcomes.kpi_definitions", kpi_code=FIGURE, window_days=365, lag_days=30)
    for year in YEARS:
        _insert(db, "published.kpi", programme_code="MHT", cohort=year)
    yield db
    db.close()


def _mart(address: str) -> catalogue.Mart:
    return next(m for m in catalogue.marts() if m.address == address)


def _insert(db: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    db.execute(f"insert into {table} ({', '.join(values)}) values ({', '.join('?' * len(values))})", [*values.values()])


def published(
    db: duckdb.DuckDBPyConnection, counts: Counts, not_known: tuple[str, str] | None = None, cut: str = "2019-03-31"
) -> Published:
    """What is published of these counts, by site and year: people, cost and reason."""
    db.execute("delete from funding.unit_costs; delete from outcomes.reach")
    for code, site in product((FIGURE, "kpi_03_people_started"), {site for site, _ in counts}):
        _insert(db, "outcomes.reach", kpi_code=code, programme_code="MHT", site_code=site, data_cut_date=cut)
    for (site, year), n in counts.items():
        reason = "cohort_not_mature" if (site, year) == not_known else None
        _insert(
            db, "funding.unit_costs", programme_code="MHT", site_code=site, financial_year=year, unit_code=UNIT,
            kpi_code=FIGURE, n_people=n, grant_gbp=GRANT, match_gbp=0, reason=reason, leaves_out="much",
        )  # fmt: skip
    rows = db.execute(
        f"select site_code, financial_year, n_people, cost_grant_gbp, reason from ({_mart('published.unit_costs').sql})"
    )
    return {(site, year): (n, cost, reason) for site, year, n, cost, reason in rows.fetchall()}


def cells_of(row: tuple[str, str], counts: Counts) -> list[tuple[str, str]]:
    """The counts that a row adds up."""
    return [(s, y) for s, y in counts if row[0] in ("all", s) and row[1] in ("all", y)]


def is_possible(rows: Published, counts: Counts, hidden: tuple[str, str], value: int) -> bool:
    """Whether a hidden row can have a value by everything that is published beside it."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # slow to import

    place = {cell: n for n, cell in enumerate(counts)}

    def sum_of(row: tuple[str, str]) -> np.ndarray:
        of = np.zeros(len(place))
        of[[place[cell] for cell in cells_of(row, counts)]] = 1
        return of

    shown = {row: n for row, (n, _, _) in rows.items() if n is not None}
    constraints = [LinearConstraint(sum_of(row), max(n - 2, 5), n + 2) for row, n in shown.items()]
    constraints.append(LinearConstraint(sum_of(hidden), value, value))
    whole = np.ones(len(place))
    return bool(milp(np.zeros(len(place)), constraints=constraints, integrality=whole, bounds=Bounds(0, 500)).success)


def some_counts(few: int = 6) -> st.SearchStrategy[Counts]:
    cells = st.one_of(st.integers(0, few), st.integers(0, 60))
    shape = st.tuples(st.integers(1, len(SITES)), st.integers(1, len(YEARS)))
    return shape.flatmap(lambda n: st.fixed_dictionaries(dict.fromkeys(product(SITES[: n[0]], YEARS[: n[1]]), cells)))


@given(some_counts())
def test_every_hidden_count_can_still_be_anything_from_0_to_4(tables, counts):
    rows = published(tables, counts)
    suppressed = [row for row, (_, _, reason) in rows.items() if reason == "suppressed"]
    hidden = [row for row in suppressed if sum(counts[cell] for cell in cells_of(row, counts)) < 5]
    assert [(row, v) for row in hidden for v in range(5) if not is_possible(rows, counts, row, v)] == []


def test_the_attack_finds_a_count_that_is_given_away():
    """One year is hidden beside a total and another year that leave it no choice."""
    counts = {(SITES[0], y): n for y, n in zip(YEARS, (4, 10), strict=False)}
    rows: Published = {("all", "all"): (20, None, None), ("all", YEARS[1]): (10, None, None)}
    assert not any(is_possible(rows, counts, ("all", YEARS[0]), v) for v in range(5))


@given(some_counts())
def test_counts_are_rounded_and_costs_are_of_the_rounded_counts(tables, counts):
    rows = published(tables, counts)
    for row, (n, cost, reason) in rows.items():
        exact = sum(counts[c] for c in cells_of(row, counts))
        grant = GRANT * len(cells_of(row, counts))
        assert reason in ("suppressed", "no_spending", None) and (n is None) == (cost is None) == (reason is not None)
        if n is not None:
            assert n % 5 == 0 and abs(n - exact) <= 2 and exact >= 5
            assert cost == (Decimal(grant) / n).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("by_year", "shown"),
    [
        ((20, 25, 30), (20, 25, 30)),
        ((0, 20, 30), (None, 20, 30)),  # 0 to 4 all fit
        ((4, 10), (None, None)),  # 15 less 10 leaves 0 out
        ((1, 14), (None, 15)),
        ((4, 12, 12), (None, None, None)),  # 30 less 20
        ((2, 3, 30), (None, None, 30)),
        ((2, 2, 1), (None, None, None)),
    ],
)  # fmt: skip
def test_years_are_hidden_together_where_one_of_them_could_be_worked_out(tables, by_year, shown):
    rows = published(tables, {(SITES[0], y): n for y, n in zip(YEARS, by_year, strict=False)})
    assert tuple(rows["all", y][0] for y in YEARS[: len(shown)]) == shown
    assert rows["all", "all"][0] == 5 * round(sum(by_year) / 5)


def test_sites_are_hidden_together_where_one_of_them_is_small(tables):
    many, few = published(tables, {(s, YEARS[0]): 10 for s in SITES}), {(s, YEARS[0]): 10 for s in SITES[:2]}
    few[SITES[2], YEARS[0]] = 4
    assert [many[s, "all"][0] for s in ("all", *SITES)] == [30, 10, 10, 10]
    assert [published(tables, few)[s, "all"][0] for s in ("all", *SITES)] == [25, None, None, None]


def test_nobody_and_an_outcome_that_is_not_known_look_like_a_few(tables):
    site, year = SITES[0], YEARS[0]
    nobody, few = published(tables, {(site, year): 0}), published(tables, {(site, year): 4})
    assert nobody == few == published(tables, {(site, year): 40}, not_known=(site, year))
    assert few["all", "all"] == (None, None, "suppressed")


def test_a_year_is_mature_by_its_last_day_whenever_people_started(tables):
    before = published(tables, {(SITES[0], "2015-16"): 40}, cut="2017-04-29")
    after = published(tables, {(SITES[0], "2015-16"): 40}, cut="2017-04-30")
    assert before[SITES[0], "all"] == (None, None, "cohort_not_mature")
    assert after[SITES[0], "all"] == after["all", "all"] == (40, Decimal("308.63"), None)


def test_years_of_setting_up_alone_are_no_cost_yet(tables):
    rows = published(tables, {(SITES[0], "2014-15"): 0, (SITES[0], "2015-16"): 40}, cut="2017-04-29")
    assert rows["all", "all"] == rows[SITES[0], "all"] == (None, None, "cohort_not_mature")
    assert rows["all", "2014-15"][2] == "suppressed"


# Payments by results

CONTRACT, PACKAGE = "CPA-1", "WC-CPA01"
PAYMENTS = """
    select definition_code, financial_year, price_gbp, n_payments, paid_gbp, reason
    from published.outcome_payments order by all"""


def pay(warehouse, number, definition="WC_JO", day="2016-07-04", price=1250):
    for _ in range(number):
        warehouse.add(
            "core.outcome_payments", site_code=PACKAGE, programme_code="WC", award_id=CONTRACT, amount=price,
            unit_price=price, payment_id=f"P{warehouse._rows}", participant_ref=f"A{warehouse._rows}",
            outcome_definition_code=definition, outcome_date=day,
        )  # fmt: skip


@pytest.fixture
def package(warehouse):
    """A contract area with two prices."""
    warehouse.deliver(PACKAGE, "2017-09-30", "outcome_payments")
    warehouse.add("core.funding_awards", site_code=PACKAGE, programme_code="WC", award_id=CONTRACT, award_version=1,
                  award_stage="awarded", amount=50_000, amount_status="known", about_site_code=PACKAGE)  # fmt: skip
    for definition, price, first, last in (
        ("WC_JO", 1250, "2016-04-01", "2017-03-31"),
        ("WC_JO", 1300, "2017-04-01", None),
        ("SUST_26", 800, "2016-04-01", "2017-03-31"),
    ):
        warehouse.add(
            "core.payment_schedule", site_code=PACKAGE, programme_code="WC", award_id=CONTRACT, unit_price=price,
            outcome_definition_code=definition, valid_from=first, valid_to=last,
        )  # fmt: skip
    return warehouse


def test_payments_have_a_row_for_every_price_and_year_and_are_rounded(package):
    pay(package, 7)
    pay(package, 4, "SUST_26", price=800)
    package.build("published.outcome_payments")
    assert package.rows(PAYMENTS) == [
        ("SUST_26", "2016-17", 800, None, None, "small_numbers"),
        ("WC_JO", "2016-17", 1250, 5, 6250, None),
        ("WC_JO", "2017-18", 1300, None, None, "small_numbers"),
    ]


def test_payments_that_round_alike_are_published_alike(package):
    pay(package, 6)
    package.build("published.outcome_payments")
    sql = _mart("published.outcome_payments").sql
    one = package.rows(sql)
    pay(package, 1)
    pay(package, 4, "SUST_26", price=800)
    pay(package, 2, day="2017-05-01", price=1300)
    assert sorted(package.rows(sql), key=str) == sorted(one, key=str)
