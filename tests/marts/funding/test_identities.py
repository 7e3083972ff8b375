"""Each sum of an award that must agree: sound money reconciles, and a difference is shown with its amount."""

from __future__ import annotations

from decimal import Decimal

import pytest

SITE, AWARD, KEY = "MHT-BPL", "G-1", "G-1 of MHT-BPL"
QUARTERS = ("2016-06-30", "2016-09-30", "2016-12-31", "2017-03-31")


class Money:
    """A site with an award of 1,000 for 2016-17, spent, claimed and paid as agreed: 250 of grant a quarter."""

    def __init__(self, warehouse):
        self.warehouse = warehouse
        self.claims = 0
        self.add("funding_awards", award_stage="awarded", award_version=1, amount=1000, amount_status="known",
                 start_date="2016-04-01", end_date="2017-03-31")  # fmt: skip
        warehouse.deliver(SITE, "2017-03-31", "funding_profile", "expenditure", "claims")
        for n, end in enumerate(QUARTERS, 1):
            self.add("funding_profile", profile_version=1, financial_year="2016-17", quarter=f"Q{n}",
                     cost_category="staff", profile_amount=250, delivery_id=f"{SITE}-funding_profile")  # fmt: skip
            self.spend(250, end)
            self.claim(250, end)

    def add(self, dataset, **values):
        self.warehouse.add(
            f"core.{dataset}", **{"site_code": SITE, "programme_code": "MHT", "award_id": AWARD} | values
        )

    def spend(self, amount, end="2017-03-31", source="grant"):
        self.add("expenditure", period_end=end, cost_category="staff", ledger_ref=f"L{self.warehouse._rows}",
                 funding_source=source, actual_amount=amount, delivery_id=f"{SITE}-expenditure")  # fmt: skip

    def claim(self, amount, end="2017-03-31", **values):
        self.claims += 1
        claim_id = f"C{self.claims}"
        self.add("claims", **{
            "claim_id": claim_id, "claim_type": "normal", "claim_status": "paid", "claim_period_start": end,
            "claim_period_end": end, "claimed_amount": amount, "eligible_amount": amount, "grant_share": amount,
            "match_share": 0, "approved_amount": amount, "disallowed_amount": 0, "paid_amount": amount,
            "delivery_id": f"{SITE}-claims",
        } | values)  # fmt: skip
        self.line(claim_id, values.get("claimed_amount", amount))

    def line(self, claim_id, amount):
        self.warehouse.add("core.claim_lines", site_code=SITE, programme_code="MHT", claim_id=claim_id,
                           line_no=self.warehouse._rows, cost_category="staff", amount=amount)  # fmt: skip

    def match(self, stage, amount):
        self.add("match_funding", match_id=f"M{self.warehouse._rows}", match_stage=stage, amount=amount,
                 amount_status="known", match_source_type="nhs", match_kind="cash")  # fmt: skip

    def adjust(self, kind, amount, **values):
        self.add("virements_carry_forward", **{
            "adjustment_id": f"A{self.warehouse._rows}", "adjustment_type": kind, "amount": amount,
            "from_fy": "2016-17", "to_fy": "2017-18", "approved_date": "2017-04-30"} | values)  # fmt: skip

    def check(self, code):
        """The row of one check, in built marts: expected, found, difference, status."""
        return self.warehouse.one(
            "SELECT expected_gbp, actual_gbp, difference_gbp, status FROM funding.reconciliation WHERE check_code = $1",
            code,
        )


@pytest.fixture
def money(warehouse):
    return Money(warehouse)


def test_sound_money_reconciles(money):
    money.match("pledged", 500)
    money.match("evidenced", 500)
    money.adjust("virement_out", 20, to_fy="2016-17", cost_category="staff", pair_id="V1")
    money.adjust("virement_in", 20, to_fy="2016-17", cost_category="travel", pair_id="V1")
    columns = "check_code, difference_gbp, status, source"
    found = money.warehouse.build_funding().rows(
        f"SELECT {columns} FROM funding.reconciliation WHERE subject = $1", KEY
    )
    assert {code for code, *_ in found} == {
        "award_is_first_plus_variations", "profile_is_award", "claimed_within_award", "approved_within_award",
        "paid_within_approved", "claimed_within_spent", "grant_within_award", "spent_within_award_and_match",
        "match_in_proportion", "lines_are_claims", "virements_cancel",
    }  # fmt: skip
    assert {status for _, _, status, _ in found} == {"reconciles"}
    assert all(source.startswith("docs/domain") for *_, source in found)


def restate(money):
    money.add("funding_awards", award_stage="awarded", award_version=2, amount=1200, amount_status="known")


# check, what breaks it, and expected, found, difference and status
BREAKS = [
    ("award_is_first_plus_variations", restate, (1000, 1200, 200, "breach")),
    ("profile_is_award", lambda m: m.add(
        "funding_awards", award_stage="varied", award_version=1, amount=300, amount_status="known"),
     (1300, 1000, -300, "breach")),
    ("claimed_within_award", lambda m: m.claim(50), (1000, 1050, 50, "breach")),
    ("approved_within_award", lambda m: m.claim(50), (1000, 1050, 50, "breach")),
    ("paid_within_approved", lambda m: m.claim(50, approved_amount=20, paid_amount=60), (1020, 1060, 40, "breach")),
    ("claimed_within_spent", lambda m: m.claim(50), (1000, 1050, 50, "breach")),
    ("spent_within_award_and_match", lambda m: m.spend(100), (1000, 1100, 100, "ambiguous")),
    ("spent_within_award_and_match", lambda m: m.spend(101), (1000, 1101, 101, "breach")),
    ("grant_within_award", lambda m: (m.match("pledged", 500), m.spend(101)), (1000, 1101, 101, "breach")),
    ("spent_within_budget", lambda m: m.spend(7), (1000, 1007, 7, "ambiguous")),
    ("evidenced_within_spent", lambda m: (m.match("evidenced", 60), m.spend(50, source="match_cash")),
     (50, 60, 10, "ambiguous")),
    ("outcome_payments_within_award", lambda m: m.add(
        "outcome_payments", payment_id="P1", outcome_definition_code="JOB_START", outcome_date="2016-05-01",
        unit_price=1002, amount=1002), (1000, 1002, 2, "breach")),
    ("lines_are_claims", lambda m: m.line("C1", -20), (1000, 980, -20, "breach")),
    ("grant_is_rate_of_eligible", lambda m: m.claim(50, eligible_amount=200, intervention_rate="0.2"),
     (40, 50, 10, "breach")),
    ("virements_cancel", lambda m: m.adjust("virement_out", 20, to_fy="2016-17", cost_category="staff"),
     (20, 0, -20, "breach")),
    ("returned_within_paid", lambda m: m.adjust("clawback", 1002), (1000, 1002, 2, "breach")),
    ("match_in_proportion", lambda m: m.match("pledged", 500), (500, 0, -500, "breach")),  # the award has ended
    ("carried_within_underspend", lambda m: m.adjust("carry_forward", 30), (0, 30, 30, "breach")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "breaks", "shown"), BREAKS)
def test_a_broken_identity_is_shown_with_its_amount(money, code, breaks, shown):
    breaks(money)
    money.warehouse.build_funding()
    assert money.check(code) == tuple(Decimal(s) if isinstance(s, int) else s for s in shown)


def test_an_advance_may_be_paid_before_a_claim_is_approved(money):
    money.claim(300, claim_type="advance")
    money.warehouse.build_funding()
    assert money.check("paid_within_approved") == (1300, 1300, 0, "reconciles")
    assert money.check("claimed_within_award")[1] == 1000


def test_an_advance_alone_may_be_paid_once_it_is_approved(money):
    money.warehouse.db.execute("DELETE FROM core.claims")
    money.claim(300, claim_type="advance")
    money.warehouse.build_funding()
    assert money.check("paid_within_approved") == (300, 300, 0, "reconciles")


def test_no_sum_of_the_position_holds_drafts_rejected_claims_or_advances_as_claims(money):
    for kind in ({"claim_status": "draft"}, {"claim_status": "rejected"}, {"claim_type": "advance"}):
        money.claim(300, approved_amount=None, paid_amount=None, **kind)
    columns = "claimed_gbp, approved_gbp, paid_gbp, spent_grant_gbp, unspent_gbp"
    position = f"SELECT {columns} FROM funding.programme_position WHERE programme_code = 'MHT'"
    assert money.warehouse.build_funding().one(position) == (1000, 1000, 1000, 1000, 0)


def test_a_correction_counts_with_its_sign(money):
    money.claim(-100, claim_type="adjustment", original_claim_id="C4")
    money.warehouse.build_funding()
    columns = "n_claims, n_corrections, grant_claimed_gbp, corrections_gbp, unclaimed_gbp"
    assert money.warehouse.one(f"SELECT {columns} FROM funding.claims_position") == (4, 1, 900, -100, 100)


def test_the_outturn_is_what_was_spent_and_what_is_forecast(warehouse):
    money = Money(warehouse)
    warehouse.db.execute("UPDATE audit.deliveries SET data_cut_date = DATE '2016-10-31'")
    warehouse.db.execute("DELETE FROM core.expenditure WHERE period_end > DATE '2016-10-31'")
    warehouse.db.execute("UPDATE core.funding_profile SET forecast_amount = 300 WHERE quarter = 'Q3'")
    money.warehouse.build_funding()
    columns = "quarter, is_over, cumulative_actual_gbp, remaining_gbp, forecast_outturn_gbp"
    assert warehouse.rows(f"SELECT {columns} FROM funding.profile_vs_actual ORDER BY quarter_end") == [
        ("Q1", True, 250, 750, 1050), ("Q2", True, 500, 500, 1050), ("Q3", False, 500, None, 1050),
        ("Q4", False, 500, None, 1050),
    ]  # fmt: skip


def test_a_quarter_without_spending_leaves_the_outturn_open(warehouse):
    Money(warehouse)
    warehouse.db.execute("DELETE FROM core.expenditure WHERE period_end = DATE '2016-09-30'")
    warehouse.build_funding()
    found = warehouse.rows("SELECT quarter, forecast_outturn_gbp FROM funding.profile_vs_actual WHERE is_missing")
    assert found == [("Q2", None)]


def test_adjustments_count_once_whatever_the_profile_holds(money):
    money.adjust("carry_forward", 40)  # after the profile was approved, which BLANKS dates 2016-01-01
    money.adjust("carry_forward", 5, approved_date="2015-12-31")  # part of the profile already
    money.warehouse.build_funding()
    columns = "financial_year, profile_gbp, carried_in_gbp, carried_out_gbp, budget_gbp, left_gbp"
    assert money.warehouse.rows(f"SELECT {columns} FROM funding.budget_years ORDER BY 1") == [
        ("2016-17", 1000, 0, 40, 960, -40), ("2017-18", None, 40, 0, None, None)
    ]  # fmt: skip
