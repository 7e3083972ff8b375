"""What other tools cost for the same large file, as far as each goes: see docs/comparison.md.

Each runs in an environment of its own, which `make peers` makes too; its folder in `tests/peers` says what it does.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from measure import Cost, cost_of, middle
from works import Bench, Outcome

PEERS = Path(__file__).parents[1] / "peers"
sys.path.append(str(PEERS))

from rules import DID  # noqa: E402
from run import environment  # noqa: E402

# How many times the processor time of this project each is to take at the least, at a million rows.
TARGETS = {
    "dataframely": 1.0,
    "pandera": None,
    "pointblank": None,
    "dbt": 4.0,
    "great_expectations": 10.0,
    "frictionless": 20.0,
    "dlt": 20.0,
}
ROWS = 1_000_000
LONGEST = 900.0  # seconds: then a tool is stopped, and has cost at least what it cost so far
LONG = 60.0  # seconds: what takes longer is run once


def peers(bench: Bench) -> Iterator[Outcome]:
    """The processor time of each peer, and of the reference, beside that of receive to load."""
    rows = min(bench.size, ROWS)
    file = bench.contacts(rows)
    made = {tool: (python, bench.folder / "peers" / tool) for tool in TARGETS if (python := environment(tool))}
    costs: dict[str, list[Cost]] = {tool: [] for tool in ("ours", "by hand", *made)}
    for _ in range(bench.repeats):
        costs["ours"].append(cost_of(bench.ours(file)()))
        costs["by hand"].append(cost_of(bench.by_hand(file)()))
        for tool, (python, out) in made.items():
            if costs[tool] and costs[tool][0].wall > LONG:
                continue
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            script = PEERS / tool / "validate.py"
            costs[tool].append(
                cost_of(["env", "PEERS_SIZE=large", str(python), str(script), str(file), str(out)], LONGEST)
            )
    ours, by_hand = middle(costs["ours"]), middle(costs["by hand"])
    done_here = _done(bench.folder / "data" / "warehouse")
    yield Outcome("processor time of this project v itself", 1.0, note=_in_words(ours, ours, *done_here))
    told = _in_words(by_hand, ours, *_done(bench.folder / "by hand"))
    yield Outcome("processor time of the hand-written reference v this project", by_hand.cpu / ours.cpu, note=told)
    for tool, (_, out) in made.items():
        cost = middle(costs[tool])
        done = json.loads((out / DID).read_text(encoding="utf-8")) if cost.final_state else {}
        told = _in_words(cost, ours, done.get("rows"), done.get("failures"))
        target = TARGETS[tool] if rows == ROWS else None  # below, most of it is the start
        yield Outcome(f"processor time of {tool} v this project", cost.cpu / ours.cpu, least=target, note=told)


def _done(folder: Path) -> tuple[int, int]:
    """How many rows were accepted below a folder, and how many findings were made."""
    accepted, found = (pl.scan_parquet(sorted(folder.glob(f"**/{n}.parquet"))) for n in ("accepted", "findings"))
    return tuple(rows.select(pl.len()).collect().item() for rows in (accepted, found))


def _in_words(cost: Cost, ours: Cost, rows: int | None, failures: int | None) -> str:
    if not cost.final_state:
        return f"stopped after {LONGEST:.0f} s, so at least"
    times = f"clock {cost.wall / ours.wall:.1f}x, memory {cost.memory / ours.memory:.1f}x"
    return f"{times}; {rows:,} rows, {failures:,} failures"
