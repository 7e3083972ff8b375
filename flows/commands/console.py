"""How commands speak: data to stdout, words to stderr, and what their end means (docs/reports.md 2)."""

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

_CANNOT_REDRAW = ("", "dumb", "unknown")  # kinds of terminal


class Exit(IntEnum):
    """What a command's end means."""

    DONE = 0
    MUST_BE_FIXED = 1
    USAGE = 2
    SETTINGS = 3
    BUSY = 4
    RELEASE_BLOCKED = 5
    OUR_FAULT = 70


class OutputFormat(StrEnum):
    """How `pilots sql` writes its rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def echo(words: str) -> None:
    """Say something to a person, on stderr."""
    typer.echo(words, err=True)


def progress() -> AbstractContextManager[None]:
    """Show what a run is at, where somebody may look on: stderr is a terminal on which a line can be drawn anew."""
    if os.environ.get("TERM", "") in _CANNOT_REDRAW or not sys.stderr.isatty():
        return nullcontext()
    from flows.commands.progress import drawn_progress

    return drawn_progress()


def relative_to_here(path: Path | None) -> str:
    """A path as short as it can be written from the folder that one is in; '' for none."""
    if path is None:
        return ""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def write_every_character() -> None:
    """Let both streams write a character that their encoding lacks as an escape such as \\u23ce, not fail on it.

    On Windows, output that goes to a file or another program has an encoding of 256 characters.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(data: Any) -> None:
    """Print data as JSON, on stdout."""
    give_json(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def give_json(text: str) -> None:
    """Print a JSON text, on stdout. Its readers expect UTF-8: in another encoding, all but ASCII is escaped."""
    if (sys.stdout.encoding or "utf-8").replace("-", "").casefold() != "utf8":
        text = re.sub(r"[^\x00-\x7f]+", lambda letters: json.dumps(letters[0])[1:-1], text)
    typer.echo(text)
