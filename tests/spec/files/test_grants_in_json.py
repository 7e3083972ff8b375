"""360Giving's JSON is read as its spreadsheets are: a row for each grant. Source: docs/domain.md 3.4."""

from __future__ import annotations

import copy
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import workbook_bytes
from commands import pilots_in_process
from file_validator import ValidatedFile, Validator, as_csv, awards

from flows.deliveries.extract import UnreadableFile
from flows.steps.read.grants import package
from flows.steps.read.grants.package import grants_of
from schemas.core.funding_awards import ITSELF

GRANT: dict[str, Any] = {
    "id": "360G-madeup-1",
    "title": "Made up",
    "description": "Made up for this test",
    "currency": "GBP",
    "amountAwarded": 1100000.5,
    "awardDate": "2016-04-01",
    "plannedDates": [{"startDate": "2016-05-01", "endDate": "2017-04-30", "duration": 12}],
    "recipientOrganization": [{"id": "GB-CHC-1000000", "name": "A made-up charity"}],
    "fundingOrganization": [{"id": "GB-COH-09506232", "name": "A made-up funder"}],
    "beneficiaryLocation": [{"name": "Blackpool", "geoCode": "E06000009", "geoCodeType": "UA"}],
    "grantProgramme": [{"code": "W", "title": "Work"}],
    "dataSource": "https://example.org/grants",
}
FIELDS = {
    "award_id": "360G-madeup-1",
    "award_stage": "awarded",
    "area_name": "Blackpool",
    "la_codes": "E06000009",
    "funding_org_id": "GB-COH-09506232",
    "funding_org_name": "A made-up funder",
    "recipient_org_id": "GB-CHC-1000000",
    "recipient_org_name": "A made-up charity",
    "grant_programme": "Work",
    "amount": Decimal("1100000.50"),
    "award_date": date(2016, 4, 1),
    "start_date": date(2016, 5, 1),
    "end_date": date(2017, 4, 30),
    "planned_months": Decimal(12),
    "source_document": "https://example.org/grants",
}


def grant(number: int = 1, **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(GRANT) | {"id": f"360G-madeup-{number}"} | changes


def sent(validate: Validator, *grants: Any, **metadata: Any) -> ValidatedFile:
    content = json.dumps({**metadata, "grants": grants})
    return validate(content, "funding_awards", "GRANTNAV", suffix="json")


def fields_of(outcome: ValidatedFile, row: int = 0) -> dict[str, Any]:
    return {name: outcome.values[row][name] for name in FIELDS}


def test_a_grant_in_json_fills_every_field_that_the_dataset_has_for_it(validate: Validator) -> None:
    outcome = sent(validate, GRANT, grant(2))
    assert (outcome.result, outcome.accepted) == ("accepted", [2, 3])
    assert fields_of(outcome) == FIELDS
    left_out = {f.column for f in outcome.findings}
    assert {f.rule for f in outcome.findings} == {"F11"}  # no heading of the standard is to be retyped
    assert left_out == {"title", "description", "grantProgramme/code", "beneficiaryLocation/geoCodeType"}


def test_a_fault_is_found_at_its_grant_and_path(validate: Validator, tmp_path: Path) -> None:
    wrong = [{"id": "GB-COH-9506232", "name": "A made-up charity"}]
    outcome = sent(validate, GRANT, grant(2), grant(3, recipientOrganization=wrong))
    assert [(f.rule, f.row, f.column) for f in outcome.findings if f.row] == [("M05", 4, "recipientOrganization/id")]
    path = tmp_path / "GRANTNAV_funding_awards_201611_v1.json"
    path.write_text(json.dumps({"grants": [GRANT, grant(2), grant(3, recipientOrganization=wrong)]}))
    shown = pilots_in_process("check", str(path), "--to", str(tmp_path / "out"))
    assert "(recipientOrganization/id), grant 3\n" in shown.stdout
    folder = tmp_path / "out" / "GRANTNAV"
    page = (folder / f"{path.stem}.html").read_text()
    assert "Grants are numbered from 1 in the order of the file." in page
    # the marked workbook has the grants as rows, and comes in once it is fixed
    book = openpyxl.load_workbook(folder / f"{path.stem}_to_fix.xlsx")
    sheet = book["funding_awards"]
    [cell] = [c for c in sheet[4] if c.value == "GB-COH-9506232"]
    cell.value = "GB-CHC-1000000"
    book.save(tmp_path / "fixed.xlsx")
    returned = validate((tmp_path / "fixed.xlsx").read_bytes(), "funding_awards", "GRANTNAV", suffix="xlsx")
    assert (returned.accepted, fields_of(returned)) == ([2, 3, 4], FIELDS)


def test_several_of_a_kind_become_one_cell(validate: Validator) -> None:
    several = grant(
        beneficiaryLocation=[{"name": "Leeds", "geoCode": "E08000035"}, {"name": "York", "geoCode": "E06000014"}],
        fundingOrganization=[{"id": "GB-CHC-1000001", "name": "One"}, {"id": "GB-CHC-1000002", "name": "Two"}],
        plannedDates=[
            {"startDate": "2017-01-01", "endDate": "2017-12-31", "duration": 12},
            {"startDate": "2016-01-01", "endDate": "2016-12-31", "duration": 11},
        ],
    )
    row = fields_of(sent(validate, several))
    assert (row["area_name"], row["la_codes"]) == ("Leeds;York", "E08000035;E06000014")
    assert (row["funding_org_name"], row["funding_org_id"]) == ("One;Two", None)
    assert (row["start_date"], row["end_date"]) == (date(2016, 1, 1), date(2017, 12, 31))
    assert row["planned_months"] is None


def test_numbered_columns_of_a_spreadsheet_become_one_cell_too(validate: Validator) -> None:
    places = {
        "Beneficiary Location:0:Name": "Leeds",
        "Beneficiary Location:0:Geographic Code": "E08000035",
        "Beneficiary Location:1:Name": "York",
        "Beneficiary Location:1:Geographic Code": "E06000014",
        "Recipient Org:0:Identifier": "GB-CHC-1000001",
        "Recipient Org:1:Identifier": "",
    }
    outcome = validate(as_csv(awards(places, {**places, "Recipient Org:1:Identifier": "GB-CHC-1000002"})),
                       "funding_awards", "GRANTNAV")  # fmt: skip
    assert outcome.result == "accepted" and {f.rule for f in outcome.findings} == {"F10"}
    assert [r["area_name"] for r in outcome.values] == ["Leeds;York"] * 2
    assert [r["la_codes"] for r in outcome.values] == ["E08000035;E06000014"] * 2
    assert [r["recipient_org_id"] for r in outcome.values] == ["GB-CHC-1000001", None]


def test_a_place_without_an_area_code_is_held_only_for_a_programme(validate: Validator) -> None:
    postcode = {"beneficiaryLocation": [{"geoCode": "N1 9AL"}]}
    outcome = sent(validate, grant(1, **postcode), grant(2, **postcode, programme_code="MWW"))
    assert [(f.rule, f.severity, f.row) for f in outcome.findings if f.row] == [
        ("V04", "warning", 2),
        ("V04", "row", 3),
    ]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("12785625.01", "12785625.01"),  # as a float it is 12785625.0099999997...
        ("1.1e6", "1100000"),
        ('"30,000"', "30000"),
        ("9999999999.99", "9999999999.99"),
    ],
)
def test_an_amount_is_exact(validate: Validator, written: str, amount: str) -> None:
    content = json.dumps({"grants": [GRANT]}).replace("1100000.5", written)
    outcome = validate(content, "funding_awards", "GRANTNAV", suffix="json")
    assert [r["amount"] for r in outcome.values] == [Decimal(amount)]


@pytest.mark.parametrize(
    ("metadata", "source"),
    [
        ({"publisher": {"name": "A made-up funder", "website": "https://example.org"}}, "https://example.org"),
        ({"accessURL": "https://example.org/data", "title": "Grants"}, "https://example.org/data"),
    ],
)
def test_a_grant_without_a_source_has_its_packages(validate: Validator, metadata: Any, source: str) -> None:
    outcome = sent(validate, grant(dataSource=None), grant(2), **metadata)
    assert [r["source_document"] for r in outcome.values] == [source, "https://example.org/grants"]


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_a_funders_file_without_a_source_is_its_own_and_an_offices_is_not(validate: Validator, suffix: str) -> None:
    grant_alone = {name: value for name, value in GRANT.items() if name != "dataSource"}
    row = {name: value for name, value in awards({})[0].items() if name != "source_document"}
    content = json.dumps({"grants": [grant_alone]}) if suffix == "json" else as_csv([row])
    funder = validate(content, "funding_awards", "GRANTNAV", suffix=suffix)
    assert [r["source_document"] for r in funder.values] == [ITSELF]
    office = validate(content, "funding_awards", "PMO", suffix=suffix)
    assert [(f.rule, f.severity, f.row) for f in office.findings if f.row] == [("V01", "row", 2)]


def test_nothing_is_lost_of_unusual_text(validate: Validator) -> None:
    odd = [{"id": "GB-CHC-1000000", "name": "Caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{SNOWMAN} \ud800 end"}]
    outcome = sent(validate, grant(recipientOrganization=odd, **{"of our own": {"deep": [[["x"]], True, None]}}))
    assert outcome.values[0]["recipient_org_name"] == "Café \N{SNOWMAN} \N{REPLACEMENT CHARACTER} end"
    assert outcome.is_conserved


WHOLE = json.dumps({"version": "1.1", "grants": [GRANT, grant(2)], "publisher": {"name": "A made-up funder"}}, indent=1)


@pytest.mark.parametrize(
    ("content", "rule", "found"),
    [
        ('{"grants": []}', "F01", None),
        ("[]", "U05", "it begins with a list, not with an object that has one"),
        (f"[{json.dumps(GRANT)}]", "U05", "it begins with a list, not with an object that has one"),
        ("{}", "U05", "it has no list called 'grants'"),
        ('{"releases": [{"id": "1"}]}', "U05", "it has no list called 'grants'"),
        ('{"grants": {"id": "1"}}', "U05", "'grants' is no list"),
        ('{"grants": [], "grants": []}', "U05", "'grants' is there twice"),
        ('{"grants": [{"id": "1"}, "2"]}', "U05", "grant 2 is no object"),
        ('{"grants": [{"name": "1"}]}', "U05", "its grants have none of 360Giving's names"),
        (WHOLE[:-30], "U01", "it was cut off: its end is missing"),
        (WHOLE.replace('"2016-05-01"', "2016-05-01"), "U01",
         "it is not JSON from line 13, character 23 on: expecting ',' delimiter"),
        (WHOLE.replace('"currency": "GBP",', '"currency": "GBP"', 1), "U01",
         "it is not JSON from line 9, character 4 on: expecting ',' delimiter"),
        (WHOLE.replace("1100000.5", "NaN"), "U01", None),
        (WHOLE + "{}", "U01", "it is not JSON from line 90, character 2 on: there is more after its end"),
        (WHOLE.replace('"title"', '"currency"', 1), "U01", "grant 1 has a key twice"),
        ('{"grants": [' + "[" * 100_000, "U01", "grant 1 has too many lists within lists"),
        (b'{"grants": [{"id": "\xff"}]}', "F02", None),
        ("award_id,amount\n1,2\n", "F15", "plain text, such as CSV, not a JSON file"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(
    validate: Validator, content: str | bytes, rule: str, found: str | None
) -> None:
    outcome = validate(content, "funding_awards", "GRANTNAV", suffix="json")
    [finding] = [f for f in outcome.findings if f.severity == "file"]
    assert finding.rule == rule and (found is None or finding.found == found)


def test_json_under_another_name_is_recognised(validate: Validator) -> None:
    outcome = validate(WHOLE, "funding_awards", "GRANTNAV", suffix="csv")
    assert [(f.rule, f.found) for f in outcome.findings] == [("F15", "a JSON file, not CSV")]
    zipped = workbook_bytes.zip_of({"grants.json": WHOLE.encode()})
    assert validate(zipped, "funding_awards", "GRANTNAV", suffix="zip").accepted == [2, 3]


def test_a_file_is_read_the_same_in_pieces_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grants.json"
    path.write_text(WHOLE.replace("Made up", "Made \\u00e9 up").replace("1100000.5", "123456789.25"))
    metadata: dict[str, Any] = {}
    whole = list(grants_of(path, metadata))
    assert metadata == {"version": "1.1", "publisher": {"name": "A made-up funder"}}
    assert whole[0]["amountAwarded"] == "123456789.25"
    for piece in (1, 2, 3, 7, 50, 333):
        monkeypatch.setattr(package, "PIECE", piece)
        again: dict[str, Any] = {}
        assert list(grants_of(path, again)) == whole and again == metadata


def test_a_file_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grants.json"
    for end in range(1, len(WHOLE), 3):
        path.write_text(WHOLE[:end])
        with pytest.raises(UnreadableFile) as refused:
            list(grants_of(path, {}))
        assert (refused.value.rule_id, refused.value.found) == ("U01", "it was cut off: its end is missing"), end


def test_one_grant_has_a_limit_and_a_file_none(
    tmp_path: Path, validate: Validator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "PIECE", 100)
    monkeypatch.setattr(package, "LONGEST_VALUE", 2_000)
    assert len(sent(validate, *map(grant, range(1, 60))).accepted) == 59
    outcome = sent(validate, GRANT, grant(2, description="x" * 9_000))
    assert [(f.rule, f.found) for f in outcome.findings] == [("U01", "grant 2 has over 2,000 characters")]


@pytest.mark.real
def test_the_standards_own_examples_are_read(real_files: Path, validate: Validator) -> None:
    folder = real_files / "360giving" / "fixtures"
    outcomes = {
        path.stem: validate(path.read_bytes(), "funding_awards", "GRANTNAV", "202501", suffix="json")
        for path in sorted(folder.glob("*.json"))
    }
    found = {name: ({f.rule for f in o.findings} - {"F11"}, o.verdict.rows.read) for name, o in outcomes.items()}
    assert found == {
        "badfile_all_validation_errors": ({"F09", "C02", "M05", "M23", "V05"}, 1),
        "fundingproviders-grants_broken_grants": ({"C02", "M05", "P04"}, 4),
        "fundingproviders-grants_fixed_2_grants": ({"C02", "M05", "P04"}, 4),
        "multiple_funder_names_org_ids": ({"M05"}, 2),
        "nulls": ({"U05"}, 0),
    }
