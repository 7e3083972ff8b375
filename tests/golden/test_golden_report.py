"""Reports of made-up deliveries, one of each kind, equal their golden files: page, `report.json`, `findings.csv`.

After an intended change, regenerate them and review the diff: `UPDATE_GOLDEN=1 pytest tests/golden`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from sample_reports import (
    DEADLINE,
    EARLIER_SNAPSHOTS,
    LAST_FINDINGS,
    MANY_KINDS,
    RUN,
    SAMPLES,
    VERDICT,
    WORKBOOK,
    Sample,
)

from flows.reporting.render import delivery_report, findings_csv, render_html, report_json

GOLDEN = Path(__file__).parent / "reports"
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((GOLDEN.parents[2] / "flows" / "reporting" / "report.schema.json").read_text(encoding="utf-8"))
)
FILES: dict[str, Callable[[Sample], str]] = {
    "html": lambda s: render_html(s.report),
    "report.json": lambda s: report_json(s.report),
    "findings.csv": lambda s: findings_csv(s.report, s.findings),
}
# The report of sixty problems has nothing new for a golden file; tests/pages covers how its page looks.
GOLDEN_FILES = [(kind, suffix) for kind in SAMPLES if kind != "sixty_problems" for suffix in FILES]


@pytest.mark.parametrize(("kind", "suffix"), GOLDEN_FILES)
def test_the_report_equals_its_golden_file(kind: str, suffix: str) -> None:
    golden, made = GOLDEN / f"{kind}.{suffix}", FILES[suffix](SAMPLES[kind])
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(made.encode())
    assert made.encode() == golden.read_bytes()


def test_there_is_one_golden_file_for_each_report() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == {f"{kind}.{suffix}" for kind, suffix in GOLDEN_FILES}


@pytest.mark.parametrize("kind", SAMPLES)
def test_report_json_is_valid_by_its_schema(kind: str) -> None:
    assert [e.message for e in SCHEMA.iter_errors(json.loads(report_json(SAMPLES[kind].report)))] == []


def test_the_order_of_findings_does_not_change_a_report() -> None:
    shuffled = MANY_KINDS.sample(fraction=1, shuffle=True, seed=7)
    earlier = LAST_FINDINGS.sample(fraction=1, shuffle=True, seed=8)
    from_shuffled = delivery_report(WORKBOOK, VERDICT, shuffled, EARLIER_SNAPSHOTS, earlier, DEADLINE, RUN)
    report = SAMPLES["many_kinds"].report
    assert render_html(from_shuffled) == render_html(report)
    assert report_json(from_shuffled) == report_json(report)
    assert findings_csv(from_shuffled, shuffled) == findings_csv(report, MANY_KINDS)
