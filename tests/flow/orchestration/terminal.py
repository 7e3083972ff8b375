"""Run commands with a terminal on stderr, where they draw their progress."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass

from commands import clean_environment
from data_folder import PROJECT, DataFolder

STAGES = ["receive", "validate", "load", "cross_check", "build", "promote", "report"]
MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class TerminalOutput:
    """What a command wrote to a terminal on stderr (raw, or as lines without escape codes), and its stdout."""

    raw: str
    out: str
    code: int

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in MOVES.sub("", self.raw).splitlines()]


def in_terminal(*arguments: str, **more: str) -> TerminalOutput:
    """Run Python with stderr on a pseudo-terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=PROJECT, env=clean_environment(**{"TERM": "xterm", "COLUMNS": "100"} | more),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = bytearray()
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # EIO: how Linux reports that the other end was closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    return TerminalOutput(seen.decode(), out.decode(), process.returncode)


def run_arguments(folder: DataFolder, *more: str, first: str = "") -> tuple[str, ...]:
    """Arguments for Python to run `pilots run` after the statement `first`."""
    argv = ("pilots", "run", "--data", str(folder.path), "--date", "2017-01-03", *more)
    return "-c", f"import sys\n{first}\nfrom flows.cli import main\nsys.argv = {list(argv)!r}\nmain()"


# draws even if the machine finishes the run in under a second
AT_ONCE = "from flows.commands import progress\nprogress.SHORT = 0.1"


def require_stages_drawn(seen: TerminalOutput) -> None:
    """Fail unless the last lines are the stages of a run."""
    assert [line.split()[0] for line in seen.lines[-len(STAGES) :]] == STAGES
