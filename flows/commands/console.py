"""Output of commands: data on stdout, messages on stderr, exit codes (docs/reports.md 2)."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import typer

_CANNOT_REDRAW = ("", "dumb", "unknown")  # values of TERM


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    MUST_BE_FIXED = 1  # it worked, and somebody has to fix a file or a correction
    USAGE = 2
    SETTINGS = 3  # a setting, a path, a damaged store: something outside the code
    BUSY = 4  # another run holds the lock
    RELEASE_BLOCKED = 5
    OUR_FAULT = 70  # a bug: EX_SOFTWARE of sysexits.h


class OutputFormat(StrEnum):
    """Output formats of `pilots sql`."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def echo(message: str) -> None:
    """Print a message for people, on stderr."""
    typer.echo(message, err=True)


def progress() -> AbstractContextManager[None]:
    """Show the progress of a run, if stderr is a terminal that can redraw lines."""
    if os.environ.get("TERM", "") in _CANNOT_REDRAW or not sys.stderr.isatty():
        return nullcontext()
    from flows.commands.progress import drawn_progress

    return drawn_progress()


def relative_to_here(path: Path | None) -> str:
    """Path relative to the working folder if it lies below it, else absolute; '' for None."""
    if path is None:
        return ""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def write_every_character() -> None:
    """Make both streams escape characters that their encoding lacks (such as \\u23ce), instead of failing.

    On Windows, output that is redirected to a file or another program has a legacy 8-bit encoding.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(data: Any) -> None:
    """Print data as JSON, on stdout."""
    print_json_text(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def print_json_text(text: str) -> None:
    """Print JSON that is already text, on stdout. Readers expect UTF-8: in another encoding non-ASCII is escaped."""
    if (sys.stdout.encoding or "utf-8").replace("-", "").casefold() != "utf8":
        text = re.sub(r"[^\x00-\x7f]+", lambda match: json.dumps(match[0])[1:-1], text)
    typer.echo(text)
