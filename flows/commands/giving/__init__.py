"""`pilots export-360giving`: write the awards of the published warehouse as a package of 360Giving's standard.

The package is a folder: the grants as JSON and as CSV, every record that is left out with its reason, and what the
package is, in `README.md` for people and in `metadata.json`, which is written last, with checksums.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer

from flows.commands.console import Exit, echo
from flows.commands.giving.grant import Grant, Publisher, grant_of, needs_prefix
from flows.commands.giving.records import AwardRecord, award_records, why_not_a_grant
from flows.commands.giving.spreadsheet import as_csv
from flows.commands.query import open_warehouse
from flows.runtime.wording import counted
from flows.settings import Settings
from flows.store.durable import write_whole
from schemas._contract.registry import programmes, sites

VERSION = "1.4"  # of the standard


@dataclass(frozen=True)
class GrantPackage:
    """The grants to publish, and every other record with the reason why it is left out."""

    grants: Sequence[Grant]
    records: Sequence[AwardRecord]  # those of the grants, in the same order
    left_out: Sequence[tuple[AwardRecord, str]]
    sender: str
    programme: str
    warehouse: str
    made_at: str

    @property
    def total(self) -> Decimal:
        """The amounts of all grants, in pounds."""
        return sum((r.amount_gbp for r in self.records if r.amount_gbp is not None), Decimal(0))

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many records are left out, by reason, the commonest first."""
        return dict(Counter(reason for _, reason in self.left_out).most_common())

    @property
    def title(self) -> str:
        """What is in the package, in words."""
        of = [f"sent by {sites()[self.sender].name}"] if self.sender else []
        of += [f"of {programmes()[self.programme].name}"] if self.programme else []
        return f"Grants {' '.join(of)}" if of else "Grants of the mental-health and employment pilots"


def export_grants(settings: Settings, to: Path, sender: str = "", programme: str = "") -> GrantPackage:
    """Write the package into the folder `to`, which must be new or empty. Without any grant, only what is left out.

    Raises typer.Exit: 2 for an unknown sender or programme and where the folder holds something, 3 where a grant needs
    the publisher's prefix and there is none; and as `open_warehouse`.
    """
    if sender and sender not in sites():
        raise _refused(Exit.USAGE, f"There is no sender called {sender}. GRANTNAV sends the grants of other funders.")
    if programme and programme not in programmes():
        raise _refused(Exit.USAGE, f"There is no programme called {programme}. There are: {', '.join(programmes())}.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise _refused(Exit.USAGE, f"{to} is there already: give the name of a new folder.")
    publisher = Publisher(settings.grants_prefix, settings.grants_publisher, settings.grants_licence)
    package = _select(settings, publisher, sender, programme)
    to.mkdir(parents=True, exist_ok=True)
    _write(package, publisher, to)
    return package


def _select(settings: Settings, publisher: Publisher, sender: str, programme: str) -> GrantPackage:
    """Select the grants from the published warehouse. Raises typer.Exit as `export_grants`."""
    with open_warehouse(settings) as db:
        records = award_records(db, sender, programme)
        area_names = dict(db.execute("select area_code, area_name from core.areas").fetchall())
    build = settings.warehouse().current()
    reasons = [why_not_a_grant(record, of_one_sender=bool(sender)) for record in records]
    chosen = [record for record, reason in zip(records, reasons, strict=True) if not reason]
    left_out = [(record, reason) for record, reason in zip(records, reasons, strict=True) if reason]
    if not publisher.prefix and (need := sum(map(needs_prefix, chosen))):
        raise _refused(
            Exit.SETTINGS,
            f"{counted(need, 'award')} cannot be published without the prefix that 360Giving registered for you: the"
            " reference is not 360Giving's, or an organisation has no identifier. Set grants_prefix in pilots.toml, or"
            " PILOTS_GRANTS_PREFIX, such as 360G-abc.",
        )
    grants = [grant_of(record, publisher, area_names) for record in chosen]
    name, made_at = (build.name, f"{build.made_at:%Y-%m-%dT%H:%M:%SZ}") if build else ("", "")
    return GrantPackage(grants, chosen, left_out, sender, programme, warehouse=name, made_at=made_at)


def _write(package: GrantPackage, publisher: Publisher, to: Path) -> None:
    files = {"not_exported.csv": _not_exported(package)}
    if package.grants:  # the standard has no package without a grant
        files["grants.json"] = json.dumps(_as_json(package, publisher), indent=1, ensure_ascii=False) + "\n"
        files["grants.csv"] = as_csv(package.grants)
    files["README.md"] = _read_me(package, publisher)
    for name, text in files.items():
        write_whole(to / name, text)
    about = summary(package) | {"licence": publisher.licence or None, "files": _checksums(files)}
    write_whole(to / "metadata.json", json.dumps(about, indent=1, ensure_ascii=False) + "\n")


def summary(package: GrantPackage) -> dict[str, Any]:
    """Counts and totals of a package. The total is text, so that it is exact."""
    recipients = {o["id"] for grant in package.grants for o in grant["recipientOrganization"]}
    return {
        "title": package.title,
        "standard_version": VERSION,
        "warehouse": package.warehouse,
        "made_at": package.made_at,
        "sender": package.sender or None,
        "programme": package.programme or None,
        "grants": len(package.grants),
        "total_gbp": f"{package.total:.2f}",
        "recipients": len(recipients),
        "records_left_out": len(package.left_out),
        "left_out_by_reason": dict(package.reasons),
    }


def _as_json(package: GrantPackage, publisher: Publisher) -> dict[str, Any]:
    """The package as the standard's schema of a package has it."""
    stated = {
        "version": VERSION,
        "title": package.title,
        "description": "Titles and descriptions of grants are composed from the fields of their records.",
        "issued": package.made_at,
        "modified": package.made_at,
        "publisher": {"name": publisher.name} if publisher.name else None,
        "license": publisher.licence,
    }
    return {name: value for name, value in stated.items() if value} | {"grants": package.grants}


def _not_exported(package: GrantPackage) -> str:
    """The records that are left out, each with its reason, as CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ("award_id", "award_stage", "award_version", "sender_code", "programme_code", "amount_gbp")
    writer.writerow((*columns, "reason"))
    for record, reason in package.left_out:
        values = (getattr(record, name) for name in columns)
        writer.writerow((*("" if value is None else value for value in values), reason))
    return out.getvalue()


def _read_me(package: GrantPackage, publisher: Publisher) -> str:
    about = summary(package)
    reasons = "".join(f"- {number:,}: {reason}\n" for reason, number in package.reasons.items()) or "Nothing.\n"
    if not package.grants:
        return f"# {package.title}\n\nNo record is a grant by the standard, so there is no package.\n\n{reasons}"
    return f"""# {package.title}

{counted(about["grants"], "grant")} of £{package.total:,.2f} to {counted(about["recipients"], "recipient")}, in the \
360Giving data standard, version {VERSION}{f", published by {publisher.name}" if publisher.name else ""}.

{f"Licence: {publisher.licence}" if publisher.licence else "No licence is stated: ask before you use the data."}

- `grants.json` and `grants.csv`: the same grants, as JSON and as a table. A grant's amount is the one first agreed.
- `not_exported.csv`: {counted(about["records_left_out"], "record")} of awards that are no grants by the standard, \
with the reason of each.
- `metadata.json`: counts, totals and the checksum of each file. It is written last: without it the package is not \
complete.

The title and the description of a grant are composed from the fields of its record; the funder's own words are not
held. An identifier with the publisher's prefix and `-org-` was made from the name of an organisation for which none is
known. Made from the warehouse `{package.warehouse}`.

## Left out

{reasons}"""


def _checksums(files: Mapping[str, str]) -> list[dict[str, Any]]:
    contents = {name: text.encode() for name, text in files.items()}
    return [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    ]


def in_words(package: GrantPackage, to: Path) -> str:
    """What was written, for people."""
    left_out = f"{counted(len(package.left_out), 'record')} left out: see {to / 'not_exported.csv'}"
    if not package.grants:
        return f"No grant to publish; {left_out}."
    return f"Wrote {counted(len(package.grants), 'grant')} of £{package.total:,.2f} to {to}; {left_out}."


def _refused(code: Exit, message: str) -> typer.Exit:
    echo(message)
    return typer.Exit(code)
