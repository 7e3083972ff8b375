"""Build the table of docs/comparison.md from the tools' outputs and the list of planted faults."""

from __future__ import annotations

import base64
import csv
import html
import json
import re
import statistics
import sys
import urllib.parse
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bad_file import PERSONAL
from mentions import Mention, SentFile, mentions_by
from rules import COLUMNS, KEY

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
# rows that differ from run to run
NOT_COMPARED = ("time, times that of this project", "processor, times that of this project")
NOT_TO_THE_BYTE = "page"  # dates and times on the page change its size a little
MARKED = "_to_fix.xlsx"  # goes only to the sender's own folder, and has what they sent
NOTE = "not_run.txt"
OF_THE_HARNESS = ("rows_read.csv", NOTE)
# an instruction: a sentence that begins with one of these verbs
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
    """Outputs of one tool for each of the files, and the faults that there were to find."""

    def __init__(self, folder: Path, tool: str) -> None:
        self.tool = tool
        self.folder = folder
        truth = self._truth("faults")
        self.faults: list[dict[str, Any]] = truth["faults"]
        self.sent = SentFile(truth["records"], truth["lines"])

    def _truth(self, case: str) -> dict[str, Any]:
        return json.loads((self.folder / "files" / case / "truth.json").read_text(encoding="utf-8"))

    def out(self, case: str) -> Path:
        """Folder of the tool's outputs for a file."""
        return self.folder / "out" / case / self.tool

    @property
    def not_run(self) -> str:
        """Why the tool could not be run; '' if it was."""
        notes = [self.out(c) / NOTE for c in ("faults", "personal", "torn")]
        return next((n.read_text(encoding="utf-8") for n in notes if n.exists()), "")

    @cached_property
    def mentions(self) -> list[Mention]:
        return mentions_by(self.tool, self.out("faults"), self.sent)

    def about(self, fault: dict[str, Any]) -> list[Mention]:
        """Mentions of a fault: of its cell, or of its row as a whole."""
        column = fault["column"]
        return [m for m in self.mentions if m.record == fault["record"] and (not column or m.column in ("", column))]

    @cached_property
    def named(self) -> list[tuple[dict[str, Any], list[Mention]]]:
        """The faults that were pointed out, with the mentions of each."""
        return [(f, mentions) for f in self.faults if (mentions := self.about(f))]

    # each method below is a row of the table

    def version(self) -> str:
        """Pinned version."""
        if self.tool == "ours":
            [version] = re.findall(
                r'__version__ = "(.+)"', (ROOT / "flows" / "__init__.py").read_text(encoding="utf-8")
            )
            return version
        pinned = (HERE / self.tool / "requirements.txt").read_text(encoding="utf-8")
        versions = dict(line.split("==") for line in pinned.splitlines())
        return versions.get(TITLES[self.tool]) or versions[MODULES[self.tool]]

    def faults_named(self) -> str:
        """Number of faults pointed out, and of kinds of which every fault is."""
        kinds = {f["kind"] for f in self.faults}
        missed = {f["kind"] for f in self.faults} - {f["kind"] for f, _ in self.named}
        incomplete = Counter(f["kind"] for f in self.faults) - Counter(f["kind"] for f, _ in self.named)
        complete = len(kinds) - len(set(incomplete) | missed)
        return f"{len(self.named)} of {len(self.faults)} ({complete} of {len(kinds)} kinds)"

    def true_lines(self) -> str:
        """Number of faults printed with their true line; and how many would be, if a constant offset were added."""
        printed = [{m.number for m in mentions if m.number is not None} for _, mentions in self.named]
        if not any(printed):
            return f"0 of {len(self.faults)} (no row numbers)"
        lines = [f["line"] for f, _ in self.named]

        def right(added: int) -> int:
            return sum(line - added in numbers for line, numbers in zip(lines, printed, strict=True))

        best = max(range(4), key=right)
        more = f" ({right(best)} if {best} is added)" if best else ""
        return f"{right(0)} of {len(self.faults)}{more}"

    def cells(self) -> str:
        """Number of faults of a cell whose column is named, at least in the text about the row."""
        of_cells = [f for f in self.faults if f["column"]]
        named = sum(
            any(f["column"] in (m.column, *_words(m)) for m in mentions) for f, mentions in self.named if f["column"]
        )
        return f"{named} of {len(of_cells)}"

    def grouped(self) -> str:
        """Number of report items for the 42 rows with the same wrong code."""
        wrong = [mentions for f, mentions in self.named if f["kind"] == "wrong code, 42 rows"]
        entries = {m.entry for mentions in wrong for m in mentions}
        return f"{len(entries)} for {len(wrong)} rows" if wrong else "none"

    def to_read(self) -> str:
        """Total number of report items."""
        return f"{len({m.entry for m in self.mentions})}"

    def instructions(self) -> str:
        """Number of kinds of fault for which some text tells the sender what to do."""
        explained = {f["kind"] for f, mentions in self.named if any(INSTRUCTION.search(m.text) for m in mentions)}
        return f"{len(explained)} of {len({f['kind'] for f in self.faults})} kinds"

    def marked(self) -> str:
        """Whether the outputs include a workbook with the sender's rows."""
        keys = {r[0] for r in self.sent.records}
        for file in self.out("faults").rglob("*.xlsx"):
            text = _content(file).decode("utf-8", "replace")
            if sum(k in text for k in keys) >= 0.9 * len(keys):
                return "yes"
        return "no"

    def leaked(self) -> str:
        """Which of the planted personal values the outputs contain."""
        texts = [t for case in ("faults", "personal") for t in readings(self._outputs(case))]
        found = [what for what, value in PERSONAL.items() if any(value in t for t in texts)]
        return f"{len(found)} of {len(PERSONAL)}" + (f": {', '.join(found)}" if found else "")

    def whole_rows(self) -> str:
        """Number of rows whose unique values are all in the outputs."""
        text = "\n".join(readings(self._outputs("faults")))
        words = set(re.findall(r"[A-Z]+-[A-Z0-9]+", text))
        shown = sum({r[0], r[1], r[-2]} <= words for r in self.sent.records)
        return f"{shown} of {len(self.sent.records)}"

    def page(self) -> str:
        """Size of the page."""
        page = self._page()
        return f"{round(page.stat().st_size / 1000)} kB" if page else "no page"

    def fetches(self) -> str:
        """Hosts from which the page loads anything."""
        page = self._page()
        if not page:
            return "no page"
        hosts = {a or b for a, b in _FETCHED.findall(page.read_text(encoding="utf-8"))}
        return f"yes, from {len(hosts)} host{'s' if len(hosts) > 1 else ''}" if hosts else "no"

    def kept(self) -> str:
        """Number of valid rows read from a file with one malformed line."""
        return self._kept("torn")

    def kept_by_default(self) -> str:
        """The same with the defaults of the tool's reader."""
        return self._kept("torn_default")

    def _kept(self, case: str) -> str:
        truth = self._truth("torn")
        malformed = {f["record"] for f in truth["faults"]}
        valid = [r[0] for i, r in enumerate(truth["records"]) if i not in malformed]
        file = self.out(case) / "rows_read.csv"
        read: set[str] = set()
        if file.exists():
            with file.open(newline="", encoding="utf-8") as opened:
                read = {row[KEY] for row in csv.DictReader(opened)}
        return f"{sum(k in read for k in valid)} of {len(valid)}"

    def _outputs(self, case: str) -> list[Path]:
        files = sorted(p for p in self.out(case).rglob("*") if p.is_file())
        # the marked workbook of a file without identifiers may hold what was sent; of the other there must be none
        excluded = MARKED if case == "faults" else NOTE
        return [p for p in files if p.name not in OF_THE_HARNESS and not p.name.endswith(excluded)]

    def _page(self) -> Path | None:
        pages = list(self.out("faults").rglob("*.html"))
        return max(pages, key=lambda p: p.stat().st_size, default=None)


def _content(file: Path) -> bytes:
    """Bytes of a file; of a workbook, the unpacked bytes of its parts."""
    if not zipfile.is_zipfile(file):
        return file.read_bytes()
    with zipfile.ZipFile(file) as parts:
        return b"\n".join(parts.read(name) for name in parts.namelist())


def _words(mention: Mention) -> list[str]:
    return [column for column in COLUMNS if not mention.column and column in mention.text]


def readings(files: Iterable[Path]) -> Iterable[str]:
    """Texts of each file: as it is, with escapes decoded, and with base64 decoded."""
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
    """Build the table as Markdown."""
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
    """Time of a tool as a multiple of this project's: the median over the rounds."""
    return f"{statistics.median(a[key] / b[key] for a, b in zip(own, ours, strict=True)):.1f}"


def write(text: str) -> None:
    """Write the table into docs/comparison.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")


def differences(text: str) -> int:
    """Compare the table with docs/comparison.md, except times, and print what differs. Returns an exit code, 0 or 1."""
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
