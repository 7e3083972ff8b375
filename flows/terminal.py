"""How commands speak: data to stdout, words to stderr, and what their end means (REPORTS.md section 2)."""

from __future__ import annotations

import json
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import typer


class Exit(IntEnum):
    """What a command's end means."""

    DONE = 0
    MUST_BE_FIXED = 1
    USAGE = 2
    SETTINGS = 3
    BUSY = 4
    RELEASE_BLOCKED = 5
    OUR_FAULT = 70


class Form(StrEnum):
    """How `pilots sql` writes its rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def tell(words: str) -> None:
    """Say something to a person, on stderr."""
    typer.echo(words, err=True)


def seen_from_here(path: Path | None) -> str:
    """A path as short as it can be written from the folder that one is in; '' for none."""
    if path is None:
        return ""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def give(data: Any) -> None:
    """Print data as JSON, on stdout."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))
