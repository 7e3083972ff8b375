"""What each tool said of the bad file, read from its own outputs: one `Said` for each place that it points out."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rules import COLUMNS

TORN = re.compile(r"Skipping line (\d+): expected")  # pandas, on the console


@dataclass(frozen=True)
class Said:
    """One place that an output points out.

    `record` is the row of data that is meant, from 0, by the tool's own way of counting; `number` is what is printed
    for it; `entry` is the item of the report it stands in: places with one entry are read at once.
    """

    record: int
    number: int | None
    column: str
    entry: Hashable
    text: str = ""  # all the words about it


@dataclass(frozen=True)
class Sent:
    """The file as it is: its records and the physical line of each."""

    records: list[list[str]]
    lines: list[int]

    @property
    def whole(self) -> list[int]:
        """The records that are not torn: those that a reader keeps which leaves torn lines out."""
        return [i for i, r in enumerate(self.records) if len(r) == len(COLUMNS)]

    @property
    def malformed(self) -> int:
        """The record that is torn."""
        return next(i for i, r in enumerate(self.records) if len(r) != len(COLUMNS))


def said_by(tool: str, out: Path, sent: Sent) -> list[Said]:
    """All that a tool points out in its outputs."""
    return list(_READERS[tool](out, sent))


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        yield from csv.DictReader(opened)


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _left_out_by_pandas(out: Path, sent: Sent) -> Iterator[Said]:
    for line in TORN.findall((out / "console.txt").read_text(encoding="utf-8")):
        yield Said(sent.malformed, int(line), "", "torn", "Skipping line: expected 10 fields, saw 11")


def _ours(out: Path, sent: Sent) -> Iterator[Said]:
    by_line = {line: i for i, line in enumerate(sent.lines)}
    report = _json(next(out.rglob("*.report.json")))
    for entry, item in enumerate(report["rules"]):
        for span in item["row_ranges"]:
            first, _, last = span.partition("-")
            for line in range(int(first), int(last or first) + 1):
                if line in by_line:
                    yield Said(by_line[line], line, item["column"], entry, f"{item['title']}. {item['fix']}")


def _pandera(out: Path, sent: Sent) -> Iterator[Said]:
    yield from _left_out_by_pandas(out, sent)
    for entry, case in enumerate(_rows(out / "failure_cases.csv")):
        if case["index"]:
            index = int(case["index"])
            yield Said(sent.whole[index], index, case["column"], entry, f"{case['check']} {case['failure_case']}")


def _pointblank(out: Path, sent: Sent) -> Iterator[Said]:
    yield from _left_out_by_pandas(out, sent)
    steps = {step["i"]: step for step in _json(out / "report.json")}
    for extract in sorted(out.glob("extract_*.csv")):
        step = steps[int(extract.stem.removeprefix("extract_"))]
        column = step["column"] or ""
        one = column if isinstance(column, str) else column[0] if len(column) == 1 else ""
        for row in _rows(extract):
            number = int(row["_row_num_"])
            named = one if one in COLUMNS else ""
            yield Said(sent.whole[number - 1], number, named, (extract.name, number), str(step["brief"]))


def _great_expectations(out: Path, sent: Sent) -> Iterator[Said]:
    yield from _left_out_by_pandas(out, sent)
    for entry, result in enumerate(_json(out / "result.json")[0]["results"]):
        asked = result["expectation_config"]
        for index in result["result"].get("unexpected_index_list") or []:
            yield Said(sent.whole[index], index, asked["kwargs"].get("column", ""), entry, json.dumps(asked))


def _frictionless(out: Path, sent: Sent) -> Iterator[Said]:
    for entry, error in enumerate(_json(out / "report.json")["tasks"][0]["errors"]):
        column = error.get("fieldName") or ""
        text = f"{error['title']}. {error['description']} {error['message']}. {error['note']}"
        # Of rows that agree, the later is reported and the earlier named: both are pointed out.
        twin = re.search(r"the same as (?:in the )?row at position \"?(\d+)", error["note"])
        for number in [error["rowNumber"], *([int(twin[1])] if twin else [])]:
            yield Said(number - 2, number, column, entry, text)


def _dbt(out: Path, sent: Sent) -> Iterator[Said]:
    nodes = _json(out / "target" / "manifest.json")["nodes"].values()
    columns = {n["alias"]: n.get("column_name") or "" for n in nodes if n["resource_type"] == "test"}
    for table in sorted(out.glob("failures_*.csv")):
        test = table.stem.removeprefix("failures_")
        for n, row in enumerate(_rows(table)):
            if test == "torn_lines":
                yield Said(sent.malformed, int(row["line"]), "", "torn", row["error_message"])
                continue
            for i in sent.whole:
                alike = row.get("unique_field") == sent.records[i][0] or list(row.values()) == sent.records[i]
                if alike:
                    yield Said(i, None, columns[test], (test, n), test)


_READERS: dict[str, Callable[[Path, Sent], Iterator[Said]]] = {
    "ours": _ours,
    "pandera": _pandera,
    "pointblank": _pointblank,
    "great_expectations": _great_expectations,
    "frictionless": _frictionless,
    "dbt": _dbt,
}
