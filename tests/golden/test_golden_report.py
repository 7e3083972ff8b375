"""Whole reports of made-up deliveries, one of every kind, held byte for byte: page, `report.json`, `findings.csv`.

After a wanted change, write the golden files anew and look at the difference: `UPDATE_GOLDEN=1 pytest tests/golden`.
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
SHAPE = jsonschema.Draft202012Validator(
    json.loads((GOLDEN.parents[2] / "flows" / "reporting" / "report.schema.json").read_text(encoding="utf-8"))
)
FILES: dict[str, Callable[[Sample], str]] = {
    "html": lambda s: render_html(s.report),
    "report.json": lambda s: report_json(s.report),
    "findings.csv": lambda s: findings_csv(s.report, s.findings),
}
# The page of sixty problems says nothing new in its other files; page tests hold what it looks like.
HELD = [(kind, suffix) for kind in SAMPLES if kind != "sixty_problems" for suffix in FILES]


@pytest.mark.parametrize(("kind", "suffix"), HELD)
def test_the_report_is_the_golden_one(kind: str, suffix: str) -> None:
    golden, made = GOLDEN / f"{kind}.{suffix}", FILES[suffix](SAMPLES[kind])
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(made.encode())
    assert made.encode() == golden.read_bytes()


def test_there_is_a_golden_file_for_each_and_no_other() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == {f"{kind}.{suffix}" for kind, suffix in HELD}


@pytest.mark.parametrize("kind", SAMPLES)
def test_report_json_has_its_published_shape(kind: str) -> None:
    SHAPE.validate(json.loads(report_json(SAMPLES[kind].report)))


def test_the_order_of_findings_does_not_matter() -> None:
    shuffled = MANY_KINDS.sample(fraction=1, shuffle=True, seed=7)
    earlier = LAST_FINDINGS.sample(fraction=1, shuffle=True, seed=8)
    again = delivery_report(WORKBOOK, VERDICT, shuffled, EARLIER_SNAPSHOTS, earlier, DEADLINE, RUN)
    once = SAMPLES["many_kinds"].report
    assert render_html(again) == render_html(once)
    assert report_json(again) == report_json(once)
    assert findings_csv(again, shuffled) == findings_csv(once, MANY_KINDS)
