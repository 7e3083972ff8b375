"""The pages on money that a run writes: which, when, and what can be read and not be read from them."""

from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from data_folder import BPL, DataFolder

from flows.reporting.render.funding import pages
from flows.reporting.render.funding.tables import ProgrammeTables
from flows.store.durable import write_whole

pytestmark = pytest.mark.with_marts
LATER = "2018-10-21T03:30"


@pytest.fixture
def folder(money_folder: DataFolder, tmp_path: Path) -> DataFolder:
    """A copy of the data folder with money."""
    return money_folder.copied_to(tmp_path / "data")


def pages_of(folder: DataFolder) -> dict[str, float]:
    """The files of the pages, with the time at which each was written."""
    return {p.name: p.stat().st_mtime_ns for p in (folder.paths.reports / "funding").iterdir()}


def text_of(page: Path) -> str:
    """The text of a page, without markup."""
    text = re.sub(r"<style>.*?</style>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\u2060", "").split())


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def logged(folder: DataFolder, event: str) -> list[dict[str, object]]:
    lines = (folder.paths.logs / "pilots.jsonl").read_text(encoding="utf-8").splitlines()
    return [entry for entry in map(json.loads, lines) if entry["event"] == event]


# When they are written


def test_a_run_writes_a_page_for_each_programme_with_money_and_names_the_overview(money_folder, money_pages):
    with_money = [code for (code,) in money_folder.query("select distinct programme_code from funding.award_position")]
    assert {p.stem for p in money_pages.glob("*.html")} == {"index", *with_money}
    (summary,) = (money_folder.paths.reports / "nights").iterdir()
    assert "`reports/funding/index.html`" in summary.read_text(encoding="utf-8")
    assert [entry["counts"] for entry in logged(money_folder, "money_reported")] == [{"pages": len(with_money) + 1}]


def test_the_same_build_writes_no_page_again(folder):
    before = pages_of(folder)
    result = folder.run(as_of=LATER)
    assert result.result == "quiet" and result.reported.money is None and pages_of(folder) == before
    assert len(logged(folder, "money_reported")) == 1


def test_a_new_build_rewrites_only_what_changed_and_deletes_pages_without_money(folder):
    before = pages_of(folder)
    for path in folder.paths.raw.glob("PMO/PMO_*"):
        path.unlink()
    awards = folder.paths.raw / BPL / f"{BPL}_funding_awards_201809_v1.csv"
    write_whole(awards.with_name(awards.name.replace("_v1", "_v2")), awards.read_text().replace("20000.00", "25000.00"))
    folder.run(as_of=LATER)
    after = pages_of(folder)
    assert {name for name in after if after[name] != before.get(name)} >= {"MHT.html", "index.html"}
    assert after["WC_outcome_payments.csv"] == before["WC_outcome_payments.csv"]
    assert "£165,001 signed" in text_of(folder.paths.reports / "funding" / "MHT.html")


def test_pages_that_are_no_longer_made_are_deleted(folder):
    for name in ("GONE.html", "GONE_claims_position.csv"):
        (folder.paths.reports / "funding" / name).write_text("of a programme that has no money any more")
    with folder.open() as db:
        pages.write_funding_pages(folder.paths.reports, db)
    assert not [name for name in pages_of(folder) if name.startswith("GONE")]


def test_pages_that_cannot_be_made_are_named_and_tried_again(folder, monkeypatch):
    before = pages_of(folder)
    folder.send_all(1)
    with monkeypatch.context() as broken:
        broken.setattr(ProgrammeTables, "claims", lambda _: 1 / 0)
        failed = folder.run(as_of=LATER)
    assert failed.result == "published" and failed.outcome == "NotReported" and pages_of(folder) == before
    assert failed.reported.not_reported == (
        "The pages on money could not be written: an error of the kind ZeroDivisionError",
    )
    assert logged(folder, "money_not_reported")[-1]["error"] == "ZeroDivisionError"
    assert folder.run(as_of="2018-10-22T03:30").reported.money.exists()


# What an accountant reads


def test_the_top_of_a_page_answers_each_question(money_pages):
    text = text_of(money_pages / "MHT.html")
    for answer in (
        "At least £129,513 spent of the £160,001 signed, up to 31 March 2018",
        "What was promised? Announced: £6,000,000. Limits (‘up to’), never added to it: £7,000,000.",
        "What was signed? At first £140,001; as it stands now, with variations, £160,001.",
        "Who matched it? Pledged £6,000,000, confirmed not known, evidenced £26,700. By The four pilot areas, Made-up",
        "Claimed £88,333, approved £74,262, paid £61,002 (advances included), returned £300.",
        "What was spent? Of the grants at least £129,513, of match £12,000, up to 31 March 2018. Spending is missing "
        "for 1 quarter with a budget.",
        "What is left? Signed and not spent: at most £30,488. The budget by year says what of it may be spent. Of "
        "awards with claims, £31,667 less was claimed than the awards have.",
        "£3,338 of the grant, £4,673 with evidenced match, for a person into work within 12 months: £66,752 and "
        "£93,452, divided by about 20 people who started in 2016-17. Left out: match without evidence",
        "What does not agree? 1 sum does not agree and 4 are open",
    ):
        assert answer in text


def test_kinds_of_money_are_the_columns_of_the_mart(money_folder, money_pages):
    for row in rows_of(money_pages / "programme_position.csv"):
        (position,) = money_folder.query(
            "select cap_gbp, announced_gbp, current_gbp, claimed_gbp, paid_gbp, spent_grant_gbp, unspent_gbp"
            " from funding.programme_position where programme_code = ?",
            row["programme_code"],
        )
        columns = ("cap", "announced", "current", "claimed", "paid", "spent_grant", "unspent")
        assert [row[f"{c}_gbp"] for c in columns] == ["" if v is None else str(v) for v in position]


def test_made_up_money_says_so_at_the_top(money_pages):
    assert "This page holds made-up data" in text_of(money_pages / "MHT.html")
    assert "made-up data" not in text_of(money_pages / "PWW.html").lower()


def test_a_programme_that_may_be_part_of_another_says_not_to_add_the_two(money_pages):
    warning = "It may be the same in part as IPS in IAPT pilot: do not add the two together."
    assert warning in text_of(money_pages / "PWW.html")
    assert "do not add the two" not in text_of(money_pages / "WC.html")


# What nobody may read


def test_no_exact_count_of_people_is_in_any_file(money_folder, money_pages):
    for path in money_pages.glob("*.csv"):
        for row in rows_of(path):
            counts = [row.get(name) or "" for name in ("n_people", "n_payments")]
            assert all(int(n) % 5 == 0 for n in counts if n), path.name
    exact = money_folder.query(
        "select cost_grant_gbp, cost_total_gbp from funding.unit_costs where cost_grant_gbp is not null"
    )
    paid = money_folder.query("select sum(paid_gbp) from funding.outcome_payments group by all")
    treated = money_folder.query("select cost_grant_gbp, cost_total_gbp from published.unit_costs")
    wrong = {v for row in (*exact, *paid) for v in row} - {v for row in treated for v in row}
    assert len(wrong) == 5
    written = " ".join(p.read_text(encoding="utf-8") for p in money_pages.iterdir())
    assert not [v for v in wrong if str(v) in written or f">{v:,.0f}<" in written]


def test_what_was_paid_for_outcomes_is_the_sum_of_treated_payments(money_folder, money_pages):
    (row,) = [r for r in rows_of(money_pages / "programme_position.csv") if r["programme_code"] == "WC"]
    assert money_folder.query(
        "select outcome_payments_gbp from funding.programme_position where programme_code = 'WC'"
    ) == [(Decimal(7 * 1250 + 3 * 800),)]
    assert row["outcome_payments_gbp"] == str(Decimal(5 * 1250).quantize(Decimal("0.01")))


def test_no_reference_of_a_person_is_in_any_file(money_folder, money_pages):
    written = " ".join(p.read_text(encoding="utf-8") for p in money_pages.iterdir())
    for table, column in (
        ("referrals", "participant_ref"),
        ("referrals", "episode_id"),
        ("outcome_payments", "payment_id"),
    ):
        assert not [v for (v,) in money_folder.query(f"select {column} from core.{table}") if v in written]
