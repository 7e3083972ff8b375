"""Figures of money counted from the ledgers of a simulation by plain loops, without SQL: what the marts must say.

Written from docs/domain.md 3.1 to 3.5 and the headers of the marts, not from their SQL. Amounts are in pence; None is
unknown.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
Figures = dict[tuple[Any, ...], tuple[Any, ...]]
PENCE = ("amount", "accrual", "claimed", "eligible", "grant_share", "disallowed", "paid", "approved")
DAYS = (
    "award_date", "start", "end", "known_on", "quarter_end", "period_end", "submitted", "drafted", "decided",
    "paid_on", "valid_from", "valid_to", "outcome_date",
)  # fmt: skip
POUND = 100  # a difference of up to a pound is rounding: docs/domain.md 3.2


def read_entries(path: Path) -> list[Entry]:
    """The entries of a ledger file, with amounts and days; an empty cell is None."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _value(name, text) for name, text in row.items()} for row in csv.DictReader(file)]


def _value(name: str, text: str) -> Any:
    if not text:
        return None
    return int(text) if name in PENCE else date.fromisoformat(text) if name in DAYS else text


def total(amounts: Any) -> int | None:
    """The sum of the amounts that are known; None where none is."""
    known = [a for a in amounts if a is not None]
    return sum(known) if known else None


def less(amount: int | None, other: int | None) -> int | None:
    """A difference, None where one of the two is not known."""
    return None if amount is None or other is None else amount - other


def fy(day: date) -> str:
    """Financial year of a day."""
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{str(first + 1)[2:]}"


def quarter_of(day: date) -> date:
    """Last day of the quarter of a day."""
    month = {1: 3, 2: 3, 3: 3, 4: 6, 5: 6, 6: 6, 7: 9, 8: 9, 9: 9}.get(day.month, 12)
    return date(day.year, month, 30 if month in (6, 9) else 31)


def quarter_name(day: date) -> str:
    """Q1 is April to June."""
    return {3: "Q4", 6: "Q1", 9: "Q2", 12: "Q3"}[quarter_of(day).month]


@dataclass
class NaiveMoney:
    """The entries of all ledgers, and the date to which each site's data are complete."""

    folders: list[Path]
    cut_offs: dict[str, date]

    def __post_init__(self) -> None:
        names = ("awards", "variations", "profile", "forecasts", "spending", "claims", "claim_lines", "match",
                 "adjustments", "prices", "payments")  # fmt: skip
        self.entries = {
            name: [e for folder in self.folders for e in read_entries(folder / f"{name}.csv")] for name in names
        }
        self.site_of = {a["award_id"]: a["site_code"] for a in self.entries["awards"]}
        self.programme_of = {a["award_id"]: a["programme_code"] for a in self.entries["awards"]}

    def of(self, kind: str, award_id: str, **wanted: Any) -> list[Entry]:
        """The entries of an award with some values."""
        return [
            e for e in self.entries[kind] if e["award_id"] == award_id and all(e[n] == v for n, v in wanted.items())
        ]

    def key(self, award_id: str) -> str:
        """The award as the marts name it."""
        return f"{award_id} of {self.site_of[award_id]}"

    def current(self, award_id: str) -> int:
        """The award with its variations."""
        return self.of("awards", award_id)[0]["amount"] + (
            total(v["amount"] for v in self.of("variations", award_id)) or 0
        )

    def costs(self, award_id: str) -> list[Entry]:
        """The claims that ask for costs: no drafts, no rejected ones and no advances."""
        return [
            c
            for c in self.of("claims", award_id)
            if c["status"] not in ("draft", "rejected") and c["claim_type"] != "advance"
        ]

    def latest_profile(self, award_id: str) -> list[Entry]:
        """The lines of the latest version of a profile."""
        lines = self.of("profile", award_id)
        latest = max((int(line["version"]) for line in lines), default=0)
        return [line for line in lines if int(line["version"]) == latest]

    def adjusted(self, award_id: str, *kinds: str) -> list[Entry]:
        """Adjustments that were approved after the latest profile, which has the earlier ones already."""
        agreed = max((line["known_on"] for line in self.latest_profile(award_id)), default=date.min)
        return [a for a in self.of("adjustments", award_id) if a["adjustment_type"] in kinds and a["known_on"] > agreed]

    def award_position(self) -> Figures:
        """Awarded, varied and current amount of each award."""
        figures = {}
        for award in self.entries["awards"]:
            varied = total(v["amount"] for v in self.of("variations", award["award_id"]))
            stage = "awarded" if varied is None else "varied"
            current = self.current(award["award_id"])
            figures[(self.key(award["award_id"]),)] = (award["amount"], varied, current, stage)
        return figures

    def claims_position(self) -> Figures:
        """How far the claims of each award have come."""
        figures = {}
        for award_id in self.site_of:
            claims, costs = self.of("claims", award_id), self.costs(award_id)
            if not claims:
                continue
            corrections = [c for c in costs if c["claim_type"] == "adjustment"]
            rejected = [c for c in claims if c["status"] == "rejected"]
            advances = [c for c in claims if c["claim_type"] == "advance"]
            asked = total(c["grant_share"] for c in costs)
            figures[(self.key(award_id),)] = (
                len(costs) - len(corrections),
                len(corrections),
                len(rejected),
                max((c["end"] for c in costs), default=None),
                total(c["claimed"] for c in costs),
                asked,
                total(c["grant_share"] for c in corrections),
                total(c["grant_share"] for c in costs if c["approved"] is None),
                total(c["approved"] for c in costs),
                total(c["disallowed"] for c in costs if c["approved"] is not None),
                total(c["grant_share"] for c in rejected),
                total(c["paid"] for c in costs if c["paid_on"]),
                total(c["approved"] for c in advances),
                total(c["paid"] for c in advances if c["paid_on"]),
                max((c["paid_on"] for c in claims if c["paid_on"]), default=None),
                total(a["amount"] for a in self.of("adjustments", award_id, adjustment_type="clawback")),
                self.current(award_id) - (asked or 0),
            )
        return figures

    def profile_vs_actual(self) -> Figures:
        """Budget, spending and claims of each award by quarter."""
        figures: Figures = {}
        for award_id in self.site_of:
            figures |= self._quarters(award_id)
        return figures

    def _quarters(self, award_id: str) -> Figures:
        cut_off = self.cut_offs[self.site_of[award_id]]
        profile, spending, costs = self.latest_profile(award_id), self.of("spending", award_id), self.costs(award_id)
        quarters = sorted(
            {line["quarter_end"] for line in profile}
            | {quarter_of(e["period_end"]) for e in spending}
            | {quarter_of(c["end"]) for c in costs}
        )
        rows, planned, used = [], None, None
        for quarter in quarters:
            lines = [line for line in profile if line["quarter_end"] == quarter]
            spent = [e for e in spending if quarter_of(e["period_end"]) == quarter]
            claimed = [c for c in costs if quarter_of(c["end"]) == quarter]
            grant = [e for e in spent if e["source"] == "grant"]
            is_over = quarter <= cut_off
            budgeted, actual = total(line["amount"] for line in lines), total(e["amount"] for e in grant)
            forecast = None if is_over else total(self._forecast(line) for line in lines)
            planned, used = total((planned, budgeted)), total((used, actual))
            rows.append(
                (
                    quarter,
                    is_over,
                    budgeted,
                    forecast,
                    actual,
                    less(budgeted, actual),
                    total(e["amount"] for e in spent if e["source"] == "match_cash"),
                    total(e["amount"] for e in spent if e["source"] == "match_in_kind"),
                    total(e["accrual"] for e in grant if e["accrual"]),
                    total(c["grant_share"] for c in claimed),
                    total(c["approved"] for c in claimed),
                    total(c["paid"] for c in claimed if c["paid_on"]),
                    planned,
                    used,
                    self.current(award_id) - (used or 0) if is_over else None,
                    is_over and bool(budgeted) and actual is None,
                )
            )
        heading = [actual if is_over or actual is not None else forecast if forecast is not None else budgeted
                   for _, is_over, budgeted, forecast, actual, *_ in rows]  # fmt: skip
        outturn = None if any(row[-1] for row in rows) else total(heading)
        return {(self.key(award_id), fy(row[0]), quarter_name(row[0])): (*row, outturn) for row in rows}

    def _forecast(self, line: Entry) -> int:
        revised = [
            f["amount"]
            for f in self.of("forecasts", line["award_id"])
            if (f["quarter_end"], f["category"]) == (line["quarter_end"], line["category"])
        ]
        return int(revised[-1] if revised else line["amount"])

    def _grant_spent(self, award_id: str) -> list[Entry]:
        return self.of("spending", award_id, source="grant")

    def budget_years(self) -> Figures:
        """The grant's budget of each award by financial year."""
        figures: Figures = {}
        for award_id in self.site_of:
            profile, spent = self.latest_profile(award_id), self._grant_spent(award_id)
            carried = self.adjusted(award_id, "carry_forward")
            years = {fy(line["quarter_end"]) for line in profile} | {fy(e["period_end"]) for e in spent}
            years |= {a[end] for a in carried for end in ("from_fy", "to_fy")}
            for year in years:
                budgeted = total(line["amount"] for line in profile if fy(line["quarter_end"]) == year)
                carried_in = sum(a["amount"] for a in carried if a["to_fy"] == year)
                carried_out = sum(a["amount"] for a in carried if a["from_fy"] == year)
                entries = [e for e in spent if fy(e["period_end"]) == year]
                actual = total(e["amount"] for e in entries)
                before = None if budgeted is None else budgeted + carried_in
                figures[self.key(award_id), year] = (
                    budgeted,
                    carried_in,
                    carried_out,
                    before,
                    less(before, carried_out),
                    actual,
                    total(e["accrual"] for e in entries if e["accrual"]),
                    less(before, actual or 0),
                    less(less(before, carried_out), actual or 0),
                )
        return figures

    def budget_lines(self) -> Figures:
        """The grant's budget of each award by financial year and cost category."""
        figures: Figures = {}
        for award_id in self.site_of:
            profile, spent = self.latest_profile(award_id), self._grant_spent(award_id)
            moved = self.adjusted(award_id, "virement_in", "virement_out")
            cells = {(fy(line["quarter_end"]), line["category"]) for line in profile}
            cells |= {(fy(e["period_end"]), e["category"]) for e in spent} | {
                (a["from_fy"], a["category"]) for a in moved
            }
            carried = self.adjusted(award_id, "carry_forward")
            cells |= {(a[end], a["category"] or "not_stated") for a in carried for end in ("from_fy", "to_fy")}
            for year, category in cells:
                budgeted = total(
                    line["amount"]
                    for line in profile
                    if (fy(line["quarter_end"]), line["category"]) == (year, category)
                )
                of_line = [a for a in moved if (a["from_fy"], a["category"]) == (year, category)]
                into = sum(a["amount"] for a in of_line if a["adjustment_type"] == "virement_in")
                out = sum(a["amount"] for a in of_line if a["adjustment_type"] == "virement_out")
                actual = total(e["amount"] for e in spent if (fy(e["period_end"]), e["category"]) == (year, category))
                of_carried = [a for a in carried if (a["category"] or "not_stated") == category]
                carried_in = sum(a["amount"] for a in of_carried if a["to_fy"] == year)
                carried_out = sum(a["amount"] for a in of_carried if a["from_fy"] == year)
                budget = (budgeted or 0) + into - out + carried_in - carried_out
                figures[self.key(award_id), year, category] = (
                    budgeted, into, out, carried_in, carried_out, budget, actual, budget - (actual or 0)
                )  # fmt: skip
        return figures

    def match_position(self) -> Figures:
        """Match by programme, site, source and kind. No sum for a whole programme is simulated: everything counts."""
        groups: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        for m in self.entries["match"]:
            groups[m["programme_code"], m["site_code"], m["source_type"], m["kind"]].append(m)
        figures: Figures = {}
        for key, records in groups.items():
            pledged, confirmed, evidenced = (
                total(m["amount"] for m in records if m["stage"] == stage)
                for stage in ("pledged", "confirmed", "evidenced")
            )
            promised = [a for a in (pledged, confirmed) if a is not None]
            left = max(promised) - (evidenced or 0) if promised else None
            figures[key] = (pledged, confirmed, evidenced, left, 0)
        return figures

    def outcome_payments(self) -> Figures:
        """Payments by results, by award, definition and financial year."""
        groups: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        for p in self.entries["payments"]:
            groups[self.key(p["award_id"]), p["definition"], fy(p["outcome_date"])].append(p)
        return {
            key: (
                len(paid),
                len({p["participant_ref"] for p in paid}),
                sum(p["amount"] for p in paid),
                min(p["amount"] for p in paid),
                max(p["amount"] for p in paid),
                len(paid),
            )
            for key, paid in groups.items()
        }

    def programme_position(self) -> Figures:
        """Money of each programme, a column for each kind."""
        figures: Figures = {}
        for programme in set(self.programme_of.values()):
            awards = [a for a, p in self.programme_of.items() if p == programme]

            def everything(kind: str, of: tuple[str, ...] = tuple(awards)) -> list[Entry]:
                return [e for e in self.entries[kind] if e["award_id"] in of]

            costs = [c for a in awards for c in self.costs(a)]
            match, spending = everything("match"), everything("spending")
            current = sum(self.current(a) for a in awards)
            spent = total(e["amount"] for e in spending if e["source"] == "grant")
            figures[(programme,)] = (
                sum(a["amount"] for a in everything("awards")),
                current,
                *(total(m["amount"] for m in match if m["stage"] == s) for s in ("pledged", "confirmed", "evidenced")),
                total(c["grant_share"] for c in costs),
                total(c["approved"] for c in costs),
                total(c["paid"] for c in everything("claims") if c["paid_on"]),
                total(a["amount"] for a in everything("adjustments") if a["adjustment_type"] == "clawback"),
                total(p["amount"] for p in everything("payments")),
                spent,
                total(e["amount"] for e in spending if e["source"] != "grant"),
                max((e["period_end"] for e in spending), default=None),
                less(current, spent),
                len(awards),
            )
        return figures

    def award_identities(self) -> Figures:
        """The sums that must agree for each award: (check, subject) to expected, found and status."""
        figures: Figures = {}
        for award_id in self.site_of:
            for check, subject, expected, found, status in self._identities(award_id):
                figures[check, subject] = (expected, found, status)
        return figures

    def _identities(self, award_id: str) -> list[tuple[str, str, int | None, int | None, str]]:
        award, key = self.of("awards", award_id)[0], self.key(award_id)
        cut_off = self.cut_offs[self.site_of[award_id]]
        claims, costs = self.of("claims", award_id), self.costs(award_id)
        profile, spending = self.latest_profile(award_id), self.of("spending", award_id)
        current, is_ended = self.current(award_id), cut_off >= award["end"]
        varied = total(v["amount"] for v in self.of("variations", award_id)) or 0
        asked, approved = total(c["grant_share"] for c in costs), total(c["approved"] for c in costs)
        advances = [c for c in claims if c["claim_type"] == "advance"]
        in_all = (approved or 0) + (total(c["approved"] for c in advances) or 0)
        paid = total(c["paid"] for c in (*costs, *advances) if c["paid_on"])
        grant, spent = total(e["amount"] for e in self._grant_spent(award_id)), total(e["amount"] for e in spending)
        by_stage = {s: total(m["amount"] for m in self.of("match", award_id, stage=s))
                    for s in ("pledged", "confirmed", "evidenced")}  # fmt: skip
        match = max((a for a in by_stage.values() if a is not None), default=0)
        returned = total(a["amount"] for a in self.of("adjustments", award_id, adjustment_type="clawback"))
        is_year_over = any(line["quarter_end"].month == 3 and line["quarter_end"] <= cut_off for line in profile)
        found: list[tuple[str, str, int | None, int | None, str]] = []

        def check(code: str, expected: int | None, actual: int | None, how: str, *, final: bool = True) -> None:
            agrees = actual is not None and expected is not None and (
                abs(actual - expected) <= POUND
                or (how == "limit" and actual < expected)
                or (how == "least" and actual > expected)
            )  # fmt: skip
            unknown = actual is None or expected is None
            status = "ambiguous" if unknown else "reconciles" if agrees else "breach" if final else "ambiguous"
            found.append((code, key, expected, actual, status))

        check("award_is_first_plus_variations", award["amount"] + varied, current, "equal")
        if profile:
            check("profile_is_award", current, total(line["amount"] for line in profile), "equal", final=is_year_over)
        if asked is not None:
            check("claimed_within_award", current, asked, "limit")
        if approved is not None:
            check("approved_within_award", current, approved, "limit")
        if paid is not None:
            check("paid_within_approved", in_all, paid, "limit")
        if asked is not None and grant is not None:
            check("claimed_within_spent", grant, asked, "limit", final=is_ended)
        if spent is not None:
            check(
                "spent_within_award_and_match",
                current + match,
                spent,
                "limit",
                final=10 * spent > 11 * (current + match),
            )
        if grant is not None:
            check("grant_within_award", current, grant, "limit", final=10 * grant > 11 * current)
        spent_match = total(e["amount"] for e in spending if e["source"] != "grant")
        if by_stage["evidenced"] is not None and spent_match is not None:
            check("evidenced_within_spent", spent_match, by_stage["evidenced"], "limit", final=False)
        payments = total(p["amount"] for p in self.of("payments", award_id))
        if payments is not None:
            check("outcome_payments_within_award", current, payments, "limit")
        if returned is not None:
            check("returned_within_paid", paid or 0, returned, "limit")
        if by_stage["pledged"] is not None and asked is not None:
            share = _rounded(by_stage["pledged"] * asked, current)
            check("match_in_proportion", share, by_stage["evidenced"] or 0, "least", final=is_ended)
        if costs:
            ids = {c["claim_id"] for c in costs}
            lines = total(line["amount"] for line in self.entries["claim_lines"] if line["claim_id"] in ids)
            check("lines_are_claims", total(c["claimed"] for c in costs), lines, "equal")
        if award["intervention_rate"] and costs:
            rate = round(100 * float(award["intervention_rate"]))
            check("grant_is_rate_of_eligible", _rounded(sum(c["eligible"] for c in costs) * rate, 100), asked, "equal")
        moved = [self.of("adjustments", award_id, adjustment_type=f"virement_{way}") for way in ("out", "in")]
        if any(moved):
            check("virements_cancel", *(sum(a["amount"] for a in way) for way in moved), "equal")
        for (subject, year), figures in self.budget_years().items():
            if subject == key and figures[4] is not None and figures[5] is not None:
                check("spent_within_budget", figures[4], figures[5], "limit", final=False)
                found[-1] = (found[-1][0], f"{key} in {year}", *found[-1][2:])
            if subject == key and figures[2] > 0:
                check("carried_within_underspend", max(0, figures[7]), figures[2], "limit")
                found[-1] = (found[-1][0], f"{key} in {year}", *found[-1][2:])
        return found


def _rounded(dividend: int, divisor: int) -> int:
    """A quotient of amounts above 0 to the nearest whole, half up."""
    return (2 * dividend + divisor) // (2 * divisor)
