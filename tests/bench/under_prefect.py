"""A whole night over one large file, with Prefect and without."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from measure import compared
from works import CONTACTS, Bench, Outcome

sys.path.append(str(Path(__file__).parents[1] / "fixtures"))


def prefect(bench: Bench) -> Iterator[Outcome]:
    """A night over the large file as a Prefect flow, with a server up, beside the same night without Prefect."""
    from prefect_server import PrefectServer

    file = bench.contacts(bench.size)

    def night(*how: str) -> Callable[[], Sequence[str]]:
        data = bench.folder / "night"

        def make() -> Sequence[str]:
            shutil.rmtree(data, ignore_errors=True)
            (data / "raw" / "MHT-BPL").mkdir(parents=True)
            os.link(file, data / "raw" / "MHT-BPL" / f"{CONTACTS}.csv")
            return [*how[:-1], bench.pilots, "run", *how[-1:], "--data", str(data)]

        return make

    with PrefectServer(bench.folder / "prefect") as server:
        known = (f"{name}={server.environment[name]}" for name in ("PREFECT_HOME", "PREFECT_API_URL"))
        nights = {"with": night("env", *known, "--json"), "without": night("--no-prefect")}
        costs = compared(nights, bench.repeats)
    share = 100 * (1 - costs["without"].wall / costs["with"].wall)
    of_cpu = 100 * (1 - costs["without"].cpu / costs["with"].cpu)
    most = 5.0 if bench.size == 10_000_000 else None  # it is a few seconds: much of a short night, little of a long one
    yield Outcome("Prefect's share of a night with a server up", share, most, "%")
    # a shared machine's clock changes more from night to night than Prefect adds; its server's own CPU is not in this
    yield Outcome("Prefect's share of the CPU of a night with a server up", of_cpu, None, "%")
