"""Corrections: known errors in a site's files that the site agreed to and cannot send again.

They are data, in `corrections.csv` of the data folder: what, where, why, who agreed and until when. Each names one cell
and the text expected in it. If the cell holds another text, the source was fixed, and the correction is not applied
(X02). A correction changes the text before it is parsed, so every rule checks the corrected value. It never switches a
rule off, and the file itself stays as it was sent.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flows.cells.identifiers import personal_rule
from flows.runtime.data_folder import CORRECTIONS, CorrectionsUnusable
from flows.runtime.wording import listed
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import fold
from schemas._contract.model import Field
from schemas._contract.registry import sites
from schemas.audit.deliveries import Delivery

COLUMNS = (
    "site_code", "dataset", "file", "sheet", "row", "column", "was", "becomes", "reason", "agreed_with", "agreed_on",
    "until",
)  # fmt: skip
_WANTED = f"its first line must be {','.join(COLUMNS)}"
_FREE = (
    "was",
    "becomes",
    "reason",
    "agreed_with",
    "file",
    "sheet",
    "column",
)  # columns of free text, which are searched for personal data


@dataclass(frozen=True)
class CellCorrection:
    """One cell of a delivery, the text expected in it, and the text to read instead."""

    sheet: str  # '' where the file has only one
    row: int
    column: str  # letter, or heading as the sender wrote it
    was: str
    becomes: str
    until: date  # the last day on which it is applied
    is_expired: bool


@dataclass(frozen=True)
class Correction:
    """One line of `corrections.csv`. `agreed_with` is a role, never a name."""

    line: int
    site_code: str
    dataset: str
    file: str
    sheet: str
    row: int
    column: str
    was: str
    becomes: str
    reason: str
    agreed_with: str
    agreed_on: date
    until: date

    def is_of(self, delivery: Delivery) -> bool:
        """Whether it is about this delivery."""
        named = (self.site_code, self.dataset, self.file)
        return named == (delivery.site_code, delivery.dataset, delivery.file_name)

    @property
    def place(self) -> tuple[str, ...]:
        """The cell it is about, in a form by which lines about the same cell are equal."""
        return (self.site_code, self.dataset, self.file, fold(self.sheet), str(self.row), fold(self.column))


@dataclass(frozen=True)
class Corrections:
    """The corrections on a given day: the valid lines, and what is wrong with the others."""

    day: date
    lines: tuple[Correction, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def valid_to(self) -> date:
        """The last day on which the same corrections apply: after it, the first of them expires."""
        return min((c.until for c in self.lines if c.until >= self.day), default=date.max)

    def of(self, delivery: Delivery) -> tuple[CellCorrection, ...]:
        """The corrections of a delivery, in the order of its cells."""
        own = sorted((c for c in self.lines if c.is_of(delivery)), key=lambda c: (c.row, c.column, c.line))
        return tuple(
            CellCorrection(c.sheet, c.row, c.column, c.was, c.becomes, c.until, is_expired=c.until < self.day)
            for c in own
        )


NO_CORRECTIONS = Corrections(date.min)


def parse_corrections(text: str, day: date) -> Corrections:
    """Parse the text of `corrections.csv`. A faulty line is reported in `faults` and left out; the others are used.

    Every line is a separate agreement, and a slip in one must not cause rows of other sites to be held again. Raises
    CorrectionsUnusable where the heading is wrong or the text cannot be split into lines: to go on would undo all.
    """
    lines: list[Correction] = []
    faults: list[str] = []
    for number, cells, fault in _rows(text):
        correction = fault or _correction(number, cells)
        if isinstance(correction, str):
            faults.append(f"`{CORRECTIONS}`, line {number}: {correction}")
        else:
            lines.append(correction)
    # which of two corrections of one cell was meant is not known, so neither is used
    times = Counter(c.place for c in lines)
    twice = [c for c in lines if times[c.place] > 1]
    faults += [f"`{CORRECTIONS}`, line {c.line}: the cell is on another line too; keep one of them" for c in twice]
    return Corrections(day, tuple(c for c in lines if times[c.place] == 1), tuple(faults))


def _rows(text: str) -> Iterator[tuple[int, dict[str, str], str]]:
    """Each line with its number and its cells by heading, or what is wrong with its form ('' if nothing is)."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    headings: list[str] | None = None
    while True:
        number = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            raise CorrectionsUnusable(f"from line {number} on it cannot be read. Fix its quotation marks") from None
        if not any(cells):
            continue
        if headings is None:
            headings = [cell.casefold() for cell in cells]
            if wrong := _heading_faults(headings):
                raise CorrectionsUnusable(f"{wrong} on line {number}; {_WANTED}")
        elif len(cells) != len(headings):
            yield number, {}, f"it has {len(cells)} cells, the heading {len(headings)}; put text with commas in quotes"
        else:
            yield number, dict(zip(headings, cells, strict=True)), ""


def _heading_faults(headings: list[str]) -> str:
    """What is wrong with the headings; '' where nothing is. An unknown heading is named by its position alone."""
    if len(headings) == 1:
        return "there is only one cell, as if the file was not saved with commas between its cells"
    twice = [f"the heading {name} appears twice" for name in COLUMNS if headings.count(name) > 1]
    missing = [name for name in COLUMNS if name not in headings]
    if not missing:
        return listed(twice)
    unknown = [f"cell {i}" for i, name in enumerate(headings, 1) if name not in COLUMNS]
    instead = f" ({listed(unknown)} {'is' if len(unknown) == 1 else 'are'} not among its headings)" if unknown else ""
    return listed([*twice, f"the heading {listed(missing)} is missing{instead}"])


def _correction(line: int, cells: dict[str, str]) -> Correction | str:
    """Parse a line: the correction, or what is wrong with it. Values may be personal and are never repeated."""
    wrong = [*_unknown(cells), *_missing(cells), *_personal(cells)]
    agreed_on, until = _day(cells["agreed_on"]), _day(cells["until"])
    wrong += [
        f"{name} must be a day such as 2016-12-31"
        for name, when in (("agreed_on", agreed_on), ("until", until))
        if not when
    ]
    if agreed_on and until and until < agreed_on:
        wrong.append("until is before agreed_on")
    if cells["was"] == cells["becomes"]:
        wrong.append("was and becomes are the same")
    if wrong or not agreed_on or not until:
        return "; ".join(wrong)
    texts = {name: cells[name] for name in COLUMNS if name not in ("row", "agreed_on", "until")}
    return Correction(line=line, row=int(cells["row"]), agreed_on=agreed_on, until=until, **texts)


def _unknown(cells: dict[str, str]) -> list[str]:
    return [
        *(["there is no site of this site_code"] if cells["site_code"] not in sites() else []),
        *(["there is no dataset of this name"] if cells["dataset"] not in datasets() else []),
    ]


def _missing(cells: dict[str, str]) -> list[str]:
    wrong = [f"{name} is empty" for name in ("file", "column", "reason", "agreed_with") if not cells[name]]
    row = cells["row"]
    if not (row.isascii() and row.isdecimal() and 0 < len(row) < 10 and int(row) > 0):
        wrong.append("row must be a row's number in the file, the first line being 1")
    if any(word[0].isupper() and not word.isupper() for word in cells["agreed_with"].split()):
        wrong.append("agreed_with must be a role in small letters, such as data lead, and never a name")
    return wrong


def _personal(cells: dict[str, str]) -> list[str]:
    """Refuse columns that may hold personal data: the file would be one more place where it is stored."""
    field = _field(cells["dataset"], cells["column"])
    found = [name for name in _FREE if personal_rule(cells[name], field if name in ("was", "becomes") else None)]
    return [f"{name} may hold personal data: delete the line, and ask the site for a new file" for name in found]


def _field(dataset: str, heading: str) -> Field | None:
    """The field of a dataset with this heading, by its name or an alias; None where the heading does not say."""
    contract = datasets().get(dataset)
    known = contract.fields if contract else ()
    return next((f for f in known if fold(heading) in {fold(h) for h in (f.name, *f.aliases)}), None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
