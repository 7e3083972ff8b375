"""frictionless: its own reader, and its report as JSON and as the summary that its command prints."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from frictionless import Checklist, Resource, Schema, checks

sys.path.append(str(Path(__file__).parents[1]))
from rules import AT_SCALE, CAME, COLUMNS, KEY, LAST_DAY, LISTS, MAX_MINUTES, PATTERNS, REQUIRED, record_done  # noqa: E402


def field(name: str) -> dict[str, object]:
    constraints: dict[str, object] = {"required": True} if name in REQUIRED else {}
    kind = "string"
    if name in LISTS:
        constraints["enum"] = list(LISTS[name])
    if name in PATTERNS:
        constraints["pattern"] = PATTERNS[name]
    if name == "contact_date":
        kind, constraints["maximum"] = "date", LAST_DAY.isoformat()
    if name == "duration_minutes":
        kind, constraints["minimum"], constraints["maximum"] = "integer", 0, MAX_MINUTES
    return {"name": name, "type": kind, "constraints": constraints}


def main(file: Path, out: Path) -> None:
    schema = Schema.from_descriptor({"fields": [field(n) for n in COLUMNS], "primaryKey": [KEY]})
    duration_agrees = f"attended is None or duration_minutes is None or (attended in {CAME}) == (duration_minutes > 0)"
    checklist = Checklist(checks=[checks.duplicate_row(), checks.row_constraint(formula=duration_agrees)])
    resource = Resource(path=str(file), schema=schema)
    report = resource.validate(checklist, limit_errors=sys.maxsize)  # its default is to stop after 1,000 errors
    (out / "report.json").write_text(report.to_json(), encoding="utf-8")
    if AT_SCALE:
        record_done(out, rows=report.tasks[0].stats["rows"], failures=report.stats["errors"])
        return
    print(report.to_summary())
    with Resource(path=str(file), schema=schema) as opened, (out / "rows_read.csv").open("w", newline="") as rows_read:
        csv.writer(rows_read).writerows([[KEY], *([row[KEY]] for row in opened.row_stream)])


if __name__ == "__main__":
    import os

    file, out = Path(sys.argv[1]), Path(sys.argv[2])
    os.chdir(file.parent)  # by default it reads only files below the working folder
    main(Path(file.name), out)
