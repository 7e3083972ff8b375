"""The tables that a site sends of its ledger: what was known on a day, every cell as the text of a plain CSV.

Columns are the fields of the contracts, and some that no extract has, which faults are made of:

    _leaf, _watched  see `tables/__init__.py`
    _known           first day on which an extract holds the row
    _start, _end     first and last day of the row's award
    _spares          amounts of the site's spare awards, by reference
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

import polars as pl

from flows.simulator.money.budgets import budget
from flows.simulator.money.ledger import Award, Claim, ProfileLine, SiteLedger
from flows.simulator.money.quarters import financial_year, pounds, quarter_code, quarter_end_after
from schemas._contract.catalogue import datasets

Cells = dict[str, str | bool | None]
MADE_UP = "MADE-UP DATA"


def money_extract(ledger: SiteLedger, dataset: str, cut_off: date) -> pl.DataFrame:
    """The rows of a dataset in an extract with this cut-off."""
    contract = datasets()[dataset]
    known = ledger.known_by(cut_off)
    awards = {a.award_id: a for a in known.awards}
    rows = [row | _of_award(row, awards) for row in _ROWS[dataset](known, cut_off)]
    own = dict.fromkeys([n for row in rows[:1] for n in row if n not in contract.by_name], pl.String)
    schema = dict.fromkeys(contract.by_name, pl.String) | own | {"_leaf": pl.Boolean, "_watched": pl.Boolean}
    complete = [dict.fromkeys(schema) | {"_leaf": True, "_watched": False} | row for row in rows]
    return pl.DataFrame(complete, schema=schema)


def _of_award(row: Cells, awards: dict[str, Award]) -> Cells:
    """Facts on the award of a row that faults are made of."""
    spares = ";".join(f"{a.award_id}={pounds(a.amount)}" for a in awards.values() if a.is_spare)
    award = awards[str(row.pop("_award", None) or row["award_id"])]
    return {"_spares": spares, "_start": str(award.start), "_end": str(award.end)}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _awards(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    for award in ledger.awards:
        shared: Cells = {
            "award_id": award.award_id,
            "programme_code": ledger.programme_code,
            "about_site_code": ledger.site_code,
            "funding_org_name": "Made-up funder",
            "recipient_org_name": f"Made-up recipient {ledger.site_code}",
            "instrument": award.instrument,
            "amount_status": "known",
            "currency": "GBP",
            "start_date": _text(award.start),
            "end_date": _text(award.end),
            "source_document": MADE_UP,
        }
        stages = [("awarded", 1, award.award_date, award.amount)]
        stages += [
            ("varied", v.version, v.known_on, v.amount) for v in ledger.variations if v.award_id == award.award_id
        ]
        for stage, version, day, amount in stages:
            yield shared | {
                "award_stage": stage,
                "award_version": str(version),
                "amount": pounds(amount),
                "award_date": _text(day),
                "financial_year": financial_year(day),
                "_known": _text(day),
            }


def _match(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    for m in ledger.match:
        yield {
            "match_id": m.match_id,
            "programme_code": ledger.programme_code,
            "about_site_code": ledger.site_code,
            "award_id": m.award_id,
            "match_source_type": m.source_type,
            "match_kind": m.kind,
            "match_stage": m.stage,
            "amount": pounds(m.amount),
            "amount_status": "known",
            "currency": "GBP",
            "financial_year": m.financial_year,
            "valuation_basis": "market rent of rooms" if m.kind == "in_kind" else None,
            "evidence_ref": m.evidence_ref or None,
            "source_document": MADE_UP,
            "_known": _text(m.known_on),
        }


def _profile(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    latest = {a.award_id: max((p.version for p in ledger.profile if p.award_id == a.award_id), default=0)
              for a in ledger.awards}  # fmt: skip
    for line in ledger.profile:
        counts = line.version == latest[line.award_id]
        forecast = forecast_of(ledger, line, cut_off) if counts else None
        yield {
            "award_id": line.award_id,
            "profile_version": str(line.version),
            "financial_year": financial_year(line.quarter_end),
            "quarter": quarter_code(line.quarter_end),
            "cost_category": line.category,
            "profile_amount": pounds(line.amount),
            "forecast_amount": None if forecast is None else pounds(forecast),
            "approved_date": _text(line.known_on),
            "_known": _text(line.known_on),
            "_is_latest": "Y" if counts else None,
            "_quarter_end": _text(line.quarter_end),
            # the one forecast that was changed since the last quarter, as it was before
            "_forecast_before": pounds(line.amount) if counts and _was_revised(ledger, line, cut_off) else None,
        }


def forecast_of(ledger: SiteLedger, line: ProfileLine, cut_off: date) -> int | None:
    """The forecast for a line of the latest profile: none for a quarter that is over, and the profile until revised."""
    if line.quarter_end <= cut_off:
        return None
    revised = [f.amount for f in ledger.forecasts if _is_for(f, line)]
    return revised[-1] if revised else line.amount


def _is_for(forecast: object, line: ProfileLine) -> bool:
    return all(getattr(forecast, n) == getattr(line, n) for n in ("award_id", "quarter_end", "category"))


def _was_revised(ledger: SiteLedger, line: ProfileLine, cut_off: date) -> bool:
    to_come = {q for q, _ in budget(ledger, next(a for a in ledger.awards if a.award_id == line.award_id), cut_off)}
    following = quarter_end_after(cut_off, 1)
    return (
        line.quarter_end == following
        and any(_is_for(f, line) for f in ledger.forecasts)
        and sum(q > cut_off for q in to_come) >= 2
    )


def _claims(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    awards = {a.award_id: a for a in ledger.awards}
    for claim in ledger.claims:
        award = awards[claim.award_id]
        calendar = award.quarter_basis == "calendar"
        yield {
            "claim_id": claim.claim_id,
            "award_id": claim.award_id,
            "claim_type": claim.claim_type,
            "claim_period_start": _text(claim.start),
            "claim_period_end": _text(claim.end),
            "financial_year": financial_year(claim.end),
            "quarter": quarter_code(claim.end, calendar=calendar),
            "period_basis": award.quarter_basis,
            "claimed_amount": pounds(claim.claimed),
            "eligible_amount": pounds(claim.eligible),
            "grant_share": pounds(claim.grant_share),
            "match_share": pounds(claim.match_share),
            "intervention_rate": (award.intervention_rate or None) if claim.claim_type != "advance" else None,
            **_decision(claim),
            "original_claim_id": claim.corrects or None,
            "submitted_date": _text(claim.submitted or claim.drafted),
            "claim_status": claim.status,
            "_known": _text(claim.known_on),
        }


def _decision(claim: Claim) -> Cells:
    """What the funder decided: a rejected claim has no amounts."""
    decided = claim.approved is not None
    return {
        "approved_amount": pounds(claim.approved) if claim.approved is not None else None,
        "disallowed_amount": pounds(claim.disallowed) if decided else None,
        "disallow_reason": claim.disallow_reason or None,
        "paid_amount": pounds(claim.paid) if claim.paid_on else None,
        "paid_date": _text(claim.paid_on),
    }


def _lines(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    for claim in ledger.claims:
        for line in claim.lines:
            yield {
                "claim_id": claim.claim_id,
                "line_no": str(line.line_no),
                "cost_category": line.category,
                "description_code": f"R{1010 + 10 * line.line_no}",
                "amount": pounds(line.amount),
                "in_kind": "Y" if line.in_kind else "N",
                "_known": _text(claim.known_on),
                "_award": claim.award_id,
                "_claim_type": claim.claim_type,
                "_claim_lines": str(len(claim.lines)),
            }


def _spending(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    for entry in ledger.spending:
        yield {
            "award_id": entry.award_id,
            "period_end": _text(entry.period_end),
            "ledger_period": str(entry.period),
            "financial_year": financial_year(entry.period_end),
            "quarter": quarter_code(entry.period_end),
            "cost_category": entry.category,
            "ledger_ref": entry.ledger_ref,
            "funding_source": entry.source,
            "actual_amount": pounds(entry.amount),
            "accrual_amount": pounds(entry.accrual) if entry.accrual else None,
            "credit_note": "Y" if entry.credit_reason else "N",
            "credit_reason": entry.credit_reason or None,
            "_known": _text(entry.known_on),
        }


def _adjustments(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    for a in ledger.adjustments:
        yield {
            "adjustment_id": a.adjustment_id,
            "award_id": a.award_id,
            "adjustment_type": a.adjustment_type,
            "pair_id": a.pair_id or None,
            "from_fy": a.from_fy,
            "to_fy": a.to_fy,
            "cost_category": a.category or None,
            "amount": pounds(a.amount),
            "approved_date": _text(a.known_on),
            "approved_by_role": "funder" if a.adjustment_type != "virement_out" else "programme_board",
            "_known": _text(a.known_on),
        }


def _prices(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    for price in ledger.prices:
        yield {
            "award_id": price.award_id,
            "outcome_definition_code": price.definition,
            "unit_price": pounds(price.amount),
            "valid_from": _text(price.valid_from),
            "valid_to": _text(price.valid_to),
            "_known": _text(price.known_on),
        }


def _payments(ledger: SiteLedger, cut_off: date) -> Iterable[Cells]:
    for payment in ledger.payments:
        yield {
            "payment_id": payment.payment_id,
            "award_id": payment.award_id,
            "participant_ref": payment.participant_ref,
            "episode_id": payment.episode_id,
            "outcome_definition_code": payment.definition,
            "outcome_date": _text(payment.outcome_date),
            "verified_date": _text(payment.known_on),
            "unit_price": pounds(payment.amount),
            "amount": pounds(payment.amount),
            "_known": _text(payment.known_on),
        }


_ROWS: dict[str, Callable[[SiteLedger, date], Iterable[Cells]]] = {
    "funding_awards": _awards,
    "match_funding": _match,
    "funding_profile": _profile,
    "claims": _claims,
    "claim_lines": _lines,
    "expenditure": _spending,
    "virements_carry_forward": _adjustments,
    "payment_schedule": _prices,
    "outcome_payments": _payments,
}
