"""Rules about all rows of a file together, such as the share of an answer: what they find, and where they begin.

A case has made-up rows in numbers that break the rule and that just do not. It names the rule by dataset, id, severity
and field, so removing the rule fails the test; so does adding a rule without a case.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from participant_rows import CONTRACTS, WARNING, Address, Row, d, find_rule, job, person, warehouse

from schemas.core import participants


def people(known: int, **answers: int) -> list[Row]:
    """Participants with a known ethnic category, and some whose answers are these codes."""
    codes = ["A"] * known + [code for name, n in answers.items() for code in [name.strip("_")] * n]
    return [person(n, ethnic_category=code) for n, code in enumerate(codes, 1)]


def referrals(**sources: int) -> list[Row]:
    """Referrals from these sources, in these numbers."""
    of_each = [source for source, n in sources.items() for source in [source] * n]
    return [{"episode_id": f"SCR-E{n:06}", "source_of_referral": source} for n, source in enumerate(of_each, 1)]


def jobs(on_the_first: int, on_other_days: int) -> list[Row]:
    """Jobs that start on the first of a month or of the next, and on other days of each."""
    firsts = [d(f"2018-{9 + n % 2:02}-01") for n in range(on_the_first)]
    others = [d(f"2018-{9 + n % 2:02}-{2 + n % 27:02}") for n in range(on_other_days)]
    return [job(n, job_start_date=day) for n, day in enumerate([*firsts, *others], 1)]


def allocations(*months: tuple[str, int, int]) -> list[Row]:
    """Allocations by month: the month, how many to the ips arm, how many to the control arm."""
    arms = [(month, arm) for month, ips, control in months for arm in ["ips"] * ips + ["control"] * control]
    return [
        person(n, randomisation_id=f"SCR-R{n:06}", arm=arm, randomised_date=d(f"{month}-15"))
        for n, (month, arm) in enumerate(arms, 1)
    ]


# the rule; rows that break it and what is found; and rows that do not
CASES: list[tuple[Address, list[Row], str, list[list[Row]]]] = [
    (
        ("participants", "P11", WARNING, "ethnic_category"),
        people(17, Z=6, _99=7),
        "13 of 30 are Z or 99",
        [people(18, Z=12), people(0, Z=29)],
    ),
    (
        ("referrals", "P15", WARNING, "source_of_referral"),
        referrals(A1=190, E5=10),
        "10 of 200 referrals are E5, and none is M5",
        [referrals(A1=191, E5=10), referrals(A1=21, E5=9), referrals(E5=29), referrals(E5=40, M5=1)],
    ),
    (
        ("randomisation", "T07", WARNING, "arm"),
        allocations(("2018-06", 5, 25), ("2018-07", 31, 9)),
        "5 of 30 in the ips arm in June 2018; 31 of 40 in the ips arm in July 2018",
        # 6 of 30, and 30 of 40, come by chance more often than once in a thousand times
        [allocations(("2018-06", 6, 24)), allocations(("2018-06", 30, 10)), allocations(("2018-06", 0, 29))],
    ),
    (
        ("employment_outcomes", "E15", WARNING, "job_start_date"),
        jobs(19, 11),
        "19 of 30 jobs start on day 1 of a month",
        [jobs(18, 12), jobs(29, 0)],
    ),
]


def found(address: Address, rows: list[Row]) -> list[tuple[str, str]]:
    with warehouse({address[0]: rows}, {}) as db:
        return db.execute(find_rule(*address).violations_sql).fetchall()


@pytest.mark.parametrize(("address", "breaking", "says", "keeping"), CASES, ids=lambda a: str(a)[:60])
def test_a_rule_about_a_whole_file_finds_the_file_that_breaks_it(
    address: Address, breaking: list[Row], says: str, keeping: list[list[Row]]
) -> None:
    assert found(address, breaking) == [("now", says)]
    assert [found(address, rows) for rows in keeping] == [[]] * len(keeping)


def test_the_allocation_of_a_whole_file_counts_too() -> None:
    months = [(f"2018-{m:02}", 9, 17) for m in range(5, 11)]
    says = "54 of 156 in the ips arm"  # no month has thirty
    assert found(("randomisation", "T07", WARNING, "arm"), allocations(*months[:4])) == []
    assert found(("randomisation", "T07", WARNING, "arm"), allocations(*months)) == [("now", says)]


def test_files_are_counted_apart() -> None:
    """Two deliveries of one site that add up: each is one file."""
    two = [row | {"delivery_id": name} for name in ("now", "before") for row in people(10, Z=10)]
    assert found(("participants", "P11", WARNING, "ethnic_category"), two) == []


def test_every_rule_about_a_whole_file_has_a_case() -> None:
    rules = [(c.dataset, r.rule_id, r.severity, r.field) for c in CONTRACTS.values() for r in c.rules if r.whole_file]
    assert sorted(address for address, *_ in CASES) == sorted(rules)


@pytest.mark.parametrize("change", [{"field": ""}, {"confirmable": True}])
def test_a_rule_about_a_whole_file_names_a_column_and_nothing_to_confirm(change: dict[str, object]) -> None:
    rule = replace(find_rule("participants", "P11", WARNING, "ethnic_category"), **change)
    with pytest.raises(ValueError, match="whole file"):
        replace(participants.CONTRACT, rules=(rule,))
