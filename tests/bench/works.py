"""The works that are measured: each gives one or more rows of the table, with its target."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from measure import compared, cost_of, python

CONTACTS = "MHT-BPL_contacts_201611_v1"
GIB = 1 << 30


@dataclass(frozen=True)
class Outcome:
    """One row of the table: a ratio (or another figure), beside the most or the least it may be if it has a target."""

    work: str
    value: float
    most: float | None = None
    unit: str = "x"
    least: float | None = None
    note: str = ""  # what has to be known to read it

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def target(self) -> str:
        """The target in words."""
        if self.holds is None:
            return "none"
        return f"<= {self.most:g}{self.unit}" if self.most is not None else f">= {self.least:g}{self.unit}"

    @property
    def measured(self) -> str:
        """What was measured, in words."""
        return f"{self.value:.2f}{self.unit}{f' ({self.note})' if self.note else ''}"

    @property
    def in_words(self) -> str:
        """The row as a line."""
        return f"{self.work}: {self.measured} (target {self.target}){'  DOES NOT HOLD' if self.holds is False else ''}"

    @property
    def is_ratio(self) -> bool:
        """Whether it says as much on another machine: seconds and bytes do not."""
        return self.unit in ("x", "%")

    def as_row(self, size: str) -> str:
        """The row as a line of a table in Markdown."""
        holds = {True: "yes", False: "**no**", None: ""}[self.holds]
        return f"| {self.work} | {size} | {self.target} | {self.measured} | {holds} |\n"

    def to_json(self) -> dict[str, Any]:
        """The row as plain values, the words of the table beside them."""
        return asdict(self) | {"target": self.target, "measured": self.measured, "holds": self.holds}


@dataclass
class Bench:
    """Where files of this run lie, how large the large one is, and how often each work is repeated."""

    folder: Path
    size: int
    repeats: int

    def contacts(self, rows: int, bad_share: float = 0.01) -> Path:
        """A made-up contacts file. Another process writes it, so that this one stays small."""
        path = self.folder / f"contacts-{rows}-{bad_share}.csv"
        if not path.exists():
            cost_of(python("made_up_contacts.py", path, str(rows), str(bad_share)))
        return path

    def ours(self, file: Path) -> Callable[[], Sequence[str]]:
        """The pipeline from receive to load, over one file in a data folder that is new each time."""

        def make() -> Sequence[str]:
            data = self.folder / "data"
            shutil.rmtree(data, ignore_errors=True)
            (data / "raw" / "MHT-BPL").mkdir(parents=True)
            os.link(file, data / "raw" / "MHT-BPL" / f"{CONTACTS}{file.suffix}")
            return python("ours.py", data)

        return make

    def by_hand(self, file: Path) -> Callable[[], Sequence[str]]:
        """The reference over the same file."""

        def make() -> Sequence[str]:
            out = self.folder / "by hand"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            return python("reference.py", file, out)

        return make

    @cached_property
    def pilots(self) -> str:
        """The command as it is installed."""
        return str(Path(sys.executable).with_name("pilots"))


def large_file(bench: Bench) -> Iterator[Outcome]:
    """Receive to load over one large file, beside the reference.

    The pipeline does strictly more: it reads any dataset in any spelling, looks for personal data in every cell, says
    what was found and how to fix it, and takes headings, dialects and encodings as they come.
    """
    file = bench.contacts(bench.size)
    cost_of(bench.ours(file)())
    cost_of(bench.by_hand(file)())
    _assert_same_results(bench)
    costs = compared({"ours": bench.ours(file), "by hand": bench.by_hand(file)}, bench.repeats)
    ours, by_hand = costs["ours"], costs["by hand"]
    is_large = bench.size == 10_000_000  # below, much of it is the start and an empty warehouse, and says little
    wall, cpu, growth = (1.0, 1.2, 1.2) if is_large else (None, None, None)
    yield Outcome("receive to load v the reference, wall", ours.wall / by_hand.wall, wall)
    yield Outcome("receive to load v the reference, CPU", ours.cpu / by_hand.cpu, cpu)
    yield Outcome("receive to load, peak memory of the process tree", ours.memory / GIB, 1.0, " GiB")
    tenth = compared({"tenth": bench.ours(bench.contacts(bench.size // 10))}, bench.repeats)["tenth"]
    yield Outcome("receive to load, peak memory v that of a tenth of the rows", ours.memory / tenth.memory, growth)


def _assert_same_results(bench: Bench) -> None:
    """Stop where the two sides do not come to the same: then their times are not of the same work."""
    said = subprocess.run(
        python("same_results.py", bench.folder / "data", bench.folder / "by hand"),
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if said.returncode:
        sys.exit(said.stderr)


def all_bad(bench: Bench) -> Iterator[Outcome]:
    """A file whose every row is at fault, beside one without a fault."""
    rows = min(bench.size, 1_000_000)
    bad, good = bench.ours(bench.contacts(rows, 1.0)), bench.ours(bench.contacts(rows, 0.0))
    costs = compared({"bad": bad, "good": good}, bench.repeats)
    yield Outcome("an all-bad file v an all-good one, time", costs["bad"].wall / costs["good"].wall, 2.0)
    yield Outcome("an all-bad file v an all-good one, memory", costs["bad"].memory / costs["good"].memory, 1.5)


def parquet(bench: Bench) -> Iterator[Outcome]:
    """The same contacts as a Parquet file of texts, beside the CSV file; torn lines left out, for it can hold none."""
    csv = bench.contacts(min(bench.size, 1_000_000))
    file = csv.with_suffix(".parquet")
    cost_of(python("as_parquet.py", csv, file))
    costs = compared({"parquet": bench.ours(file), "csv": bench.ours(csv)}, bench.repeats)
    yield Outcome("receive to load of Parquet v of CSV, wall", costs["parquet"].wall / costs["csv"].wall)
    yield Outcome("receive to load of Parquet v of CSV, CPU", costs["parquet"].cpu / costs["csv"].cpu)


def workbook(bench: Bench) -> Iterator[Outcome]:
    """An Excel workbook of 100,000 rows, beside the bare reader alone: its reading, and all from receive to load.

    Its reading is the bare reader's own task, with the addresses, spreadsheet errors and limits that the bare reader
    leaves out. All else (typing, validating, loading, and the imports of those) is the same for a file of any kind.
    """
    file = bench.folder / "contacts.xlsx"
    cost_of(python("as_workbook.py", bench.contacts(100_000), file))
    bare, reading = [sys.executable, "-c", _BARE_CALAMINE, str(file)], python("read_workbook.py", file)
    sides = {"ours": bench.ours(file), "reading": lambda: reading, "bare": lambda: bare}
    costs = compared(sides, bench.repeats)
    yield Outcome("reading an XLSX of 100k rows v calamine alone", costs["reading"].wall / costs["bare"].wall, 1.5)
    yield Outcome("XLSX of 100k rows, receive to load, v calamine alone", costs["ours"].wall / costs["bare"].wall, 1.5)


_BARE_CALAMINE = """
import sys, python_calamine
python_calamine.CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python(skip_empty_area=False)
"""


def start_up(bench: Bench) -> Iterator[Outcome]:
    """`pilots --help` beside the smallest typer program."""
    bare = [sys.executable, "-c", "import typer; app = typer.Typer(); app.command()(lambda: None); app()", "--help"]
    help_ = [bench.pilots, "--help"]
    costs = compared({"ours": lambda: help_, "bare": lambda: bare}, max(bench.repeats, 9))
    yield Outcome("`pilots --help` v a bare typer program", costs["ours"].wall / costs["bare"].wall, 1.3)


def small_check(bench: Bench) -> Iterator[Outcome]:
    """`pilots check` of a small workbook, beside the imports that it cannot do without."""
    file = bench.folder / f"{CONTACTS}.xlsx"
    cost_of(python("as_workbook.py", bench.contacts(300, 0.0), file))
    imports = [sys.executable, "-c", "import pandera.polars, duckdb, python_calamine"]
    costs = compared({"ours": lambda: [bench.pilots, "check", str(file)], "imports": lambda: imports}, 9)
    yield Outcome("`pilots check` of 300 rows v its imports", costs["ours"].wall / costs["imports"].wall, 1.4)
