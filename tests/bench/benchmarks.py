"""Benchmarks of single pieces of work. Each yields one or more rows of the table, with their targets."""

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

from measure import compare_costs, cost_of, python

CONTACTS = "MHT-BPL_contacts_201611_v1"
GIB = 1 << 30


@dataclass(frozen=True)
class Outcome:
    """One row of the table: a measured ratio (or other figure), with a maximum or minimum if it has a target."""

    work: str
    value: float
    most: float | None = None
    unit: str = "x"
    least: float | None = None
    note: str = ""  # shown beside the value

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
        """The measured value in words."""
        return f"{self.value:.2f}{self.unit}{f' ({self.note})' if self.note else ''}"

    @property
    def in_words(self) -> str:
        """The row as a line for the terminal."""
        return f"{self.work}: {self.measured} (target {self.target}){'  DOES NOT HOLD' if self.holds is False else ''}"

    @property
    def is_ratio(self) -> bool:
        """Whether it means something on another machine: seconds and bytes do not."""
        return self.unit in ("x", "%")

    def as_row(self, size: str) -> str:
        """The row as a line of a Markdown table."""
        holds = {True: "yes", False: "**no**", None: ""}[self.holds]
        return f"| {self.work} | {size} | {self.target} | {self.measured} | {holds} |\n"

    def to_json(self) -> dict[str, Any]:
        """The row as plain values, including the texts of the table."""
        return asdict(self) | {"target": self.target, "measured": self.measured, "holds": self.holds}


@dataclass
class Bench:
    """One run of the benchmarks."""

    folder: Path  # temporary
    size: int  # rows of the large file
    repeats: int  # of each measurement

    def contacts(self, rows: int, bad_share: float = 0.01) -> Path:
        """A simulated contacts file. Another process writes it, so that this one stays small."""
        path = self.folder / f"contacts-{rows}-{bad_share}.csv"
        if not path.exists():
            cost_of(python("made_up_contacts.py", path, str(rows), str(bad_share)))
        return path

    def ours(self, file: Path) -> Callable[[], Sequence[str]]:
        """Command for the pipeline from receive to load over one file, in a new data folder each time."""

        def make() -> Sequence[str]:
            data = self.folder / "data"
            shutil.rmtree(data, ignore_errors=True)
            (data / "raw" / "MHT-BPL").mkdir(parents=True)
            os.link(file, data / "raw" / "MHT-BPL" / f"{CONTACTS}{file.suffix}")
            return python("ours.py", data)

        return make

    def by_hand(self, file: Path) -> Callable[[], Sequence[str]]:
        """Command for the reference over the same file."""

        def make() -> Sequence[str]:
            out = self.folder / "by hand"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            return python("reference.py", file, out)

        return make

    @cached_property
    def pilots(self) -> str:
        """Path of the installed `pilots` command."""
        return str(Path(sys.executable).with_name("pilots"))


def large_file(bench: Bench) -> Iterator[Outcome]:
    """Receive to load over one large file, relative to the reference.

    The pipeline does strictly more: it handles any dataset, heading, dialect and encoding, looks for personal data in
    every cell, and records what was found and how to fix it.
    """
    file = bench.contacts(bench.size)
    cost_of(bench.ours(file)())
    cost_of(bench.by_hand(file)())
    _assert_same_results(bench)
    costs = compare_costs({"ours": bench.ours(file), "by hand": bench.by_hand(file)}, bench.repeats)
    ours, by_hand = costs["ours"], costs["by hand"]
    is_large = bench.size == 10_000_000  # below that, start-up and an empty warehouse dominate
    wall, cpu, growth = (1.0, 1.2, 1.2) if is_large else (None, None, None)
    yield Outcome("receive to load v the reference, wall", ours.wall / by_hand.wall, wall)
    yield Outcome("receive to load v the reference, CPU", ours.cpu / by_hand.cpu, cpu)
    yield Outcome("receive to load, peak memory of the process tree", ours.memory / GIB, 1.0, " GiB")
    tenth = compare_costs({"tenth": bench.ours(bench.contacts(bench.size // 10))}, bench.repeats)["tenth"]
    yield Outcome("receive to load, peak memory v that of a tenth of the rows", ours.memory / tenth.memory, growth)


def _assert_same_results(bench: Bench) -> None:
    """Exit where the results of the two sides differ: then their times are not comparable."""
    comparison = subprocess.run(
        python("same_results.py", bench.folder / "data", bench.folder / "by hand"),
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if comparison.returncode:
        sys.exit(comparison.stderr)


def all_bad(bench: Bench) -> Iterator[Outcome]:
    """A file with a fault in every row, relative to one without faults."""
    rows = min(bench.size, 1_000_000)
    bad, good = bench.ours(bench.contacts(rows, 1.0)), bench.ours(bench.contacts(rows, 0.0))
    costs = compare_costs({"bad": bad, "good": good}, bench.repeats)
    yield Outcome("an all-bad file v an all-good one, time", costs["bad"].wall / costs["good"].wall, 2.0)
    yield Outcome("an all-bad file v an all-good one, memory", costs["bad"].memory / costs["good"].memory, 1.5)


def parquet(bench: Bench) -> Iterator[Outcome]:
    """Contacts as a Parquet file of text, relative to the same as CSV, without the malformed lines."""
    csv = bench.contacts(min(bench.size, 1_000_000))
    file = csv.with_suffix(".parquet")
    cost_of(python("as_parquet.py", csv, file))
    costs = compare_costs({"parquet": bench.ours(file), "csv": bench.ours(csv)}, bench.repeats)
    yield Outcome("receive to load of Parquet v of CSV, wall", costs["parquet"].wall / costs["csv"].wall)
    yield Outcome("receive to load of Parquet v of CSV, CPU", costs["parquet"].cpu / costs["csv"].cpu)


def workbook(bench: Bench) -> Iterator[Outcome]:
    """An Excel workbook of 100,000 rows, relative to calamine alone: the read step, and all of receive to load.

    The read step does what calamine does, and in addition cell addresses, spreadsheet errors and limits. The rest
    (typing, validating, loading, and their imports) is the same for every format.
    """
    file = bench.folder / "contacts.xlsx"
    cost_of(python("as_workbook.py", bench.contacts(100_000), file))
    bare, reading = [sys.executable, "-c", _BARE_CALAMINE, str(file)], python("read_workbook.py", file)
    sides = {"ours": bench.ours(file), "reading": lambda: reading, "bare": lambda: bare}
    costs = compare_costs(sides, bench.repeats)
    yield Outcome("reading an XLSX of 100k rows v calamine alone", costs["reading"].wall / costs["bare"].wall, 1.5)
    yield Outcome("XLSX of 100k rows, receive to load, v calamine alone", costs["ours"].wall / costs["bare"].wall, 1.5)


_BARE_CALAMINE = """
import sys, python_calamine
python_calamine.CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python(skip_empty_area=False)
"""


def start_up(bench: Bench) -> Iterator[Outcome]:
    """`pilots --help`, relative to the smallest typer program."""
    bare = [sys.executable, "-c", "import typer; app = typer.Typer(); app.command()(lambda: None); app()", "--help"]
    help_ = [bench.pilots, "--help"]
    costs = compare_costs({"ours": lambda: help_, "bare": lambda: bare}, max(bench.repeats, 9))
    yield Outcome("`pilots --help` v a bare typer program", costs["ours"].wall / costs["bare"].wall, 1.3)


def small_check(bench: Bench) -> Iterator[Outcome]:
    """`pilots check` of a small workbook, relative to the imports that it needs."""
    file = bench.folder / f"{CONTACTS}.xlsx"
    cost_of(python("as_workbook.py", bench.contacts(300, 0.0), file))
    imports = [sys.executable, "-c", "import pandera.polars, duckdb, python_calamine"]
    costs = compare_costs({"ours": lambda: [bench.pilots, "check", str(file)], "imports": lambda: imports}, 9)
    yield Outcome("`pilots check` of 300 rows v its imports", costs["ours"].wall / costs["imports"].wall, 1.4)
