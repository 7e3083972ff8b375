"""The tables of the pages on money: which columns of a mart they show, under which headings; why a cell is empty."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NONE_SENT, NOT_KNOWN, NONE, DASH = "none sent", "not known", "none", "–"
NOT_SHOWN = "hidden"


class Shown(StrEnum):
    """How the values of a column are shown."""

    TEXT = "text"
    POUNDS = "pounds"
    NUMBER = "number"
    DAY = "day"

    @property
    def is_number(self) -> bool:
        """Whether its values are aligned right."""
        return self in (Shown.POUNDS, Shown.NUMBER)


@dataclass(frozen=True)
class MoneyColumn:
    """One column of a table. `below` names a second field, shown in small print under the value."""

    field: str
    heading: str
    shown: Shown = Shown.POUNDS
    why_empty: str = NONE_SENT  # where a row itself does not say why
    below: str = ""
    if_any: bool = False  # left out of a table in which no row has a value other than 0


@dataclass(frozen=True)
class TableText:
    """What one table shows: a mart, or some of its rows. The rows of a group follow one heading, `grouped_by`."""

    mart: str
    caption: str
    columns: tuple[MoneyColumn, ...]
    grouped_by: str = ""
    note: str = ""


def _text(field: str, heading: str, below: str = "") -> MoneyColumn:
    return MoneyColumn(field, heading, Shown.TEXT, below=below)


_AWARD = _text("award", "Award", below="award_id")

AWARDS = TableText(
    "award_position",
    "Each award at each stage, in pounds. A limit, an announcement and an award are never added up",
    (
        _AWARD,
        MoneyColumn("applied_for_gbp", "Bid", why_empty=NONE, if_any=True),
        MoneyColumn("prospective_gbp", "Subject to approval", why_empty=NONE, if_any=True),
        MoneyColumn("cap_gbp", "Limit (‘up to’)", why_empty=NONE),
        MoneyColumn("announced_gbp", "Announced", why_empty=NONE),
        MoneyColumn("awarded_gbp", "Signed", why_empty=NONE),
        MoneyColumn("varied_gbp", "Variations", why_empty=NONE, if_any=True),
        MoneyColumn("closed_gbp", "Final value", why_empty=NONE, if_any=True),
        MoneyColumn("current_gbp", "Award now", why_empty=NONE),
    ),
)
SOURCES = TableText(
    "award_stages",
    "Where each amount is printed, with its words and its date",
    (
        _text("stage", "Stage", below="dated"),
        MoneyColumn("amount_gbp", "Amount (£)", why_empty=NOT_KNOWN),
        _text("funding_org_name", "From", below="recipient"),
        _text("source_document", "Source", below="quoted"),
    ),
    grouped_by="award_and_id",
)
CLAIMS = TableText(
    "claims_position",
    "How far the claims of each award have come, in pounds",
    (
        _text("award", "Award", below="claims_in_words"),
        MoneyColumn("grant_claimed_gbp", "Claimed of the grant", below="corrections"),
        MoneyColumn("undecided_gbp", "Not decided yet", why_empty=NONE),
        MoneyColumn("approved_gbp", "Approved", why_empty="not decided"),
        MoneyColumn("disallowed_gbp", "Disallowed", why_empty="not decided"),
        MoneyColumn("rejected_gbp", "In rejected claims", why_empty=NONE, if_any=True),
        MoneyColumn("paid_gbp", "Paid, without advances", why_empty="not paid"),
        MoneyColumn("advances_paid_gbp", "Advances paid", why_empty=NONE, if_any=True),
        MoneyColumn("returned_gbp", "Returned", why_empty=NONE, if_any=True),
        MoneyColumn("unclaimed_gbp", "Award less claimed", why_empty="award not known"),
    ),
    note="An advance is money ahead of costs: the claim of its period takes its place, so it is in no claimed sum. "
    "Corrections count with their sign.",
)
QUARTERS = TableText(
    "profile_vs_actual",
    "Profile and spending of the grant by quarter, in pounds",
    (
        _text("quarter_in_words", "Quarter", below="state"),
        MoneyColumn("profile_gbp", "Profile", why_empty="no profile"),
        MoneyColumn("actual_gbp", "Spent of the grant"),
        MoneyColumn("variance_gbp", "Under (−: over) the profile", why_empty=DASH),
        MoneyColumn("cumulative_profile_gbp", "Profile so far", why_empty="no profile"),
        MoneyColumn("cumulative_actual_gbp", "Spent so far"),
        MoneyColumn("remaining_gbp", "Left of the award", why_empty=DASH),
        MoneyColumn("claimed_gbp", "Claimed", if_any=True),
        MoneyColumn("match_spent_gbp", "Match spent", if_any=True),
        MoneyColumn("forecast_gbp", "Forecast", why_empty=DASH, if_any=True),
    ),
    grouped_by="award_and_outturn",
    note="The profile spreads the grant, so match is in a column of its own.",
)
YEARS = TableText(
    "budget_years",
    "Budget of the grant by financial year, in pounds",
    (
        _text("financial_year", "Year"),
        MoneyColumn("profile_gbp", "Profile", why_empty="no profile"),
        MoneyColumn("carried_in_gbp", "Carried in", if_any=True),
        MoneyColumn("carried_out_gbp", "Carried out", if_any=True),
        MoneyColumn("budget_gbp", "Budget", why_empty="no profile"),
        MoneyColumn("spent_gbp", "Spent"),
        MoneyColumn("accrued_gbp", "Accrued", if_any=True),
        MoneyColumn("left_gbp", "Left (−: overspent)", why_empty=DASH),
    ),
    grouped_by="award_and_id",
    note="Underspend that is not carried forward is not left for the next year.",
)
LINES = TableText(
    "budget_lines",
    "Budget of the grant by financial year and budget line, in pounds",
    (
        _text("line", "Year and line"),
        MoneyColumn("profile_gbp", "Profile", why_empty="no profile"),
        MoneyColumn("virement_in_gbp", "Moved in", if_any=True),
        MoneyColumn("virement_out_gbp", "Moved out", if_any=True),
        MoneyColumn("carried_in_gbp", "Carried in", if_any=True),
        MoneyColumn("carried_out_gbp", "Carried out", if_any=True),
        MoneyColumn("budget_gbp", "Budget"),
        MoneyColumn("spent_gbp", "Spent"),
        MoneyColumn("left_gbp", "Left (−: overspent)"),
    ),
    grouped_by="award_and_id",
)
MATCH = TableText(
    "match_position",
    "Match by area, source and kind, in pounds",
    (
        _text("area", "Area", below="kind_of_match"),
        MoneyColumn("pledged_gbp", "Pledged", why_empty=NONE),
        MoneyColumn("part_pledged_gbp", "Pledged, part of the whole", why_empty=NONE, if_any=True),
        MoneyColumn("confirmed_gbp", "Confirmed", why_empty=NONE),
        MoneyColumn("part_confirmed_gbp", "Confirmed, part of the whole", why_empty=NONE, if_any=True),
        MoneyColumn("evidenced_gbp", "Evidenced", why_empty=NONE),
        MoneyColumn("not_evidenced_gbp", "Still to evidence", why_empty=DASH),
    ),
    note="Pledged, confirmed and evidenced say three things about the same money, so they are never added up. Nor is "
    "an area’s part added to the sum for the whole programme that it is part of.",
)
CONTRIBUTIONS = TableText(
    "match_records",
    "Each contribution on record, with where it is stated",
    (
        _text("contributor", "Who matched", below="kind_of_match"),
        _text("area", "Area", below="match_id"),
        _text("stage", "Stage", below="financial_year"),
        MoneyColumn("amount_gbp", "Amount (£)", why_empty=NOT_KNOWN),
        _text("source_document", "Source or evidence", below="quoted"),
    ),
)
OUTCOMES = TableText(
    "outcome_payments",
    "Payments for verified outcomes, by definition, price and financial year of the outcome",
    (
        _text("definition", "Paid for", below="definition_code"),
        _text("financial_year", "Year", below="price_in_words"),
        MoneyColumn("price_gbp", "Price (£)"),
        MoneyColumn("n_payments", "Outcomes, about", Shown.NUMBER, NOT_SHOWN),
        MoneyColumn("paid_gbp", "Paid (£), about", why_empty=NOT_SHOWN),
    ),
    grouped_by="site_and_award",
    note="An outcome is paid for only if somebody other than the participant gives evidence of it (rule M47), at the "
    "price in force on its day (M49), and once (M48).",
)
UNIT_COSTS = TableText(
    "unit_costs",
    "Cost of a person who started, found work and stayed in it, in pounds",
    (
        _text("whose", "Whose, and when they started", below="why_no_cost"),
        MoneyColumn("cost_grant_gbp", "Cost, grant only", why_empty=DASH),
        MoneyColumn("cost_total_gbp", "Cost with match", why_empty=DASH),
        MoneyColumn("n_people", "People, about", Shown.NUMBER, DASH),
        MoneyColumn("grant_gbp", "Spent of the grant"),
        MoneyColumn("match_gbp", "Evidenced match", why_empty=NONE),
        MoneyColumn("cost_grant_real_gbp", "Constant prices, grant only", why_empty=DASH, if_any=True),
        MoneyColumn("cost_total_real_gbp", "Constant prices, with match", why_empty=DASH, if_any=True),
    ),
    grouped_by="unit",
    note="The number of people is rounded to the nearest 5, and a cost with it: by about 20 people it is right to "
    "about a tenth either way, by about 10 to about a fifth. Starts and jobs that round alike need not be the same "
    "people.",
)
CHECKS = TableText(
    "reconciliation",
    "Sums that should agree, in pounds: those that do not come first",
    (
        _text("result", "Result", below="title"),
        _text("about", "About"),
        MoneyColumn("expected_gbp", "Expected, or limit", why_empty=NOT_KNOWN),
        MoneyColumn("actual_gbp", "Found", why_empty=NOT_KNOWN),
        MoneyColumn("difference_gbp", "Difference", why_empty=DASH),
        _text("note", "What it means", below="source"),
    ),
)
READINGS = TableText(
    "readings",
    "What the printed sums may mean: each reading, and what speaks for and against it, in pounds",
    (
        _text("area", "About"),
        MoneyColumn("government_gbp", "Government", why_empty=NOT_KNOWN, below="government_qualifier"),
        MoneyColumn("match_gbp", "Match", why_empty="not mentioned", below="match_in_words"),
        MoneyColumn("total_gbp", "Together", why_empty=NOT_KNOWN),
        MoneyColumn("printed_total_gbp", "Printed for the whole", why_empty="not printed"),
        MoneyColumn("total_difference_gbp", "Difference", why_empty=DASH),
        _text("supported", "Result"),
    ),
    grouped_by="reading",
    note="None of them is chosen, and no other table uses any. An area’s match is assumed in proportion to its "
    "announcement: its split is printed nowhere.",
)
