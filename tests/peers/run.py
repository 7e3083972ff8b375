"""Validate the bad files with this project and other tools, each in its own environment, and compare the outputs.

`make peers` runs this, prints the table, and fails if docs/comparison.md differs; `--write` updates that page.
Environments and outputs are in `.peers`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import bad_file
import score

HERE = Path(__file__).parent
TOOLS = ("ours", "pandera", "pointblank", "great_expectations", "frictionless", "dbt")
ROOT = HERE.parents[1]
FOLDER = ROOT / ".peers"
TIMES = 3  # rounds in which the tools take turns, so that other load on the machine slows all of them


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/comparison.md")
    options = parser.parse_args(arguments)
    bad_file.write(FOLDER / "files")
    shutil.rmtree(FOLDER / "out", ignore_errors=True)
    pythons = {tool: python for tool in TOOLS if (python := environment(tool))}
    times: dict[str, list[dict[str, float]]] = {tool: [] for tool in pythons}
    for _ in range(TIMES):
        for tool, python in pythons.items():
            times[tool].append(run(tool, python, "faults"))
    (FOLDER / "out" / "times.json").write_text(json.dumps(times), encoding="utf-8")
    for tool, python in pythons.items():
        run(tool, python, "personal")
        run(tool, python, "torn")
        run(tool, python, "torn", by_default=True)
    table = score.table(FOLDER, TOOLS)
    print(table)
    if options.write:
        score.write(table)
    return 0 if options.write else score.differences(table)


def environment(tool: str) -> Path | None:
    """Python of the tool's environment, rebuilt if its pinned versions changed; None where installation fails."""
    home = FOLDER / "venvs" / tool
    pinned = ROOT / "requirements.lock" if tool == "ours" else HERE / tool / "requirements.txt"
    python, stamp = home / "bin" / "python", home / "installed.txt"
    versions = pinned.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == versions:
        return python
    shutil.rmtree(home, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-deps", "-r", pinned], check=True
        )
    except subprocess.CalledProcessError:
        _empty_folder("faults", tool).joinpath(score.NOTE).write_text("it could not be installed", encoding="utf-8")
        return None
    stamp.write_text(versions, encoding="utf-8")
    return python


def run(tool: str, python: Path, case: str, by_default: bool = False) -> dict[str, float]:
    """Run a tool once on a file. Its outputs go to `.peers/out/<file>/<tool>`.

    Returns seconds of wall and processor time, child processes included.
    """
    print(f"{tool}: {case}{' (reader as set by default)' if by_default else ''}", file=sys.stderr, flush=True)
    out = _empty_folder(f"{case}_default" if by_default else case, tool)
    file = next((FOLDER / "files" / case).glob("*.csv"))
    runner = HERE / "ours.py" if tool == "ours" else HERE / tool / "validate.py"
    settings = {**os.environ, "PEERS_READING": "default" if by_default else "gentle", "PYTHONUTF8": "1"}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)  # without bytecode the start would measure the compiler
    with (out / "console.txt").open("wb") as console:
        started = time.perf_counter()
        process = subprocess.Popen(
            [python, runner, file, out], stdout=console, stderr=subprocess.STDOUT, env=settings, cwd=out
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and not by_default:
        (out / score.NOTE).write_text(f"it ended with {process.returncode}: see console.txt", encoding="utf-8")
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime}


def _empty_folder(case: str, tool: str) -> Path:
    out = FOLDER / "out" / case / tool
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    return out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
