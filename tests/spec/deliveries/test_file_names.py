"""File names: a slip that leaves one possible reading is understood, any other name is not."""

from __future__ import annotations

import pytest
from file_validator import Validator, as_csv, as_table, contacts, participants, workbook

from flows.deliveries.file_names import FileName, agreed_name, likely_stem, read_name

SLIPS = (
    "{site}_{dataset}_201603_v1 (1){end}",
    "{site}_{dataset}_201603_v1(12){end}",
    "{site}_{dataset}_201603_v1 - Copy{end}",
    "{site}_{dataset}_201603_v1 - Copy (2){end}",
    "{site}_{dataset}_201603_v1 copy 2{end}",
    "Copy of {site}_{dataset}_201603_v1{end}",
    "{lower}_{dataset}_201603_v1{end}",
    "{site}_{title}_201603_V1{end}",
    "{site} {dataset} 201603 v1{end}",
    "{site}-{hyphened}-201603-v1{end}",
    "{underscored}_{hyphened}_201603_v1{end}",
    "{site}_{dataset}_201603_v1{end}{end}",
    "{site}_{dataset}_201603_1{end}",
    "{site}_{dataset}_201603_version 01{end}",
    "{site}_{dataset}_2016-03_v1{end}",
    "{site}_{dataset}_03-2016_v1{end}",
    "{site}_{dataset}_Mar 2016_v1{end}",
    "{site}_{dataset}_March2016_v1{end}",
    " {site}__{dataset}_201603_v1 {end}",
)
AMBIGUOUS = (
    "MWW-LIN_contacts_201603.csv",  # the first version, or the next?
    "MWW-LIN_contacts_2016-03-31.csv",
    "MWW-LIN_contacts_201603_31.csv",
    "MWW-LIN_contacts_31-03-2016_v1.csv",
    "MWW-LIN_contacts_0316_v1.csv",
    "MWW-LIN_contacts_201613_v1.csv",
    "contacts_201603_v1.csv",
    "MWW-LIN contacts participants 201603 v1.csv",
    "MWW-LIN_contacts_201603_v1 final.csv",
    "MWW-LIN_contacts_201603_v1 John Smith.csv",
    "MWW-LIN_contacts_201603_v1 9434765919.csv",
    "MWW-LIN_contacts_201603_v1_to_fix.xlsx",
    "MWW-LIN_contacts_201603_v1.xlsx.csv",
    "MWW-LIN_cont\u00e4cts_201603_v1 (1).csv",
    "MWW-LIN_contacts_201603_v1 `(1).csv",
    "MWW-LIN_contacts_201603_v1",
    "November.csv",
)


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize(
    ("site", "dataset", "end"),
    [
        ("MWW-LIN", "contacts", ".csv"), ("MHT-BPL", "employment_outcomes", ".xlsx"), ("HLT-WMCA", "return", ".xlsx"),
        ("PMO", "funding_awards", ".zip"),
    ],
)  # fmt: skip
def test_a_slip_that_leaves_one_reading_is_understood(slip: str, site: str, dataset: str, end: str) -> None:
    words = dataset.replace("_", " ")
    name = slip.format(
        site=site, dataset=dataset, end=end, lower=site.lower(), title=words.title(), hyphened=words.replace(" ", "-"),
        underscored=site.replace("-", "_"),
    )  # fmt: skip
    assert read_name(name) == read_name(name, site) == FileName(site, dataset, "201603", 1, end, is_agreed=False)
    assert agreed_name(name) == f"{site}_{dataset}_201603_v1{end}"
    assert read_name(name, "MHT-WLA") is None, "in another site's folder the name is reported, not corrected"


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_name_with_no_reading_or_several_is_not_understood(name: str) -> None:
    assert read_name(name) is None and agreed_name(name) == ""
    likely = likely_stem(name, "MWW-LIN")
    assert likely.startswith("MWW-LIN_") and not {"John", "9434765919", "final"} & set(likely.replace("_", " ").split())


@pytest.mark.parametrize("ending", ["csv", "CSV", "xlsx"])
def test_the_agreed_form_needs_no_guess(ending: str) -> None:
    name = f"MWW-LIN_contacts_201603_v01.{ending}"
    assert read_name(name) == FileName("MWW-LIN", "contacts", "201603", 1, f".{ending}")
    assert agreed_name(name) == ""


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("contacts march 2016 final v3.csv", "MWW-LIN_contacts_201603_v3"),
        ("MWW-LIN_contacts_201603.csv", "MWW-LIN_contacts_201603_v1"),
        ("referrals and contacts 201603.xlsx", "MWW-LIN_<dataset>_201603_v1"),
        ("Jane Smith.csv", "MWW-LIN_<dataset>_<yyyymm>_v1"),
    ],
)
def test_a_suggested_name_contains_only_what_is_certain(name: str, likely: str) -> None:
    assert likely_stem(name, "MWW-LIN") == likely


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("dataset", ["contacts", "participants"])
def test_a_corrected_name_is_reported_once(tmp_path, dataset: str, ending: str) -> None:
    rows = contacts({}) if dataset == "contacts" else participants({})
    content = as_csv(rows).encode() if ending == "csv" else workbook({"Data": as_table(rows)})
    for slip, findings in ((" (1)", 1), ("", 0)):
        outcome = Validator(tmp_path)(content, dataset=dataset, suffix=ending, name_ending=slip)
        found = [f for f in outcome.findings if f.rule == "F31"]
        assert (outcome.result, len(found)) == ("accepted", findings)
        assert all(f.found == f"MHT-BPL_{dataset}_201611_v1{slip}.{ending}" for f in found)
