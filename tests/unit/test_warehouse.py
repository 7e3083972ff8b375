"""Warehouse builds are made, promoted, read and deleted, with the memory limit that each kind of work needs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from flows.settings import Settings
from flows.store.paths import DataPaths
from flows.store.warehouse import Build, BuildDamaged, DuckDBOptions, Warehouse
from flows.store.warehouse.connection import (
    ConstraintBroken,
    QueryFailed,
    ask,
    in_memory,
    wrapped_constraint_errors,
)
from flows.store.warehouse.load_cache import CacheExpired
from flows.store.warehouse.new_build import NewBuild

ROOT = Path(__file__).parents[2]
MADE_AT = datetime(2017, 1, 3, 3, 30)
PERSONAL_VALUE = "AB123456C"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    paths = DataPaths(tmp_path)
    paths.make()
    return Warehouse(paths, DuckDBOptions(threads=1))


def new_build(warehouse: Warehouse, run: int = 1, made_from: str = "f00d") -> NewBuild:
    """A new build with one table, which contains the number of the run."""
    new = warehouse.new_build(MADE_AT.replace(day=run), f"20170103T033000-00000{run}", made_from, "version")
    new.fill(lambda db: db.execute(f"create or replace table made_by as select {run} as run"))
    return new


def promoted_build(warehouse: Warehouse, run: int = 1) -> Build:
    return warehouse.promote(new_build(warehouse, run))


def run_in(build: Build | NewBuild) -> int:
    """The number of the run that made a build, read from the build."""
    with build.read() as db:
        return int(db.execute("select run from made_by").fetchall()[0][0])


def test_a_warehouse_without_builds_has_no_current_one(warehouse: Warehouse) -> None:
    assert warehouse.current() is None and warehouse.builds() == []


def test_readers_open_the_promoted_build(warehouse: Warehouse) -> None:
    first = promoted_build(warehouse)
    assert warehouse.current() == first and run_in(first) == 1
    assert warehouse.link.resolve() == first.file
    second = promoted_build(warehouse, run=2)
    assert warehouse.current() == second and warehouse.builds() == [first, second]
    assert run_in(first) == 1, "readers of the earlier build keep it"
    assert {p.name for p in warehouse.paths.builds.iterdir()} == {first.name, second.name}, "no other file is left"


def test_the_name_of_a_build_has_its_time_run_and_inputs(warehouse: Warehouse) -> None:
    build = promoted_build(warehouse, run=3)
    assert (build.name, build.made_at, build.made_from) == (
        "20170103T033000-000003_f00d.duckdb", MADE_AT, "f00d",
    )  # fmt: skip
    assert build.is_made_by("20170103T033000-000003") and not build.is_made_by("20170103T033000-000001")
    before = build.file_stamp
    os.truncate(build.file, build.size_in_bytes - 1)
    assert build.file_stamp != before, "the file was overwritten"


def test_a_deleted_build_is_not_current(warehouse: Warehouse) -> None:
    promoted_build(warehouse).file.unlink()
    assert warehouse.current() is None


def test_the_last_builds_and_the_current_one_are_kept(warehouse: Warehouse) -> None:
    first, second, third = (promoted_build(warehouse, run) for run in (1, 2, 3))
    assert warehouse.keep_last(2) == [first] and warehouse.builds() == [second, third]
    warehouse.link.unlink()
    warehouse.link.symlink_to(second.file.relative_to(warehouse.link.parent))
    assert warehouse.keep_last(1) == [] and warehouse.builds() == [second, third]


def test_a_build_is_readable_by_its_owner_only_without_a_group(warehouse: Warehouse) -> None:
    assert oct(promoted_build(warehouse).file.stat().st_mode & 0o777) == "0o600"


def test_a_build_is_readable_by_the_reading_group(tmp_path: Path) -> None:
    grp = pytest.importorskip("grp")
    group = grp.getgrgid(os.getgid()).gr_name
    paths = DataPaths(tmp_path)
    paths.make()
    build = promoted_build(Warehouse(paths, DuckDBOptions(threads=1), group))
    assert oct(build.file.stat().st_mode & 0o777) == "0o640"
    assert build.file.stat().st_gid == os.getgid() == paths.builds.stat().st_gid


def test_a_build_with_a_write_ahead_log_is_not_promoted(warehouse: Warehouse) -> None:
    new = new_build(warehouse)
    new.file.with_name(f"{new.file.name}.wal").write_bytes(b"")
    with pytest.raises(RuntimeError, match="a write-ahead log is left beside"):
        warehouse.promote(new)
    assert warehouse.current() is None


def test_writes_of_a_step_are_visible_to_the_next_and_in_the_promoted_build(warehouse: Warehouse) -> None:
    new = new_build(warehouse)
    with new.open() as db:
        db.execute("update made_by set run = 7")
    assert run_in(new) == 7 and run_in(warehouse.promote(new)) == 7
    with pytest.raises(duckdb.Error, match="read-only"), warehouse.builds()[0].read() as db:
        db.execute("update made_by set run = 8")


def test_a_build_starts_from_the_load_cache(warehouse: Warehouse) -> None:
    def load(db: duckdb.DuckDBPyConnection) -> int:
        db.execute("create table if not exists loaded (n integer)")
        db.execute("insert into loaded select count(*) from loaded")
        return len(db.execute("from loaded").fetchall())

    def new(version: str) -> NewBuild:
        return warehouse.new_build(MADE_AT, "run-000001", "f00d", version)

    assert [new("old").fill(load) for _ in range(3)] == [1, 2, 3]
    with new("old").open_with_history() as db:
        assert db.execute("select count(*) from loaded").fetchall() == [(3,)]
        db.execute("create table history_rows.rows as select 1 as n")
    with new("old").open_with_history() as db:
        assert db.execute("from history_rows.rows").fetchall() == [(1,)]
    assert new("new").fill(load) == 1, "another version starts with an empty cache"


def test_an_expired_cache_is_rebuilt(warehouse: Warehouse) -> None:
    new_build(warehouse)
    table_counts = []

    def load(db: duckdb.DuckDBPyConnection) -> None:
        table_counts.append(len(db.execute("from duckdb_tables()").fetchall()))
        if table_counts == [1]:
            raise CacheExpired
        db.execute("create table made_by as select 2 as run")

    new = warehouse.new_build(MADE_AT, "run-000002", "f00d", "version")
    new.fill(load)
    assert table_counts == [1, 0] and run_in(new) == 2


def test_an_exported_warehouse_is_a_separate_file(warehouse: Warehouse, tmp_path: Path) -> None:
    current, to = promoted_build(warehouse), tmp_path / "history.duckdb"
    with warehouse.export(to) as new:
        new.fill(lambda db: db.execute("create table made_by as select 9 as run"))
        with new.open_with_history() as db:
            db.execute("attach ':memory:' as history")  # as the cross-check does
        assert not to.exists()
    assert run_in(Build(to, DuckDBOptions())) == 9 and oct(to.stat().st_mode & 0o777) == "0o600"
    assert warehouse.current() == current
    with pytest.raises(KeyError), warehouse.export(tmp_path / "broken.duckdb") as new:
        new.fill(lambda db: db.execute("select 1"))
        raise KeyError
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["history.duckdb"]


def test_a_damaged_build_is_recognised(warehouse: Warehouse) -> None:
    build = promoted_build(warehouse)
    assert build.can_be_opened() and build.query_or_none(lambda db: db.execute("from made_by").fetchall()) == [(1,)]
    assert build.query_or_none(lambda db: db.execute("from no_such_table")) is None
    build.file.write_bytes(b"no database")
    assert not build.can_be_opened() and build.query_or_none(lambda _: 1) is None
    with pytest.raises(BuildDamaged):
        build.read_locked()


def test_a_missing_build_is_not_reported_as_damaged(warehouse: Warehouse) -> None:
    build = promoted_build(warehouse)
    build.file.unlink()
    with pytest.raises(OSError, match="No such file"):
        build.read_locked()


@pytest.mark.parametrize(
    "query",
    ["from read_csv('{file}')", "copy (select 1) to '{file}'", "set enable_external_access = true", "set threads = 1"],
)
def test_a_query_of_a_reader_reaches_no_file_or_setting(warehouse: Warehouse, tmp_path: Path, query: str) -> None:
    with promoted_build(warehouse).read_locked() as db, pytest.raises(QueryFailed):
        ask(db, query.format(file=tmp_path / "file.csv"))


def test_errors_repeat_no_value() -> None:
    with in_memory() as db:
        with pytest.raises(QueryFailed) as failure:
            ask(db, f"select '{PERSONAL_VALUE}'::integer")
        assert PERSONAL_VALUE in failure.value.reason and PERSONAL_VALUE not in str(failure.value)
        db.execute("create table t (n varchar check (n = ''))")
        with pytest.raises(ConstraintBroken) as broken, wrapped_constraint_errors():
            db.execute("insert into t values (?)", [PERSONAL_VALUE])
        assert PERSONAL_VALUE not in str(broken.value)
        with pytest.raises(duckdb.CatalogException), wrapped_constraint_errors():
            db.execute("from no_such_table")


def test_an_in_memory_database_does_not_spill_to_disk() -> None:
    with in_memory() as db:
        assert db.execute("select current_setting('temp_directory')").fetchall() == [("",)]


def memory_of(db: duckdb.DuckDBPyConnection) -> str:
    """The memory limit of a connection, as DuckDB reports it."""
    with db:
        return str(db.execute("select current_setting('memory_limit')").fetchall()[0][0])


# DuckDB reports limits in binary units: 488.2 MiB are 512 MB, 183.1 MiB are 192 MB.
@pytest.mark.parametrize(("setting", "limit"), [("", "488.2 MiB"), ("1GiB", "1.0 GiB"), ("1.5 gb", "1.3 GiB")])
def test_builds_and_reads_have_a_memory_limit(tmp_path: Path, setting: str, limit: str) -> None:
    options = Settings(tmp_path, memory_limit=setting).warehouse().options
    assert memory_of(NewBuild(tmp_path / "new.duckdb", options).open()) == limit
    assert memory_of(Build(tmp_path / "new.duckdb", options).read()) == limit


@pytest.mark.parametrize(
    ("setting", "threads", "limit"), [("", 2, "183.1 MiB"), ("", 16, "488.2 MiB"), ("1GiB", 2, "1.0 GiB")]
)
def test_the_memory_limit_for_loading_depends_on_threads(
    tmp_path: Path, setting: str, threads: int, limit: str
) -> None:
    options = Settings(tmp_path, threads=threads, memory_limit=setting).warehouse().options
    loaded_in = NewBuild(tmp_path / "new.duckdb", options).fill(
        lambda db: db.execute("select current_setting('memory_limit')").fetchall()
    )
    assert loaded_in == [(limit,)]


def test_loading_is_retried_with_more_memory(tmp_path: Path) -> None:
    limits = []

    def load(db: duckdb.DuckDBPyConnection) -> None:
        limits.extend(db.execute("select current_setting('memory_limit')").fetchall())
        if len(limits) == 1:
            db.execute("select error('could not allocate block of size 256.0 KiB')").fetchall()

    NewBuild(tmp_path / "new.duckdb", DuckDBOptions(threads=2)).fill(load)
    assert limits == [("183.1 MiB",), ("488.2 MiB",)]
    with pytest.raises(duckdb.Error, match="conversion"):
        NewBuild(tmp_path / "new.duckdb", DuckDBOptions()).fill(lambda db: db.execute("select error('conversion')"))


def test_queries_have_the_configured_memory_limit(warehouse: Warehouse) -> None:
    build = promoted_build(warehouse)
    assert memory_of(Build(build.file, DuckDBOptions(memory_limit="1GiB")).read_locked()) == "1.0 GiB"
    assert DuckDBOptions().reading() == {}


def test_the_current_build_is_found_without_importing_duckdb(warehouse: Warehouse) -> None:
    promoted_build(warehouse)
    code = (
        "import sys; from pathlib import Path; from flows.settings import Settings\n"
        "build = Settings(Path(sys.argv[1])).warehouse().current()\n"
        "print(build.name, 'duckdb' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(warehouse.paths.data)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert process.stdout.split() == ["20170101T033000-000001_f00d.duckdb", "False"], process.stderr
