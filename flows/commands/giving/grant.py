"""Write a record of an award as a grant of the 360Giving standard. Source: docs/domain.md 3.4.

The funder's own title and description are not kept in the warehouse. Both are composed here from the record's fields,
and say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flows.commands.giving.records import AwardRecord, several
from flows.runtime.wording import listed

Grant = dict[str, Any]
REGISTERED = "360G-"  # every identifier of a grant in the standard begins so
COMPOSED = "Composed from the fields of the record; the funder's own description is not held."
# The standard's types of area, by the first three characters of the code: its code list geoCodeType. A combined
# authority (E47) has none there, so its councils are listed instead.
AREA_TYPES: Mapping[str, str] = {
    "E01": "LSOA", "E02": "MSOA", "E05": "WD", "E06": "UA", "E07": "NMD", "E08": "MD", "E09": "LONB", "E10": "CTY",
    "E12": "RGN/GOR", "E14": "WPC", "E37": "LEP", "E38": "CCG", "S12": "CA", "W06": "UA",
}  # fmt: skip
_AREA_CODE = re.compile(r"[A-Z]\d{8}")
_NOT_IN_WORDS = r"[^a-z0-9]+"
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Publisher:
    """Who publishes the grants. `prefix` is the one that 360Giving registered, such as 360G-abc; '' if it has none."""

    prefix: str = ""
    name: str = ""
    licence: str = ""


def needs_prefix(record: AwardRecord) -> bool:
    """Whether the grant has an identifier that the publisher has to make with its own prefix."""
    organisations = (record.funding_org_id, record.recipient_org_id)
    return not record.award_id.startswith(REGISTERED) or not all(organisations)


def grant_of(record: AwardRecord, publisher: Publisher, area_names: Mapping[str, str]) -> Grant:
    """The grant of a record that can be published. Fields without a value are left out."""
    dates = {"startDate": record.start_date, "endDate": record.end_date}
    programme = {"code": record.programme_code, "title": record.grant_programme or record.programme_name}
    grant = {
        "id": grant_id(record, publisher),
        "title": _title(record),
        "description": _description(record),
        "currency": record.currency,
        "amountAwarded": _number(record.amount_gbp or Decimal(0)),
        "awardDate": record.award_date.isoformat() if record.award_date else "",
        "plannedDates": [
            {name: day.isoformat() for name, day in dates.items() if day}
            | ({"duration": _number(record.planned_months)} if record.planned_months else {})
        ],
        "recipientOrganization": _organisations(record.recipient_org_id, record.recipient_org_name, publisher),
        "beneficiaryLocation": _locations(record, area_names),
        "fundingOrganization": _organisations(record.funding_org_id, record.funding_org_name, publisher),
        "grantProgramme": [{name: text for name, text in programme.items() if text}],
        "dataSource": record.source_document if _ADDRESS.fullmatch(record.source_document) else "",
    }
    return {name: value for name, value in grant.items() if value not in ("", [], [{}])}


def _number(value: Decimal) -> int | float:
    """A number of JSON. It has at most 14 digits, and a float carries 15: it is written with the same digits."""
    return int(value) if value == value.to_integral_value() else float(value)


def grant_id(record: AwardRecord, publisher: Publisher) -> str:
    """The grant's identifier: the published one, or the publisher's prefix and the award's key.

    Two sites may both have an A-1. The key, 'A-1 of MHT-GM', stays the same whatever other awards there are.
    """
    if record.award_id.startswith(REGISTERED):
        return record.award_id
    return f"{publisher.prefix}-{record.award_key.replace(' ', '-')}"


def _organisations(identifier: str, names: str, publisher: Publisher) -> list[dict[str, str]]:
    """The organisations named together. One that has no identifier gets the publisher's, made of its name."""
    identifiers, each = several(identifier), several(names)
    if len(identifiers) == 1:  # then its name may hold a semicolon
        identifiers, each = [identifier], [names]
    if len(identifiers) != len(each):
        identifiers = [f"{publisher.prefix}-org-{re.sub(_NOT_IN_WORDS, '-', n.casefold()).strip('-')}" for n in each]
    return [{"id": i, "name": name} for i, name in zip(identifiers, each, strict=True)]


def _locations(record: AwardRecord, area_names: Mapping[str, str]) -> list[dict[str, str]]:
    """The areas that benefit: one for each code, named as its source or the register of areas has it."""
    codes, names = several(record.la_codes), several(record.area_name)
    if not codes:
        return [{"name": name} for name in names]
    if len(names) != len(codes):
        names = [area_names.get(code, "") for code in codes]
    return [_location(code, name) for code, name in zip(codes, names, strict=True)]


def _location(code: str, name: str) -> dict[str, str]:
    country = "GB" if _AREA_CODE.fullmatch(code) else ""
    location = {"name": name, "countryCode": country, "geoCode": code, "geoCodeType": AREA_TYPES.get(code[:3], "")}
    return {key: text for key, text in location.items() if text}


def _title(record: AwardRecord) -> str:
    recipients = listed(several(record.recipient_org_name))
    name = record.programme_name or record.grant_programme
    return f"Grant to {recipients}{f': {name}' if name else ''}"


def _description(record: AwardRecord) -> str:
    """The facts of the record in sentences."""
    paid = f"£{record.amount_gbp:,.2f} awarded by {listed(several(record.funding_org_name))}"
    programme = [record.programme_name, record.grant_programme]
    sentences = [
        f"{paid} to {listed(several(record.recipient_org_name))}.",
        *(f"Programme: {name}." for name in programme if name),
        *([f"Area: {', '.join(several(record.area_name))}."] if record.area_name else []),
        *([f"Financial year: {record.financial_year}."] if record.financial_year else []),
        f"Source: {record.source_document}.",
        COMPOSED,
    ]
    return " ".join(sentences)
