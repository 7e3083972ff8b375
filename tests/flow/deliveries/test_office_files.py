"""Real figures in a run: the programme office's files, and third-party files of two other publishers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from file_validator import as_csv, as_table, workbook
from soak import in_soak

from flows.nightly import run_pipeline
from flows.reporting.render.dictionary.content import dictionary
from flows.reporting.render.dictionary.joins import EXAMPLE, LABELS, OF_ANY_TABLE, joins
from flows.settings import Settings
from schemas._contract.catalogue import SCHEMAS
from schemas._contract.meanings import FIGURES
from schemas.audit.deliveries import Result

pytestmark = pytest.mark.with_marts

OFFICE_FILES = Path(__file__).parents[3] / "data" / "raw" / "PMO"
ENGLAND_RECOVERY = [50.8, 52.1, 51.1, 51.4, 50.2, 49.9, 50.1, 50.5]  # 2017-18 to 2024-25, from the releases


def run_and_connect(data: Path) -> duckdb.DuckDBPyConnection:
    outcome = run_pipeline(Settings(data=data, threads=1))
    assert outcome.warehouse is not None
    assert {j.verdict.result for j in outcome.validated} == {Result.ACCEPTED}
    return duckdb.connect(str(outcome.warehouse), read_only=True)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the office's files alone."""
    data = tmp_path_factory.mktemp("office")
    shutil.copytree(OFFICE_FILES, data / "raw" / "PMO")
    with run_and_connect(data) as db:
        yield db


def test_funding_figures_of_the_office_files(office: duckdb.DuckDBPyConnection) -> None:
    by_stage = dict(
        office.execute(
            "select award_stage, sum(amount) from core.funding_awards where programme_code = 'MHT' group by 1"
        ).fetchall()
    )
    assert by_stage == {"indicative_cap": Decimal(7_000_000), "announced": Decimal(6_000_000)}
    position = office.execute(
        "select programme_code, cap_gbp, announced_gbp, awarded_gbp, match_pledged_gbp, headline_gbp"
        " from funding.programme_position where programme_code in ('MHT', 'PWW') order by 1"
    ).fetchall()
    assert position == [
        ("MHT", 7_000_000, 6_000_000, None, 6_000_000, 12_000_000),
        ("PWW", None, 3_000_000, None, None, None),
    ]
    thirteen = office.execute(
        "select count(*) from funding.programme_position"
        " where 13000000 in (coalesce(cap_gbp, 0), coalesce(announced_gbp, 0), coalesce(headline_gbp, 0))"
    ).fetchall()
    assert thirteen == [(0,)]
    unknown_as_zero = office.execute("select count(*) from core.funding_awards where amount = 0").fetchall()
    assert unknown_as_zero == [(0,)]
    published = {
        r[0] for r in office.execute("select distinct programme_code from outcomes.published_measures").fetchall()
    }
    assert {"MHT", "PWW", "MWW", "HLT", "WC", "ATW"} <= published
    assert office.execute("select count(*) from core.published_measures where source_document is null").fetchall() == [
        (0,)
    ]


def test_every_table_and_column_has_a_comment(office: duckdb.DuckDBPyConnection) -> None:
    in_our_schemas = f"schema_name in {SCHEMAS}"
    tables = office.execute(
        f"select schema_name, table_name, comment from duckdb_tables() where {in_our_schemas}"
    ).fetchall()
    columns = office.execute(
        f"select schema_name, table_name, column_name, comment from duckdb_columns() where {in_our_schemas}"
    ).fetchall()
    assert {t[0] for t in tables} == set(SCHEMAS)
    assert [t for t in (*tables, *columns) if not t[-1] or len(t[-1]) < 8] == []
    # the same as in the data dictionary
    stated = {(t.address, c.name): c.meaning.comment for t in dictionary().tables for c in t.columns}
    assert {(f"{schema}.{table}", name): comment for schema, table, name, comment in columns} == stated


def test_the_data_dictionary_says_what_every_figure_counts(office: duckdb.DuckDBPyConnection) -> None:
    rows = office.execute(
        "select kpi_code, title || if(kind = 'attainment', '', ': ' || numerator)"
        " || coalesce(if(kind = 'attainment', '', ', of ' || denominator), '') from outcomes.kpi_definitions"
    ).fetchall()
    assert {(c.code, c.label) for c in dictionary().lists[FIGURES].codes} == {*rows}


def test_every_join_of_the_data_dictionary_runs(office: duckdb.DuckDBPyConnection) -> None:
    for join in joins():
        matched, before = office.execute(
            f"select (select count(*) {join.sql}), (select count(*) from {join.table})"
        ).fetchall()[0]
        assert matched <= before, join
    for table in dictionary().tables:
        for column, other, _ in OF_ANY_TABLE:
            if column in {c.name for c in table.columns} and table.address != other:
                office.execute(f"from {table.address} join {other} using ({column}) limit 1")
    for example in (EXAMPLE, LABELS):
        office.execute(example)


def test_a_mart_holds_only_codes_of_the_list_that_its_comment_names(office: duckdb.DuckDBPyConnection) -> None:
    in_sums = {"all", "not_stated", ""}  # of all sites, or of no one budget line
    of_targets = {"people_randomised", "people_sustained_13_weeks", "people_sustained_26_weeks"}  # as their texts say
    for table in dictionary().tables:
        for column in table.columns:
            if codes := dictionary().lists.get(column.meaning.codes):
                held = {v for (v,) in office.execute(f"select distinct {column.name} from {table.address}").fetchall()}
                assert held - {c.code for c in codes.codes} - in_sums - of_targets - {None} == set(), (
                    table.address,
                    column.name,
                )


def award(award_id: str, amount: int, **more: str) -> dict[str, str]:
    valid = {
        "award_id": award_id,
        "award_stage": "announced",
        "award_version": "1",
        "programme_code": "MHT",
        "about_site_code": "MHT-GM",
        "funding_org_name": "A made-up department",
        "amount": f"{amount}.00",
        "source_document": "Made up for this test",
    }
    return valid | more


def contribution(match_id: str, amount: int, site: str = "") -> dict[str, str]:
    return {
        "match_id": match_id,
        "programme_code": "MHT",
        "about_site_code": site,
        "match_source_type": "local_authority",
        "match_kind": "cash",
        "match_stage": "pledged",
        "amount": f"{amount}.00",
        "source_document": "Made up for this test",
    }


FILES_OF_SEVERAL_SENDERS = {
    "PMO_funding_awards": [
        *(
            award(f"360G-madeup-{area}", amount, about_site_code=f"MHT-{area}")
            for area, amount in (("BPL", 1_100_000), ("GM", 2_600_000), ("NECA", 1_100_000), ("WLA", 1_200_000))
        ),
        award("360G-madeup-GM", 2_000_000, award_stage="indicative_cap"),
    ],
    "MHT-GM_funding_awards": [
        award("360G-madeup-GM", 2_500_000),
        award("360G-madeup-GM", 1_900_000, award_stage="awarded"),
        award("360G-madeup-GM", 100_000, award_stage="varied"),
        award("360G-madeup-GM", 50_000, award_stage="varied", award_version="2"),
    ],
    "GRANTNAV_funding_awards": [
        award("360G-madeup-GM", 2_600_000, programme_code="", about_site_code=""),
        award("360G-madeup-WLA-again", 1_200_000, about_site_code="MHT-WLA"),
    ],
    "PMO_match_funding": [contribution("PLEDGE", 6_000_000), contribution("PART", 1_100_000, "MHT-NECA")],
    "MHT-GM_match_funding": [contribution("OURS", 5_000_000)],
}


AMOUNTS_DIFFER = [("GRANTNAV", 2), ("MHT-GM", 2), ("PMO", 3)]


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_amounts_sent_by_several_senders_count_once_and_are_reported(tmp_path: Path, suffix: str) -> None:
    for name, rows in FILES_OF_SEVERAL_SENDERS.items():
        path = tmp_path / "raw" / name.split("_")[0] / f"{name}_201611_v1.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = as_csv(rows).encode() if suffix == "csv" else workbook({"Sheet1": as_table(rows)})
        path.write_bytes(content)
    with run_and_connect(tmp_path) as db:
        found = db.execute(
            "select rule_id, d.site_code, f.source_row, f.found from audit.findings f"
            " join audit.deliveries d using (delivery_id) where rule_id like 'M%' and outcome = 'broken' order by all"
        ).fetchall()
        assert found == [
            ("M03", "PMO", 6, "2000000.00"),  # only one cap is sent; the caps of MHT add up to 7.0m
            # each sender sees the amounts of all of them
            *(("M29", *of, "GRANTNAV 2600000.00, MHT-GM 2500000.00, PMO 2600000.00") for of in AMOUNTS_DIFFER),
            ("M30", "GRANTNAV", 3, "360G-madeup-WLA-again"),
            ("M30", "PMO", 5, "360G-madeup-WLA"),
            ("M31", "MHT-GM", 4, "100000.00"),
            ("M31", "MHT-GM", 5, "50000.00"),
            ("M31", "PMO", 3, "2600000.00"),
            ("M32", "MHT-GM", 2, "5000000.00"),
            ("M32", "PMO", 3, "1100000.00"),
        ]
        position = db.execute(
            "select cap_gbp, announced_gbp, awarded_gbp, current_gbp, match_pledged_gbp, n_awards"
            " from funding.programme_position where programme_code = 'MHT'"
        ).fetchall()
        # M30 warns of a possible duplicate award under a second reference, which still counts
        assert position == [(2_000_000, 7_200_000, 1_900_000, 2_050_000, 6_000_000, 5)]
        breaches = db.execute(
            "select check_code, subject, expected_gbp, actual_gbp from funding.reconciliation"
            " where status = 'breach' and check_code not like 'control%' order by all"
        ).fetchall()
        assert breaches == [
            ("announced_within_cap", "360G-madeup-GM", 2_000_000, 2_600_000),
            ("awarded_within_cap", "360G-madeup-GM", 2_000_000, 2_050_000),
            ("one_amount_announced", "360G-madeup-GM", 2_600_000, 2_500_000),
            ("parts_within_match_pledged", "MHT", 6_000_000, 6_100_000),
        ]


@pytest.mark.soak
@pytest.mark.real
def test_a_national_statistics_release_is_loaded_in_full(tmp_path: Path, real_files: Path) -> None:
    folder = tmp_path / "raw" / "NHSE"
    folder.mkdir(parents=True)
    shutil.copy(real_files / "nhstt" / "tt_annual_england_region.csv", folder / "NHSE_published_measures_202503_v1.csv")
    with run_and_connect(tmp_path) as db:
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
        assert referrals == [
            (False, 1_813_430),
            (True, 1_813_432),
        ]  # both as published, though they differ


@pytest.mark.soak
@pytest.mark.real
def test_a_funders_published_grants_are_loaded_and_not_counted(tmp_path: Path, real_files: Path) -> None:
    shutil.copytree(OFFICE_FILES, tmp_path / "raw" / "PMO")
    folder = tmp_path / "raw" / "GRANTNAV"
    folder.mkdir(parents=True)
    grants = next((real_files / "360giving" / "real").glob("ABCT_*.xlsx"))
    shutil.copy(grants, folder / "GRANTNAV_funding_awards_202212_v1.xlsx")
    with run_and_connect(tmp_path) as db:
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
