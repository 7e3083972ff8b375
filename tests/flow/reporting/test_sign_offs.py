"""Sign-offs in runs: in `audit.deliveries`, on the sender's pages, and in the manifest of a file read before."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
from data_folder import BPL, DataFolder
from file_validator import Row, as_table, awards, workbook

from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import SIGN_OFF

ROWS: list[Row] = [*awards({"amount": "12000.00"}, {"amount": "500.00"})]
MATCH: Row = {
    "match_id": "BPL-M01",
    "programme_code": "MHT",
    "match_org_name": "A made-up college",
    "amount": "700.00",
    "match_stage": "pledged",
    "source_document": "Made up for this test",
}
STORED = "select dataset, version, signed_off_by_role, signed_off_on, gbp_declared from audit.deliveries order by 1, 2"


def report(folder: DataFolder, stem: str) -> tuple[str, dict[str, Any]]:
    """The page and the JSON of a report on a file of Blackpool."""
    html, data = ((folder.paths.reports / BPL / f"{stem}{end}").read_text() for end in (".html", ".report.json"))
    return html, json.loads(data)["sign_off"]


def test_each_dataset_of_a_return_has_its_own(folder: DataFolder) -> None:
    lines = [
        ["Sheet", "Dataset", "Total in pounds", "Role", "Date"],
        ["funding_awards", "", "12,500.00", "Finance lead", "2016-12-01"],
        ["match_funding", "", "", "", ""],
    ]
    sheets = {
        "funding_awards": as_table(ROWS),
        "match_funding": as_table([MATCH, {**MATCH, "match_id": "BPL-M02", "amount": "some"}]),
        SIGN_OFF: lines,
    }
    path = folder.paths.raw / BPL / f"{BPL}_return_201611_v1.xlsx"
    path.parent.mkdir(parents=True)
    path.write_bytes(workbook(sheets))
    folder.run("2016-12-02")
    assert folder.query(STORED) == [
        ("funding_awards", 1, "finance_lead", date(2016, 12, 1), Decimal("12500.00")),
        ("match_funding", 1, None, None, None),
    ]
    page, data = report(folder, f"{path.stem}_funding_awards")
    assert "Signed off by: Finance lead, 1 December 2016, total £12,500.00." in page
    assert data == {"role": "finance_lead", "on": "2016-12-01", "gbp_total": "12500.00"}
    page, data = report(folder, f"{path.stem}_match_funding")
    assert "Not signed off." in page and data == {"role": None, "on": None, "gbp_total": None}
    marked = openpyxl.load_workbook(folder.paths.reports / BPL / f"{path.stem}_to_fix.xlsx")[SIGN_OFF]
    to_fill_in = list(marked.iter_rows(min_row=6, values_only=True))
    assert to_fill_in == [
        (name, f"{datasets()[name].title}: total of amount", None, None, None)
        for name in ("funding_awards", "match_funding")
    ]


def test_one_that_is_added_to_a_manifest_validates_its_own_delivery_again(folder: DataFolder) -> None:
    sent = folder.send("funding_awards", ROWS)
    folder.send("funding_awards", ROWS, period="201610")
    folder.run("2016-12-02")
    manifest = {"signed_off_by_role": "section_151_officer", "signed_off_on": "2016-12-03"}
    folder.send("funding_awards", ROWS, manifest=manifest)
    folder.run("2016-12-05")
    assert [run["deliveries_judged"] for run in folder.ledger_runs()] == [2, 1]
    assert "Signed off by: Section 151 officer, 3 December 2016, no total stated." in report(folder, sent.stem)[0]
    folder.run("2016-12-06")  # reads the delivery from the ledger
    assert folder.query(f"select * from ({STORED}) where signed_off_on is not null") == [
        ("funding_awards", 1, "section_151_officer", date(2016, 12, 3), None)
    ]


def test_the_same_bytes_with_a_sign_off_are_no_repeat(folder: DataFolder) -> None:
    for version, manifest in enumerate((None, {"signed_off_by_role": "funder", "signed_off_on": "2016-12-01"}), 1):
        folder.send("funding_awards", ROWS, version=version, manifest=manifest)
        folder.run(f"2016-12-0{version + 1}")
    standings = {name: standing for name, (_, standing) in folder.standings("funding_awards").items()}
    assert standings == {"201611 v1": "superseded", "201611 v2": "current"}
    assert folder.query(STORED)[1][2:4] == ("funder", date(2016, 12, 1))


def test_a_name_in_place_of_a_role_keeps_the_file_out_and_is_shown_nowhere(folder: DataFolder) -> None:
    folder.send("funding_awards", ROWS, manifest={"signed_off_by_role": "Joan Madeup"})
    [unusable] = folder.run("2016-12-02").unusable
    assert unusable.rule_id == "F16" and "the list approving_role" in unusable.reason
    stored = [p for p in folder.path.rglob("*") if p.is_file() and folder.paths.raw not in p.parents]
    assert not any(b"Madeup" in p.read_bytes() for p in stored)
