"""Nights over many small files: a first one, quiet ones, one with a single changed file, one after a long history."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from measure import compared, cost_of, python
from works import Bench, Outcome

FILES = 1000
SITES = ("MHT-BPL", "MHT-GM", "MHT-NECA", "MHT-WLA", "MWW-BRK", "MWW-LIN", "MWW-BRD", "HLT-WMCA", "HLT-SCR", "PWW-GW")
NIGHTS = 200
ROWS_EACH = 20
COUNTING = 590  # of the thousand, a file of the last month: its rows are in the figures
UNTIL_OLD = 2.5  # seconds: a file that was written just before is read again, to be sure


def many_files(raw: Path, files: int = FILES) -> list[Path]:
    """Small contacts files of ten sites, month after month and version after version."""
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
    """A few contacts of long ago, different for each number."""
    lines = ["contact_id,episode_id,contact_date,contact_type,contact_medium,attended,duration_minutes,staff_role"]
    lines += [
        f"SIM-C{number:05}{row:04},SIM-E{number:05},2013-10-{row % 28 + 1:02},review,01,5,45,key_worker"
        for row in range(ROWS_EACH)
    ]
    return "\n".join(lines) + "\n"


def first_night(bench: Bench) -> Iterator[Outcome]:
    """A thousand small files that come all at once: what each of them costs, beside a night that one comes alone."""

    def night_over(files: int) -> Callable[[], Sequence[str]]:
        data = bench.folder / f"first-{files}"

        def make() -> Sequence[str]:
            shutil.rmtree(data, ignore_errors=True)
            many_files(data / "raw", files)
            return python("one_night.py", data)

        return make

    costs = compared({"many": night_over(FILES), "one": night_over(1)}, bench.repeats)
    each = costs["many"].wall / FILES
    yield Outcome(f"a file among {FILES:,} in a first night v a night with it alone", each / costs["one"].wall)


def quiet_nights(bench: Bench) -> Iterator[Outcome]:
    """A night with nothing new over a thousand known files, beside a bare look at each file and at the ledger."""
    data = bench.folder / "many"
    changed = many_files(data / "raw")[COUNTING]
    cost_of(python("one_night.py", data))
    time.sleep(UNTIL_OLD)
    quiet, bare = python("one_night.py", data), python("bare_look.py", data)
    command = [bench.pilots, "run", "--no-prefect", "--data", str(data)]
    cost_of(quiet)  # the first one looks at the youngest files again
    costs = compared({"command": lambda: command, "quiet": lambda: quiet, "bare": lambda: bare}, bench.repeats)
    yield Outcome("quiet night over 1,000 files, the whole command", costs["command"].wall, 1.0, " s")
    yield Outcome("quiet night v stat and ledger alone", costs["quiet"].wall / costs["bare"].wall, 3.0)
    alone = bench.folder / "alone"
    count = iter(range(10**6))

    def change() -> Sequence[str]:
        changed.write_text(small_file(50_000 + next(count)), encoding="utf-8")
        return quiet

    def by_itself() -> Sequence[str]:
        shutil.rmtree(alone, ignore_errors=True)
        (alone / "raw" / changed.parent.name).mkdir(parents=True)
        (alone / "raw" / changed.parent.name / changed.name).write_text(
            small_file(60_000 + next(count)), encoding="utf-8"
        )
        return python("ours.py", alone)

    one = compared({"changed": change, "alone": by_itself}, bench.repeats)
    limit = one["alone"].wall + costs["quiet"].wall
    yield Outcome("one changed file in 1,000 v that file alone and a quiet night", one["changed"].wall / limit, 1.5)


def long_history(bench: Bench) -> Iterator[Outcome]:
    """A night after two hundred nights of resubmissions, beside the same night after none."""
    old, new = bench.folder / "old", bench.folder / "new"
    for data, nights in ((old, NIGHTS), (new, 1)):
        cost_of(python("history.py", data, NIGHTS - nights, nights))
    numbers = {data: iter(range(NIGHTS, 10**6)) for data in (old, new)}

    def tonight(data: Path) -> Callable[[], Sequence[str]]:
        def make() -> Sequence[str]:
            resubmit(data, next(numbers[data]))
            return python("one_night.py", data)

        return make

    costs = compared({"old": tonight(old), "new": tonight(new)}, bench.repeats)
    yield Outcome("a night after 200 nights v after none", costs["old"].wall / costs["new"].wall, 1.1)


def resubmit(data: Path, number: int) -> None:
    """The next version of one site's file."""
    folder = data / "raw" / "MHT-BPL"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"MHT-BPL_contacts_201611_v{number + 1}.csv").write_text(small_file(number), encoding="utf-8")


if __name__ == "__main__":
    many_files(Path(sys.argv[1]))
