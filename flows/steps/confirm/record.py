"""The confirmations on record: `confirmations.csv` of the data folder.

The pipeline adds the lines, and the data team may delete some: then the warnings are back. A line is never changed.
Which lines there are does not depend on the order in which files came, nor on how often one was read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from flows.deliveries.months import day_received
from flows.runtime.data_folder import CONFIRMATIONS, CONFIRMATIONS_KEY, ConfirmationsUnusable
from flows.steps.confirm.keyed_hash import KeyedHash, keyed_hash_of
from flows.store.durable import replacement_of
from flows.store.paths import DataPaths
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import code_list
from schemas._contract.model import Rule
from schemas._contract.registry import sites
from schemas.audit.confirmations import HASH_PATTERN, REASONS, ROLES, Confirmation, ConfirmedWarning
from schemas.audit.deliveries import Delivery

COLUMNS = ("site", "dataset", "key", "field", "rule", "value_hash", "reason", "role", "date")


@dataclass(frozen=True)
class Confirmations:
    """The confirmations on record: the valid lines, what is wrong with the others, and the function of their hashes."""

    lines: tuple[Confirmation, ...] = ()
    faults: tuple[str, ...] = ()
    faulty_lines: tuple[tuple[str, ...], ...] = ()  # as they are in the file, where they stay
    hash: KeyedHash | None = None

    def of(self, site_code: str, dataset: str) -> tuple[Confirmation, ...]:
        """The confirmations of one site and dataset."""
        return tuple(c for c in self.lines if (c.site_code, c.dataset) == (site_code, dataset))

    def by(self, day: date) -> Confirmations:
        """Those received by a day."""
        return replace(self, lines=tuple(c for c in self.lines if c.confirmed_on <= day))

    def with_lines(self, new: Iterable[Confirmation]) -> Confirmations:
        """These and others, sorted. What was confirmed twice is there once, as it was confirmed first."""
        first: dict[tuple[str, ...], Confirmation] = {}
        for c in sorted({*self.lines, *new}):  # equal but for their last parts: the earliest comes first
            first.setdefault((*c.place, c.value_hash), c)
        return replace(self, lines=tuple(first.values()))

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """All that a build depends on; empty where there is none."""
        return (self.lines, self.hash.fingerprint if self.hash else "") if self.lines else ()


NO_CONFIRMATIONS = Confirmations()


def confirmable_rule(dataset: str, rule_id: str, field: str) -> Rule | None:
    """The rule of a dataset with this id and field that can be confirmed; None where there is none."""
    contract = datasets().get(dataset)
    return contract.confirmable_rule(rule_id, field) if contract else None


def read_confirmations(paths: DataPaths) -> Confirmations:
    """The confirmations of a data folder. A faulty line stops nothing: it is in `faults`.

    Raises ConfirmationsUnusable where the file is not a table of confirmations.
    """
    try:
        text = paths.confirmations.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Confirmations(hash=keyed_hash_of(paths))
    except UnicodeDecodeError:
        raise ConfirmationsUnusable("it is not text in UTF-8") from None
    return parse_confirmations(text, keyed_hash_of(paths))


def parse_confirmations(text: str, keyed_hash: KeyedHash | None) -> Confirmations:
    """Parse the text of `confirmations.csv`. Raises as `read_confirmations`."""
    lines: list[Confirmation] = []
    faulty: list[tuple[int, tuple[str, ...], str]] = []
    for number, cells in _rows(text):
        confirmation = _confirmation(cells)
        if isinstance(confirmation, str):
            faulty.append((number, cells, confirmation))
        else:
            lines.append(confirmation)
    faults = [f"`{CONFIRMATIONS}`, line {number}: {why}" for number, _, why in faulty]
    if lines and keyed_hash is None:
        faults.append(
            f"`{CONFIRMATIONS_KEY}` is gone or damaged, so no confirmation can be matched with its row, and the"
            " warnings are back. Put it back from the backup"
        )
    kept = tuple(cells for _, cells, _ in faulty)
    return Confirmations((), tuple(faults), kept, keyed_hash).with_lines(lines)


def _rows(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each line below the heading, with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heading = tuple(cell.strip() for cell in next(reader, []))
        if heading != COLUMNS:
            raise ConfirmationsUnusable(f"its first line must be {','.join(COLUMNS)}")
        for cells in reader:
            if any(cells):
                yield reader.line_num, tuple(cell.strip() for cell in cells)
    except csv.Error:
        raise ConfirmationsUnusable(f"line {reader.line_num} cannot be read. Fix its quotation marks") from None


def _confirmation(cells: tuple[str, ...]) -> Confirmation | str:
    """Parse a line: the confirmation, or what is wrong with it. No cell is repeated."""
    if len(cells) != len(COLUMNS):
        return f"it has {len(cells)} cells, the heading {len(COLUMNS)}"
    line = dict(zip(COLUMNS, cells, strict=True))
    wrong = []
    if line["site"] not in sites():
        wrong.append("there is no site of this code")
    if confirmable_rule(line["dataset"], line["rule"], line["field"]) is None:
        wrong.append("the dataset has no such rule that can be confirmed")
    wrong += [
        f"{name} is not a hash of ours" for name in ("key", "value_hash") if not re.fullmatch(HASH_PATTERN, line[name])
    ]
    wrong += [
        f"{name} is not on its list"
        for name, codes in (("reason", REASONS), ("role", ROLES))
        if line[name] not in code_list(codes).codes
    ]
    try:
        confirmed_on = date.fromisoformat(line["date"])
    except ValueError:
        return "; ".join([*wrong, "date must be a day such as 2016-12-31"])
    if wrong:
        return "; ".join(wrong)
    return Confirmation(
        site_code=line["site"],
        dataset=line["dataset"],
        key=line["key"],
        field=line["field"],
        rule_id=line["rule"],
        value_hash=line["value_hash"],
        confirmed_on=confirmed_on,
        reason=line["reason"],
        role=line["role"],
    )


def on_record(confirmed: ConfirmedWarning, delivery: Delivery) -> Confirmation:
    """A warning that a delivery confirms, as it goes on record."""
    return Confirmation(
        site_code=delivery.site_code,
        dataset=delivery.dataset,
        confirmed_on=day_received(delivery.received_at),
        **confirmed._asdict(),
    )


def record_confirmations(paths: DataPaths, known: Confirmations, new: Iterable[Confirmation]) -> Confirmations:
    """Add confirmations to those on record, and write the file if there is a new one."""
    merged = known.with_lines(new)
    if merged.lines != known.lines:
        with replacement_of(paths.confirmations, mode=0o600) as unfinished:
            unfinished.write_text(_as_csv(merged), encoding="utf-8", newline="")
    return merged


def _as_csv(confirmations: Confirmations) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for c in confirmations.lines:
        of_row = c.site_code, c.dataset, c.key, c.field, c.rule_id, c.value_hash
        writer.writerow((*of_row, c.reason, c.role, c.confirmed_on.isoformat()))
    writer.writerows(confirmations.faulty_lines)
    return out.getvalue()
