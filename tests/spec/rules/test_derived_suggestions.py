"""What a rule across columns suggests for a cell, derived from the rest of its row."""

from __future__ import annotations

import pytest
from shared_file import SharedFiles

CLAIM = {"financial_year": "2016-17", "quarter": "Q1"}
CASES = [  # changes to a claim for April to June 2016, the column at fault and what is suggested
    ({"financial_year": "2015-16"}, "financial_year", "2016-17"),
    ({"quarter": "Q2"}, "quarter", "Q1"),
    ({"quarter": "Q1", "period_basis": "calendar"}, "quarter", "Q2"),
    ({"quarter": "Q9"}, "quarter", None),  # no code of the list: another rule, which suggests nothing here
]


@pytest.mark.parametrize(("change", "column", "suggested"), CASES)
def test_the_value_that_follows_from_the_date_is_suggested(
    in_shared_file: SharedFiles, change: dict[str, str], column: str, suggested: str | None
) -> None:
    result = in_shared_file([CLAIM | c for c, *_ in CASES], CLAIM | change, "claims")
    assert [(f.column, f.suggestion) for f in result.findings] == [(column, suggested)]
