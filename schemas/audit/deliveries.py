"""audit.deliveries: every file ever received, its outcome, and whether it counts now.

`Delivery` is what `receive` gives, `Verdict` what validating a delivery gives. A verdict is a pure function of the
delivery's bytes, contract and context; it knows no clock and no run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from schemas._contract.model import Contract, Field, Kind


class Result(StrEnum):
    """The outcome of a delivery. Source: docs/reports.md 1."""

    ACCEPTED = "accepted"
    HELD_ROWS = "accepted_with_held_rows"
    REFUSED = "refused"
    UNREADABLE = "unreadable"

    @property
    def stops(self) -> bool:
        """Whether nothing of the delivery counts."""
        return self in (Result.REFUSED, Result.UNREADABLE)

    def with_held(self, held: int) -> Result:
        """This result once so many rows are held: `accepted` becomes `accepted_with_held_rows`."""
        return Result.HELD_ROWS if held and self is Result.ACCEPTED else self

    @property
    def holds_rows(self) -> bool:
        """Whether it counts, but for some rows."""
        return self is Result.HELD_ROWS


class ExtractType(StrEnum):
    """How a delivery goes with those before it. Source: docs/domain.md 7."""

    CUMULATIVE = "cumulative"  # everything to date: the latest counts
    PERIOD = "period"  # the rows of one period: such deliveries add up


class Standing(StrEnum):
    """Whether a delivery's rows are in the figures."""

    CURRENT = "current"
    SUPERSEDED = "superseded"  # a later delivery of the same site and dataset counts instead
    EMPTY = "empty"  # brought no row: the last delivery that brought some still counts
    STALE = "stale"  # came after a delivery with a later cut-off: never counted
    SAME = "same"  # the same bytes as another delivery of the site
    REFUSED = "refused"
    HELD_UP = "held_up"  # readable, but implausible beside the site's other deliveries: replaces nothing until resolved
    WITHDRAWN = "withdrawn"  # taken out of all figures by the data team (`pilots withdraw`)


class Hold(NamedTuple):
    """From when a delivery was held up, and when it first counted; None where it never did."""

    since: datetime
    until: datetime | None


def never_counted(hold: Hold | None) -> bool:
    """Whether a delivery was held up on an earlier run, and has not counted since."""
    return hold is not None and hold.until is None


@dataclass(frozen=True)
class Delivery:
    """One file (or one sheet of a workbook) that holds one dataset of one site to one cut-off date."""

    delivery_id: str
    site_code: str
    programme_code: str
    dataset: str
    period: str  # yyyymm
    version: int
    file_name: str
    path: str  # relative to data/raw
    sheet: str  # '' for CSV, or where the workbook has one sheet with data
    sha256: str
    bytes: int
    received_at: datetime
    data_cut_date: date
    extract_type: ExtractType = ExtractType.CUMULATIVE
    same_as: str = ""  # the delivery_id that these bytes were first received as
    rows_declared: int | None = None  # the manifest's control totals
    gbp_declared: str | None = None
    sha256_declared: str | None = None
    nil_return: bool = False
    deletes_declared: int = 0  # records sent before that are meant to be gone (rule F23)

    @property
    def stem(self) -> str:
        """The file name without its extension."""
        return self.file_name.rsplit(".", 1)[0]


@dataclass(frozen=True)
class Column:
    """One column of a file: the sender's heading, its letter, and the field it is read as ('' if none)."""

    heading: str
    letter: str
    field: str


@dataclass(frozen=True)
class Counts:
    """Where the rows of a file went: read = accepted + held + repeats + not_data."""

    read: int = 0
    accepted: int = 0
    held: int = 0
    repeats: int = 0
    not_data: int = 0


@dataclass(frozen=True)
class Verdict:
    """The outcome of validating one delivery, without its rows."""

    result: Result
    rows: Counts
    encoding: str = ""
    sheet: str = ""
    header_row: int = 0
    columns: tuple[Column, ...] = ()
    contract_version: str = ""
    rows_judged: bool = True  # False where a fault of structure stopped the file before its rows
    holds_personal_data: bool = False  # rules P01-P03, F11: nothing of its rows is kept
    newest_event: date | None = None  # of those up to its cut-off, held rows included
    events_lately: int = 0  # in the quarter before the newest (rule F19)

    def with_accepted(self, accepted: int) -> Verdict:
        """The verdict once so many rows are accepted: the rest of what was accepted or held counts as held."""
        held = self.rows.accepted + self.rows.held - accepted
        rows = replace(self.rows, accepted=accepted, held=held)
        return replace(self, rows=rows, result=self.result.with_held(held))

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON values."""
        newest = self.newest_event.isoformat() if self.newest_event else None
        return asdict(self) | {"newest_event": newest}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote. One of an earlier version lacks its newest event."""
        newest = data.get("newest_event")
        return cls(
            **{
                **data,
                "result": Result(data["result"]),
                "rows": Counts(**data["rows"]),
                "columns": tuple(Column(**c) for c in data["columns"]),
                "newest_event": date.fromisoformat(newest) if newest else None,
            }
        )


def _text(name: str, title: str, description: str, *, required: bool = True) -> Field:
    return Field(name, Kind.TEXT, title, description, required=required)


def _rows(name: str, title: str, description: str) -> Field:
    return Field(name, Kind.WHOLE, title, description, unit="rows")


CONTRACT = Contract(
    dataset="deliveries",
    title="Deliveries",
    description="Every file received, what came of it, and whether its rows are in the figures.",
    grain="one row per site, dataset, period, version and content (sha256)",
    key=("delivery_id",),
    fields=(
        _text("delivery_id", "Delivery", "Key of the delivery: site, dataset, period, version and content."),
        _text("site_code", "Site", "The site that sent it."),
        _text("programme_code", "Programme", "The programme of the site ('' for senders outside the programmes)."),
        _text("dataset", "Dataset", "The dataset it holds."),
        _text("period", "Period", "The month of its cut-off, as yyyymm."),
        Field("version", Kind.WHOLE, "Version", "The version number in the file name."),
        _text("file_name", "File name", "The file as it was sent."),
        _text("sheet", "Sheet", "The sheet that was read ('' for CSV)."),
        _text("sha256", "SHA-256", "Fingerprint of the file's bytes."),
        Field("bytes", Kind.WHOLE, "Size", "Size of the file.", unit="bytes"),
        Field("received_at", Kind.MOMENT, "Received at", "When the file was first seen (UTC)."),
        Field("data_cut_date", Kind.DATE, "Data cut-off", "The date to which the extract is complete."),
        _text("extract_type", "Extract type", "cumulative (latest counts) or period (deliveries add up)."),
        _text("same_as", "Same as", "The delivery these very bytes were first received as, if any.", required=False),
        _text("result", "Result", "accepted, accepted_with_held_rows, refused or unreadable."),
        _text(
            "standing",
            "Standing",
            "current, superseded, empty, stale, same, refused, held_up or withdrawn; current rows are in core.",
        ),
        _text(
            "replaced_by",
            "Replaced by",
            "The accepted delivery that has taken its place, if any: nothing need be done about it any more.",
            required=False,
        ),
        _rows("rows_read", "Rows read", "Rows found below the heading."),
        _rows("rows_accepted", "Rows accepted", "Rows that passed every rule; in core while the delivery is current."),
        _rows("rows_held", "Rows held", "Rows held back by a rule of the file or a rule between tables."),
        _rows("rows_repeated", "Rows repeated", "Exact copies of another row, left out."),
        _rows("rows_not_data", "Rows without data", "Blank rows, totals and repeated headings, left out."),
        _text("encoding", "Encoding", "How the bytes were read as text.", required=False),
        _text("contract_version", "Contract version", "Fingerprint of the contract that validated it.", required=False),
        _text("judgement_key", "Validation result", "Address of the validation result in the store.", required=False),
    ),
)
