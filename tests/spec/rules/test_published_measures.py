"""Published statistics laid out like the national releases: only conflicting duplicates are held, in any format."""

from __future__ import annotations

import pytest
from file_validator import ValidatedFile, Validator, workbook
from made_up_statistics import statistics
from soak import in_soak

NHSE_RELEASE = {"dataset": "published_measures", "site": "NHSE", "period": "202503"}


def validate_release(validate: Validator, suffix: str, rows: int, doubles: int = 0, copies: int = 0) -> ValidatedFile:
    """Validate made-up statistics with conflicting duplicates (`doubles`) and exact repeats (`copies`)."""
    table = statistics(rows, doubles, copies)
    if suffix == "csv":
        return validate(table.write_csv(), **NHSE_RELEASE)
    return validate(workbook({"Published measures": [table.columns, *table.rows()]}), suffix=suffix, **NHSE_RELEASE)


@pytest.mark.parametrize(
    ("suffix", "rows", "doubles", "copies"), [("csv", 50_000, 25, 10), *in_soak(("xlsx", 2_000, 5, 2))]
)
def test_only_rows_with_two_values_for_one_organisation_are_held(
    validate: Validator, suffix: str, rows: int, doubles: int, copies: int
) -> None:
    outcome = validate_release(validate, suffix, rows, doubles, copies)
    assert len(outcome.held) == 2 * doubles  # only the publisher knows which of the two is right
    assert outcome.verdict.rows.repeats == copies
    assert len(outcome.accepted) == rows - 2 * doubles - copies and outcome.is_conserved
    assert {f.rule for f in outcome.findings if f.severity != "warning"} == {"P04"}


def test_the_same_code_in_two_organisation_types_is_not_a_duplicate(validate: Validator) -> None:
    rows = [["organisation_type", "organisation_code", "organisation_name", "reporting_period", "measure_name",
             "measure_statistic", "value"]]  # fmt: skip
    rows += [[kind, "UNKNOWN", "UNKNOWN", "2017-18", "recovery", "count", "125"] for kind in ("CCG", "Provider")]
    outcome = validate("\n".join(",".join(r) for r in rows), **NHSE_RELEASE)
    assert (outcome.held, outcome.findings) == ([], []) and len(outcome.accepted) == 2
