"""`make bench`: measure the pipeline against hand-written code and other tools, each benchmark with its target.

SIZE=100k, 1m or 10m is the number of rows of the large file. The sides of a comparison take turns as whole processes,
imports included; before any time is measured, both must give the same results. `--json` prints JSON. `--write` updates
the ratios in README.md, and those against other tools in docs/comparison.md; rows of other sizes stay. Names of
benchmarks as arguments run only these.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import Bench, Outcome, all_bad, large_file, parquet, small_check, start_up, workbook
from beside_peers import peers
from marts import marts
from small_files import first_run, long_history, no_op_runs
from under_prefect import prefect

ROWS = (
    *(large_file, all_bad, parquet, workbook, marts),
    *(first_run, no_op_runs, long_history, prefect),
    *(start_up, small_check, peers),
)
SIZES = {"100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}
ROOT = Path(__file__).parents[2]
README, COMPARISON = ROOT / "README.md", ROOT / "docs" / "comparison.md"
BEGIN, END = "<!-- measured by make bench: do not edit by hand -->\n", "<!-- end of what make bench measured -->\n"
HEADING = "| work | SIZE | target | measured | holds |\n|---|---|---|---|---|\n"


def main() -> None:
    """Run the benchmarks, and print the table or JSON."""
    size = os.environ.get("SIZE", "1m").casefold()
    if size not in SIZES:
        sys.exit(f"SIZE is one of {', '.join(SIZES)}, not '{size}'.")
    only = [a for a in sys.argv[1:] if not a.startswith("-")]
    if unknown := set(only) - {row.__name__ for row in ROWS}:
        sys.exit(f"There is no row {', '.join(sorted(unknown))}. There are: {', '.join(r.__name__ for r in ROWS)}.")
    outcomes: list[Outcome] = []
    beside_peers: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="pilots-bench-") as folder:
        bench = Bench(Path(folder), SIZES[size], repeats=int(os.environ.get("REPEATS", 3 if size == "10m" else 5)))
        for row in ROWS:
            if only and row.__name__ not in only:
                continue
            for outcome in row(bench):
                outcomes.append(outcome)
                beside_peers += [outcome] if row is peers else []
                print(outcome.in_words, file=sys.stderr, flush=True)
    if "--json" in sys.argv:
        print(json.dumps([{"size": size} | o.to_json() for o in outcomes], indent=2))
    else:
        print(HEADING + "".join(o.as_row(size) for o in outcomes), end="")
    if "--write" in sys.argv:
        _write(README, [o for o in outcomes if o.is_ratio and o not in beside_peers], size)
        _write(COMPARISON, beside_peers, size)


def _write(page: Path, outcomes: list[Outcome], size: str) -> None:
    """Write rows into the table of a page: each replaces the row of the same work and size, or is appended."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    table, after = rest.split(END)
    rows = {_key(line): line for line in table.removeprefix(HEADING).splitlines(keepends=True)}
    rows |= {_key(row): row for o in outcomes for row in [o.as_row(size)]}
    page.write_text(f"{before}{BEGIN}{HEADING}{''.join(rows.values())}{END}{after}", encoding="utf-8")


def _key(row: str) -> tuple[str, str]:
    _, work, size, *_ = row.split("|")
    return work.strip(), size.strip()


if __name__ == "__main__":
    main()
