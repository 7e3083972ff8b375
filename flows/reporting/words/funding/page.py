"""Every sentence of the pages on money: titles, the answers at the top of a page, codes in words, how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flows.reporting.words.funding.tables import NONE_SENT, NOT_KNOWN
from flows.runtime.wording import counted, day, listed

Row = Mapping[str, Any]

OVERVIEW = "Money by programme"
CAPTION = "Pilot programmes"
IN_SHORT = "In short"
MADE_UP = "This page holds made-up data"
HOW_TO_READ = "How to read this page"
BACK = "All programmes"
RECEIVED = "Files received up to {day}. Each amount is counted once, whoever sent it."
NOTHING = "No money is on record"
OVERVIEW_CAPTION = "In pounds. Kinds of money are never added together"
KIND_OF_MONEY = "Kind of money"
PAGES = "One page for each programme"
NO_PERSONAL_VALUES = "This page holds no personal values."
MADE_UP_MARK = "made-up"  # in the source of a made-up award, however it is written
MASTHEAD = "Pilot funding"
CONFIDENTIAL = (
    "This page is about sums and organisations. It names nobody, and no count of people on it is exact: 0 to 4 are "
    "hidden, others rounded to the nearest 5, and costs and payments are worked out from the rounded counts. Where a "
    "hidden count could be worked out from others, those are hidden too. The tables beside the page hold the same."
)
READING = (
    "Kinds of money are never added together. Two sums cross them: the headline (announcements and pledged match), and "
    "what is left (signed awards as they stand now, less what was spent of them).",
    "‘none sent’ means that no file says anything. ‘not known’ means that there is a record, and its amount is not "
    "known or not published. Neither is 0, and a total beside amounts that are not known is a minimum.",
    "A quarter is of the financial year: Q1 is April to June. Amounts are in whole pounds here, with pence in the "
    "tables to download.",
)
KINDS = (  # the overview: groups of rows, each a column of funding.programme_position with what it means
    (
        "Promised",
        (
            ("cap_gbp", "Limits (‘up to’)", "the most that may be given"),
            ("announced_gbp", "Announced", "what ministers or the press said"),
            ("headline_gbp", "Headline", "announced and pledged match together"),
        ),
    ),
    (
        "Signed",
        (
            ("awarded_gbp", "Signed at first", "the value of the agreements"),
            ("current_gbp", "Signed, as it stands now", "with variations"),
        ),
    ),
    (
        "Match",
        (
            ("match_pledged_gbp", "Pledged", ""),
            ("match_confirmed_gbp", "Confirmed", ""),
            ("match_evidenced_gbp", "Evidenced", "spent, and evidence seen"),
        ),
    ),
    (
        "Claimed and paid",
        (
            ("claimed_gbp", "Claimed of the grants", "corrections included"),
            ("approved_gbp", "Approved of that", ""),
            ("paid_gbp", "Paid", "advances included"),
            ("returned_gbp", "Returned to the funder", "not taken off what was paid"),
            ("outcome_payments_gbp", "Paid for outcomes, at least", "by rounded counts; small ones left out"),
        ),
    ),
    (
        "Spent",
        (
            ("spent_grant_gbp", "Spent of the grants", "by the ledgers"),
            ("spent_match_gbp", "Spent of match", "by the same ledgers, in kind included"),
            ("spent_to", "Spent up to", "last ledger period sent"),
        ),
    ),
    ("Left", (("unspent_gbp", "Signed and not spent", "signed as it stands now, less spent of the grants"),)),
)
OVERLAP = "It may be the same in part as {name}: do not add the two together."
NO_HEADLINE = "not both known"
NO_LINE = "carried, no line stated"
NOT_SIGNED, NO_SPENDING = "no signed amount", "no spending sent"
NOTHING_TO_COMPARE = "nothing to compare"
CHECKS_ROW = ("Checks", "Sums that do not agree", "of all that were compared")
SECTIONS = {
    "awards": "What was promised and signed",
    "match": "Who matched it",
    "claims": "What was claimed, approved and paid",
    "quarters": "What was spent, against the profile",
    "budget": "What is left of the budget, by year and line",
    "outcomes": "Payments by results",
    "costs": "What a job cost",
    "checks": "What does not agree",
    "readings": "What the printed sums may mean",
}
NONE_YET = {
    "match": "No match is on record.",
    "claims": "No claim was sent. A programme may have none, such as a grant without conditions.",
    "quarters": "No profile and no spending were sent.",
    "budget": "No budget was sent.",
    "costs": "There is no cost of a job: it needs spending by financial year, and people whose files have come.",
}
UNITS = {
    "person_started": "A person who started support",
    "person_into_work": "A person into work within 12 months of the start",
    "person_13_weeks": "A person in work for 13 weeks",
    "person_26_weeks": "A person in work for 26 weeks",
}
WHY_NO_COST = {
    "no_spending": "no cost: no spending was sent for it",
    "spending_not_complete": "no cost: spending does not reach to the end of the year",
    "spending_missing": "no cost: spending of a quarter is missing",
    "cohort_not_mature": "no cost yet: not everybody’s time to find or keep work has passed",
    "suppressed": "hidden: fewer than 5 people, an outcome that is not known, or it would give such a count away",
}
SPENDING_OF_SOME = "no cost for all areas together: not every area with people sent its spending"
RESULTS = {"breach": "Does not agree", "ambiguous": "Open", "reconciles": "Agrees"}
SUPPORT = {
    "supported": "agrees with what is printed, within its rounding",
    "conflicting": "one printed sum agrees, one does not",
    "not_supported": "no printed sum agrees",
    "nothing_printed": "nothing printed to compare",
}
MATCH_BASES = {"pledged": "pledged", "assumed": "assumed", "not_mentioned": ""}


def pounds(amount: Decimal) -> str:
    """An amount in whole pounds: '1,204,000', '−50'."""
    whole = int(amount.quantize(Decimal(1), ROUND_HALF_UP))
    return f"−{-whole:,}" if whole < 0 else f"{whole:,}"


def with_sign(amount: Decimal | None, why_none: str = NOT_KNOWN) -> str:
    """'£1,204,000' or why there is no amount."""
    if amount is None:
        return why_none
    text = pounds(amount)
    # a word joiner keeps the sign with the amount
    return f"−\u2060£{text[1:]}" if amount < 0 and text != "0" else f"£{text}"


def overview_title(n_programmes: int) -> str:
    """The overview's title."""
    return f"Money of {counted(n_programmes, 'programme')}" if n_programmes else NOTHING


def no_money(programmes: Sequence[str]) -> str:
    """The programmes without a page."""
    return f"No money is on record for {listed(list(programmes))}."


def finding(position: Row, missing_quarters: int = 0) -> str:
    """The page's title: how far the money of a programme has come. Spending with gaps is a minimum."""
    signed, spent, announced = position["current_gbp"], position["spent_grant_gbp"], position["announced_gbp"]
    if spent is not None and signed is not None:
        least = "At least " if missing_quarters else ""
        return f"{least}{with_sign(spent)} spent of the {with_sign(signed)} signed, up to {day(position['spent_to'])}"
    if spent is not None:
        return f"{with_sign(spent)} spent up to {day(position['spent_to'])}; the signed amount is not known"
    if signed is not None:
        return f"{with_sign(signed)} signed; no spending was sent"
    if announced is not None:
        return f"{with_sign(announced)} announced; no signed award is on record"
    if position["cap_gbp"] is not None:
        return f"Up to {with_sign(position['cap_gbp'])} promised; no signed award is on record"
    return "No amount is known"


@dataclass(frozen=True)
class Answer:
    """One question of an accountant with its answer, and the section with the details."""

    question: str
    lines: tuple[str, ...]
    section: str


def answers(position: Row, why: Mapping[str, str], parts: AnswerParts) -> list[Answer]:
    """The questions that a page on a programme answers. `why` says why an amount is empty, by its column."""

    def amount(field: str) -> str:
        return with_sign(position[field], why.get(field, NONE_SENT))

    promised = (
        f"Announced: {amount('announced_gbp')}. Limits (‘up to’), never added to it: {amount('cap_gbp')}.",
        *([f"With pledged match, the headline is {amount('headline_gbp')}."] if position["headline_gbp"] else []),
        *([OVERLAP.format(name=other)] if (other := position["may_overlap_with"]) else []),
    )
    signed = f"At first {amount('awarded_gbp')}; as it stands now, with variations, {amount('current_gbp')}."
    matched = (
        f"Pledged {amount('match_pledged_gbp')}, confirmed {amount('match_confirmed_gbp')}, evidenced "
        f"{amount('match_evidenced_gbp')}.",
        *([f"By {listed(list(parts.contributors))}."] if parts.contributors else []),
    )
    claimed = (
        f"Claimed {amount('claimed_gbp')}, approved {amount('approved_gbp')}, paid {amount('paid_gbp')} (advances "
        f"included), returned {amount('returned_gbp')}.",
        *(
            [f"For outcomes at least {amount('outcome_payments_gbp')} was paid: counts under 5 are left out."]
            if parts.pays_for_outcomes
            else []
        ),
    )
    least, most = ("at least ", "at most ") if parts.missing_quarters else ("", "")
    spent = [
        f"Of the grants {least}{amount('spent_grant_gbp')}, of match {amount('spent_match_gbp')}{_up_to(position)}."
    ]
    if parts.missing_quarters:
        spent.append(f"Spending is missing for {counted(parts.missing_quarters, 'quarter')} with a budget.")
    left = [f"Signed and not spent: {most}{amount('unspent_gbp')}. The budget by year says what of it may be spent."]
    if parts.unclaimed is not None:
        left.append(f"Of awards with claims, {with_sign(parts.unclaimed)} less was claimed than the awards have.")
    return [
        Answer("What was promised?", promised, "awards"),
        Answer("What was signed?", (signed,), "awards"),
        Answer("Who matched it?", matched, "match"),
        Answer("What was claimed and paid?", claimed, "claims"),
        Answer("What was spent?", tuple(spent), "quarters"),
        Answer("What is left?", tuple(left), "budget"),
        Answer("What did a job cost?", parts.job_cost, "costs"),
        Answer("What does not agree?", (checks_in_words(parts.breaches, parts.open_checks, parts.checks),), "checks"),
    ]


@dataclass(frozen=True)
class AnswerParts:
    """What the answers take from other marts than funding.programme_position."""

    contributors: tuple[str, ...]  # of match
    pays_for_outcomes: bool
    unclaimed: Decimal | None
    missing_quarters: int
    job_cost: tuple[str, ...]
    breaches: int
    open_checks: int
    checks: int


def _up_to(position: Row) -> str:
    return f", up to {day(position['spent_to'])}" if position["spent_to"] else ""


def checks_in_words(breaches: int, open_checks: int, checks: int) -> str:
    """How many comparisons of sums do not agree, or are open."""
    if not checks:
        return "Nothing could be compared."
    if not breaches and not open_checks:
        return (
            f"Nothing: all {counted(checks, 'comparison')} agree." if checks > 1 else "Nothing: the comparison agrees."
        )
    parts = [f"{counted(breaches, 'sum does', 'sums do')} not agree"] if breaches else []
    parts += [f"{counted(open_checks, 'is', 'are')} open"] if open_checks else []
    return f"{listed(parts)}, of {counted(checks, 'comparison')}."


def job_cost(row: Row | None) -> tuple[str, ...]:
    """The cost of a person into work, with its numerator, denominator and cohort, and what it leaves out."""
    if row is None:
        return (NONE_YET["costs"],)
    if why := why_no_cost(row):
        return (f"{why[0].upper()}{why[1:]}.",)
    years = _years(row)
    return (
        f"{with_sign(row['cost_grant_gbp'])} of the grant, {with_sign(row['cost_total_gbp'])} with evidenced match, "
        f"for a person into work within 12 months: {with_sign(row['grant_gbp'])} and {with_sign(row['total_gbp'])}, "
        f"divided by about {row['n_people']:,} people who started in {years}.",
        f"Left out: {leaves_out(row)}",
    )


def leaves_out(row: Row) -> str:
    """What a unit cost leaves out, as the second half of a sentence."""
    text = str(row["leaves_out"])
    return text[0].lower() + text[1:]


def about_costs(row: Row) -> str:
    """What every unit cost is, and what it leaves out."""
    return (
        "A cost is spending of the financial years in which those people started, by the people who reached it. It is "
        f"a gross cost, {_prices(row)}. It leaves out: {leaves_out(row)}"
    )


def _prices(row: Row) -> str:
    if row["price_base"]:
        vintage = row["deflator_vintage"]
        return f"in prices of those years, and in those of {row['price_base']} by the deflator of {vintage}"
    return "in prices of those years, because no deflator was sent"


def cohort(row: Row, site: str) -> str:
    """Whose cost a row is, and when those people started."""
    name = site if row["site_code"] != "all" else "All areas"
    if row["financial_year"] != "all":
        return f"{name}, {row['financial_year']}"
    return f"{name}, all years so far ({_years(row)})" if row["first_year"] else f"{name}, all years so far"


def _years(row: Row) -> str:
    first, last = row["first_year"], row["last_year"]
    return first if first == last else f"{first} to {last}"


def why_no_cost(row: Row) -> str:
    """Why a row has no cost; '' where it has one."""
    if row["reason"] == "no_spending" and row["grant_gbp"] is not None:
        return SPENDING_OF_SOME
    return WHY_NO_COST[row["reason"]] if row["reason"] else ""


def quarter(row: Row) -> str:
    """'2016-17 Q1'."""
    return f"{row['financial_year']} {row['quarter']}"


def state_of_quarter(row: Row) -> str:
    """What a reader has to know of a quarter beside its amounts."""
    if row["is_missing"]:
        return "spending missing"
    return "" if row["is_over"] else "to come, or not complete"


def outturn(label: str, row: Row, award: Decimal | None) -> str:
    """The heading of an award's quarters: where it is heading, beside the award as it stands now."""
    if row["forecast_outturn_gbp"] is None:
        return f"{label}: forecast outturn not known, because spending is missing"
    of = f" of {with_sign(award)}" if award is not None else ""
    return (
        f"{label}: forecast outturn {with_sign(row['forecast_outturn_gbp'])}{of}, with data to "
        f"{day(row['data_cut_date'])}"
    )


def price(row: Row) -> str:
    """From when to when a price is in force."""
    end = f" to {day(row['price_to'])}" if row["price_to"] else ""
    return f"price from {day(row['price_from'])}{end}"


def claims(row: Row) -> str:
    """How many claims there are, and to when."""
    to = f", costs to {day(row['claimed_to'])}" if row["claimed_to"] else ""
    return f"{row['award_id']}: {counted(row['n_claims'], 'claim')}{to}"


def corrections(row: Row) -> str:
    """What of the claimed sum corrects earlier claims; '' for nothing."""
    return f"corrections in it: {with_sign(row['corrections_gbp'])}" if row["n_corrections"] else ""


def dated(row: Row) -> str:
    """The date of an amount, as exact as its source."""
    if row["award_date"]:
        return day(row["award_date"])
    return f"{row['award_month']:%B %Y}" if row["award_month"] else ""


def recipient(row: Row) -> str:
    """To whom the money goes."""
    return f"to {row['recipient_org_name']}" if row["recipient_org_name"] else ""


def quoted(wording: str | None, source_date: date | None = None) -> str:
    """The source's own words, and the day that it bears."""
    parts = [f"‘{wording}’"] if wording else []
    parts += [f"dated {day(source_date)}"] if source_date else []
    return ", ".join(parts)


def sources_of_reading(row: Row) -> str:
    """What a reading says, with the words for and against it."""
    return f"{row['title']}. For it: ‘{row['source_wording']}’ ({row['source_document']}). Against it: {row['against']}"


def made_up(names: Sequence[str]) -> str:
    """The warning on a page with made-up awards."""
    return (
        f"Of {listed(list(names))}, every award whose source says so is made up, and with it its claims, spending and "
        "costs: nobody gave or received that money. What is quoted from articles and official documents is not made up."
    )


def rows_in_csv(text: str, number: int) -> str:
    """The text of the link to a table beside the page."""
    return f"{text}: every column and {counted(number, 'row')} (CSV)"


def more_rows(number: int) -> str:
    """How many rows a page leaves out."""
    return f"{counted(number, 'more row is', 'more rows are')} in the table to download."


def not_known_too(number: int) -> str:
    """Beside a total: how many amounts are not in it."""
    return f"and {number} not known"
