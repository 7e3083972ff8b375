"""Who sends what: what a programme owes is chased, and what it must not send is refused. Source: docs/domain.md 7.22.

The table is typed again here, so that an edit of `core/returns.csv` by mistake shows.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from file_validator import Validator, as_csv

from flows.deliveries.validated import ValidatedDelivery
from flows.reporting.overdue import overdue_returns
from flows.workbooks.example_rows import example_rows
from schemas._contract import registry
from schemas._contract.catalogue import datasets
from schemas.audit.deliveries import Counts, Delivery, Result, Standing, Verdict

# One site of each programme, with a month in which it ran and quarterly returns are due, and a day after the deadline.
SITES = {
    "MHT-BPL": ("201606", datetime(2016, 7, 20)),
    "MHT-WLA": ("201606", datetime(2016, 7, 20)),
    "PWW-IAPT": ("201506", datetime(2015, 7, 20)),
    "PWW-TS": ("201506", datetime(2015, 7, 20)),
    "IPSIAPT-DTV": ("201506", datetime(2015, 7, 20)),
    "MWW-BRK": ("201506", datetime(2015, 7, 20)),
    "HLT-SCR": ("201906", datetime(2019, 7, 20)),
    "WC-CPA01": ("201506", datetime(2015, 7, 20)),
    "ATW-GB": ("201506", datetime(2015, 7, 20)),
}
R, M, N = registry.REQUIRED, registry.OPTIONAL, registry.NONE  # required, may be sent, none
#                    MHT-BPL WLA PWW-IAPT TS IPSIAPT MWW HLT WC ATW
TABLE = {
    "participants": (R, R, R, R, R, R, R, R, N),
    "referrals": (R, R, R, R, R, R, R, R, N),
    "randomisation": (M, M, N, N, N, N, R, N, N),
    "contacts": (R, R, R, R, R, R, R, M, N),
    "action_plans": (R, R, M, M, R, R, R, M, N),
    "employment_outcomes": (R, R, R, R, R, R, R, R, N),
    "employment_status_history": (M, M, R, M, R, M, R, N, N),
    "wellbeing_measures": (R, R, R, R, R, M, R, N, N),
    "fidelity_reviews": (N, R, N, N, R, R, R, N, N),
    "fidelity_items": (N, R, N, N, R, R, R, N, N),
    "training_events": (R, R, M, M, M, R, M, N, N),
    "claims": (R, R, M, M, M, M, R, M, N),
    "claim_lines": (R, R, M, M, M, M, R, M, N),
    "expenditure": (R, R, M, M, M, M, R, M, N),
    "outcome_payments": (N, N, N, N, N, N, N, R, N),
    "employer_support": (R, R, N, N, R, R, R, R, N),
    "published_measures": (N, N, N, N, N, N, N, M, M),  # the programme office and NHS England send them for now
}
CELLS = [(site, d, needs[n]) for d, needs in TABLE.items() for n, site in enumerate(SITES)]


@pytest.mark.parametrize("site", SITES)
def test_a_site_owes_what_the_table_says_and_is_chased_for_it(site: str) -> None:
    period, moment = SITES[site]
    programme = registry.sites()[site].programme_code
    sent = Delivery("d", site, programme, "targets", period, 1, "f", "p", "", "s", 1, moment, moment.date())
    delivered = ValidatedDelivery(sent, "key", Verdict(Result.ACCEPTED, Counts()), Standing.CURRENT)
    chased = {o.dataset for o in overdue_returns([delivered], moment) if o.period == period}
    stated = {d: need for s, d, need in CELLS if s == site}
    assert {d: registry.returns_for(site)[d] for d in stated} == stated
    assert chased & set(stated) == {d for d, need in stated.items() if need == R}


@pytest.mark.parametrize(("site", "dataset"), [(s, d) for s, d, need in CELLS if need == N])
def test_what_a_site_must_not_send_is_refused(site: str, dataset: str, validate: Validator) -> None:
    rows = example_rows(datasets()[dataset])
    outcome = validate(as_csv(rows), dataset, site=site, period=SITES[site][0])
    rule = "T09" if dataset == "randomisation" else "L02"
    assert outcome.result == Result.REFUSED
    assert (rule, "file") in {(f.rule, f.severity) for f in outcome.findings}
