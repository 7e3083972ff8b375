"""Write the bad files, the same on every run, and the list of their faults. Everything in them is invented.

Three files of contacts with 300 rows each: `faults` has sixteen kinds of fault; `personal` has the same, and an NHS
number of the test range, an e-mail address and a telephone number; `torn` has no fault but one malformed line. In the
first two, a record near the top has a quoted line break, so that row numbers and line numbers differ below it.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rules import COLUMNS, LISTS

ROWS = 300
SEED = 20161130
WRONG_ROLE = "support worker"
WRONG_ROLES = 42
NAME = "Marigold Quillfeather"
PERSONAL = {  # nobody's: an invented name, and ranges reserved for tests, examples and drama
    "name": NAME,
    "NHS number": "9990000018",
    "e-mail": "m.quillfeather@example.org",
    "telephone": "07700 900123",
}
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, its true position, and the value."""

    kind: str
    record: int  # index of the row of data from 0, as a CSV reader counts
    line: int  # physical line; the heading is line 1
    column: str  # '' for a fault of the whole row
    value: str


@dataclass
class Table:
    """Records before they are written, and their faults."""

    records: list[list[str]]
    faults: list[tuple[str, int, str]]  # kind, record, column

    def plant(self, kind: str, record: int, column: str, value: str) -> None:
        """Replace a value, and record the fault."""
        self.records[record][COLUMNS.index(column)] = value
        self.faults.append((kind, record, column))


def valid_records(chance: random.Random) -> list[list[str]]:
    """Valid contacts. Each episode and staff reference is on one row only: an output with both of them has that row."""
    references = iter(_references(chance))
    records = []
    for n in range(1, ROWS + 1):
        came = chance.random() < 0.8
        records.append(
            [
                f"BPL-C{n:06}",
                f"BPL-{next(references)}",
                f"2016-{chance.choice(('09', '10', '11'))}-{chance.randint(1, 28):02}",
                chance.choice(LISTS["contact_type"]),
                chance.choice(LISTS["contact_medium"]),
                chance.choice(("5", "6") if came else ("2", "3", "4", "7")),
                str(chance.choice((15, 20, 30, 45, 60))) if came else "",
                chance.choice(LISTS["staff_role"]),
                f"W-{next(references)}",
                chance.choice(LISTS["with_employer"]),
            ]
        )
    return records


def _references(chance: random.Random) -> Iterator[str]:
    seen: set[str] = set()
    while True:
        reference = "".join(chance.choices(_LETTERS, k=9))
        if reference not in seen:
            seen.add(reference)
            yield reference


def with_faults() -> Table:
    """The table of 300 rows with sixteen kinds of fault."""
    chance = random.Random(SEED)
    table = Table(valid_records(chance), [])
    came = [i for i, r in enumerate(table.records) if r[5] in ("5", "6")]
    chosen = chance.sample([i for i in came if 20 < i < ROWS - 2], WRONG_ROLES + 24)
    roles, others = sorted(chosen[:WRONG_ROLES]), iter(chosen[WRONG_ROLES:])
    table.plant("line break inside a cell", came[8], "contact_type", "review\n")
    for i in roles:
        table.plant("wrong code, 42 rows", i, "staff_role", WRONG_ROLE)
    for value in ("1", "2", "1", "4"):
        table.plant("leading zero lost", next(others), "contact_medium", value)
    for value in ("14/11/2016", "22/10/2016"):
        table.plant("day/month/year date", next(others), "contact_date", value)
    table.plant("impossible date", next(others), "contact_date", "2016-11-31")
    table.plant("date after the extract", next(others), "contact_date", "2017-03-02")
    table.plant("required cell empty", next(others), "contact_date", "")
    table.plant("required cell empty", next(others), "attended", "")
    for value in ("900", "1440"):
        table.plant("number out of range", next(others), "duration_minutes", value)
    table.plant("text in a number column", next(others), "duration_minutes", "45 mins")
    table.plant("spreadsheet error", next(others), "duration_minutes", "#REF!")
    for _ in range(2):
        i = next(others)
        table.records[i][COLUMNS.index("attended")] = "3"
        table.plant("two cells disagree", i, "duration_minutes", "30")
    first, second = sorted((next(others), next(others)))
    for i in (first, second):
        table.plant("one key, two contents", i, "contact_id", table.records[first][0])
    original, copy = sorted((next(others), next(others)))
    table.records[copy] = list(table.records[original])
    table.faults.append(("exact copy", copy, ""))
    table.plant("a name for a reference", next(others), "staff_ref", NAME)
    malformed = next(others)
    table.records[malformed].insert(3, "review")
    table.faults.append(("torn line", malformed, ""))
    table.records[-1] = ["Total", "", "", "", "", "", "9135", "", "", ""]
    table.faults.append(("total row", ROWS - 1, ""))
    return table


def with_personal_values() -> Table:
    """The same, with identifiers of an invented person in cells that were valid."""
    table = with_faults()
    at_fault = {i for _, i, _ in table.faults}
    valid = (i for i in range(40, ROWS) if i not in at_fault and len(table.records[i]) == len(COLUMNS))
    for what, column in (("NHS number", "episode_id"), ("e-mail", "staff_ref"), ("telephone", "staff_ref")):
        table.plant(what, next(valid), column, PERSONAL[what])
    return table


def with_a_malformed_line() -> Table:
    """A valid table except for one line with a surplus cell, at the end of the first third."""
    table = Table(valid_records(random.Random(SEED)), [])
    table.records[100].insert(3, "review")
    table.faults.append(("torn line", 100, ""))
    return table


FILES = {"faults": with_faults, "personal": with_personal_values, "torn": with_a_malformed_line}


def write(folder: Path) -> None:
    """Write each file as `<name>/MHT-BPL_contacts_201611_v1.csv`, and `<name>/truth.json` beside it."""
    for name, make in FILES.items():
        table = make()
        case = folder / name
        case.mkdir(parents=True, exist_ok=True)
        text, lines = _as_csv(table.records)
        (case / "MHT-BPL_contacts_201611_v1.csv").write_text(text, encoding="utf-8", newline="")
        faults = [
            Fault(kind, i, lines[i], column, table.records[i][COLUMNS.index(column)] if column else "")
            for kind, i, column in sorted(table.faults, key=lambda f: f[1])
        ]
        truth = {"faults": [asdict(f) for f in faults], "records": table.records, "lines": lines}
        (case / "truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")


def _as_csv(records: list[list[str]]) -> tuple[str, list[int]]:
    """Format the records as CSV. Returns the text, and the physical line on which each record begins."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    lines = []
    for record in records:
        lines.append(out.getvalue().count("\n") + 1)
        writer.writerow(record)
    return out.getvalue(), lines
