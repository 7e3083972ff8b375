"""A made-up delivery with many kinds of finding, and its whole report, held byte for byte.

After a wanted change, write the golden files anew and look at the difference: `UPDATE_GOLDEN=1 pytest tests/golden`.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from flows.steps.report import delivery_report, findings_csv, render_html, report_json
from schemas.audit.deliveries import Counts, Delivery, Result, Verdict
from schemas.shapes import FINDING_TYPES

HERE = Path(__file__).parent
LETTERS = {
    "contact_id": ("A", "Contact number"),
    "episode_id": ("B", "Episode"),
    "contact_date": ("C", "Date of contact"),
    "contact_type": ("D", "Type of contact"),
    "contact_medium": ("E", "Medium"),
    "attended": ("F", "Attended or DNA"),
    "duration_minutes": ("G", "Length (mins)"),
    "staff_ref": ("I", "Worker ID"),
    "with_employer": ("J", "Employer present"),
}


def found(rule, severity, rows, field, value=None, suggestion=None, hidden=False, outcome="broken"):
    """The findings of one rule in one column."""
    letter, heading = LETTERS.get(field, (None, None))
    return [
        {
            "rule_id": rule,
            "severity": severity,
            "outcome": outcome,
            "sheet": "Contacts",
            "source_row": row,
            "column_letter": letter,
            "column_name": heading,
            "field": field,
            "found": value,
            "hidden": hidden,
            "suggestion": suggestion,
        }
        for row in rows
    ]


FINDINGS = pl.DataFrame(
    [
        *found("V02", "row", range(34, 76), "contact_medium", "Carrier pigeon"),
        *found("K02", "row", [84, 85, 120], "duration_minutes", "45"),
        *found("V03", "row", [90], "duration_minutes", "900"),
        *found("C02", "row", [114], "contact_date", "14/06/2016", "2016-06-14"),
        *found("C02", "row", [115], "contact_date", "03/06/2016"),
        *found("V01", "row", [7, 9], "attended"),
        *found("V04", "row", [8, 12, 13, 14], "episode_id", hidden=True),
        *found("P12", "row", [101], "episode_id", hidden=True),
        *found("C16", "warning", range(200, 212), "contact_type", "Assessment", "02"),
        *found("C17", "warning", [55], "attended", " 5 ", "5"),
        *found("C18", "warning", range(20, 70, 2), "with_employer", "yes", "Y"),
        *found("F07", "warning", [303, 304], ""),
        *found("T08", "warning", [None], "episode_id", outcome="not judged"),
        {**found("F11", "warning", [None], "")[0], "column_letter": "K", "column_name": "Weather <b>that day</b>"},
    ],
    schema=FINDING_TYPES,
)
EARLIER = pl.DataFrame(
    [
        *found("V02", "row", range(34, 76), "contact_medium", "Carrier pigeon"),
        *found("V03", "row", range(2, 11), "duration_minutes", "999"),
    ],
    schema=FINDING_TYPES,
)
DELIVERY = Delivery(
    delivery_id="MHT-BPL_contacts_201611_v1_0f1e2d3c",
    site_code="MHT-BPL",
    programme_code="MHT",
    dataset="contacts",
    period="201611",
    version=1,
    file_name="MHT-BPL_contacts_201611_v1.xlsx",
    path="MHT-BPL/MHT-BPL_contacts_201611_v1.xlsx",
    sheet="Contacts",
    sha256="0f1e2d3c" * 8,
    bytes=31_415,
    received_at=datetime(2016, 12, 2, 16, 12, tzinfo=UTC),
    data_cut_date=date(2016, 11, 30),
)
VERDICT = Verdict(Result.HELD_ROWS, Counts(303, 246, 55, 0, 2), "", "Contacts", 1, (), "a1b2c3d4e5f6")
REPORT = delivery_report(
    DELIVERY,
    VERDICT,
    FINDINGS,
    (EARLIER, "MHT-BPL_contacts_201610_v1_99887766-a1b2c3d4e5f6"),
    datetime(2016, 12, 9, 17),
    {"id": "20161203T033000", "code_version": "0.1.0", "started_at": datetime(2016, 12, 3, 3, 30, tzinfo=UTC)},
)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("contacts.html", render_html(REPORT)),
        ("contacts.report.json", report_json(REPORT)),
        ("contacts.findings.csv", findings_csv(REPORT, FINDINGS)),
    ],
)
def test_the_report_is_the_golden_one(name: str, made: str) -> None:
    golden = HERE / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(made.encode())
    assert made.encode() == golden.read_bytes()


def test_the_order_of_findings_does_not_matter() -> None:
    shuffled = FINDINGS.sample(fraction=1, shuffle=True, seed=7)
    again = delivery_report(DELIVERY, VERDICT, shuffled, run=REPORT.run)
    once = delivery_report(DELIVERY, VERDICT, FINDINGS, run=REPORT.run)
    assert report_json(again) == report_json(once)
    assert findings_csv(again, shuffled) == findings_csv(once, FINDINGS)
