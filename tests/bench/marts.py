"""Benchmark: build all marts on a large simulated warehouse, against executing the same SQL alone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
from benchmarks import GIB, Bench, Outcome
from measure import compare_costs, cost_of, python
from run_build import BARE, OPTIONS

from schemas._contract import catalogue


def marts(bench: Bench) -> Iterator[Outcome]:
    """Cost of all marts, on as many contacts as the large file has, relative to the same SQL alone."""
    folder = bench.folder / "marts"
    made_up = folder / "made_up.duckdb"
    cost_of(python("made_up_warehouse.py", made_up, str(bench.size)))
    (folder / BARE).write_text(bare_sql(), encoding="utf-8")

    def side(name: str) -> Callable[[], Sequence[str]]:
        def prepare() -> Sequence[str]:
            file = folder / f"{name}.duckdb"
            shutil.copyfile(made_up, file)
            return python("make_marts.py", name, file)

        return prepare

    costs = compare_costs({"ours": side("ours"), "bare": side("bare")}, bench.repeats)
    if wrong := differences(folder):
        sys.exit(f"the marts differ from the same SQL bare: {', '.join(wrong)}")
    yield Outcome("all marts v the same SQL bare, wall", costs["ours"].wall / costs["bare"].wall, 1.1)
    yield Outcome("all marts v the same SQL bare, CPU", costs["ours"].cpu / costs["bare"].cpu, 1.1)
    yield Outcome("all marts, peak memory of the process tree", costs["ours"].memory / GIB, 1.0, " GiB")


def bare_sql() -> str:
    """SQL that creates each mart as a table, and the macros that the marts call."""
    statements = [catalogue.MACROS.read_text(encoding="utf-8")]
    statements += [f"create table {m.address} as\n{m.sql}" for m in catalogue.marts()]
    return ";\n".join(s.rstrip().rstrip(";") for s in statements)


def differences(folder: Path) -> list[str]:
    """Addresses of the marts whose rows differ between the two sides."""
    wrong = []
    with duckdb.connect(config=OPTIONS) as db:
        for side in ("ours", "bare"):
            db.execute(f"attach '{folder / side}.duckdb' as {side} (read_only)")
        for mart in catalogue.marts():
            # rounded, because a sum of floats depends on the order of its rows in the last digit
            rounded = ", ".join(
                f"round({c.name}, 9)::{c.type} as {c.name}" if c.type == "DOUBLE" else f"{c.name}::{c.type} as {c.name}"
                for c in mart.columns
            )
            count, other = (
                db.execute(
                    f"select count(*) from (select {rounded} from {a}.{mart.address}"
                    f" except all select {rounded} from {b}.{mart.address})"
                ).fetchall()[0][0]
                for a, b in (("ours", "bare"), ("bare", "ours"))
            )
            wrong += [mart.address] if count or other else []
    return wrong
