"""Reports name columns by their titles, and propose entries of a long code list for a value that is not on it."""

from __future__ import annotations

import json

import pytest
from data_folder import WMCA, DataFolder, valid_row, valid_rows
from soak import in_soak

from flows.commands.check import check_file
from flows.reporting.render import render_html
from schemas._contract.catalogue import datasets
from schemas._contract.expected import LONGEST_LIST_IN_FULL

FORMATS = ("csv", *in_soak("xlsx"))
LONG = {
    "referrals": ("source_of_referral", "Job centre plus", "M5 (Jobcentre Plus)"),
    "participants": ("ethnic_category", "Pakistani", "J (Pakistani)"),
}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", LONG)
def test_the_nearest_of_a_long_list_are_proposed(folder: DataFolder, dataset: str, suffix: str) -> None:
    field, value, entry = LONG[dataset]
    value = f"{value} review"
    assert len(datasets()[dataset].by_name[field].code_list.entries) > LONGEST_LIST_IN_FULL
    rows = [*valid_rows(dataset, *range(1, 20)), valid_row(dataset, 20, **{field: value})]
    checked = check_file(folder.send(dataset, rows, suffix=suffix))
    [near] = next(i.nearest for i in checked.reports[0].items if i.field == field)
    assert near.found == value and entry in near.entries and len(near.entries) <= 3
    for text in (checked.text, json.loads(checked.report_json)["rules"][0]["fix"]):
        assert f"Nearest to {value} on the list: " in text and entry in text
    assert "on the list: " in render_html(checked.reports[0])


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_is_proposed_for_a_hidden_value_nor_from_a_short_list(folder: DataFolder, suffix: str) -> None:
    rows = [*valid_rows("referrals", *range(1, 20)), valid_row("referrals", 20, source_of_referral="Sarah Jobcentre")]
    hidden = check_file(folder.send("referrals", rows, suffix=suffix))
    assert "hidden (may be personal data)" in hidden.text and "Nearest to" not in hidden.text
    rows = [*valid_rows("contacts", *range(1, 20)), valid_row("contacts", 20, contact_medium="by telephone call")]
    short = check_file(folder.send("contacts", rows, suffix=suffix))
    assert "02 (Telephone)" in short.text and "Nearest to" not in short.text


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("dataset", "site"), [("contacts", "MHT-BPL"), ("randomisation", WMCA)])
def test_a_column_has_its_title_beside_its_name(folder: DataFolder, dataset: str, site: str, suffix: str) -> None:
    field, title = {
        "contacts": ("contact_medium", "Contact medium"),
        "randomisation": ("trial_group", "Trial group"),
    }[dataset]
    bad = valid_row(dataset, 20, site, **{field: "no such code"})
    checked = check_file(folder.send(dataset, [*valid_rows(dataset, 1, 2, site=site), bad], site=site, suffix=suffix))
    assert f", {title} ({field}), row 4" in checked.text
    [rule] = [r for r in json.loads(checked.report_json)["rules"] if r["field"] == field]
    assert rule["field_title"] == title


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", ["contacts", "referrals", "participants"])
def test_unknown_columns_are_one_item_that_names_them(folder: DataFolder, dataset: str, suffix: str) -> None:
    extra = {f"Extra column {n}": "1" for n in ("one", "two", "three", "four")}
    checked = check_file(folder.send(dataset, [valid_row(dataset, n) | extra for n in (1, 2)], suffix=suffix))
    [rule] = [r for r in json.loads(checked.report_json)["rules"] if r["rule_id"] == "F11"]
    assert [column["column"] for column in rule["columns"]] == [*extra]
    for text in (checked.text, render_html(checked.reports[0])):
        assert text.count("A column that is not in the guide was left out") == 1
        assert "4 columns, " in text


def test_one_unknown_column_is_named_by_its_heading(folder: DataFolder) -> None:
    rows = [valid_row("contacts", n) | {"Extra column": "1"} for n in (1, 2)]
    text = check_file(folder.send("contacts", rows)).text
    assert "(Extra column)" in text and "1 columns" not in text
