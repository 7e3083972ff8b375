"""Measures what each tool made of the bad file: the table of docs/comparison.md, from outputs and the truth alone."""

from __future__ import annotations

import base64
import csv
import html
import json
import re
import statistics
import sys
import tomllib
import urllib.parse
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bad_file import PERSONAL
from rules import COLUMNS, KEY
from said import Said, Sent, said_by

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "comparison.md"
BEGIN, END = "<!-- measured by make peers: do not edit by hand -->\n", "<!-- end of what was measured -->\n"
TITLES = {
    "ours": "this project",
    "pandera": "pandera",
    "pointblank": "pointblank",
    "great_expectations": "great-expectations",
    "frictionless": "frictionless",
    "dbt": "dbt",
}
MODULES = {"great_expectations": "great_expectations", "dbt": "dbt-core"}
NOT_RUN = "not run"
# They differ from run to run.
NOT_COMPARED = ("time, times that of this project", "processor, times that of this project")
NOT_TO_THE_BYTE = "page"  # dates and times on it change its size a little
MARKED = "_to_fix.xlsx"  # goes to the sender's own folder alone: it holds what they sent
NOTE = "not_run.txt"
OF_THE_HARNESS = ("rows_read.csv", NOTE)
# A sentence that tells somebody to do something begins with what to do.
INSTRUCTION = re.compile(
    r"(?:^|[.:;!?]\s+)(?:Add|Change|Check|Correct|Delete|Empty|Enter|Fix|Format|Keep|Mend|Move|Put|Remove|Rename|"
    r"Replace|Save|Send|Store|Use|Write)\b"
)
_FETCHED = re.compile(
    r"<(?:script|link|img|iframe|source|object)\b[^>]*?\b(?:src|href|data)\s*=\s*[\"']?(?:https?:)?//([\w.-]+)"
    r"|(?:@import|url\()\s*(?:url\()?[\"']?(?:https?:)?//([\w.-]+)",
    re.IGNORECASE,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")


class Outcome:
    """What one tool wrote about each of the files, and what there was to find."""

    def __init__(self, folder: Path, tool: str) -> None:
        self.tool = tool
        self.folder = folder
        truth = self._truth("faults")
        self.faults: list[dict[str, Any]] = truth["faults"]
        self.sent = Sent(truth["records"], truth["lines"])

    def _truth(self, case: str) -> dict[str, Any]:
        return json.loads((self.folder / "files" / case / "truth.json").read_text(encoding="utf-8"))

    def out(self, case: str) -> Path:
        """Where the tool wrote what it had to say about a file."""
        return self.folder / "out" / case / self.tool

    @property
    def not_run(self) -> str:
        """Why the tool could not be run ('' where it was)."""
        notes = [self.out(c) / NOTE for c in ("faults", "personal", "torn")]
        return next((n.read_text(encoding="utf-8") for n in notes if n.exists()), "")

    @cached_property
    def said(self) -> list[Said]:
        return said_by(self.tool, self.out("faults"), self.sent)

    def about(self, fault: dict[str, Any]) -> list[Said]:
        """What was said of a fault: of its cell, or of its row as a whole."""
        column = fault["column"]
        return [s for s in self.said if s.record == fault["record"] and (not column or s.column in ("", column))]

    @cached_property
    def named(self) -> list[tuple[dict[str, Any], list[Said]]]:
        """The faults that were pointed out, with what was said of each."""
        return [(f, said) for f in self.faults if (said := self.about(f))]

    # Each of these is a row of the table.

    def version(self) -> str:
        """The version that is pinned."""
        if self.tool == "ours":
            return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        pinned = (HERE / self.tool / "requirements.txt").read_text(encoding="utf-8")
        versions = dict(line.split("==") for line in pinned.splitlines())
        return versions.get(TITLES[self.tool]) or versions[MODULES[self.tool]]

    def faults_named(self) -> str:
        """Faults, and kinds of which each one is pointed out."""
        kinds = {f["kind"] for f in self.faults}
        missed = {f["kind"] for f in self.faults} - {f["kind"] for f, _ in self.named}
        part = Counter(f["kind"] for f in self.faults) - Counter(f["kind"] for f, _ in self.named)
        whole = len(kinds) - len(set(part) | missed)
        return f"{len(self.named)} of {len(self.faults)} ({whole} of {len(kinds)} kinds)"

    def true_lines(self) -> str:
        """Faults with the line where they really are, as printed; and with the best number added to every line."""
        printed = [{s.number for s in said if s.number is not None} for _, said in self.named]
        if not any(printed):
            return f"0 of {len(self.faults)} (no row numbers)"
        lines = [f["line"] for f, _ in self.named]

        def right(added: int) -> int:
            return sum(line - added in numbers for line, numbers in zip(lines, printed, strict=True))

        best = max(range(4), key=right)
        more = f" ({right(best)} if {best} is added)" if best else ""
        return f"{right(0)} of {len(self.faults)}{more}"

    def cells(self) -> str:
        """Faults of a cell of which the column is named, if only by the words about the row."""
        of_cells = [f for f in self.faults if f["column"]]
        named = sum(any(f["column"] in (s.column, *_words(s)) for s in said) for f, said in self.named if f["column"])
        return f"{named} of {len(of_cells)}"

    def grouped(self) -> str:
        """Into how many items the 42 rows with one wrong code are parted."""
        wrong = [said for f, said in self.named if f["kind"] == "wrong code, 42 rows"]
        entries = {s.entry for said in wrong for s in said}
        return f"{len(entries)} for {len(wrong)} rows" if wrong else "none"

    def to_read(self) -> str:
        """Items in all."""
        return f"{len({s.entry for s in self.said})}"

    def instructions(self) -> str:
        """Kinds of fault of which some words tell the sender what to do."""
        told = {f["kind"] for f, said in self.named if any(INSTRUCTION.search(s.text) for s in said)}
        return f"{len(told)} of {len({f['kind'] for f in self.faults})} kinds"

    def marked(self) -> str:
        """Whether a workbook with the sender's rows comes back."""
        keys = {r[0] for r in self.sent.records}
        for file in self.out("faults").rglob("*.xlsx"):
            text = _content(file).decode("utf-8", "replace")
            if sum(k in text for k in keys) >= 0.9 * len(keys):
                return "yes"
        return "no"

    def leaked(self) -> str:
        """Which of the planted personal values stand in the outputs."""
        texts = [t for case in ("faults", "personal") for t in readings(self._outputs(case))]
        found = [what for what, value in PERSONAL.items() if any(value in t for t in texts)]
        return f"{len(found)} of {len(PERSONAL)}" + (f": {', '.join(found)}" if found else "")

    def whole_rows(self) -> str:
        """Rows of which each value that stands on no other row is in the outputs."""
        text = "\n".join(readings(self._outputs("faults")))
        words = set(re.findall(r"[A-Z]+-[A-Z0-9]+", text))
        shown = sum({r[0], r[1], r[-2]} <= words for r in self.sent.records)
        return f"{shown} of {len(self.sent.records)}"

    def page(self) -> str:
        """The page's size."""
        page = self._page()
        return f"{round(page.stat().st_size / 1000)} kB" if page else "no page"

    def fetches(self) -> str:
        """What the page loads from the network."""
        page = self._page()
        if not page:
            return "no page"
        hosts = {a or b for a, b in _FETCHED.findall(page.read_text(encoding="utf-8"))}
        return f"yes, from {len(hosts)} host{'s' if len(hosts) > 1 else ''}" if hosts else "no"

    def kept(self) -> str:
        """Sound rows in hand after a file with one torn line was read."""
        return self._kept("torn")

    def kept_by_default(self) -> str:
        """The same with the reader as it is when nothing is set."""
        return self._kept("torn_default")

    def _kept(self, case: str) -> str:
        truth = self._truth("torn")
        malformed = {f["record"] for f in truth["faults"]}
        sound = [r[0] for i, r in enumerate(truth["records"]) if i not in malformed]
        file = self.out(case) / "rows_read.csv"
        read: set[str] = set()
        if file.exists():
            with file.open(newline="", encoding="utf-8") as opened:
                read = {row[KEY] for row in csv.DictReader(opened)}
        return f"{sum(k in read for k in sound)} of {len(sound)}"

    def _outputs(self, case: str) -> list[Path]:
        files = sorted(p for p in self.out(case).rglob("*") if p.is_file())
        senders_own = MARKED if case == "faults" else NOTE  # of a file with identifiers there must be none
        return [p for p in files if p.name not in OF_THE_HARNESS and not p.name.endswith(senders_own)]

    def _page(self) -> Path | None:
        pages = list(self.out("faults").rglob("*.html"))
        return max(pages, key=lambda p: p.stat().st_size, default=None)


def _content(file: Path) -> bytes:
    """A file's bytes; of a workbook, those of its parts."""
    if not zipfile.is_zipfile(file):
        return file.read_bytes()
    with zipfile.ZipFile(file) as parts:
        return b"\n".join(parts.read(name) for name in parts.namelist())


def _words(said: Said) -> list[str]:
    return [column for column in COLUMNS if not said.column and column in said.text]


def readings(files: Iterable[Path]) -> Iterable[str]:
    """The text of each file, plain and with its escapes undone, base64 in it included."""
    for file in files:
        data = _content(file)
        for text in (data.decode("utf-8", "replace"), data.decode("utf-16-le", "replace")):
            plain = html.unescape(urllib.parse.unquote_plus(text))
            yield text
            yield plain
            yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), plain)
            for packed in _BASE64.findall(plain.replace("\\n", "")):
                padded = packed.rstrip("=")
                padded += "=" * (-len(padded) % 4)
                try:
                    yield base64.b64decode(padded).decode("utf-8", "replace")
                except ValueError:
                    continue


ROWS = {
    "version": Outcome.version,
    "faults named in one pass": Outcome.faults_named,
    "true line given": Outcome.true_lines,
    "column given": Outcome.cells,
    "items for 42 rows with one wrong code": Outcome.grouped,
    "items in all": Outcome.to_read,
    "says what to do (its own words)": Outcome.instructions,
    "the file comes back, marked": Outcome.marked,
    "personal values in its outputs": Outcome.leaked,
    "whole rows in its outputs": Outcome.whole_rows,
    "page": Outcome.page,
    "page loads from the network": Outcome.fetches,
    "sound rows kept beside a torn line": Outcome.kept,
    "the same, reader as set by default": Outcome.kept_by_default,
}


def table(folder: Path, tools: Sequence[str]) -> str:
    """The table, as Markdown."""
    outcomes = [Outcome(folder, tool) for tool in tools]
    lines = ["| | " + " | ".join(TITLES[o.tool] for o in outcomes) + " |", "|---" * (len(outcomes) + 1) + "|"]
    for title, measured in ROWS.items():
        cells = [NOT_RUN if o.not_run else measured(o) for o in outcomes]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    times = json.loads((folder / "out" / "times.json").read_text(encoding="utf-8"))
    for title, key in zip(NOT_COMPARED, ("wall", "cpu"), strict=True):
        cells = [NOT_RUN if o.not_run else _multiple(times[o.tool], times[tools[0]], key) for o in outcomes]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    for o in outcomes:
        if o.not_run:
            print(f"{TITLES[o.tool]} was not run: {o.not_run}", file=sys.stderr)
    return "\n".join(lines) + "\n"


def _multiple(own: list[dict[str, float]], ours: list[dict[str, float]], key: str) -> str:
    """How many times as long as this project a tool took: the middle one of the rounds."""
    return f"{statistics.median(a[key] / b[key] for a, b in zip(own, ours, strict=True)):.1f}"


def write(text: str) -> None:
    """Put the table into docs/comparison.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")


def differences(text: str) -> int:
    """Compare the table with docs/comparison.md, times apart: 0 where they agree, else 1 with what differs."""
    stated = _cells(PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0])
    measured = _cells(text)
    differ = [
        f"{title}, {tool}: docs/comparison.md says {stated.get((title, tool), 'nothing')!r}, measured {cell!r}"
        for (title, tool), cell in measured.items()
        if title not in NOT_COMPARED and not _agree(title, cell, stated.get((title, tool), ""))
    ]
    differ += [f"{title}, {tool}: measured no more" for title, tool in stated.keys() - measured.keys()]
    print("\n".join(differ) or "docs/comparison.md agrees", file=sys.stderr)
    return 1 if differ else 0


def _agree(title: str, one: str, other: str) -> bool:
    if title != NOT_TO_THE_BYTE or not (one.endswith("kB") and other.endswith("kB")):
        return one == other
    a, b = int(one.split()[0]), int(other.split()[0])
    return abs(a - b) <= 0.1 * max(a, b)


def _cells(text: str) -> dict[tuple[str, str], str]:
    rows = [[c.strip() for c in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]
    tools, body = rows[0][1:], rows[2:]
    return {(row[0], tool): cell for row in body for tool, cell in zip(tools, row[1:], strict=True)}
