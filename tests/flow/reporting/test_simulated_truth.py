"""Every planted fault is found at its file, sheet, row, column and rule in one run, and nothing else is found.

The simulated months arrive in consecutive runs, so that every delivery is current once and cross-table rules see it.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from soak import iterations

from flows.nightly import run_pipeline
from flows.settings import Settings
from flows.simulator.faults.of_files import FILE_PATTERNS
from flows.simulator.faults.planting import FAULT_KINDS
from flows.simulator.files.open_extract import IN_PENCE
from flows.simulator.simulate import Refusal, simulate
from flows.simulator.sites import DATASETS, MONEY, pilot_sites
from schemas._contract.registry import programmes

ADDRESS = ["file", "sheet", "source_row", "column", "field", "rule_id", "severity"]
# contacts of the last month: in `make soak` about 100,000 rows over all datasets and months
ROWS = iterations(everyday=3_000, soak=35_000)
SITES_OF_A_PROGRAMME = iterations(everyday=1, soak=99)  # time goes by the number of files
FAULTS = iterations(everyday=6, soak=3) / 100  # of the rows
RULES_BROKEN = iterations(everyday=50, soak=55)
GRANTED = [s.code for s in pilot_sites() if s.claims and not s.by_results][:: iterations(everyday=5, soak=1)]
BY_RESULTS = [s.code for s in pilot_sites() if s.by_results][: iterations(everyday=2, soak=6)]
KINDS_LEFT_OUT = iterations(everyday=40, soak=2)
OFFICE_FILES = Path(__file__).parents[3] / "data" / "raw" / "PMO"
PROGRAMMES_IN_FIGURES = """
    select p.programme_code,
        exists (select 1 from core.delivery_approaches c where c.programme_code = p.programme_code)
            or exists (select 1 from core.participants c where c.programme_code = p.programme_code),
        exists (select 1 from outcomes.kpi k where k.programme_code = p.programme_code and k.value > 0)
            or exists (select 1 from outcomes.published_measures m where m.programme_code = p.programme_code)
    from core.programmes p order by 1"""
FINDINGS = """
    select d.file_name as file, f.sheet, coalesce(f.source_row::varchar, '') as source_row,
        coalesce(f.column_name, '') as "column", f.field, f.rule_id, f.severity, f.outcome
    from audit.findings f join audit.deliveries d using (delivery_id)"""


def batches_of(folder: Path) -> list[list[Path]]:
    """The simulated files by run: the first month of every site, its resubmissions, the second month, ..."""
    named = {p: re.match(r"(.+?)_.+_(\d{6})_v(\d+)\.\w+$", p.name) for p in folder.rglob("*") if p.is_file()}
    files = {p: (m[1], m[2], int(m[3])) for p, m in named.items() if m and not p.name.endswith(".manifest.json")}
    months = defaultdict(set)
    for site, month, _ in files.values():
        months[site].add(month)
    batches = defaultdict(list)
    for path, (site, month, version) in sorted(files.items()):
        batches[sorted(months[site]).index(month), version].append(path)
    return [batches[k] for k in sorted(batches)]


def some_sites() -> list[str]:
    """The first sites of each programme."""
    of_programme = defaultdict(list)
    for site in pilot_sites(None):
        of_programme[site.code.partition("-")[0]].append(site.code)
    return [code for codes in of_programme.values() for code in codes[:SITES_OF_A_PROGRAMME]]


def send(files: list[Path], raw: Path) -> None:
    for path in files:
        site_folder = raw / path.parent.name
        site_folder.mkdir(parents=True, exist_ok=True)
        for sent in (path, path.with_name(f"{path.stem}.manifest.json")):
            if sent.exists():
                shutil.copy2(sent, site_folder)


@pytest.mark.soak
@pytest.mark.with_marts
def test_every_planted_fault_is_found_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    sent = tmp_path / "sent"
    made = simulate(
        sent, rows=ROWS, seed=11, months=2, fault_rate=FAULTS, truth=tmp_path / "truth.csv", sites=some_sites()
    )
    assert made.rows > 2.5 * ROWS
    shutil.copytree(OFFICE_FILES, settings.data / "raw" / "PMO")
    planted = every_planted_fault_is_found(sent, [tmp_path / "truth.csv"], settings)
    assert planted["rule_id"].n_unique() >= RULES_BROKEN
    with duckdb.connect(str(settings.warehouse().link.resolve()), read_only=True) as db:
        in_figures = db.execute(PROGRAMMES_IN_FIGURES).fetchall()
    assert in_figures == [(code, True, True) for code in sorted(programmes())]


@pytest.mark.soak
def test_every_pattern_of_a_whole_file_is_found_once_in_each(tmp_path: Path) -> None:
    """Seven in ten rows of a site's files have the pattern, every month, beside faults of single rows."""
    sent = tmp_path / "sent"
    truth, sites = tmp_path / "truth.csv", ["HLT-SCR", "MHT-GM", "PWW-GW"]
    of_scores = ("W06", "W07")  # of measures that one site sends
    patterns = [(s, p.rule_id) for s in sites for p in FILE_PATTERNS if (p.rule_id in of_scores) == (s == "PWW-GW")]
    simulate(
        sent, rows=9000, seed=5, months=2, fault_rate=0.03, truth=truth, sites=sites, money_of=[], patterns=patterns
    )
    planted = every_planted_fault_is_found(sent, [truth], Settings(data=tmp_path / "data"))
    found = planted.filter(pl.col("rule_id").is_in([p.rule_id for p in FILE_PATTERNS]))
    assert set(found["rule_id"]) == {p.rule_id for p in FILE_PATTERNS}
    assert set(found["source_row"]) == {""} and found["file"].n_unique() >= 2 * (len(patterns) - 2)


@pytest.mark.soak
def test_contacts_of_another_month_are_found_in_the_file_of_one_month(tmp_path: Path) -> None:
    sent, truth, sites = tmp_path / "sent", tmp_path / "truth.csv", ["MHT-GM"]
    simulate(sent, rows=9000, seed=5, months=2, fault_rate=0.15, truth=truth, sites=sites, money_of=[], periods=sites)
    planted = every_planted_fault_is_found(sent, [truth], Settings(data=tmp_path / "data"))
    assert planted.filter(rule_id="F57").height


@pytest.mark.soak
def test_every_planted_fault_of_money_is_found_and_nothing_else(tmp_path: Path) -> None:
    """Many faults in small files, over two quarters: some rules compare with the quarter before."""
    sent = tmp_path / "sent"
    in_pence = Refusal(GRANTED[0], "virements_carry_forward", 1, IN_PENCE)
    for name, sites, rows in (("grants", GRANTED, 30), ("results", BY_RESULTS, 500 * len(BY_RESULTS))):
        truth = tmp_path / f"{name}.csv"
        simulate(
            sent / name, rows=rows, seed=21, months=5, fault_rate=0.2, truth=truth, sites=sites, refused=[in_pence]
        )
    for path in sent.rglob("*.*"):
        of_people = next((d for d in DATASETS if f"_{d}_" in path.name), "")
        if of_people in ("contacts", "randomisation") or (of_people and path.parts[-3] == "grants"):
            path.unlink()  # nothing of money refers to them
    truths = [tmp_path / "grants.csv", tmp_path / "results.csv"]
    planted = every_planted_fault_is_found(sent, truths, Settings(data=tmp_path / "data"))
    kinds = {(k.rule_id, k.field) for dataset in MONEY for k in FAULT_KINDS[dataset]} | {("M01", "amount")}
    missing = kinds - set(planted.select("rule_id", "field").iter_rows())
    assert len(missing) <= KINDS_LEFT_OUT, missing


def every_planted_fault_is_found(sent: Path, truths: list[Path], settings: Settings) -> pl.DataFrame:
    """Run each month in turn, and compare what is found with what was planted. Returns what was planted."""
    found, moment = [], datetime(2024, 5, 1, 3, 30)
    for files in batches_of(sent):
        send(files, settings.data / "raw")
        moment += timedelta(days=1)
        outcome = run_pipeline(settings, moment)
        assert outcome.warehouse is not None
        with duckdb.connect(str(outcome.warehouse), read_only=True) as db:
            found.append(db.execute(FINDINGS).pl().filter(pl.col("file").is_in([p.name for p in files])))
            unaccounted = db.execute(
                "select delivery_id from audit.deliveries"
                " where rows_read <> rows_accepted + rows_held + rows_repeated + rows_not_data"
            ).fetchall()
            assert unaccounted == []
    all_found = pl.concat(found)
    are_sent = pl.col("file").is_in([p.name for p in sent.rglob("*.*")])
    stated = pl.concat(pl.read_csv(truth, infer_schema=False) for truth in truths)
    planted = stated.with_columns(pl.all().fill_null("")).filter(are_sent)
    missed = planted.join(all_found, on=ADDRESS, how="anti")
    unplanted = all_found.filter(pl.col("outcome") == "broken").join(planted, on=ADDRESS, how="anti")
    assert missed.is_empty(), f"planted and not found: {missed.head(10).to_dicts()}"
    assert unplanted.is_empty(), f"found and not planted: {unplanted.head(10).to_dicts()}"
    return planted
