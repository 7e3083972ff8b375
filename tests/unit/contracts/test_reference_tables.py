"""The registry and the code lists are consistent: every code, site and area that is referred to exists."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from schemas._contract import registry
from schemas._contract.catalogue import datasets, reference_csv
from schemas._contract.code_lists import CodeList, all_code_lists, fold
from schemas._contract.model import Contract, Kind
from schemas.core import (
    areas,
    codes,
    control_totals,
    funding_readings,
    minimum_wages,
    outcome_definitions,
    programmes,
    return_calendar,
    returns,
    site_areas,
    site_headings,
    sites,
)

CONTRACTS = [
    m.CONTRACT
    for m in (
        areas,
        control_totals,
        funding_readings,
        minimum_wages,
        outcome_definitions,
        programmes,
        return_calendar,
        returns,
        site_areas,
        site_headings,
        sites,
    )
]
OFFICES = {"PMO", "NHSE", "GRANTNAV"}


def dataset_name(contract: Contract) -> str:
    return contract.dataset


def list_name(entries: CodeList) -> str:
    return entries.name


@pytest.mark.parametrize("contract", CONTRACTS, ids=dataset_name)
def test_rows_match_their_contract(contract: Contract) -> None:
    content = registry.rows(contract.dataset)
    assert reference_csv(contract.dataset).exists() and contract.reference
    assert list(content[0]) == [f.name for f in contract.fields]
    for row in content:
        for field in contract.fields:
            value = row[field.name]
            assert value or not field.required, (row, field.name)
            assert value == value.strip()
            if value and field.kind is Kind.CODE:
                assert value in field.code_list.codes, (row, field.name)
            elif value and field.kind is Kind.INTEGER:
                int(value)
            elif value and field.kind in (Kind.DATE, Kind.TIMESTAMP):
                datetime.fromisoformat(value)


@pytest.mark.parametrize("contract", CONTRACTS, ids=dataset_name)
def test_keys_are_unique(contract: Contract) -> None:
    keys = Counter(tuple(row[k] for k in contract.key) for row in registry.rows(contract.dataset))
    assert max(keys.values()) == 1, keys.most_common(1)


@pytest.mark.parametrize("contract", [*CONTRACTS, codes.CONTRACT], ids=dataset_name)
def test_every_field_is_described(contract: Contract) -> None:
    assert contract.title and contract.description and contract.grain
    assert all(f.title and f.description for f in contract.fields)


@pytest.mark.parametrize("code_list", all_code_lists(), ids=list_name)
def test_no_spelling_is_shared_by_two_codes(code_list: CodeList) -> None:
    assert len(set(code_list.codes)) == len(code_list.codes)
    means: dict[str, str] = {}
    for entry in code_list.entries:
        assert entry.label and entry.source, entry
        for text in (entry.code, entry.label, *entry.aliases):
            assert fold(text), f"{entry.code}: '{text}' has no letter or digit"
            assert means.setdefault(fold(text), entry.code) == entry.code, text


@pytest.mark.parametrize("code_list", all_code_lists(), ids=list_name)
def test_a_code_that_took_the_place_of_another_is_listed_and_in_use_when_that_one_ends(code_list: CodeList) -> None:
    by_code = {e.code: e for e in code_list.entries}
    for entry in code_list.entries:
        assert (entry.valid_from or date.min) <= (entry.valid_to or date.max), entry
        if entry.active_code:
            assert entry.active_code != entry.code
            assert not entry.dates or (entry.valid_to and entry.valid_to < date.max), "a code that was replaced ends"
            assert not entry.valid_to or by_code[entry.active_code].is_in_use(entry.valid_to + timedelta(1)), entry


def test_names_in_the_registry_are_unique() -> None:
    for contract in (areas, sites, programmes, outcome_definitions):
        dataset = contract.CONTRACT.dataset
        code, label = (f.name for f in contract.CONTRACT.fields[:2])
        names = Counter(fold(row[label]) for row in registry.rows(dataset))
        assert max(names.values()) == 1, (dataset, names.most_common(1))
        assert code == contract.CONTRACT.key[0]


def test_all_seven_programmes_have_sites_and_returns() -> None:
    assert list(registry.programmes()) == ["MHT", "PWW", "IPSIAPT", "MWW", "HLT", "WC", "ATW"]
    served = Counter(s.programme_code for s in registry.sites().values())
    for programme in registry.programmes():
        assert served[programme] >= 1
    assert {"MHT": 4, "PWW": 3, "IPSIAPT": 4, "MWW": 6, "HLT": 2, "WC": 28, "ATW": 1}.items() <= served.items()
    for site in registry.sites():
        assert set(registry.returns_for(site).values()) & {registry.REQUIRED, registry.OPTIONAL}, site


def test_only_offices_belong_to_no_programme() -> None:
    assert {s.code for s in registry.sites().values() if not s.programme_code} == OFFICES
    assert {s.code for s in registry.sites().values() if not s.is_pilot} == OFFICES


def test_returns_lists_every_dataset_for_every_sender() -> None:
    datasets_of: dict[str, set[str]] = {}
    for row in registry.rows("returns"):
        datasets_of.setdefault(row["sender"], set()).add(row["dataset"])
    whole = set(registry.programmes()) | OFFICES
    assert whole <= set(datasets_of)
    assert len({frozenset(datasets_of[sender]) for sender in whole}) == 1
    assert set(datasets_of) - whole <= set(registry.sites())  # sites that differ from their programme in some dataset


def test_a_sites_own_returns_come_before_those_of_its_programme() -> None:
    assert registry.returns_for("MHT-WLA")["fidelity_reviews"] == registry.REQUIRED
    assert registry.returns_for("MHT-BPL")["fidelity_reviews"] == registry.NONE
    assert registry.returns_for("MHT-WLA")["referrals"] == registry.returns_for("MHT-BPL")["referrals"]


def test_sites_serve_the_published_areas() -> None:
    assert len(registry.areas_of("MHT-GM")) == 10
    assert len(registry.areas_of("MHT-NECA")) == 7
    assert len(registry.areas_of("MHT-WLA")) == 7
    assert len(registry.areas_of("HLT-WMCA", "residence")) == 7
    assert "E07000171" in registry.areas_of("HLT-SCR")  # Bassetlaw is outside South Yorkshire
    assert registry.areas_of("WC-CPA01") == ()


def test_site_areas_use_active_codes_only() -> None:
    retired = {r["area_code"] for r in registry.rows("areas") if r["active_code"]}
    assert not retired & {r["area_code"] for r in registry.rows("site_areas")}


def test_retired_area_codes_have_an_active_successor() -> None:
    known = {r["area_code"]: r for r in registry.rows("areas")}
    for code, row in known.items():
        if row["active_code"]:
            assert row["active_code"] != code
            assert known[row["active_code"]]["active_code"] == "", code
    expected = {
        "E08000020": "E08000037",  # Gateshead
        "E06000048": "E06000057",  # Northumberland
        "E08000016": "E08000038",  # Barnsley
        "E08000019": "E08000039",  # Sheffield
    }
    assert {code: known[code]["active_code"] for code in expected} == expected


def test_which_returns_are_due_from_a_site() -> None:
    assert registry.returns_for("HLT-SCR")["randomisation"] == registry.REQUIRED
    assert registry.returns_for("MWW-S4")["randomisation"] == registry.NONE
    assert registry.returns_for("WC-CPA28")["contacts"] == registry.OPTIONAL
    assert registry.returns_for("ATW-GB")["participants"] == registry.NONE
    assert registry.returns_for("PMO")["funding_awards"] == registry.OPTIONAL
    with pytest.raises(KeyError):
        registry.returns_for("NOWHERE")


def test_every_deadline_is_on_a_working_day_at_five() -> None:
    months = [r["period"] for r in registry.rows("return_calendar")]
    assert (months[0], months[-1], len(months)) == ("201410", "202003", 66)
    for month in months:
        due = registry.due_at(month)
        assert due is not None and due.weekday() < 5 and due.hour == 17 and 9 <= due.day <= 11
    assert registry.due_at("201611") == datetime(2016, 12, 9, 17)
    assert registry.due_at("209901") is None


def test_the_next_deadline_includes_today() -> None:
    assert registry.next_due(date(2016, 12, 1)) == ("201611", datetime(2016, 12, 9, 17))
    assert registry.next_due(date(2016, 12, 9)) == ("201611", datetime(2016, 12, 9, 17))
    assert registry.next_due(date(2016, 12, 10)) == ("201612", datetime(2017, 1, 9, 17))
    assert registry.next_due(date(2030, 1, 1)) is None


def test_outcome_definitions_belong_to_known_programmes() -> None:
    for definition in registry.outcome_definitions().values():
        assert set(definition.programme_codes) <= set(registry.programmes())
    assert registry.outcome_definitions()["HLT_EMP13"].programme_codes == ("HLT",)
    assert registry.outcome_definitions()["SUST_26"].min_days == 182


def test_every_site_has_a_profile() -> None:
    assert set(registry._profiles()) == set(registry.sites())
    assert registry.profile("MHT-GM").date_order == "dmy"
    assert registry.profile("MHT-WLA").headings["contacts"]["Seen On"] == "contact_date"
    assert registry.profile("PMO") == registry.SiteProfile()


def test_site_headings_are_new_aliases_of_known_fields() -> None:
    for site, profile in registry._profiles().items():
        for dataset, headings in profile.headings.items():
            contract = datasets()[dataset]
            known = {fold(name) for f in contract.fields for name in (f.name, f.title, *f.aliases)}
            assert set(headings.values()) <= set(contract.by_name), site
            assert not known & {fold(h) for h in headings}, f"{site}: the contract knows the heading already"


def test_every_code_list_named_by_a_field_exists() -> None:
    for contract in datasets().values():
        for field in contract.fields:
            assert not field.codes or field.code_list.entries, (contract.dataset, field.name)


def test_returns_name_known_datasets() -> None:
    assert {r["dataset"] for r in registry.rows("returns")} <= set(datasets())
