"""One broken record in an otherwise valid CSV file affects no other record.

Hundreds of files (thousands in `make soak`) are made and broken at random, with fixed seeds. The expected result comes
from how each file was made, with line numbers from Python's csv reader on the file before it was broken.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from file_validator import CONTACT, Validator, contact
from soak import iterations

from flows.steps.read import read
from schemas._contract.code_lists import fold

FIELDS = tuple(CONTACT)
KNOWN = frozenset(map(fold, FIELDS))
SEEDS = range(iterations(everyday=75, soak=6400))
QUOTED_TEXTS = ["key, worker", 'the "key" worker', "key\nworker", "key\n\n, worker", '"', "\nkey worker", "key\n"]
PLAIN_TEXTS = ["key worker", "37'37.8 north", ""]


@dataclass(frozen=True)
class BrokenFile:
    """A file with one broken record: its text, the other records by first line, and the broken lines."""

    text: str
    others: dict[int, tuple[str, ...]]
    lines: range
    record: str
    position: int  # index of the broken record


def test_one_broken_record_affects_no_other(validate: Validator, tmp_path: Path) -> None:
    readable = []
    for seed in SEEDS:
        broken = broken_file(random.Random(seed))
        rows, malformed = records_of(tmp_path, broken.text)
        blank = {n for n, row in rows.items() if n in broken.lines and not any(row)}
        remaining = {n: row for n, row in rows.items() if n not in blank}
        reported = {n for n in malformed if n in broken.lines}
        message = f"seed {seed}: {broken.record!r} in\n{broken.text}"
        assert set(malformed) == reported, message
        if broken.lines[0] in remaining:  # still a record, with a quotation mark in a cell, which must then be at fault
            readable.append((broken, remaining.pop(broken.lines[0])))
        else:
            assert broken.lines[0] in reported, message
        assert remaining == broken.others, message
    # Guards the generator: some breaks leave a readable record, but most do not.
    assert len(SEEDS) / 16 < len(readable) < len(SEEDS) / 2
    assert_each_is_held(validate, readable)


def assert_each_is_held(validate: Validator, records: list[tuple[BrokenFile, tuple[str, ...]]]) -> None:
    """Assert that each record that stayed readable is held, for a cell with a quotation mark."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    expected = []
    for broken, record in records:
        first = writer.writerow(record) and out.getvalue().count("\n")
        expected.append((broken, record, first - sum(cell.count("\n") for cell in record)))
    findings = validate(out.getvalue()).findings
    at_fault = {(f.row, f.column) for f in findings if f.severity == "row"}
    for broken, record, row in expected:
        damaged = {(row, field) for field, cell in zip(FIELDS, record, strict=True) if '"' in cell}
        assert damaged & at_fault, broken.record


def broken_file(rng: random.Random) -> BrokenFile:
    """Make some valid records and break one, with or without quoted cells and with any line end."""
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    texts = rng.choice([PLAIN_TEXTS, PLAIN_TEXTS + QUOTED_TEXTS])
    end = rng.choice(["\n", "\r\n"])
    records = [{**contact(n), "staff_role": rng.choice(texts)} for n in range(rng.randint(1, 9))]
    position = rng.choice([0, len(records) - 1, rng.randrange(len(records))])
    if rng.random() < 0.7:
        records[position]["staff_role"] = "key_worker"  # otherwise the broken record may have several lines
    written = [csv_record(list(r.values()), quoting, end) for r in records]
    original = csv_record(list(FIELDS), csv.QUOTE_MINIMAL, end) + "".join(written)
    first_lines = lines_by_python(original)[1:]
    cells = [tuple(r.values()) for r in records]
    body = written[position].removesuffix(end)
    damaged = body
    while is_whole(damaged):  # some random breaks give another valid record: try again
        kind = rng.choice([surplus, missing, stray_mark, unclosed, stray_pair, other_delimiter])
        damaged = kind(body, rng)
    written[position] = damaged + end
    text = csv_record(list(FIELDS), csv.QUOTE_MINIMAL, end) + "".join(written)
    if rng.random() < 0.3:
        text = text.removesuffix(end)
    lines = range(first_lines[position], first_lines[position] + damaged.count("\n") + 1)
    shift = damaged.count("\n") - body.count("\n")
    # A broken record may have gained or lost line breaks, which moves the records below it.
    others = {
        n + shift * (i > position): c for i, (n, c) in enumerate(zip(first_lines, cells, strict=True)) if i != position
    }
    return BrokenFile(text, others, lines, damaged, position)


def csv_record(cells: list[str], quoting: int, end: str) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator=end).writerow(cells)  # type: ignore[arg-type]
    return out.getvalue()


def lines_by_python(text: str) -> list[int]:
    """The physical line on which each record begins, counted by Python's csv reader."""
    reader = csv.reader(io.StringIO(text, newline=""))
    return [1, *(reader.line_num + 1 for _ in reader)][:-1]


def is_whole(record: str) -> bool:
    """Whether a strict reader finds one record of the right width, with valid quotation marks."""
    try:
        found = list(csv.reader(io.StringIO(record, newline=""), strict=True))
    except csv.Error:
        return False
    return len(found) == 1 and len(found[0]) == len(FIELDS) and can_be_written_as(record, found[0])


def can_be_written_as(record: str, cells: list[str]) -> bool:
    """Whether writing the cells as standard CSV, quoting any of them, can give this record."""
    rest = record
    for i, cell in enumerate(cells):
        quoted = '"' + cell.replace('"', '""') + '"'
        form = quoted if rest.startswith('"') else cell
        if not rest.startswith(form) or (form is cell and '"' in cell):
            return False
        rest = rest[len(form) :]
        rest = rest.removeprefix(",") if i + 1 < len(cells) else rest
    return not rest


def separators(record: str) -> list[int]:
    """The positions of the commas that separate cells."""
    return [i for i, mark in enumerate(record) if mark == "," and record[:i].count('"') % 2 == 0]


def surplus(record: str, rng: random.Random) -> str:
    """Insert a cell."""
    position = rng.choice([-1, *separators(record)]) + 1
    return record[:position] + rng.choice([",", '"",', "more,", '"more, again",']) + record[position:]


def missing(record: str, rng: random.Random) -> str:
    """Remove a cell."""
    edges = [-1, *separators(record), len(record)]
    i = rng.randrange(len(edges) - 1)
    return (record[: edges[i] + 1] + record[edges[i + 1] + 1 :]).removesuffix("," if i == len(edges) - 2 else "")


def stray_mark(record: str, rng: random.Random) -> str:
    """Insert a quotation mark."""
    position = rng.randint(0, len(record))
    return record[:position] + '"' + record[position:]


def unclosed(record: str, rng: random.Random) -> str:
    """Remove a quotation mark, or open a cell that is not quoted."""
    marks = [i for i, mark in enumerate(record) if mark == '"']
    if marks:
        position = rng.choice(marks)
        return record[:position] + record[position + 1 :]
    position = rng.choice([-1, *separators(record)]) + 1
    return record[:position] + '"' + record[position:]


def stray_pair(record: str, rng: random.Random) -> str:
    """Insert two quotation marks."""
    first, second = sorted(rng.choices(range(len(record) + 1), k=2))
    if rng.random() < 0.5:
        second = first
    return record[:first] + '"' + record[first:second] + '"' + record[second:]


def other_delimiter(record: str, rng: random.Random) -> str:
    """Replace one or all of the commas by another separator."""
    other = rng.choice([";", "\t", "|", " "])
    if rng.random() < 0.5:
        return record.replace(",", other)
    position = rng.choice(separators(record))
    return record[:position] + other + record[position + 1 :]


def records_of(folder: Path, text: str) -> tuple[dict[int, tuple[str, ...]], list[int]]:
    """Read a file: its records by first line, and the numbers of its malformed lines."""
    path = folder / "contacts.csv"
    path.write_text(text, newline="")
    batches = list(read(path, KNOWN).batches)
    rows = pl.concat([b.rows for b in batches], how="diagonal").fill_null("")
    return {r[-1]: r[:-1] for r in rows.iter_rows()}, [n for b in batches for n in b.malformed]
