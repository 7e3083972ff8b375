"""Settings: precedence of flag, environment and file, and errors that name the invalid setting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.settings import Settings
from flows.store.paths import DataPaths
from flows.store.warehouse import DuckDBOptions, Warehouse


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in a folder without a settings file and without PILOTS_ variables."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.upper().startswith("PILOTS_")]:
        monkeypatch.delenv(name)


def write(text: str) -> None:
    Path("pilots.toml").write_text(text, encoding="utf-8")


def test_defaults_apply_without_any_setting() -> None:
    assert Settings.of() == Settings(data=Path("data"), keep_builds=5, reading_group="", threads=0, memory_limit="")
    assert Settings.of().warehouse() == Warehouse(DataPaths(Path.cwd() / "data"))


def test_a_flag_beats_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('data = "file"\nkeep_builds = 2\nreading_group = "analysts"\nthreads = 1\nmemory_limit = "4GB"\n')
    from_file = Settings(Path("file"), 2, "analysts", threads=1, memory_limit="4GB")
    assert Settings.of() == from_file
    assert from_file.warehouse() == Warehouse(DataPaths(Path.cwd() / "file"), DuckDBOptions(1, "4GB"), "analysts")
    monkeypatch.setenv("PILOTS_DATA", "environment")
    monkeypatch.setenv("pilots_keep_builds", "3")
    assert Settings.of() == Settings(Path("environment"), 3, "analysts", threads=1, memory_limit="4GB")
    assert Settings.of(Path("flag")).data == Path("flag")


def test_other_names_in_the_environment_are_not_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTS_HOME", "/project")
    assert Settings.of() == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keep_builds = 0", "keep_builds"),
        ('keep_builds = "many"', "keep_builds"),
        ("keep_builds = true", "keep_builds"),
        ("threads = -1", "threads"),
        ("memory_limit = 4", "memory_limit"),
        ('memory_limit = "0MB"', "memory_limit is '0MB', and must be an amount of memory such as"),
        ('memory_limit = "lots"', "memory_limit is 'lots', and must be an amount of memory such as"),
        ('memory_limit = "4"', "memory_limit"),
        ('memory_limit = "80%"', "memory_limit"),
        ("data = 4", "data"),
        ('colour = "red"', "colour"),
        ("keep_builds", "pilots.toml cannot be read"),
    ],
)
def test_an_invalid_setting_is_named(text: str, message: str) -> None:
    write(text)
    with pytest.raises(ValueError, match=message):
        Settings.of()


def test_a_number_in_the_environment_must_be_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTS_THREADS", "two")
    with pytest.raises(ValueError, match="threads is 'two', and must be a whole number"):
        Settings.of()
