"""Benchmarks of runs over many small files: first run, no-op run, one changed file, long history."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import Bench, Outcome
from measure import compare_costs, cost_of, python

FILES = 1000
SITES = ("MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA", "MWW-BRK", "MWW-LIN", "MWW-BRD", "HLT-WMCA", "HLT-SCR", "PWW-GW")
RUNS = 200
ROWS_EACH = 20
COUNTING = 590  # index of a file of the last month: its rows are in the figures
UNTIL_OLD = 2.5  # seconds: a file changed more recently is read again, as its times could hide another change


def many_files(raw: Path, files: int = FILES) -> list[Path]:
    """Write small contacts files of ten sites: 60 months, then the next version of each."""
    written = []
    for number in range(files):
        site = SITES[number % len(SITES)]
        version, month = divmod(number // len(SITES), 60)
        path = raw / site / f"{site}_contacts_{2014 + month // 12}{month % 12 + 1:02}_v{version + 1}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(small_file(number), encoding="utf-8")
        os.utime(path, (1_500_000_000, 1_500_000_000))
        written.append(path)
    return written


def small_file(number: int) -> str:
    """CSV of a few contacts, with references that depend on `number`."""
    lines = ["contact_id,episode_id,contact_date,contact_type,contact_medium,attended,duration_minutes,staff_role"]
    lines += [
        f"SIM-C{number:05}{row:04},SIM-E{number:05},2013-10-{row % 28 + 1:02},review,01,5,45,key_worker"
        for row in range(ROWS_EACH)
    ]
    return "\n".join(lines) + "\n"


def first_run(bench: Bench) -> Iterator[Outcome]:
    """Cost per file of a first run over a thousand small files, relative to a run over one."""

    def run_over(files: int) -> Callable[[], Sequence[str]]:
        data = bench.folder / f"first-{files}"

        def make() -> Sequence[str]:
            shutil.rmtree(data, ignore_errors=True)
            many_files(data / "raw", files)
            return python("one_run.py", data)

        return make

    costs = compare_costs({"many": run_over(FILES), "one": run_over(1)}, bench.repeats)
    each = costs["many"].wall / FILES
    yield Outcome(f"a file among {FILES:,} in a first night v a night with it alone", each / costs["one"].wall)


def no_op_runs(bench: Bench) -> Iterator[Outcome]:
    """Cost of a run with nothing new over a thousand files, against stat and ledger alone; then one file changed."""
    data = bench.folder / "many"
    changed = many_files(data / "raw")[COUNTING]
    cost_of(python("one_run.py", data))
    time.sleep(UNTIL_OLD)
    quiet, bare = python("one_run.py", data), python("stat_and_ledger.py", data)
    command = [bench.pilots, "run", "--no-prefect", "--data", str(data)]
    cost_of(quiet)  # not measured: the first run after the change reads the most recent files again
    costs = compare_costs({"command": lambda: command, "quiet": lambda: quiet, "bare": lambda: bare}, bench.repeats)
    yield Outcome("quiet night over 1,000 files, the whole command", costs["command"].wall, 1.0, " s")
    yield Outcome("quiet night v stat and ledger alone", costs["quiet"].wall / costs["bare"].wall, 3.0)
    alone = bench.folder / "alone"
    count = iter(range(10**6))

    def change() -> Sequence[str]:
        changed.write_text(small_file(50_000 + next(count)), encoding="utf-8")
        return quiet

    def changed_alone() -> Sequence[str]:
        shutil.rmtree(alone, ignore_errors=True)
        (alone / "raw" / changed.parent.name).mkdir(parents=True)
        (alone / "raw" / changed.parent.name / changed.name).write_text(
            small_file(60_000 + next(count)), encoding="utf-8"
        )
        return python("ours.py", alone)

    one = compare_costs({"changed": change, "alone": changed_alone}, bench.repeats)
    limit = one["alone"].wall + costs["quiet"].wall
    yield Outcome("one changed file in 1,000 v that file alone and a quiet night", one["changed"].wall / limit, 1.5)


def long_history(bench: Bench) -> Iterator[Outcome]:
    """Cost of a run after two hundred runs with resubmissions, relative to the same run after one."""
    old, new = bench.folder / "old", bench.folder / "new"
    for data, runs in ((old, RUNS), (new, 1)):
        cost_of(python("history.py", data, RUNS - runs, runs))
    numbers = {data: iter(range(RUNS, 10**6)) for data in (old, new)}

    def next_run(data: Path) -> Callable[[], Sequence[str]]:
        def make() -> Sequence[str]:
            resubmit(data, next(numbers[data]))
            return python("one_run.py", data)

        return make

    costs = compare_costs({"old": next_run(old), "new": next_run(new)}, bench.repeats)
    yield Outcome("a night after 200 nights v after none", costs["old"].wall / costs["new"].wall, 1.1)


def resubmit(data: Path, number: int) -> None:
    """Write the next version of one site's file."""
    folder = data / "raw" / "MHT-BPL"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"MHT-BPL_contacts_201611_v{number + 1}.csv").write_text(small_file(number), encoding="utf-8")


if __name__ == "__main__":
    many_files(Path(sys.argv[1]))
