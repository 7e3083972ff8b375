"""Settings: which home of a setting beats which, and what is wrong is named."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from flows.settings import Settings


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without a settings file, and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.upper().startswith("PILOTS_")]:
        monkeypatch.delenv(name)


def write(text: str) -> None:
    Path("pilots.toml").write_text(text, encoding="utf-8")


def test_without_any_the_defaults_hold() -> None:
    assert Settings.of() == Settings(Path("data"), 5, "", 0, "")
    assert Settings.of().duckdb_options() == {}


def test_a_flag_beats_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('data = "file"\nkeep_builds = 2\nreading_group = "analysts"\nthreads = 1\nmemory_limit = "4GB"\n')
    of_file = Settings(Path("file"), 2, "analysts", 1, "4GB")
    assert Settings.of() == of_file
    assert of_file.duckdb_options() == {"threads": 1, "memory_limit": "4GB"}
    monkeypatch.setenv("PILOTS_DATA", "environment")
    monkeypatch.setenv("pilots_keep_builds", "3")
    assert Settings.of() == Settings(Path("environment"), 3, "analysts", 1, "4GB")
    assert Settings.of(Path("flag")).data == Path("flag")


def test_other_names_in_the_environment_are_not_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTS_HOME", "/project")
    assert Settings.of() == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
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
def test_what_is_wrong_is_named(text: str, named: str) -> None:
    write(text)
    with pytest.raises(ValueError, match=named):
        Settings.of()


def test_a_number_in_the_environment_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTS_THREADS", "two")
    with pytest.raises(ValueError, match="threads is 'two', and must be a whole number"):
        Settings.of()


@pytest.mark.parametrize(("given", "limit"), [("", "488.2 MiB"), ("1GiB", "1.0 GiB"), ("1.5 gb", "1.3 GiB")])
def test_a_warehouse_is_built_in_bounded_memory(given: str, limit: str) -> None:
    with duckdb.connect(config=Settings(memory_limit=given).building_options()) as db:
        assert db.execute("select current_setting('memory_limit')").fetchone() == (limit,)


@pytest.mark.parametrize(
    ("given", "threads", "limit"), [("", 2, "183.1 MiB"), ("", 16, "488.2 MiB"), ("1GiB", 2, "1.0 GiB")]
)
def test_rows_are_loaded_in_less_for_each_thread(given: str, threads: int, limit: str) -> None:
    settings = Settings(memory_limit=given, threads=threads)
    with duckdb.connect(config=settings.loading_options()) as db:
        assert db.execute("select current_setting('memory_limit')").fetchone() == (limit,)
