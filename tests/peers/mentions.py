"""Parse what each tool reported about the bad file from its own outputs: one `Mention` per place that it points out."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rules import COLUMNS

SKIPPED_LINE = re.compile(r"Skipping line (\d+): expected")  # printed by pandas


@dataclass(frozen=True)
class Mention:
    """One place that a report points out."""

    record: int  # index of the row of data, from 0, derived from the tool's own way of counting
    number: int | None  # row or line number as printed
    column: str
    entry: Hashable  # item of the report; places in the same item are read together
    text: str = ""  # all words of the report about it


@dataclass(frozen=True)
class SentFile:
    """The bad file: its records, and the physical line on which each begins."""

    records: list[list[str]]
    lines: list[int]

    @property
    def whole(self) -> list[int]:
        """Indexes of the records that a reader keeps if it skips malformed lines."""
        return [i for i, r in enumerate(self.records) if len(r) == len(COLUMNS)]

    @property
    def malformed(self) -> int:
        """Index of the malformed record."""
        return next(i for i, r in enumerate(self.records) if len(r) != len(COLUMNS))


def mentions_by(tool: str, out: Path, sent: SentFile) -> list[Mention]:
    """All places that a tool points out in its outputs."""
    return list(_READERS[tool](out, sent))


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        yield from csv.DictReader(opened)


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _skipped_by_pandas(out: Path, sent: SentFile) -> Iterator[Mention]:
    for line in SKIPPED_LINE.findall((out / "console.txt").read_text(encoding="utf-8")):
        yield Mention(sent.malformed, int(line), "", "torn", "Skipping line: expected 10 fields, saw 11")


def _ours(out: Path, sent: SentFile) -> Iterator[Mention]:
    by_line = {line: i for i, line in enumerate(sent.lines)}
    report = _json(next(out.rglob("*.report.json")))
    for entry, item in enumerate(report["rules"]):
        for span in item["row_ranges"]:
            first, _, last = span.partition("-")
            for line in range(int(first), int(last or first) + 1):
                if line in by_line:
                    yield Mention(by_line[line], line, item["column"], entry, f"{item['title']}. {item['fix']}")


def _pandera(out: Path, sent: SentFile) -> Iterator[Mention]:
    yield from _skipped_by_pandas(out, sent)
    for entry, case in enumerate(_rows(out / "failure_cases.csv")):
        if case["index"]:
            index = int(case["index"])
            yield Mention(sent.whole[index], index, case["column"], entry, f"{case['check']} {case['failure_case']}")


def _pointblank(out: Path, sent: SentFile) -> Iterator[Mention]:
    yield from _skipped_by_pandas(out, sent)
    steps = {step["i"]: step for step in _json(out / "report.json")}
    for extract in sorted(out.glob("extract_*.csv")):
        step = steps[int(extract.stem.removeprefix("extract_"))]
        column = step["column"] or ""
        one = column if isinstance(column, str) else column[0] if len(column) == 1 else ""
        for row in _rows(extract):
            number = int(row["_row_num_"])
            named = one if one in COLUMNS else ""
            yield Mention(sent.whole[number - 1], number, named, (extract.name, number), str(step["brief"]))


def _great_expectations(out: Path, sent: SentFile) -> Iterator[Mention]:
    yield from _skipped_by_pandas(out, sent)
    for entry, result in enumerate(_json(out / "result.json")[0]["results"]):
        config = result["expectation_config"]
        for index in result["result"].get("unexpected_index_list") or []:
            yield Mention(sent.whole[index], index, config["kwargs"].get("column", ""), entry, json.dumps(config))


def _frictionless(out: Path, sent: SentFile) -> Iterator[Mention]:
    for entry, error in enumerate(_json(out / "report.json")["tasks"][0]["errors"]):
        column = error.get("fieldName") or ""
        text = f"{error['title']}. {error['description']} {error['message']}. {error['note']}"
        # Of two equal rows, the error is at the later and names the earlier: both are pointed out.
        twin = re.search(r"the same as (?:in the )?row at position \"?(\d+)", error["note"])
        for number in [error["rowNumber"], *([int(twin[1])] if twin else [])]:
            yield Mention(number - 2, number, column, entry, text)


def _dbt(out: Path, sent: SentFile) -> Iterator[Mention]:
    nodes = _json(out / "target" / "manifest.json")["nodes"].values()
    columns = {n["alias"]: n.get("column_name") or "" for n in nodes if n["resource_type"] == "test"}
    for table in sorted(out.glob("failures_*.csv")):
        test = table.stem.removeprefix("failures_")
        for n, row in enumerate(_rows(table)):
            if test == "torn_lines":
                yield Mention(sent.malformed, int(row["line"]), "", "torn", row["error_message"])
                continue
            for i in sent.whole:
                # dbt stores rows without a number, so they are matched by key or by content
                is_same = row.get("unique_field") == sent.records[i][0] or list(row.values()) == sent.records[i]
                if is_same:
                    yield Mention(i, None, columns[test], (test, n), test)


_READERS: dict[str, Callable[[Path, SentFile], Iterator[Mention]]] = {
    "ours": _ours,
    "pandera": _pandera,
    "pointblank": _pointblank,
    "great_expectations": _great_expectations,
    "frictionless": _frictionless,
    "dbt": _dbt,
}
