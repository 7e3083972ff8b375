"""Benchmark: a nightly run over one large file, with Prefect and without."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import CONTACTS, Bench, Outcome
from measure import compare_costs

sys.path.append(str(Path(__file__).parents[1] / "fixtures"))


def prefect(bench: Bench) -> Iterator[Outcome]:
    """Share of Prefect in the cost of a run over the large file, with its server already running."""
    from prefect_server import PrefectServer

    file = bench.contacts(bench.size)

    def nightly(*options: str) -> Callable[[], Sequence[str]]:
        data = bench.folder / "night"

        def make() -> Sequence[str]:
            shutil.rmtree(data, ignore_errors=True)
            (data / "raw" / "MHT-BPL").mkdir(parents=True)
            os.link(file, data / "raw" / "MHT-BPL" / f"{CONTACTS}.csv")
            return [*options[:-1], bench.pilots, "run", *options[-1:], "--data", str(data)]

        return make

    with PrefectServer(bench.folder / "prefect") as server:
        variables = (f"{name}={server.environment[name]}" for name in ("PREFECT_HOME", "PREFECT_API_URL"))
        runs = {"with": nightly("env", *variables, "--json"), "without": nightly("--no-prefect")}
        costs = compare_costs(runs, bench.repeats)
    share = 100 * (1 - costs["without"].wall / costs["with"].wall)
    of_cpu = 100 * (1 - costs["without"].cpu / costs["with"].cpu)
    most = 5.0 if bench.size == 10_000_000 else None  # a few seconds: much of a short run, little of a long one
    yield Outcome("Prefect's share of a night with a server up", share, most, "%")
    # Wall time varies more between runs on a shared machine than Prefect adds. The server's own CPU is not included.
    yield Outcome("Prefect's share of the CPU of a night with a server up", of_cpu, None, "%")
