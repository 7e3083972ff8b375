"""One broken record in an otherwise good file costs exactly that record (the acceptance line of reading).

Hundreds of files (thousands in `make soak`) are made and broken by chance, always the same. What is expected comes
from how a file was made and from Python's own reader of CSV, which counts the lines of the file before it was broken.
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
SEEDS = range(iterations(everyday=400, soak=6400))
QUOTED_TEXTS = ["key, worker", 'the "key" worker', "key\nworker", "key\n\n, worker", '"', "\nkey worker", "key\n"]
PLAIN_TEXTS = ["key worker", "37'37.8 north", ""]


@dataclass(frozen=True)
class Broken:
    """A file with one broken record: its text, the records that remain by their first line, and the broken lines."""

    text: str
    others: dict[int, tuple[str, ...]]
    lines: range
    record: str
    at: int  # the place of the break in the record


def test_one_break_costs_one_record(validate: Validator, tmp_path: Path) -> None:
    still_records = []
    for seed in SEEDS:
        broken = broken_file(random.Random(seed))
        rows, malformed = records_of(tmp_path, broken.text)
        blank = {n for n, row in rows.items() if n in broken.lines and not any(row)}
        kept = {n: row for n, row in rows.items() if n not in blank}
        named = {n for n in malformed if n in broken.lines}
        told = f"seed {seed}: {broken.record!r} in\n{broken.text}"
        assert set(malformed) == named, told
        if broken.lines[0] in kept:  # a record yet, with a quotation mark in a cell: that cell must be at fault
            still_records.append((broken, kept.pop(broken.lines[0])))
        else:
            assert broken.lines[0] in named, told
        assert kept == broken.others, told
    assert len(SEEDS) / 16 < len(still_records) < len(SEEDS) / 2
    assert_each_is_held(validate, still_records)


def assert_each_is_held(validate: Validator, records: list[tuple[Broken, tuple[str, ...]]]) -> None:
    """Each record that a break left readable is held, at a cell that holds a quotation mark."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    written = []
    for broken, record in records:
        first = writer.writerow(record) and out.getvalue().count("\n")
        written.append((broken, record, first - sum(cell.count("\n") for cell in record)))
    findings = validate(out.getvalue()).findings
    at_fault = {(f.row, f.column) for f in findings if f.severity == "row"}
    for broken, record, row in written:
        spoilt = {(row, field) for field, cell in zip(FIELDS, record, strict=True) if '"' in cell}
        assert spoilt & at_fault, broken.record


def broken_file(chance: random.Random) -> Broken:
    """Some sound records, one of which is broken: with quoted cells or without, with any kind of line end."""
    quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    texts = chance.choice([PLAIN_TEXTS, PLAIN_TEXTS + QUOTED_TEXTS])
    end = chance.choice(["\n", "\r\n"])
    records = [{**contact(n), "staff_role": chance.choice(texts)} for n in range(chance.randint(1, 9))]
    at = chance.choice([0, len(records) - 1, chance.randrange(len(records))])
    if chance.random() < 0.7:
        records[at]["staff_role"] = "key_worker"  # else the broken one may itself have several lines
    written = [written_as(list(r.values()), quoting, end) for r in records]
    whole = written_as(list(FIELDS), csv.QUOTE_MINIMAL, end) + "".join(written)
    firsts = lines_by_python(whole)[1:]
    cells = [tuple(r.values()) for r in records]
    body = written[at].removesuffix(end)
    spoilt = body
    while is_whole(spoilt):
        kind = chance.choice([surplus, missing, stray_mark, unclosed, stray_pair, other_delimiter])
        spoilt = kind(body, chance)
    written[at] = spoilt + end
    text = written_as(list(FIELDS), csv.QUOTE_MINIMAL, end) + "".join(written)
    if chance.random() < 0.3:
        text = text.removesuffix(end)
    lines = range(firsts[at], firsts[at] + spoilt.count("\n") + 1)
    moved = spoilt.count("\n") - body.count("\n")  # the records below stand where they then stand
    others = {n + moved * (i > at): c for i, (n, c) in enumerate(zip(firsts, cells, strict=True)) if i != at}
    return Broken(text, others, lines, spoilt, at)


def written_as(cells: list[str], quoting: int, end: str) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator=end).writerow(cells)  # type: ignore[arg-type]
    return out.getvalue()


def lines_by_python(text: str) -> list[int]:
    """The physical line on which each record begins, as Python's reader counts them."""
    reader = csv.reader(io.StringIO(text, newline=""))
    return [1, *(reader.line_num + 1 for _ in reader)][:-1]


def is_whole(record: str) -> bool:
    """Whether a strict reader finds a record of the right width, without a quotation mark where none may be."""
    try:
        found = list(csv.reader(io.StringIO(record, newline=""), strict=True))
    except csv.Error:
        return False
    return len(found) == 1 and len(found[0]) == len(FIELDS) and written_alike(record, found[0])


def written_alike(record: str, cells: list[str]) -> bool:
    """Whether the cells, written by the standard with any choice of quoted ones, may give this very record."""
    rest = record
    for i, cell in enumerate(cells):
        quoted = '"' + cell.replace('"', '""') + '"'
        form = quoted if rest.startswith('"') else cell
        if not rest.startswith(form) or (form is cell and '"' in cell):
            return False
        rest = rest[len(form) :]
        rest = rest.removeprefix(",") if i + 1 < len(cells) else rest
    return not rest


def outside(record: str) -> list[int]:
    """The places of the delimiters that part cells."""
    return [i for i, mark in enumerate(record) if mark == "," and record[:i].count('"') % 2 == 0]


def surplus(record: str, chance: random.Random) -> str:
    at = chance.choice([-1, *outside(record)]) + 1
    return record[:at] + chance.choice([",", '"",', "more,", '"more, again",']) + record[at:]


def missing(record: str, chance: random.Random) -> str:
    edges = [-1, *outside(record), len(record)]
    i = chance.randrange(len(edges) - 1)
    return (record[: edges[i] + 1] + record[edges[i + 1] + 1 :]).removesuffix("," if i == len(edges) - 2 else "")


def stray_mark(record: str, chance: random.Random) -> str:
    at = chance.randint(0, len(record))
    return record[:at] + '"' + record[at:]


def unclosed(record: str, chance: random.Random) -> str:
    marks = [i for i, mark in enumerate(record) if mark == '"']
    if marks:
        at = chance.choice(marks)
        return record[:at] + record[at + 1 :]
    at = chance.choice([-1, *outside(record)]) + 1
    return record[:at] + '"' + record[at:]


def stray_pair(record: str, chance: random.Random) -> str:
    first, second = sorted(chance.choices(range(len(record) + 1), k=2))
    if chance.random() < 0.5:
        second = first
    return record[:first] + '"' + record[first:second] + '"' + record[second:]


def other_delimiter(record: str, chance: random.Random) -> str:
    other = chance.choice([";", "\t", "|", " "])
    if chance.random() < 0.5:
        return record.replace(",", other)
    at = chance.choice(outside(record))
    return record[:at] + other + record[at + 1 :]


def records_of(folder: Path, text: str) -> tuple[dict[int, tuple[str, ...]], list[int]]:
    """The records of a file by their first lines, and its torn lines, as the pipeline reads them."""
    path = folder / "contacts.csv"
    path.write_text(text, newline="")
    batches = list(read(path, KNOWN).batches)
    rows = pl.concat([b.rows for b in batches], how="diagonal").fill_null("")
    return {r[-1]: r[:-1] for r in rows.iter_rows()}, [n for b in batches for n in b.malformed]
