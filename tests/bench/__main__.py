"""`make bench`: what the pipeline costs beside hand-written work, row by row, each with its target.

SIZE=100k, 1m or 10m says how large the large file is. Everything compared runs in turn in this one run, as whole
processes, imports counted on both sides; the findings of both sides are the same before any time is told.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from nights import long_history, quiet_nights
from works import Bench, Outcome, all_bad, large_file, small_check, start_up, workbook

ROWS = (large_file, all_bad, workbook, quiet_nights, long_history, start_up, small_check)
SIZES = {"100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}


def main() -> None:
    """Measure every row, and print the table or JSON."""
    size = os.environ.get("SIZE", "1m").casefold()
    if size not in SIZES:
        sys.exit(f"SIZE is one of {', '.join(SIZES)}, not '{size}'.")
    only = [a for a in sys.argv[1:] if not a.startswith("-")]
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="pilots-bench-") as folder:
        bench = Bench(Path(folder), SIZES[size], repeats=int(os.environ.get("REPEATS", 3 if size == "10m" else 5)))
        for row in ROWS:
            if only and row.__name__ not in only:
                continue
            for outcome in row(bench):
                outcomes.append(outcome)
                print(outcome.in_words, file=sys.stderr, flush=True)
    if "--json" in sys.argv:
        print(json.dumps([o.to_json() for o in outcomes], indent=2))
    else:
        print(_table(outcomes, size))


def _table(outcomes: list[Outcome], size: str) -> str:
    lines = [f"| work ({size} rows) | target | measured | holds |", "|---|---|---|---|"]
    lines += [f"| {o.work} | {o.target} | {o.measured} | {'yes' if o.holds else '**no**'} |" for o in outcomes]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
