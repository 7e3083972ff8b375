"""Benchmark: cost of other validation tools on the same large file, as far as each can do the work.

Results are in docs/comparison.md. Each tool runs in its own virtual environment, which `make peers` creates too; its
folder in `tests/peers` has its code.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from benchmarks import Bench, Outcome
from measure import Cost, cost_of, median_cost

PEERS = Path(__file__).parents[1] / "peers"
sys.path.append(str(PEERS))

from rules import DONE_FILE  # noqa: E402
from run import environment  # noqa: E402

# least processor time at a million rows, as a multiple of this project's; None: measured without a target
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
MAX_SECONDS = 900.0  # seconds: a tool is stopped then, so what was measured is a lower bound
LONG = 60.0  # seconds: a tool that takes longer is run only once


def peers(bench: Bench) -> Iterator[Outcome]:
    """Processor time of each tool and of the reference, relative to receive to load."""
    rows = min(bench.size, ROWS)
    file = bench.contacts(rows)
    tools = {tool: (python, bench.folder / "peers" / tool) for tool in TARGETS if (python := environment(tool))}
    costs: dict[str, list[Cost]] = {tool: [] for tool in ("ours", "by hand", *tools)}
    for _ in range(bench.repeats):
        costs["ours"].append(cost_of(bench.ours(file)()))
        costs["by hand"].append(cost_of(bench.by_hand(file)()))
        for tool, (python, out) in tools.items():
            if costs[tool] and costs[tool][0].wall > LONG:
                continue
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            script = PEERS / tool / "validate.py"
            costs[tool].append(
                cost_of(["env", "PEERS_SIZE=large", str(python), str(script), str(file), str(out)], MAX_SECONDS)
            )
    ours, by_hand = median_cost(costs["ours"]), median_cost(costs["by hand"])
    own_results = _result_counts(bench.folder / "data" / "warehouse")
    yield Outcome("processor time of this project v itself", 1.0, note=_in_words(ours, ours, *own_results))
    note = _in_words(by_hand, ours, *_result_counts(bench.folder / "by hand"))
    yield Outcome("processor time of the hand-written reference v this project", by_hand.cpu / ours.cpu, note=note)
    for tool, (_, out) in tools.items():
        cost = median_cost(costs[tool])
        done = json.loads((out / DONE_FILE).read_text(encoding="utf-8")) if cost.completed else {}
        note = _in_words(cost, ours, done.get("rows"), done.get("failures"))
        target = TARGETS[tool] if rows == ROWS else None  # with fewer rows, start-up dominates
        yield Outcome(f"processor time of {tool} v this project", cost.cpu / ours.cpu, least=target, note=note)


def _result_counts(folder: Path) -> tuple[int, int]:
    """Number of accepted rows and of findings in the results below a folder."""
    accepted, found = (pl.scan_parquet(sorted(folder.glob(f"**/{n}.parquet"))) for n in ("accepted", "findings"))
    return tuple(rows.select(pl.len()).collect().item() for rows in (accepted, found))


def _in_words(cost: Cost, ours: Cost, rows: int | None, failures: int | None) -> str:
    if not cost.completed:
        return f"stopped after {MAX_SECONDS:.0f} s, so at least"
    times = f"clock {cost.wall / ours.wall:.1f}x, memory {cost.memory / ours.memory:.1f}x"
    return f"{times}; {rows:,} rows, {failures:,} failures"
