"""Reads files in a process of its own that may take no more than so much memory and time, and says what it took."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_READER = """
import json, os, resource, sys, time
from pathlib import Path
import polars, pyarrow.parquet
from flows.steps.read import read
from flows.deliveries.extract import UnreadableFile

known, address_space, seconds, *paths = sys.argv[1:]
for path in paths:
    out, into = os.pipe()
    child = os.fork()  # so that what one file takes is no other's, and all is imported once
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (int(address_space) << 20,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds),) * 2)
        began = time.process_time()
        try:
            rows = sum(len(b.rows) for b in read(Path(path), frozenset(known.split(","))).batches)
            said = {"rule": "", "found": "", "rows": rows}
        except UnreadableFile as refused:
            said = {"rule": refused.rule_id, "found": refused.found, "rows": 0}
        except BaseException as fault:
            said = {"rule": "a fault of ours", "found": repr(fault)[:200], "rows": 0}
        said["seconds"] = time.process_time() - began
        said["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(into, json.dumps(said).encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as told:
        said = told.read()
    os.waitpid(child, 0)
    print(said or json.dumps({"rule": "killed", "found": "", "rows": 0, "seconds": 0, "megabytes": 0}), flush=True)
"""


@dataclass(frozen=True)
class Reading:
    """What came of reading a file: the rule that refused it, its rows if none did, and what it took."""

    rule: str
    found: str
    rows: int
    seconds: float
    megabytes: float


def read_within(paths: Sequence[Path], known: Sequence[str], megabytes: int, seconds: int) -> list[Reading]:
    """Read each file under limits of its address space and of its time on a processor.

    A reading that breaks a limit is 'killed', or 'a fault of ours'.
    """
    limits = [",".join(known), str(megabytes), str(seconds)]
    done = subprocess.run(
        [sys.executable, "-c", _READER, *limits, *map(str, paths)], capture_output=True, text=True, check=True
    )
    return [Reading(**json.loads(line)) for line in done.stdout.splitlines()]
