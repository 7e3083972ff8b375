"""Simulated payments by results: prices of a contract, and a payment for each job that somebody else verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from flows.simulator.money.ledger import Award, OutcomePayment, Price, SiteLedger
from flows.simulator.programmes import SimulatedSite

LASTING = "SUST_26"


def is_payable() -> pl.Expr:
    """Whether a row of employment_outcomes is a new job with evidence other than the participant's own report."""
    return (pl.col("evidence_type") != "self_report") & (pl.col("in_work_at_start") == "N")


def with_results(ledger: SiteLedger, site: SimulatedSite, rng: np.random.Generator, jobs: pl.DataFrame) -> SiteLedger:
    """Add the prices of a contract by results, and the payments for its jobs."""
    contract = next((a for a in ledger.awards if a.instrument == "contract_pbr"), None)
    if contract is None:
        return ledger
    prices = tuple(_prices(contract, site.programme.definition, rng))
    payable = jobs.filter(is_payable()) if len(jobs) else jobs
    found = sorted(_outcomes(payable, site.programme.definition)) if len(payable) else []
    payments = tuple(
        OutcomePayment(
            payment_id=f"{site.prefix}P{n:06}",
            award_id=contract.award_id,
            participant_ref=episode_id.rpartition("E")[0],
            episode_id=episode_id,
            definition=definition,
            outcome_date=day,
            known_on=verified,
            amount=next(p.amount for p in prices if _is_in_force(p, definition, day)),
        )
        for n, (verified, episode_id, definition, day) in enumerate(found, start=1)
    )
    return replace(ledger, prices=prices, payments=payments)


def _prices(contract: Award, definition: str, rng: np.random.Generator) -> Iterator[Price]:
    """A price of a job that rises once, and one of a lasting job."""
    job, lasting = 100 * int(rng.integers(900, 1500)), 100 * int(rng.integers(600, 1100))
    rises = date(contract.start.year + 2, 4, 1)
    known = contract.award_date
    yield Price(contract.award_id, definition, job, known, contract.start, rises - timedelta(1))
    yield Price(contract.award_id, definition, job * 103 // 100, known, rises, None)
    yield Price(contract.award_id, LASTING, lasting, known, contract.start, None)


def _is_in_force(price: Price, definition: str, day: date) -> bool:
    return price.definition == definition and price.valid_from <= day <= (price.valid_to or day)


def _outcomes(jobs: pl.DataFrame, definition: str) -> Iterator[tuple[date, str, str, date]]:
    """The first verified job of each episode, and that it lasted: (day verified, episode, definition, day reached)."""
    first = jobs.sort("job_start_date", "outcome_id").unique("episode_id", keep="first", maintain_order=True)
    for episode_id, start, evidence, lasted, end in first.select(
        "episode_id", "job_start_date", "evidence_date", "sust_26w_date", "job_end_date"
    ).iter_rows():
        yield max(start, evidence), episode_id, definition, start
        if lasted and (end is None or lasted <= end):
            yield lasted + timedelta(14), episode_id, LASTING, lasted
