"""The real figures through the night: the seeds' money and results, and two files of other publishers."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from flows.nightly import night
from flows.settings import Settings
from schemas.audit.deliveries import Result
from schemas.catalogue import SCHEMAS

SHIPPED = Path(__file__).parents[2] / "data" / "raw" / "PMO"
ENGLAND_RECOVERY = [50.8, 52.1, 51.1, 51.4, 50.2, 49.9, 50.1, 50.5]  # 2017-18 to 2024-25, as published


def warehouse(data: Path) -> duckdb.DuckDBPyConnection:
    outcome = night(Settings(data=data))
    assert outcome.warehouse is not None
    assert {j.verdict.result for j in outcome.judged} == {Result.ACCEPTED}
    return duckdb.connect(str(outcome.warehouse), read_only=True)


def test_money_of_the_seeds(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "raw" / "PMO")
    with warehouse(tmp_path) as db:
        by_stage = dict(
            db.execute(
                "select award_stage, sum(amount) from core.funding_awards where programme_code = 'MHT' group by 1"
            ).fetchall()
        )
        assert by_stage == {"indicative_cap": Decimal(7_000_000), "announced": Decimal(6_000_000)}
        position = db.execute(
            "select programme_code, cap_gbp, announced_gbp, awarded_gbp, match_pledged_gbp, headline_gbp"
            " from funding.programme_position where programme_code in ('MHT', 'PWW') order by 1"
        ).fetchall()
        assert position == [
            ("MHT", 7_000_000, 6_000_000, None, 6_000_000, 12_000_000),
            ("PWW", None, 3_000_000, None, None, None),
        ]
        thirteen = db.execute(
            "select count(*) from funding.programme_position"
            " where 13000000 in (coalesce(cap_gbp, 0), coalesce(announced_gbp, 0), coalesce(headline_gbp, 0))"
        ).fetchall()
        assert thirteen == [(0,)]
        unknown_as_zero = db.execute("select count(*) from core.funding_awards where amount = 0").fetchall()
        assert unknown_as_zero == [(0,)]
        published = {
            r[0] for r in db.execute("select distinct programme_code from outcomes.published_measures").fetchall()
        }
        assert {"MHT", "PWW", "MWW", "HLT", "WC", "ATW"} <= published
        assert db.execute("select count(*) from core.published_measures where source_document is null").fetchall() == [
            (0,)
        ]


def test_every_table_and_column_says_what_it_is(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "raw" / "PMO")
    ours = f"schema_name in {SCHEMAS}"
    with warehouse(tmp_path) as db:
        tables = db.execute(f"select schema_name, table_name, comment from duckdb_tables() where {ours}").fetchall()
        columns = db.execute(
            f"select schema_name, table_name, column_name, comment from duckdb_columns() where {ours}"
        ).fetchall()
    assert {t[0] for t in tables} == set(SCHEMAS)
    assert [t for t in (*tables, *columns) if not t[-1] or len(t[-1]) < 8] == []


@pytest.mark.real
def test_a_national_statistics_file(tmp_path: Path, real: Path) -> None:
    home = tmp_path / "raw" / "NHSE"
    home.mkdir(parents=True)
    shutil.copy(real / "nhstt" / "tt_annual_england_region.csv", home / "NHSE_published_measures_202503_v1.csv")
    with warehouse(tmp_path) as db:
        rows = db.execute(
            "select count(*), count(*) filter (value_status = 'suppressed'), count(value) from core.published_measures"
        ).fetchall()
        assert rows == [(9_576, 628, 9_576 - 628)]
        rates = db.execute(
            "select value from core.published_measures where organisation_type = 'England' and breakdown_type = 'Total'"
            " and measure_name = 'recovery' and measure_statistic = 'percentage' order by reporting_period"
        ).fetchall()
        assert [float(r[0]) for r in rates] == ENGLAND_RECOVERY
        referrals = db.execute(
            "select organisation_type = 'England', sum(value) from core.published_measures"
            " where breakdown_type = 'Total' and measure_name = 'referrals_received' and reporting_period = '2024-25'"
            " group by 1 order by 1"
        ).fetchall()
        assert referrals == [(False, 1_813_430), (True, 1_813_432)]  # both are right: published totals are not mended


@pytest.mark.real
def test_a_funders_published_grants(tmp_path: Path, real: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "raw" / "PMO")
    home = tmp_path / "raw" / "GRANTNAV"
    home.mkdir(parents=True)
    grants = next((real / "360giving" / "real").glob("ABCT_*.xlsx"))
    shutil.copy(grants, home / "GRANTNAV_funding_awards_202212_v1.xlsx")
    with warehouse(tmp_path) as db:
        loaded = db.execute(
            "select count(*), sum(amount), count(distinct recipient_org_id), min(amount), max(amount)"
            " from core.funding_awards where site_code = 'GRANTNAV'"
        ).fetchall()
        assert loaded == [(783, Decimal(12_785_625), 322, 1_000, 250_000)]
        counted = db.execute(
            "select count(*) from funding.award_position where award_id in"
            " (select award_id from core.funding_awards where site_code = 'GRANTNAV')"
        ).fetchall()
        assert counted == [(0,)]
        total = db.execute("select sum(announced_gbp), sum(awarded_gbp) from funding.programme_position").fetchall()
        assert total == [(9_000_000, None)]
