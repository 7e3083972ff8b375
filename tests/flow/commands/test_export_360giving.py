"""`pilots export-360giving`: what is published and what is left out, and that nothing is lost on the way."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from commands import pilots, pilots_in_process
from data_folder import DataFolder
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from flows.commands.giving.grant import COMPOSED

ENVIRONMENT = {"PILOTS_GRANTS_PREFIX": "360G-abc", "PILOTS_GRANTS_PUBLISHER": "A made-up office"}
FULL = {
    "award_id": "360G-madeup-1",
    "award_stage": "awarded",
    "award_version": "1",
    "programme_code": "MWW",
    "about_site_code": "MWW-BRK",
    "area_name": "Made-up area",
    "la_codes": "",
    "funding_org_id": "GB-CHC-1000001",
    "funding_org_name": "A made-up funder",
    "recipient_org_id": "GB-CHC-1000002",
    "recipient_org_name": "A made-up charity",
    "grant_programme": "",
    "amount": "50000.00",
    "amount_status": "known",
    "financial_year": "",
    "award_date": "2015-04-01",
    "start_date": "",
    "end_date": "",
    "planned_months": "",
    "supersedes_award_id": "",
    "source_document": "Made up for this test",
}
UNKNOWN_PARTIES = {"funding_org_id": "", "funding_org_name": "One; The Two", "recipient_org_id": ""}
SENT = {
    "PMO": [
        {"financial_year": "2015-16", "start_date": "2015-05-01", "end_date": "2016-04-30", "planned_months": "12"},
        {"award_id": "OWN-2", "la_codes": "E08000001;E09000009", "amount": "1234567.89", **UNKNOWN_PARTIES},
        {"award_id": "360G-madeup-3", "award_version": "1", "amount": "30000"},
        {"award_id": "360G-madeup-3", "award_version": "2", "amount": "35000.50"},
        {"award_id": "360G-madeup-3", "award_stage": "varied", "amount": "-5000"},
        {"award_id": "360G-madeup-3", "award_stage": "closed", "amount": "29000"},
        {"award_id": "360G-madeup-4", "award_stage": "indicative_cap"},
        {"award_id": "360G-madeup-5", "award_stage": "announced"},
        {"award_id": "360G-madeup-6", "amount": "", "amount_status": "not_published"},
        {"award_id": "360G-madeup-7", "award_date": "", "recipient_org_id": "", "recipient_org_name": ""},
        {"award_id": "360G-madeup-8", "amount": "61000"},
        {"award_id": "360G-madeup-9", "amount": "62000", "supersedes_award_id": "360G-madeup-8"},
    ],
    "MWW-BRK": [{"amount": "49000.00"}],
    "GRANTNAV": [{"award_id": "360G-other-1", "programme_code": "", "about_site_code": "", "la_codes": "E05000026"}],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder with awards of three senders, made up."""
    folder = DataFolder(tmp_path_factory.mktemp("giving") / "data")
    for site, changes in SENT.items():
        folder.send("funding_awards", [FULL | change for change in changes], site=site)
    folder.run()
    assert folder.query("select count(*) from core.funding_awards") == [(14,)]
    return folder


class Exported:
    """A package on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about = json.loads((folder / "metadata.json").read_text())
        self.left_out = list(csv.DictReader(io.StringIO((folder / "not_exported.csv").read_text())))

    @property
    def package(self) -> dict[str, Any]:
        return json.loads((self.folder / "grants.json").read_text(), parse_float=Decimal)

    @property
    def grants(self) -> dict[str, dict[str, Any]]:
        return {grant["id"]: grant for grant in self.package["grants"]}

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((self.folder / "grants.csv").read_text())))


def exported(data: DataFolder, to: Path, *options: str) -> Exported:
    ran = pilots_in_process("export-360giving", str(to), "--data", str(data.path), *options, **ENVIRONMENT)
    assert ran.returncode == 0, ran.stderr
    return Exported(to)


@pytest.fixture(scope="module")
def ours(built: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The programmes' own awards."""
    return exported(built, tmp_path_factory.mktemp("out") / "ours")


def test_the_awards_that_the_figures_count_are_published_with_exact_amounts(ours: Exported) -> None:
    assert {i: g["amountAwarded"] for i, g in ours.grants.items()} == {
        "360G-madeup-1": 50000,
        "360G-madeup-3": Decimal("35000.5"),
        "360G-madeup-9": 62000,
        "360G-abc-OWN-2-of-MWW-BRK": Decimal("1234567.89"),
    }
    assert (ours.about["grants"], ours.about["total_gbp"]) == (4, "1381568.39")
    assert {(r["Identifier"], Decimal(r["Amount Awarded"])) for r in ours.rows} == {
        (i, g["amountAwarded"]) for i, g in ours.grants.items()
    }


def test_every_other_record_is_listed_with_its_reason(ours: Exported, built: DataFolder) -> None:
    found = {(r["award_id"], r["award_stage"], r["sender_code"]): r["reason"] for r in ours.left_out}
    assert found == {
        ("360G-madeup-1", "awarded", "MWW-BRK"): "the record of PMO counts",
        ("360G-madeup-3", "awarded", "PMO"): "a later version replaces it",
        ("360G-madeup-3", "varied", "PMO"): "a change of an award: only the amount first agreed is published",
        ("360G-madeup-3", "closed", "PMO"): "a final value: only the amount first agreed is published",
        ("360G-madeup-4", "indicative_cap", "PMO"): "a limit ('up to'), not an award",
        ("360G-madeup-5", "announced", "PMO"): "an announcement, not an award",
        ("360G-madeup-6", "awarded", "PMO"): "its amount is not published",
        ("360G-madeup-7", "awarded", "PMO"): "no award date and no recipient is on record",
        ("360G-madeup-8", "awarded", "PMO"): "the award 360G-madeup-9 replaces it",
    }
    records = built.query("select count(*) from funding.award_records where programme_code is not null")
    assert records == [(len(ours.grants) + len(ours.left_out),)]


def test_a_grant_has_all_that_is_known_of_it(ours: Exported) -> None:
    assert ours.grants["360G-madeup-1"] == {
        "id": "360G-madeup-1",
        "title": "Grant to A made-up charity: Making Work Work",
        "description": "£50,000.00 awarded by A made-up funder to A made-up charity. Programme: Making Work Work."
        f" Area: Made-up area. Financial year: 2015-16. Source: Made up for this test. {COMPOSED}",
        "currency": "GBP",
        "amountAwarded": 50000,
        "awardDate": "2015-04-01",
        "plannedDates": [{"startDate": "2015-05-01", "endDate": "2016-04-30", "duration": 12}],
        "recipientOrganization": [{"id": "GB-CHC-1000002", "name": "A made-up charity"}],
        "beneficiaryLocation": [{"name": "Made-up area"}],
        "fundingOrganization": [{"id": "GB-CHC-1000001", "name": "A made-up funder"}],
        "grantProgramme": [{"code": "MWW", "title": "Making Work Work"}],
    }


def test_councils_are_locations_and_unidentified_organisations_have_our_prefix(ours: Exported) -> None:
    grant = ours.grants["360G-abc-OWN-2-of-MWW-BRK"]
    assert grant["beneficiaryLocation"] == [
        {"name": "Bolton", "countryCode": "GB", "geoCode": "E08000001", "geoCodeType": "MD"},
        {"name": "Ealing", "countryCode": "GB", "geoCode": "E09000009", "geoCodeType": "LONB"},
    ]
    assert grant["fundingOrganization"] == [
        {"id": "360G-abc-org-one", "name": "One"},
        {"id": "360G-abc-org-the-two", "name": "The Two"},
    ]
    assert grant["recipientOrganization"] == [{"id": "360G-abc-org-a-made-up-charity", "name": "A made-up charity"}]
    (row,) = (r for r in ours.rows if r["Identifier"] == grant["id"])
    assert (row["Beneficiary Location:1:Geographic Code"], row["Funding Org:1:Name"]) == ("E09000009", "The Two")


def test_the_package_says_what_it_is(ours: Exported) -> None:
    package = ours.package
    assert package["publisher"] == {"name": "A made-up office"} and package["version"] == "1.4"
    for file in ours.about["files"]:
        content = (ours.folder / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    assert {f["name"] for f in ours.about["files"]} == {p.name for p in ours.folder.iterdir()} - {"metadata.json"}
    assert "4 grants of £1,381,568.39 to 2 recipients" in (ours.folder / "README.md").read_text()


def test_another_funders_grants_are_published_only_when_asked_for(
    built: DataFolder, tmp_path: Path, ours: Exported
) -> None:
    assert "360G-other-1" not in ours.grants
    others = exported(built, tmp_path / "others", "--sender", "GRANTNAV")
    assert list(others.grants) == ["360G-other-1"] and others.left_out == []
    assert others.grants["360G-other-1"]["beneficiaryLocation"][0]["geoCodeType"] == "WD"
    of_the_site = exported(built, tmp_path / "site", "--sender", "MWW-BRK", "--programme", "MWW")
    assert of_the_site.grants["360G-madeup-1"]["amountAwarded"] == 49000


def test_what_cannot_be_published_is_refused_before_anything_is_written(built: DataFolder, tmp_path: Path) -> None:
    to, data = tmp_path / "out", ("--data", str(built.path))
    without_prefix = pilots("export-360giving", str(to), *data)
    assert (without_prefix.returncode, to.exists()) == (3, False)
    assert without_prefix.stderr.startswith("1 award cannot be published without the prefix")
    for options, message in (
        (("--sender", "NOBODY"), "There is no sender called NOBODY."),
        (("--programme", "XYZ"), "There is no programme called XYZ."),
    ):
        ran = pilots_in_process("export-360giving", str(to), *data, *options)
        assert (ran.returncode, to.exists()) == (2, False) and message in ran.stderr
    to.mkdir()
    (to / "something").touch()
    assert pilots_in_process("export-360giving", str(to), *data).returncode == 2
    assert [p.name for p in to.iterdir()] == ["something"]
    none = pilots_in_process("export-360giving", str(tmp_path / "none"), *data, "--programme", "HLT", "--json")
    assert (none.returncode, json.loads(none.stdout)["grants"]) == (1, 0)
    assert {p.name for p in (tmp_path / "none").iterdir()} == {"not_exported.csv", "README.md", "metadata.json"}


FIELDS = (
    "award_id, amount, currency, award_date, start_date, end_date, la_codes, funding_org_id, funding_org_name,"
    " recipient_org_id, recipient_org_name"
)


def sent_again(package: Exported, data: DataFolder) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Send a package's JSON and CSV into data folders of their own; yield what each warehouse holds, by format."""
    for suffix in ("json", "csv"):
        folder = DataFolder(data.path.parent / f"again-{suffix}")
        path = folder.paths.raw / "GRANTNAV" / f"GRANTNAV_funding_awards_202212_v1.{suffix}"
        path.parent.mkdir(parents=True)
        shutil.copy(package.folder / f"grants.{suffix}", path)
        folder.run()
        yield suffix, folder.query(f"select {FIELDS}, area_name, grant_programme from core.funding_awards order by 1")


def test_what_is_exported_comes_in_again_as_it_was(ours: Exported, tmp_path: Path) -> None:
    first = None
    for _, rows in sent_again(ours, DataFolder(tmp_path / "data")):
        assert [(r[0], r[1]) for r in rows] == sorted((i, g["amountAwarded"]) for i, g in ours.grants.items())
        by_id = {r[0]: r for r in rows}
        assert by_id["360G-abc-OWN-2-of-MWW-BRK"][6] == "E08000001;E09000009"
        assert [str(d) for d in by_id["360G-madeup-1"][3:6]] == ["2015-04-01", "2015-05-01", "2016-04-30"]
        assert first is None or rows == first
        first = rows


@pytest.fixture(scope="module")
def funder(tmp_path_factory: pytest.TempPathFactory, real_files: Path) -> tuple[DataFolder, Exported]:
    """The warehouse of a funder's published workbook, and its package."""
    data = DataFolder(tmp_path_factory.mktemp("funder") / "data")
    path = data.paths.raw / "GRANTNAV" / "GRANTNAV_funding_awards_202212_v1.xlsx"
    path.parent.mkdir(parents=True)
    shutil.copy(next((real_files / "360giving" / "real").glob("ABCT_*.xlsx")), path)
    data.run()
    return data, exported(data, data.path.parent / "out", "--sender", "GRANTNAV")


@pytest.mark.real
def test_a_funders_workbook_goes_in_and_out_without_losing_a_grant_or_a_penny(
    funder: tuple[DataFolder, Exported],
) -> None:
    data, package = funder
    assert {n: package.about[n] for n in ("grants", "total_gbp", "recipients", "records_left_out")} == {
        "grants": 783, "total_gbp": "12785625.00", "recipients": 322, "records_left_out": 0,
    }  # fmt: skip
    workbook = data.query(f"select {FIELDS}, area_name, grant_programme from core.funding_awards order by 1")
    assert len(workbook) == 783 and sum(r[1] for r in workbook) == 12_785_625
    for suffix, rows in sent_again(package, data):
        assert rows == workbook, suffix


@pytest.mark.real
def test_packages_are_valid_by_the_schema_of_the_standard(
    funder: tuple[DataFolder, Exported], ours: Exported, real_files: Path
) -> None:
    errors = schema_errors(real_files / "360giving" / "schema")
    assert errors(funder[1].package) == errors(ours.package) == []
    broken = ours.package
    del broken["grants"][0]["awardDate"]
    assert errors(broken)  # the schema is really applied
    listed = {r["Code"] for r in csv.DictReader((real_files / "360giving" / "codelists" / "geoCodeType.csv").open())}
    used = {place.get("geoCodeType") for g in ours.grants.values() for place in g["beneficiaryLocation"]}
    assert used - {None} <= listed


def schema_errors(folder: Path) -> Callable[[Mapping[str, Any]], list[str]]:
    """A validator by the standard's schemas. They name their dialect in a way of their own: it is 2020-12."""
    package, grant = (json.loads((folder / f"360-giving-{name}schema.json").read_text()) for name in ("package-", ""))
    registry: Registry[Any] = Registry().with_resource(
        package["properties"]["grants"]["items"]["$ref"], Resource(grant, DRAFT202012)
    )
    checker = FormatChecker()
    assert "date-time" in checker.checkers  # else a date would be valid in two ways, and be refused for that
    validator = Draft202012Validator(package, registry=registry, format_checker=checker)
    return lambda data: [e.message for e in validator.iter_errors(json.loads(json.dumps(data, default=float)))]
