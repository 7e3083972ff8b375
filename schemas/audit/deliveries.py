"""audit.deliveries: every file received, its validation result, and whether its rows are in the figures.

`receive` returns a `Delivery`, and validating it returns a `Verdict`. A verdict depends on the delivery's bytes, the
contract and the context alone, not on the clock or the run, so that it can be stored and reused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from schemas._contract.model import Contract, Field, Kind
from schemas.audit.confirmations import ConfirmedWarning

APPROVING_ROLES = "approving_role"  # the code list of whoever may sign off: nothing else is stored of what was typed
MAX_POUNDS = 999_999_999  # of a stated total: a longer number may be a person's identifier, and must not be stored


class Result(StrEnum):
    """Outcome of validating a delivery. Source: docs/reports.md 1."""

    ACCEPTED = "accepted"
    HELD_ROWS = "accepted_with_held_rows"
    REFUSED = "refused"
    UNREADABLE = "unreadable"

    @property
    def is_rejected(self) -> bool:
        """Whether none of the delivery's rows are accepted."""
        return self in (Result.REFUSED, Result.UNREADABLE)

    def with_held(self, held: int) -> Result:
        """This result once so many rows are held at fault: an accepted file has held rows or none."""
        return self if self.is_rejected else Result.HELD_ROWS if held else Result.ACCEPTED

    @property
    def holds_rows(self) -> bool:
        """Whether the delivery is accepted but for some rows."""
        return self is Result.HELD_ROWS


class ExtractType(StrEnum):
    """How a delivery combines with earlier ones. Source: docs/domain.md 7."""

    CUMULATIVE = "cumulative"  # everything to date: the latest extract replaces those before it
    PERIOD = "period"  # the rows of one month: the extracts add up


class Standing(StrEnum):
    """Disposition of a delivery: whether its rows are in the figures, and if not, why."""

    CURRENT = "current"  # its rows are in core
    SUPERSEDED = "superseded"  # a later delivery of the same site and dataset counts instead
    EMPTY = "empty"  # no accepted row: the last delivery that has some still counts
    STALE = "stale"  # received after a delivery with a later cut-off: never counted
    SAME = "same"  # the same bytes as another delivery of the site
    REFUSED = "refused"
    HELD_UP = "held_up"  # implausible beside the site's other deliveries: replaces nothing until that is resolved
    WITHDRAWN = "withdrawn"  # taken out of all figures by the data team (`pilots withdraw`)


class Hold(NamedTuple):
    """Since when a delivery was held up, and until when; None if it has not counted since."""

    since: datetime
    until: datetime | None


def never_counted(hold: Hold | None) -> bool:
    """Whether a delivery was held up in an earlier run and has not counted since."""
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
    sheet: str  # '' for CSV, and for a workbook with one sheet of data
    sha256: str
    bytes: int
    received_at: datetime
    data_cut_date: date
    extract_type: ExtractType = ExtractType.CUMULATIVE
    same_as: str = ""  # the earlier delivery that this one repeats byte for byte (rule F17)
    # Control totals of the manifest; None if it does not state them.
    rows_declared: int | None = None
    gbp_declared: str | None = None
    sha256_declared: str | None = None
    nil_return: bool = False
    deletes_declared: int = 0  # earlier records that the sender means to have left out (rule F23)
    signed_off_by_role: str = ""  # in the manifest: a code of the list `approving_role`
    signed_off_on: date | None = None

    @property
    def stem(self) -> str:
        """The file name without its extension."""
        return self.file_name.rsplit(".", 1)[0]


@dataclass(frozen=True)
class SignOff:
    """Who agrees with a file by role, on which day, and with which total of money, as its sender states."""

    role: str = ""  # a code of the list `approving_role`; '' if none is stated
    on: date | None = None
    gbp_total: str = ""  # a plain number; '' if none is stated

    @property
    def is_given(self) -> bool:
        """Whether anybody signs off: a total by itself is only a control total."""
        return bool(self.role or self.on)

    def to_json(self) -> dict[str, str | None]:
        """Convert the sign-off to plain JSON values; what is not stated is null."""
        on = self.on.isoformat() if self.on else None
        return {"role": self.role or None, "on": on, "gbp_total": self.gbp_total or None}

    @classmethod
    def from_json(cls, data: Mapping[str, str | None]) -> SignOff:
        """Restore a sign-off from `to_json`."""
        on = data["on"]
        return cls(data["role"] or "", date.fromisoformat(on) if on else None, data["gbp_total"] or "")


NOT_SIGNED_OFF = SignOff()


@dataclass(frozen=True)
class Column:
    """One column of a file: the sender's heading, its letter, and the field that it was mapped to ('' if none)."""

    heading: str
    letter: str
    field: str


@dataclass(frozen=True)
class Counts:
    """Row counts of a file: read = accepted + held + repeats + not_data, which every run proves."""

    read: int = 0
    accepted: int = 0
    held: int = 0
    repeats: int = 0
    not_data: int = 0
    deleted: int = 0  # of those held: rows of records that the site has deleted (rule P21)

    @property
    def at_fault(self) -> int:
        """The held rows in which something has to be fixed."""
        return self.held - self.deleted


class LineShift(NamedTuple):
    """From a line of a text file on, a spreadsheet shows it this many rows higher; None where that is not known."""

    line: int
    rows: int | None


@dataclass(frozen=True)
class Verdict:
    """Validation result of one delivery, without its rows and findings."""

    result: Result
    rows: Counts
    encoding: str = ""
    sheet: str = ""
    header_row: int = 0
    columns: tuple[Column, ...] = ()
    contract_version: str = ""
    rows_judged: bool = True  # False if a fault of the file's structure ended validation before its rows
    holds_personal_data: bool = False  # by rules P01-P03 and F11: then none of its rows are stored
    newest_event: date | None = None  # the latest event date up to its cut-off, held rows included
    events_lately: int = 0  # events in the quarter before the newest (rule F19)
    content: str = ""  # digest of the texts of its rows, in any order; '' where none was read
    line_shifts: tuple[LineShift, ...] = ()  # of a text file with line breaks in cells, in ascending order
    confirmed: tuple[ConfirmedWarning, ...] = ()  # the warnings that the site confirms in a marked workbook
    sign_off: SignOff = NOT_SIGNED_OFF  # of the manifest, or of our own sheet in the workbook

    def with_accepted(self, accepted: int, deleted: int = 0) -> Verdict:
        """The verdict once so many rows are accepted: the rest of what was accepted or held counts as held.

        `deleted` of them are so only because the site has deleted their records: there is nothing to fix in these.
        """
        held = self.rows.accepted + self.rows.held - accepted
        rows = replace(self.rows, accepted=accepted, held=held, deleted=deleted)
        return replace(self, rows=rows, result=self.result.with_held(rows.at_fault))

    def to_json(self) -> dict[str, Any]:
        """Convert the verdict to plain JSON values."""
        newest = self.newest_event.isoformat() if self.newest_event else None
        return asdict(self) | {"newest_event": newest, "sign_off": self.sign_off.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """Restore a verdict from `to_json`. Stored verdicts of earlier versions may lack the latest fields."""
        newest, sign_off = data.get("newest_event"), data.get("sign_off")
        return cls(
            **{
                **data,
                "result": Result(data["result"]),
                "rows": Counts(**data["rows"]),
                "columns": tuple(Column(**c) for c in data["columns"]),
                "newest_event": date.fromisoformat(newest) if newest else None,
                "line_shifts": tuple(LineShift(*shift) for shift in data.get("line_shifts", ())),
                "confirmed": tuple(ConfirmedWarning(*c) for c in data.get("confirmed", ())),
                "sign_off": SignOff.from_json(sign_off) if sign_off else NOT_SIGNED_OFF,
            }
        )


def _text(name: str, title: str, description: str, *, required: bool = True) -> Field:
    return Field(name, Kind.TEXT, title, description, required=required)


def _rows(name: str, title: str, description: str) -> Field:
    return Field(name, Kind.INTEGER, title, description, unit="rows")


# What a manifest or the sheet 'Sign-off' of a workbook may state; on that sheet these are the cells to fill in.
SIGNED_OFF_BY = Field(
    "signed_off_by_role",
    Kind.CODE,
    "Signed off by (role)",
    "The role of whoever signed it off, by its manifest or the sheet 'Sign-off' of its workbook; never a name.",
    codes=APPROVING_ROLES,
    required=False,
)
SIGNED_OFF_ON = Field(
    "signed_off_on", Kind.DATE, "Signed off on", "The day on which it was signed off, by the same.", required=False
)
GBP_DECLARED = Field(
    "gbp_declared",
    Kind.MONEY,
    "Total in pounds",
    "The total of its amounts that the same states. A file with another sum is refused (F16).",
    unit="GBP",
    required=False,
    low=-MAX_POUNDS,
    high=MAX_POUNDS,
)
CONTRACT = Contract(
    dataset="deliveries",
    title="Deliveries",
    description="Every file received, its validation result, and whether its rows are in the figures.",
    grain="one row per site, dataset, period, version and content (sha256)",
    key=("delivery_id",),
    fields=(
        _text("delivery_id", "Delivery", "Key of the delivery: site, dataset, period, version and content."),
        _text("site_code", "Site", "The site that sent it."),
        _text("programme_code", "Programme", "The programme of the site ('' for senders outside the programmes)."),
        _text("dataset", "Dataset", "The dataset it holds."),
        _text("period", "Period", "The month of its cut-off, as yyyymm."),
        Field("version", Kind.INTEGER, "Version", "The version number in the file name."),
        _text("file_name", "File name", "The file as it was sent."),
        _text("sheet", "Sheet", "The sheet that was read ('' for CSV)."),
        _text("sha256", "SHA-256", "Fingerprint of the file's bytes."),
        Field("bytes", Kind.INTEGER, "Size", "Size of the file.", unit="bytes"),
        Field("received_at", Kind.TIMESTAMP, "Received at", "When the file was first seen (UTC)."),
        Field("data_cut_date", Kind.DATE, "Data cut-off", "The date to which the extract is complete."),
        _text("extract_type", "Extract type", "cumulative (latest counts) or period (deliveries add up)."),
        _text("same_as", "Same as", "The delivery that the same bytes were first received as, if any.", required=False),
        _text(
            "result",
            "Result",
            "accepted (every row), accepted_with_held_rows (the others count), refused (by a rule of the file: no row "
            "counts) or unreadable (not a file of a known format).",
        ),
        _text(
            "standing",
            "Standing",
            "current (its rows are in core), superseded (a later file counts instead), empty (it has no accepted row: "
            "the file before it counts), stale (older than one that counts), same (the bytes of another file), "
            "refused, held_up (it does not fit the site's other files, and replaces nothing) or withdrawn (by the data "
            "team).",
        ),
        _text(
            "replaced_by",
            "Replaced by",
            "The accepted delivery that has replaced it, if any: then nothing needs doing about this one.",
            required=False,
        ),
        _rows("rows_read", "Rows read", "Rows found below the heading."),
        _rows("rows_accepted", "Rows accepted", "Rows that passed every rule; in core while the delivery is current."),
        _rows("rows_held", "Rows held", "Rows held back by a rule of the file or a rule between tables."),
        _rows("rows_deleted", "Rows deleted", "Of the rows held: those of records that the site has deleted (P21)."),
        _rows("rows_repeated", "Rows repeated", "Exact copies of another row, left out."),
        _rows("rows_not_data", "Rows without data", "Blank rows, totals and repeated headings, left out."),
        SIGNED_OFF_BY,
        SIGNED_OFF_ON,
        GBP_DECLARED,
        _text("encoding", "Encoding", "How the bytes were read as text.", required=False),
        _text("contract_version", "Contract version", "Fingerprint of the contract that validated it.", required=False),
        _text("judgement_key", "Validation result", "Address of the validation result in the store.", required=False),
    ),
)
