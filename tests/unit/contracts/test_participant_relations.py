"""Rules between rows, tables and deliveries of participant-level datasets.

Each case has small made-up tables and the rows that break the rule. It names the rule by dataset, id, severity and
field, so removing the rule fails the test; so does adding a rule without a case.
"""

from __future__ import annotations

import pytest
from contact_relation_cases import CONTACT_CASES
from participant_rows import (
    BEFORE,
    CONTRACTS,
    EARLIER_STILL,
    ROW,
    VALID_ROWS,
    WARNING,
    RelationCase,
    broken_rows,
    d,
    find_rule,
    frame,
    job,
    person,
    warehouse,
)

from schemas._rules.checks import checks_of

ALLOCATED = [
    person(1, randomised_date=d("2018-06-06")),
    person(1),
    person(2),
    person(3, **BEFORE),
    person(3, randomised_date=d("2018-06-01")),  # an earlier date, sent in a later delivery
]

GREATER_MANCHESTER = {"site_code": "MHT-GM", "programme_code": "MHT"}

RELATION_CASES: list[RelationCase] = [
    RelationCase(
        ("participants", "P04", ROW, "site_code"),
        [1, 3],
        {
            "participants": [
                person(1),
                person(2),
                person(1, site_code="HLT-WMCA"),
                person(1, site_code="MHT-GM", programme_code="MHT"),
            ]
        },
    ),
    RelationCase(
        ("participants", "P05", WARNING, "participant_ref"),
        [2],
        {
            "participants": [
                person(1),
                person(2, consent_date=d("2018-06-08")),
                person(3, consent_date=d("2018-06-16")),
                person(4, year_of_birth=1981),
                person(5, lsoa=None),
                person(6, lsoa=None),
                person(7, site_code="HLT-WMCA"),
            ]
        },
    ),
    RelationCase(
        ("participants", "P06", ROW, "year_of_birth"),
        [1],
        {
            "participants": [
                person(1, year_of_birth=1990),  # the first different value
                person(2, year_of_birth=1981),
                person(3, year_of_birth=1990),  # wrong in one extract, now corrected
                person(4, year_of_birth=1990),  # no earlier extract
            ]
        },
        {
            "participants": [
                person(1, year_of_birth=1980, **BEFORE),
                person(1, year_of_birth=1990, delivery_id="now"),
                person(2, year_of_birth=1980, **BEFORE),
                person(3, year_of_birth=1980, **BEFORE),
                person(3, year_of_birth=1990, **EARLIER_STILL),
                person(4, year_of_birth=1990, delivery_id="now"),
            ]
        },
    ),
    RelationCase(
        ("participants", "P06", WARNING, "year_of_birth"),
        [2],
        {"participants": [person(1, year_of_birth=1990), person(2, year_of_birth=1981), person(3)]},
        {"participants": [person(n, year_of_birth=1980, **BEFORE) for n in (1, 2, 3)]},
    ),
    RelationCase(
        ("participants", "P06", WARNING, "gender"),
        [1],
        {"participants": [person(1, gender="1"), person(2, gender="2"), person(3, gender="1")]},
        {"participants": [person(n, gender=g, **BEFORE) for n, g in ((1, "2"), (2, "2"), (3, "X"))]},
    ),
    RelationCase(
        ("participants", "P06", WARNING, "ethnic_category"),
        [1],
        {"participants": [person(1, ethnic_category="C"), person(2), person(3)]},
        {"participants": [person(n, ethnic_category=e, **BEFORE) for n, e in ((1, "A"), (2, "A"), (3, "99"))]},
    ),
    RelationCase(
        ("referrals", "P12", ROW, "participant_ref"),
        [2, 3],
        {"participants": [person(1)], "referrals": [person(1), person(2), person(1, site_code="HLT-WMCA")]},
    ),
    RelationCase(
        ("referrals", "P07", ROW, "referral_received_date"),
        [2, 4],
        {
            "participants": [person(n, year_of_birth=y) for n, y in ((1, 2000), (2, 2001), (3, 2002), (4, 2003))],
            "referrals": [
                person(1),
                person(2),
                person(3, programme_code="MHT"),
                person(4, programme_code="MHT"),
            ],
        },
    ),
    RelationCase(
        ("referrals", "P07", WARNING, "referral_received_date"),
        [2],
        {
            "participants": [person(1, year_of_birth=1942), person(2, year_of_birth=1941)],
            "referrals": [person(1), person(2)],
        },
    ),
    RelationCase(
        ("referrals", "P16", ROW, "referral_received_date"),
        [2, 4, 10],
        {
            "referrals": [
                person(1, exit_date=d("2018-09-01")),
                person(1, referral_received_date=d("2018-08-31")),  # starts before the first one ends
                person(2),
                person(2, referral_received_date=d("2019-05-20")),  # the first never ends
                person(3, exit_date=d("2018-09-01")),
                person(3, referral_received_date=d("2018-09-01")),
                person(4, eligibility_outcome="ineligible"),
                person(4, referral_received_date=d("2018-08-31")),
                person(5, exit_date=d("2018-09-01")),
                person(5, referral_received_date=d("2018-08-31")),  # held, so it does not overlap with the next
                person(5, referral_received_date=d("2018-09-01")),
            ]
        },
    ),
    RelationCase(
        ("referrals", "P18", WARNING, "exit_date"),
        [2],
        {
            "referrals": [
                {"episode_id": "SCR-E000001", "programme_start_date": d("2018-03-01")},
                {"episode_id": "SCR-E000002", "programme_start_date": d("2018-03-01")},
                {"episode_id": "SCR-E000003", "programme_start_date": d("2018-04-01")},
                {"episode_id": "SCR-E000004", "programme_start_date": d("2018-03-01"), "exit_date": d("2019-01-01")},
                {"episode_id": "WM-E000001", "programme_start_date": d("2018-03-01"), "site_code": "HLT-WMCA"},
            ],
            "contacts": [
                {"episode_id": "SCR-E000001", "contact_date": d("2019-10-01")},
                {"episode_id": "SCR-E000002", "contact_date": d("2019-09-29")},
            ],
        },
    ),
    RelationCase(
        ("referrals", "P19", WARNING, "programme_start_date"),
        [2],
        {
            "participants": [person(1), person(2, consent_participation=False), person(3, consent_participation=False)],
            "referrals": [person(1), person(2), person(3, programme_start_date=None)],
        },
    ),
    *(
        RelationCase(
            ("referrals", "P20", ROW, field),
            [2],
            {
                "participants": [person(1, deceased_date=d("2018-07-01")), person(2)],
                "referrals": [person(1, **{field: d("2018-07-01")}), person(1, **{field: d("2018-07-02")}), person(2)],
            },
        )
        for field in ("referral_received_date", "programme_start_date")
    ),
    RelationCase(
        ("randomisation", "P12", ROW, "participant_ref"),
        [2],
        {"participants": [person(1)], "randomisation": [person(1), person(2)]},
    ),
    RelationCase(
        ("randomisation", "T01", ROW, "participant_ref"),
        [1, 5],
        {"randomisation": ALLOCATED},
        {"randomisation": [person(2, **EARLIER_STILL)]},  # the delivery no longer counts: left to T02
    ),
    RelationCase(
        ("randomisation", "T02", ROW, "arm"),
        [1, 3],
        {
            "randomisation": [
                person(1, arm="control"),
                person(2, arm="control"),
                person(3, arm="control"),  # switched once before: the first arm is kept
                person(4, arm="control"),  # new
                person(5, arm="control"),
            ]
        },
        {
            "randomisation": [
                person(1, arm="ips", **BEFORE),
                person(1, arm="control", delivery_id="now"),
                person(2, arm="control", **BEFORE),
                person(3, arm="control", **BEFORE),
                person(3, arm="ips", **EARLIER_STILL),
                person(4, arm="control", delivery_id="now"),
                person(
                    5, arm="ips", counts=True, **EARLIER_STILL
                ),  # the delivery counts, but another rule held the row
            ]
        },
    ),
    RelationCase(
        ("randomisation", "T03", ROW, "randomised_date"),
        [2],
        {
            "participants": [
                person(1, consent_date=d("2018-06-05")),
                person(2, consent_date=d("2018-06-06")),
            ],
            "randomisation": [person(1), person(2)],
        },
    ),
    RelationCase(
        ("randomisation", "T06", ROW, "participant_ref"),
        [1],
        {
            "referrals": [
                person(
                    1, site_code="HLT-WMCA", employment_status_at_start="02", referral_received_date=d("2017-06-01")
                ),
                person(
                    1, site_code="HLT-WMCA", employment_status_at_start="01", referral_received_date=d("2018-05-01")
                ),
                person(
                    2, site_code="HLT-WMCA", employment_status_at_start="02", referral_received_date=d("2018-05-01")
                ),
                person(
                    2, site_code="HLT-WMCA", employment_status_at_start="01", referral_received_date=d("2019-05-01")
                ),
                person(3, employment_status_at_start="01"),
            ],
            "randomisation": [person(1, site_code="HLT-WMCA"), person(2, site_code="HLT-WMCA"), person(3)],
        },
    ),
    RelationCase(
        ("randomisation", "P20", ROW, "randomised_date"),
        [2],
        {
            "participants": [person(1, deceased_date=d("2018-06-05")), person(2, deceased_date=d("2018-06-04"))],
            "randomisation": [person(1), person(2)],
        },
    ),
    RelationCase(
        ("employment_outcomes", "P12", ROW, "episode_id"),
        [2],
        {"referrals": [{}], "employment_outcomes": [job(1), job(2, episode_id="SCR-E000009")]},
    ),
    RelationCase(
        ("employment_outcomes", "E01", ROW, "job_start_date"),
        [2, 5],
        {
            "referrals": [
                person(1, episode_id="SCR-E000001", programme_start_date=d("2018-06-15")),
                person(2, episode_id="SCR-E000002", programme_start_date=None),
            ],
            "randomisation": [person(2, arm="control", randomised_date=d("2018-06-05"))],
            "employment_outcomes": [
                job(1, episode_id="SCR-E000001", job_start_date=d("2018-06-15")),
                job(2, episode_id="SCR-E000001", job_start_date=d("2018-06-14")),
                job(3, episode_id="SCR-E000001", job_start_date=d("2018-06-14"), in_work_at_start=True),
                job(4, episode_id="SCR-E000002", job_start_date=d("2018-06-05")),
                job(5, episode_id="SCR-E000002", job_start_date=d("2018-06-04")),
            ],
        },
    ),
    RelationCase(
        ("employment_outcomes", "E09", ROW, "episode_id"),
        [2],
        {
            "referrals": [
                person(1, episode_id="SCR-E000001"),
                person(2, episode_id="SCR-E000002", eligibility_outcome="ineligible"),
                person(3, episode_id="SCR-E000003", eligibility_outcome="ineligible"),
            ],
            "randomisation": [person(3, arm="control")],
            "employment_outcomes": [job(n, episode_id=f"SCR-E00000{n}") for n in (1, 2, 3)],
        },
    ),
    RelationCase(
        ("employment_outcomes", "E13", ROW, "in_work_at_start"),
        [2],
        {
            "referrals": [{}, {"episode_id": "SCR-E000002", "employment_status_at_start": "01"}],
            "employment_outcomes": [
                job(1),
                job(2, episode_id="SCR-E000002"),
                job(3, episode_id="SCR-E000002", in_work_at_start=True),
            ],
        },
    ),
    RelationCase(
        ("employment_outcomes", "E11", WARNING, "outcome_id"),
        [2],
        {
            "employment_outcomes": [
                job(1),
                job(2, job_start_date=d("2018-09-06")),
                job(3, job_start_date=d("2018-09-10")),
                job(4, job_type="agency_temp"),
                job(5, episode_id="SCR-E000002"),
            ]
        },
    ),
    RelationCase(
        ("employment_outcomes", "E12", WARNING, "job_start_date"),
        [3],
        {
            "employment_outcomes": [
                job(1, job_end_date=d("2018-12-31")),
                job(2, job_end_date=d("2018-12-31"), job_start_date=d("2018-09-04")),  # left to E11
                job(3, job_end_date=d("2019-02-28"), job_start_date=d("2018-12-30")),
                job(4, job_start_date=d("2019-02-28")),
                job(5, episode_id="SCR-E000002"),
            ]
        },
    ),
    RelationCase(
        ("employment_outcomes", "E14", WARNING, "outcome_id"),
        [1, 5],
        {
            "referrals": [
                person(1),
                person(2, episode_id="SCR-E000002"),
                person(1, episode_id="GM-E000001", **GREATER_MANCHESTER),
                person(1, episode_id="BRD-E000001", site_code="MWW-BRD", programme_code="MWW"),
            ],
            "employment_outcomes": [
                job(1),
                job(2, episode_id="SCR-E000002"),  # another person
                job(3, job_start_date=d("2018-09-10")),
                job(4, episode_id="SCR-E000001", site_code="MWW-BRD", programme_code="MWW"),  # another controller's key
                job(5, episode_id="GM-E000001", job_start_date=d("2018-09-06"), **GREATER_MANCHESTER),
                job(6, episode_id="GM-E000001", job_start_date=d("2018-11-01"), **GREATER_MANCHESTER),
                job(7, episode_id="BRD-E000001", site_code="MWW-BRD", programme_code="MWW"),
            ],
        },
    ),
    *(
        RelationCase(
            ("employment_outcomes", "P20", ROW, field),
            [2],
            {
                "participants": [person(1, deceased_date=d("2019-07-01"))],
                "referrals": [person(1)],
                "employment_outcomes": [job(1, **{field: d("2019-07-01")}), job(2, **{field: d("2019-07-02")})],
            },
        )
        for field in ("job_start_date", "sust_13w_date", "sust_26w_date")
    ),
    *CONTACT_CASES,
]


@pytest.mark.parametrize("case", RELATION_CASES, ids=lambda c: "-".join(c.address))
def test_a_rule_between_rows_finds_the_rows_that_break_it(case: RelationCase) -> None:
    with warehouse(case.core, case.history) as db:
        assert broken_rows(db, find_rule(*case.address)) == case.broken


def test_the_valid_rows_break_no_rule() -> None:
    one_of_each = {name: [{}] for name in VALID_ROWS}
    with warehouse(one_of_each, one_of_each) as db:
        for name, contract in CONTRACTS.items():
            rows = frame(contract, [{}])
            row_checks = [(r.rule_id, r.check()) for r in contract.row_rules if r.check]
            cell_checks = [check for f in contract.fields for check in checks_of(f)]
            broken = [
                i for i, expression in row_checks + cell_checks if not rows.select(expression.fill_null(True)).item()
            ]
            broken += [r.rule_id for r in contract.cross_check_rules if db.execute(r.violations_sql).fetchall()]
            assert (name, broken) == (name, [])


def test_every_rule_between_rows_has_a_case() -> None:
    rules = [
        (name, r.rule_id, r.severity, r.field)
        for name, contract in CONTRACTS.items()
        for r in contract.cross_check_rules
        if not r.whole_file
    ]
    assert sorted(case.address for case in RELATION_CASES) == sorted(rules)
