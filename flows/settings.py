"""Settings: a flag beats PILOTS_* beats pilots.toml beats the default. Read once, by the command.

Every command needs them, so they are read without a library that costs more to start than a quiet run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from flows.store.paths import DataPaths
from flows.store.warehouse import DuckDBOptions, Warehouse

FILE = Path("pilots.toml")
IN_THE_ENVIRONMENT = "PILOTS_"


@dataclass(frozen=True)
class Settings:
    """What an installation may choose. Raises ValueError for a setting that is wrong."""

    data: Path = field(default=Path("data"), metadata={"is": "The data folder: raw, reports, warehouse"})
    keep_builds: int = field(default=5, metadata={"is": "How many builds of the warehouse to keep", "least": 1})
    reading_group: str = field(
        default="", metadata={"is": "The group that may read the warehouse; without one only its owner may"}
    )
    threads: int = field(default=0, metadata={"is": "Threads for DuckDB; 0 is one for each core", "least": 0})
    memory_limit: str = field(
        default="",
        metadata={
            "is": "Memory for DuckDB, such as 4GB; empty is 512MB to build, and its own choice for questions",
            "form": r"|(?=.*[1-9])\d+(\.\d+)? *[KMGT]i?B",
            "such": "an amount of memory such as 512MB or 4GB",
        },
    )

    def __post_init__(self) -> None:
        for stated in fields(self):
            given, least = getattr(self, stated.name), stated.metadata.get("least")
            kind = type(stated.default)
            if not isinstance(given, kind) or isinstance(given, bool):
                raise ValueError(f"{stated.name} is {given!r}, and must be {_KINDS[kind]}")
            if least is not None and given < least:
                raise ValueError(f"{stated.name} is {given}, and must be {least} or more")
            form = stated.metadata.get("form")
            if form is not None and not re.fullmatch(form, str(given), re.IGNORECASE):
                raise ValueError(f"{stated.name} is {given!r}, and must be {stated.metadata['such']}")

    @classmethod
    def of(cls, data: Path | None = None) -> Settings:
        """The settings, with a flag's data folder if there was one. Raises ValueError for a setting that is wrong."""
        chosen = _of_the_file(FILE) | _of_the_environment()
        if unknown := sorted(chosen.keys() - {f.name for f in fields(cls)}):
            raise ValueError(f"{FILE} has {', '.join(unknown)}: there is no such setting")
        if data is not None:
            chosen["data"] = data
        return cls(**{name: _as_kind(getattr(cls, name), given) for name, given in chosen.items()})

    def warehouse(self) -> Warehouse:
        """The warehouse of the data folder, with the threads, the memory and the readers that are allowed."""
        options = DuckDBOptions(self.threads, self.memory_limit)
        return Warehouse(DataPaths(self.data.absolute()), options, self.reading_group)


_KINDS = {type(Path()): "a path", int: "a whole number", str: "a text"}


def _of_the_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    import tomllib  # few have such a file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ValueError(f"{path} cannot be read: {wrong}") from None


def _of_the_environment() -> dict[str, Any]:
    given = {name.casefold(): text for name, text in os.environ.items()}
    names = {f.name: f"{IN_THE_ENVIRONMENT}{f.name}".casefold() for f in fields(Settings)}
    return {name: given[known] for name, known in names.items() if known in given}


def _as_kind(default: Any, given: Any) -> Any:
    """A text as what the setting is: the environment knows texts alone. What is none of it stays, and is refused."""
    if isinstance(default, Path) and isinstance(given, str):
        return Path(given)
    if isinstance(default, int) and isinstance(given, str):
        try:
            return int(given)
        except ValueError:
            return given
    return given
