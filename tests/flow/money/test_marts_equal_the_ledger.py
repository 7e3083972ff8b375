"""Every mart of money equals the simulated ledgers, to the penny, in whatever order their files arrive.

The ledgers have late, rejected, corrected and part-paid claims, virements, carry-forward, credit notes and accruals. On
the way, a claims file is sent twice for a month, with a claim again under another reference; spending has a row twice,
and an entry again in another category.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from naive_money import Figures, NaiveMoney
from soak import iterations

from flows.nightly import run_pipeline
from flows.settings import Settings
from flows.simulator.files.shapes import SITE_SHAPES
from flows.simulator.money.ledger_files import ledger_folder
from flows.simulator.money.quarters import month_end
from flows.simulator.simulate import simulate
from flows.simulator.sites import DATASETS, pilot_sites

pytestmark = pytest.mark.with_marts

SEED = 4
# Three financial years in the longer form. Sites of every programme that sends money; two of contracts by results.
MONTHS = iterations(everyday=4, soak=36)
BEHIND_PAYMENTS = ("participants", "referrals", "employment_outcomes")
SITES_OF_A_PROGRAMME = iterations(everyday=1, soak=6)


class Compared(NamedTuple):
    """A mart and the columns of it that are compared."""

    key: str
    columns: str
    where: str = "true"


MARTS: dict[str, Compared] = {
    "award_position": Compared("award_key", "awarded_gbp, varied_gbp, current_gbp, latest_stage"),
    "claims_position": Compared(
        "award_key",
        "n_claims, n_corrections, n_rejected, claimed_to, costs_gbp, grant_claimed_gbp, corrections_gbp, undecided_gbp,"
        " approved_gbp, disallowed_gbp, rejected_gbp, paid_gbp, advances_approved_gbp, advances_paid_gbp, last_payment,"
        " returned_gbp, unclaimed_gbp",
    ),
    "profile_vs_actual": Compared(
        "award_key, financial_year, quarter",
        "quarter_end, is_over, profile_gbp, forecast_gbp, actual_gbp, variance_gbp, match_cash_gbp, match_in_kind_gbp,"
        " accrual_gbp, claimed_gbp, approved_gbp, paid_gbp, cumulative_profile_gbp, cumulative_actual_gbp,"
        " remaining_gbp, is_missing, forecast_outturn_gbp",
    ),
    "budget_years": Compared(
        "award_key, financial_year",
        "profile_gbp, carried_in_gbp, carried_out_gbp, budget_before_gbp, budget_gbp, spent_gbp, accrued_gbp,"
        " underspend_gbp, left_gbp",
    ),
    "budget_lines": Compared(
        "award_key, financial_year, cost_category",
        "profile_gbp, virement_in_gbp, virement_out_gbp, carried_in_gbp, carried_out_gbp, budget_gbp, spent_gbp,"
        " left_gbp",
    ),
    "match_position": Compared(
        "programme_code, site_code, match_source_type, match_kind",
        "pledged_gbp, confirmed_gbp, evidenced_gbp, not_evidenced_gbp, n_amounts_unknown",
    ),
    "outcome_payments": Compared(
        "award_key, definition_code, financial_year",
        "n_payments, n_people, paid_gbp, lowest_price_gbp, highest_price_gbp, n_verified",
    ),
    "programme_position": Compared(
        "programme_code",
        "awarded_gbp, current_gbp, match_pledged_gbp, match_confirmed_gbp, match_evidenced_gbp, claimed_gbp,"
        " approved_gbp, paid_gbp, returned_gbp, outcome_payments_gbp, spent_grant_gbp, spent_match_gbp, spent_to,"
        " unspent_gbp, n_awards",
        where="n_awards > 0",
    ),
    "award_identities": Compared("check_code, subject", "expected_gbp, actual_gbp, status"),
}
HELD = """
    select distinct rule_id from audit.findings join audit.deliveries using (delivery_id)
    where standing = 'current' and source_row is not null and rule_id not in ('F04', 'F10')"""
FROM_RECONCILIATION = "select check_code, subject, expected_gbp, actual_gbp, status from funding.reconciliation"


def sites() -> list[str]:
    """Some sites of each programme that sends money."""
    of_programme: dict[str, list[str]] = {}
    for site in pilot_sites():
        of_programme.setdefault(site.programme_code, []).append(site.code)
    return [code for codes in of_programme.values() for code in codes[:SITES_OF_A_PROGRAMME]]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of money of every quarter. Where outcomes are paid for, those about people too, and of more people."""
    folder = tmp_path_factory.mktemp("money")
    by_results = [code for code in sites() if code.startswith("WC")]
    for name, chosen, rows in (
        ("grants", [s for s in sites() if s not in by_results], 30),
        ("results", by_results, 300 * len(by_results)),
    ):
        simulate(
            folder / name, rows=rows, seed=SEED, months=MONTHS, fault_rate=0, truth=folder / f"{name}.csv", sites=chosen
        )
    for path in folder.rglob("*.*"):
        of_people = next((d for d in DATASETS if f"_{d}_" in path.name), "")
        if of_people and (path.parts[-3] == "grants" or of_people not in BEHIND_PAYMENTS):
            path.unlink()
    send_again(folder)
    return folder


def files_in(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.glob("*/*/*_v*.*")) if not p.name.endswith(".manifest.json")]


def send_again(folder: Path) -> None:
    """Send claims twice, once under another reference with its lines; spending twice, once in another category."""
    plain = [
        s for s in sites() if SITE_SHAPES.get(s, "plain CSV") == "plain CSV" and list(folder.glob(f"*/{s}/*_claims_*"))
    ]
    assert len(plain) >= 2
    for site in plain:
        claims, lines, spending = (
            sorted(folder.glob(f"*/{site}/*_{dataset}_*.csv"))[-1]
            for dataset in ("claims", "claim_lines", "expenditure")
        )
        heading, *rows = read(claims)
        status, kind = heading.index("claim_status"), heading.index("claim_type")
        again = next(r for r in rows[::-1] if (r[kind], r[status]) == ("normal", "paid"))
        write(second_version(claims), [heading, *rows[::-1], renamed(again)])
        heading, *rows = read(lines)
        write(second_version(lines), [heading, *rows, *(renamed(row) for row in rows if row[0] == again[0])])
        heading, *rows = read(spending)
        other_line = [*next(r for r in rows[1:] if r[heading.index("actual_amount")] != "0.00")]
        other_line[heading.index("cost_category")] = "evaluation"
        write(spending, [heading, *rows, rows[0], other_line])
        spending.with_suffix(".manifest.json").unlink()


def second_version(path: Path) -> Path:
    return path.with_name(path.name.replace("_v1", "_v2"))


def renamed(row: list[str]) -> list[str]:
    """A claim, or a line of it, under another reference."""
    return [f"{row[0]}-AGAIN", *row[1:]]


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def in_turn(files: list[Path]) -> list[list[Path]]:
    """The files by quarter, oldest first, counted from each site's last one: programmes end in different years."""
    last = cut_offs(files)
    batches: dict[int, list[Path]] = {}
    for path in files:
        month = month_of(path)
        earlier = 12 * (last[path.parent.name].year - month.year) + last[path.parent.name].month - month.month
        batches.setdefault(-(earlier // 3), []).append(path)
    return [batches[k] for k in sorted(batches)]


def put(files: list[Path], raw: Path) -> None:
    for path in files:
        (raw / path.parent.name).mkdir(parents=True, exist_ok=True)
        for each in (path, path.with_suffix(".manifest.json")):
            if each.exists():
                shutil.copy2(each, raw / path.parent.name)


def month_of(path: Path) -> date:
    found = re.search(r"_(\d{4})(\d{2})_v\d", path.name)
    assert found
    return month_end(int(found[1]), int(found[2]))


def backwards(files: list[Path]) -> list[list[Path]]:
    return in_turn(files)[::-1]


def at_random(files: list[Path]) -> list[list[Path]]:
    shuffled = random.Random(SEED).sample(files, len(files))
    return [shuffled[n::2] for n in range(2)]


@pytest.mark.soak
@pytest.mark.parametrize("order", [in_turn, backwards, at_random][: iterations(everyday=2, soak=3)])
def test_every_mart_of_money_equals_the_ledger(
    sent: Path, tmp_path: Path, order: Callable[[list[Path]], list[list[Path]]]
) -> None:
    settings = Settings(data=tmp_path / "data")
    files = files_in(sent)
    moment = datetime(2024, 5, 1, 3, 30)
    for batch in order(files):
        put(batch, settings.data / "raw")
        moment += timedelta(days=1)
        outcome = run_pipeline(settings, moment)
    assert outcome.warehouse is not None
    assert {row[0] for row in query(outcome.warehouse, HELD)} == {"M11", "M38", "M51", "P04"}
    counted = NaiveMoney([ledger_folder(sent / f"{name}.csv") for name in ("grants", "results")], cut_offs(files))
    with duckdb.connect(str(outcome.warehouse), read_only=True) as db:
        for mart in MARTS:
            expected: Figures = getattr(counted, mart)()
            assert expected
            assert figures(db, mart) == expected, mart
        identities = {(check, subject): rest for check, subject, *rest in db.execute(FROM_RECONCILIATION).fetchall()}
    for key, (expected_pence, found, status) in counted.award_identities().items():
        assert in_pence(identities[key]) == (expected_pence, found, status)


def cut_offs(files: list[Path]) -> dict[str, date]:
    """The last quarter's end of each site."""
    last: dict[str, date] = {}
    for path in (p for p in files if month_of(p).month % 3 == 0):
        last[path.parent.name] = max(month_of(path), last.get(path.parent.name, date.min))
    return last


def query(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as db:
        return db.execute(sql).fetchall()


def figures(db: duckdb.DuckDBPyConnection, mart: str) -> Figures:
    """The compared columns of a mart by its key, pounds as pence."""
    compared = MARTS[mart]
    n = compared.key.count(",") + 1
    rows = db.execute(
        f"select {compared.key}, {compared.columns} from funding.{mart} where {compared.where}"
    ).fetchall()
    return {tuple(row[:n]): in_pence(row[n:]) for row in rows}


def in_pence(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(int(100 * v) if hasattr(v, "as_tuple") else v for v in row)
