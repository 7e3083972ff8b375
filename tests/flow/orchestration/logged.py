"""Read the log of operations, and check each line against docs/logging.md."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from data_folder import PROJECT

DOCUMENT = (PROJECT / "docs" / "logging.md").read_text(encoding="utf-8")
# Types of each field's values. Fields that may be null include None.
TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("ts", "level", "command", "event", "result", "standing", "error", "message", "traceback"), (str,)),
    **dict.fromkeys(("run_id", "stage", "delivery_id"), (str, type(None))),
    "counts": (dict,),
    "seconds": (int, float, type(None)),
}


def documented(heading: str) -> dict[str, list[str]]:
    """Parse a table of docs/logging.md: its rows, keyed by their first cell."""
    rows = DOCUMENT.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return {cells[0].strip("`"): cells[1:] for cells in ([c.strip() for c in r.strip("|").split("|")] for r in rows)}


FIELDS, EVENTS = documented("field"), documented("event")


def logged_lines(data: Path) -> list[dict[str, Any]]:
    """Every line of the log, oldest first, each checked against docs/logging.md."""
    files = sorted((data / "logs").glob("*"), key=lambda p: int(f"0{p.stem.partition('.')[2]}"), reverse=True)
    found = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    for line in found:
        require_documented(line)
    return found


def require_documented(line: dict[str, Any]) -> None:
    always = {name for name, (where, *_) in FIELDS.items() if where == "every line"}
    assert always <= line.keys() <= FIELDS.keys(), line
    assert all(isinstance(value, TYPES[name]) for name, value in line.items()), line
    assert all(isinstance(n, int) for n in line["counts"].values()), line
    assert line["level"] in ("INFO", "WARNING", "ERROR") and line["command"] in ("run", "revalidate", "withdraw")
    datetime.strptime(line["ts"], "%Y-%m-%dT%H:%M:%S.%fZ")
    _, others, counts = EVENTS[line["event"]]
    assert line.keys() - always <= set(re.findall(r"`(\w+)`", others)), line
    named = re.findall(r"`(\w+)`", counts)
    if line["event"].startswith(("run_", "delivery_val")) and line["counts"]:
        assert list(line["counts"]) == named, line


def comparable_lines(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sorted lines without the fields that differ from run to run."""
    differs = {"ts", "run_id", "seconds"}
    return sorted(({k: v for k, v in line.items() if k not in differs} for line in lines), key=repr)
