"""Settings of an installation. Precedence: command-line flag, PILOTS_* variable, pilots.toml, default.

Every command reads them once, at its start. They are parsed by hand, because importing a settings library takes longer
than a whole run with nothing to do (docs/speed.md).
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
ENVIRONMENT_PREFIX = "PILOTS_"


@dataclass(frozen=True)
class Settings:
    """All settings with their defaults. Raises ValueError for an invalid value.

    Metadata of a field: `is` describes it, `least` is its minimum, `form` a pattern it must match (case ignored),
    `such` what the error message calls that form.
    """

    data: Path = field(default=Path("data"), metadata={"is": "The data folder: raw, reports, warehouse"})
    keep_builds: int = field(default=5, metadata={"is": "How many builds of the warehouse to keep", "least": 1})
    reading_group: str = field(
        default="", metadata={"is": "The group that may read the warehouse; without one only its owner may"}
    )
    data_team_contact: str = field(
        default="", metadata={"is": "How sites reach the data team, such as an address or a number: on every page"}
    )
    grants_prefix: str = field(
        default="",
        metadata={
            "is": "The prefix that 360Giving registered for you: for awards that have no identifier of its standard",
            "form": r"|360G-[A-Z0-9]+",
            "such": "a prefix such as 360G-abc",
        },
    )
    grants_publisher: str = field(default="", metadata={"is": "Who publishes the grants that are exported"})
    grants_licence: str = field(
        default="",
        metadata={"is": "Their licence", "form": r"|https?://\S+", "such": "the address of a licence"},
    )
    threads: int = field(default=0, metadata={"is": "Threads for DuckDB; 0 is one for each core", "least": 0})
    memory_limit: str = field(
        default="",
        metadata={
            "is": "Memory for DuckDB, such as 4GB; empty is 512MB to build, and DuckDB's default for queries",
            "form": r"|(?=.*[1-9])\d+(\.\d+)? *[KMGT]i?B",
            "such": "an amount of memory such as 512MB or 4GB",
        },
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value, least = getattr(self, setting.name), setting.metadata.get("least")
            kind = type(setting.default)
            if not isinstance(value, kind) or isinstance(value, bool):  # TOML's true would pass as the integer 1
                raise ValueError(f"{setting.name} is {value!r}, and must be {_KINDS[kind]}")
            if least is not None and value < least:
                raise ValueError(f"{setting.name} is {value}, and must be {least} or more")
            form = setting.metadata.get("form")
            if form is not None and not re.fullmatch(form, str(value), re.IGNORECASE):
                raise ValueError(f"{setting.name} is {value!r}, and must be {setting.metadata['such']}")

    @classmethod
    def of(cls, data: Path | None = None) -> Settings:
        """Read the settings. `data` is the folder given by a flag, if any. Raises ValueError for an invalid setting."""
        chosen = _read_file(FILE) | _read_environment()
        if unknown := sorted(chosen.keys() - {f.name for f in fields(cls)}):
            raise ValueError(f"{FILE} has {', '.join(unknown)}: there is no such setting")
        if data is not None:
            chosen["data"] = data
        return cls(**{name: _converted(getattr(cls, name), value) for name, value in chosen.items()})

    def warehouse(self) -> Warehouse:
        """Warehouse of the data folder, with the configured threads, memory limit and group of readers."""
        options = DuckDBOptions(self.threads, self.memory_limit)
        return Warehouse(DataPaths(self.data.absolute()), options, self.reading_group)


_KINDS = {type(Path()): "a path", int: "a whole number", str: "a text"}


def _read_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    import tomllib  # here, because few installations have the file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _read_environment() -> dict[str, Any]:
    environment = {name.casefold(): text for name, text in os.environ.items()}
    variables = {f.name: f"{ENVIRONMENT_PREFIX}{f.name}".casefold() for f in fields(Settings)}
    return {name: environment[variable] for name, variable in variables.items() if variable in environment}


def _converted(default: Any, value: Any) -> Any:
    """Convert a string to the type of the default. One that cannot be stays as it is, and validation refuses it."""
    if isinstance(default, Path) and isinstance(value, str):
        return Path(value)
    if isinstance(default, int) and isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return value
    return value
