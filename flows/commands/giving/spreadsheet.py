"""Write grants as a table under the headings of the 360Giving standard.

A field of which any grant has several becomes numbered columns, as 'Beneficiary Location:0:Name'.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.commands.giving.grant import Grant

_LOCATION = {"name": "Name", "countryCode": "Country Code", "geoCode": "Geographic Code",
             "geoCodeType": "Geographic Code Type"}  # fmt: skip
# The standard's titles of the fields that a grant may have, in the order of its template.
TITLES: Mapping[str, str | tuple[str, Mapping[str, str]]] = {
    "id": "Identifier",
    "title": "Title",
    "description": "Description",
    "currency": "Currency",
    "amountAwarded": "Amount Awarded",
    "awardDate": "Award Date",
    "plannedDates": (
        "Planned Dates",
        {"startDate": "Start Date", "endDate": "End Date", "duration": "Duration (months)"},
    ),
    "recipientOrganization": ("Recipient Org", {"id": "Identifier", "name": "Name"}),
    "beneficiaryLocation": ("Beneficiary Location", _LOCATION),
    "fundingOrganization": ("Funding Org", {"id": "Identifier", "name": "Name"}),
    "grantProgramme": ("Grant Programme", {"code": "Code", "title": "Title"}),
    "dataSource": "Data Source",
}


def as_csv(grants: Sequence[Grant]) -> str:
    """The grants as CSV text, with the columns that any of them fills."""
    most = {
        name: max(len(g.get(name, ())) for g in grants) for name, title in TITLES.items() if isinstance(title, tuple)
    }
    rows = [dict(_cells(grant, most)) for grant in grants]
    filled = {heading for row in rows for heading in row}
    headings = [heading for heading in _headings(most) if heading in filled]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([row.get(heading, "") for heading in headings] for row in rows)
    return out.getvalue()


def _headings(most: Mapping[str, int]) -> Iterator[str]:
    for name, title in TITLES.items():
        if isinstance(title, str):
            yield title
        else:
            for number in range(most[name]):
                yield from (_heading(title[0], number, most[name], of_field) for of_field in title[1].values())


def _cells(grant: Grant, most: Mapping[str, int]) -> Iterator[tuple[str, Any]]:
    """The filled cells of a grant, each with its heading."""
    for name, title in TITLES.items():
        if isinstance(title, str):
            if name in grant:
                yield title, grant[name]
        else:
            for number, item in enumerate(grant.get(name, ())):
                yield from ((_heading(title[0], number, most[name], title[1][f]), text) for f, text in item.items())


def _heading(of_list: str, number: int, most: int, of_field: str) -> str:
    return f"{of_list}:{number}:{of_field}" if most > 1 else f"{of_list}:{of_field}"
