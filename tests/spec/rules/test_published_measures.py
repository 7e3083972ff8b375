"""Published statistics in the shape of the national releases: only true doubles are held, whatever the format."""

from __future__ import annotations

import pytest
from file_validator import ValidatedFile, Validator, workbook
from made_up_statistics import statistics

SENT = {"dataset": "published_measures", "site": "NHSE", "period": "202503"}


def validated(validate: Validator, suffix: str, rows: int, doubles: int = 0, copies: int = 0) -> ValidatedFile:
    table = statistics(rows, doubles, copies)
    if suffix == "csv":
        return validate(table.write_csv(), **SENT)
    return validate(workbook({"Published measures": [table.columns, *table.rows()]}), suffix=suffix, **SENT)


@pytest.mark.parametrize(("suffix", "rows", "doubles", "copies"), [("csv", 50_000, 25, 10), ("xlsx", 2_000, 5, 2)])
def test_rows_are_held_only_where_the_same_organisation_has_two_values(
    validate: Validator, suffix: str, rows: int, doubles: int, copies: int
) -> None:
    outcome = validated(validate, suffix, rows, doubles, copies)
    assert len(outcome.held) == 2 * doubles  # which of the two is right is for the publisher to say
    assert outcome.verdict.rows.repeats == copies
    assert len(outcome.accepted) == rows - 2 * doubles - copies and outcome.is_conserved
    assert {f.rule for f in outcome.findings if f.severity != "warning"} == {"P04"}


def test_one_code_of_two_types_is_two_organisations(validate: Validator) -> None:
    rows = [["organisation_type", "organisation_code", "organisation_name", "reporting_period", "measure_name",
             "measure_statistic", "value"]]  # fmt: skip
    rows += [[kind, "UNKNOWN", "UNKNOWN", "2017-18", "recovery", "count", "125"] for kind in ("CCG", "Provider")]
    outcome = validate("\n".join(",".join(r) for r in rows), **SENT)
    assert (outcome.held, outcome.findings) == ([], []) and len(outcome.accepted) == 2
