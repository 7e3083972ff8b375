"""Settings: a flag beats PILOTS_* beats pilots.toml beats the default. Read once, by the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class Settings(BaseSettings):
    """What an installation may choose."""

    model_config = SettingsConfigDict(env_prefix="PILOTS_", toml_file="pilots.toml", extra="forbid")

    data: Path = Field(Path("data"), description="The data folder: raw, reports, warehouse")
    keep_builds: int = Field(5, ge=1, description="How many builds of the warehouse to keep")
    reading_group: str = Field("", description="The group that may read the warehouse; without one only its owner may")
    threads: int = Field(0, ge=0, description="Threads for DuckDB; 0 is one for each core")
    memory_limit: str = Field(
        "", description="Memory for DuckDB, such as 4GB; empty is 512MB to build, and DuckDB's own choice for questions"
    )

    @classmethod
    def of(cls, data: Path | None = None) -> Settings:
        """The settings, with a flag's data folder if there was one. Raises ValueError for a setting that is wrong."""
        given: dict[str, Any] = {"data": data} if data else {}
        return cls(**given)

    def duckdb_options(self) -> dict[str, Any]:
        """DuckDB's own settings."""
        chosen: dict[str, Any] = {"threads": self.threads} if self.threads else {}
        return chosen | ({"memory_limit": self.memory_limit} if self.memory_limit else {})

    def building_options(self) -> dict[str, Any]:
        """DuckDB's settings while a warehouse is built: more than 512 MB makes ten million contacts no faster.

        What does not fit is put beside the file that is built, and is gone when that is closed.
        """
        return {"memory_limit": "512MB"} | self.duckdb_options()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order in which sources win."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
