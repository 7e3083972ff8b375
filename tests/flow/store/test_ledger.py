"""The ledger's migrations: a ledger of older code is migrated with nothing lost, one of newer code is refused.

The oldest ledger that may exist is version 0; `ledger_version_0.py` describes where it comes from.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from commands import clean_environment, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_rows
from ledger_version_0 import LEDGER, send_everything, write_ledger

from flows.store.ledger import Ledger, migrations
from flows.store.ledger.runs import VERSION, LedgerUnusable, Runs

Tables = dict[str, list[tuple[Any, ...]]]
VERSION_0_COPIES = "ledger-version-0-*.sqlite"
RENAMED = {  # the tables of version 0 that migration 5 renamed
    "judged": "validation_results",
    "reported": "report_digests",
    "told": "report_snapshots",
    "held": "held_rows",
    "standing": "cached_summary",
}


@pytest.fixture
def old(folder: DataFolder) -> DataFolder:
    """A data folder with a version 0 ledger and every raw file that it knows."""
    send_everything(folder.path)
    write_ledger(folder.paths.ledger)
    return folder


def tables_of(ledger: Path) -> Tables:
    """Rows of every table of a ledger file, in the order in which they were written."""
    with closing(sqlite3.connect(ledger)) as db:
        return tables_in(db)


def tables_in(db: sqlite3.Connection) -> Tables:
    names = [n for (n,) in db.execute("select name from sqlite_schema where type = 'table'")]
    return {n: db.execute(f'select * from "{n}" order by rowid').fetchall() for n in names}


def columns_of(ledger: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(ledger)) as db:
        names = [n for (n,) in db.execute("select name from sqlite_schema where type = 'table'")]
        return {n: [c[1] for c in db.execute(f'pragma table_info("{n}")')] for n in names}


def version_of(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as db:
        return int(db.execute("pragma user_version").fetchone()[0])


def tables_of_version_0() -> Tables:
    """The tables of the version 0 ledger as its code wrote them."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(LEDGER.read_text(encoding="utf-8"))
        return tables_in(db)


def expected_tables(tables: Tables) -> Tables:
    """The tables of an older ledger as the newest migration should leave them: the same rows, under new table names."""
    expected = {RENAMED.get(name, name): rows for name, rows in tables.items()}
    expected["cached_summary"] = [
        (found, rename_fingerprint(json.loads(body))) for found, body in expected["cached_summary"]
    ]
    return expected


def rename_fingerprint(body: dict[str, Any]) -> dict[str, Any]:
    return {"input_fingerprint" if name == "look" else name: value for name, value in body.items()}


def migrated_tables_of(ledger: Path, like: Tables) -> Tables:
    """The tables of a migrated ledger that the older one had too, with the cached summary decoded."""
    tables = tables_of(ledger)
    tables["cached_summary"] = [(found, json.loads(body)) for found, body in tables["cached_summary"]]
    return {name: tables[name] for name in expected_tables(like)}


def files_beside(ledger: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in ledger.parent.iterdir() if p.is_file()}


def test_a_version_0_ledger_is_migrated_with_nothing_lost(old: DataFolder) -> None:
    written = tables_of_version_0()
    with closing(Ledger(old.paths.ledger)) as ledger:
        deliveries, runs = ledger.deliveries(), ledger.runs()
        delivery_ids = [row[0] for row in written["deliveries"]]
        assert sorted(deliveries) == sorted(delivery_ids) and len(delivery_ids) == 9
        for delivery_id, body, received_at, _ in written["deliveries"]:
            d = deliveries[delivery_id]
            assert json.loads(body).items() <= {n: as_text(v) for n, v in vars(d).items()}.items()
            assert d.received_at == datetime.fromisoformat(received_at)
        resubmitted = f"{BPL}_contacts_201611_v3_e2e5c47790"
        assert deliveries[resubmitted].same_as == f"{BPL}_contacts_201611_v2_e2e5c47790"
        assert ledger.result_keys() == dict(written["judged"]) and ledger.report_digests() == dict(written["reported"])
        snapshots = [
            json.loads(json.dumps(t.to_json())) for t in ledger.report_snapshots(i for i, _ in written["told"])
        ]
        before = [json.loads(body) for _, body in written["told"]]
        assert snapshots == [{**b, "rows": {**b["rows"], "deleted": 0}} for b in before]  # a count that came later
        held = {i: ledger.held_rows(i) for i, _ in written["held"]}
        assert all(held[i] and held[i].to_json() == json.loads(body) for i, body in written["held"])
        assert {path: (status, rule) for path, (_, status, rule) in ledger.known_files().items()} == {
            row[0]: row[-2:] for row in written["files"]
        }
        results = {"published": 4, "quiet": 1, None: 1, "failed": 1}  # None: interrupted
        assert Counter(r["result"] for r in runs) == results
        assert {tuple(r.values()) for r in runs} == set(written["runs"])
        assert ledger.cached_summary(written["standing"][0][0]) is not None
    assert migrated_tables_of(old.paths.ledger, written) == expected_tables(written), (
        "a migration of the tables changes no row"
    )
    assert version_of(old.paths.ledger) == VERSION == max(migrations.migrations())


def test_a_ledger_of_the_previous_version_is_migrated_in_place(old: DataFolder) -> None:
    """With rows in the tables that version 0 did not have."""
    path = old.paths.ledger
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for number, sql in migrations.migrations().items():
            if number < VERSION:
                db.executescript(f"{sql}; pragma user_version = {number};")
        db.execute("insert into counted values ('MHT-BPL', 'contacts', 'v4', '2016-12-10T03:30:00', 'run')")
        db.execute("insert into withdrawals values ('v1', '2016-12-06T09:00:00', 'sent under another name', null)")
        db.execute("insert into held_up values ('v2', '2016-12-05T03:30:00')")
    written = tables_of(path)
    assert {"judged", "told", "held", "standing", "counted", "withdrawals", "held_up"} < set(written)
    with closing(Ledger(path)) as ledger:
        assert version_of(path) == VERSION
        moment = datetime(2016, 12, 11)
        assert ledger.counted_before(moment) == [("MHT-BPL", "contacts", "v4")]
        assert [w.reason for w in ledger.withdrawals(moment)] == ["sent under another name"]
        assert list(ledger.holds(moment)) == ["v2"]
        assert ledger.result_keys() == dict(written["judged"])
        assert ledger.runs()[0]["deliveries_judged"] == written["runs"][0][-2], "the column's public name"
    assert migrated_tables_of(path, written) == expected_tables(written) and set(tables_of(path)) == set(
        expected_tables(written)
    )
    [copy] = path.parent.glob(f"ledger-version-{VERSION - 1}-*.sqlite")
    assert tables_of(copy) == written and version_of(copy) == VERSION - 1


def test_a_migrated_ledger_has_the_columns_of_a_new_one(old: DataFolder, tmp_path: Path) -> None:
    for path in (old.paths.ledger, tmp_path / "new.sqlite"):
        Runs(path).close()
    assert columns_of(old.paths.ledger) == columns_of(tmp_path / "new.sqlite")


def test_an_unreadable_cached_summary_does_not_stop_the_migration(old: DataFolder) -> None:
    with closing(sqlite3.connect(old.paths.ledger)) as db:
        db.execute("update standing set body = '{'")
        db.commit()
    Runs(old.paths.ledger).close()
    assert version_of(old.paths.ledger) == VERSION


def as_text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_a_run_continues_from_a_version_0_ledger(old: DataFolder, tmp_path: Path) -> None:
    received = [row[2] for row in tables_of_version_0()["deliveries"]]
    result = old.run("2016-12-11T03:30")
    assert result.result == "published" and old.ledger_runs()[-1]["files_received"] == 0, "every raw file is known"
    times = [m.isoformat() for (m,) in old.query("select received_at from audit.deliveries order by received_at")]
    assert times == sorted(received), "times of receipt are kept"
    assert {name: standing for name, (_, standing) in old.standings("contacts").items()} == {
        **{"201611 v1": "superseded", "201611 v2": "superseded", "201611 v3": "same", "201611 v4": "current"}
    }
    assert old.standings("referrals")["201610 v1"] == ("refused", "stale"), "it arrived after a later period"
    assert old.standings("employment_outcomes")["201611 v2"] == ("refused", "refused")
    assert old.count("core.referrals") == 4, "the correction is applied"
    assert old.run("2016-12-12T03:30").result == "quiet"

    with closing(Ledger(old.paths.ledger)) as ledger:
        keys = ledger.result_keys()
    restore_version_0(old.paths.ledger)  # back to version 0, with the result keys of today's code
    with closing(sqlite3.connect(old.paths.ledger)) as db:
        db.executemany("insert or replace into judged values (?, ?)", keys.items())
        db.commit()
    before = files_beside(old.paths.ledger)
    ran = pilots_in_process("as-of", "2016-12-03", "--to", str(tmp_path / "then.duckdb"), "--data", str(old.path))
    assert ran.returncode == 0 and "4 deliveries known" in ran.stderr
    assert files_beside(old.paths.ledger) == before, "a read-only command migrates a copy"


def test_a_copy_is_kept_before_a_ledger_is_migrated(old: DataFolder) -> None:
    ledger = old.paths.ledger
    ledger.chmod(0o640)
    with closing(sqlite3.connect(ledger)) as db:  # left in the write-ahead log, which belongs to the ledger
        db.execute("insert into judged values ('noted last', 'key')")
        db.commit()
        Runs(ledger).close()
        [copy] = ledger.parent.glob(VERSION_0_COPIES)
    assert tables_of(copy) == tables_of_version_0() | {
        "judged": [*tables_of_version_0()["judged"], ("noted last", "key")]
    }
    assert version_of(copy) == 0 and copy.stat().st_mode & 0o777 == 0o640
    Runs(ledger).close()
    assert list(ledger.parent.glob("*version*.sqlite")) == [copy], "a ledger of the current version is not copied"
    copy.replace(ledger)  # to go back
    assert version_of(ledger) == 0


def test_a_new_ledger_leaves_no_copy(folder: DataFolder) -> None:
    Runs(folder.paths.ledger).close()
    assert version_of(folder.paths.ledger) == VERSION
    assert not list(folder.paths.ledger.parent.glob("*version*"))


def test_a_ledger_that_cannot_be_copied_is_not_migrated(old: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrations, "sync", full)
    with pytest.raises(OSError, match="No space"):
        Runs(old.paths.ledger)
    assert version_of(old.paths.ledger) == 0 and tables_of(old.paths.ledger) == tables_of_version_0()
    assert not list(old.paths.ledger.parent.glob(VERSION_0_COPIES)), "an unfinished copy is removed"
    monkeypatch.undo()
    Runs(old.paths.ledger).close()
    assert len(list(old.paths.ledger.parent.glob("*.sqlite"))) == 2 and not list(old.paths.ledger.parent.glob(".*"))


BROKEN = {**migrations.migrations(), VERSION + 1: "drop table report_snapshots; update deliveries set nothing = 1;"}


def test_a_failed_migration_leaves_the_version_before_it(old: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "migrations", lambda: BROKEN)
        with pytest.raises(sqlite3.OperationalError, match="nothing"):
            Runs(old.paths.ledger)
    assert version_of(old.paths.ledger) == VERSION, "earlier migrations are applied"
    assert migrated_tables_of(old.paths.ledger, tables_of_version_0()) == expected_tables(tables_of_version_0())
    Runs(old.paths.ledger).close()


KILLED = """
import os, sqlite3, sys
from pathlib import Path
from flows.store.ledger import migrations
from flows.store.ledger.runs import Runs
made, left = migrations._run, [int(sys.argv[2])]
def run(db, number, sql):
    if left[0] == number:
        db.create_function("killed", 0, lambda: os._exit(9))
        sql += "; delete from deliveries; select killed();"
    made(db, number, sql)
migrations._run = run
Runs(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("at", sorted(migrations.migrations()))
def test_a_run_killed_while_migrating_loses_nothing(old: DataFolder, at: int) -> None:
    command = [sys.executable, "-c", KILLED, str(old.paths.ledger), str(at)]
    assert subprocess.run(command, cwd=PROJECT, env=clean_environment(), check=False).returncode == 9
    assert version_of(old.paths.ledger) == at - 1, "a migration is applied whole or not at all"
    Runs(old.paths.ledger).close()
    assert migrated_tables_of(old.paths.ledger, tables_of_version_0()) == expected_tables(tables_of_version_0())
    assert version_of(old.paths.ledger) == VERSION


def test_a_ledger_of_newer_code_is_refused_and_unchanged(folder: DataFolder) -> None:
    folder.send("participants", valid_rows("participants", 1))
    folder.run("2016-12-02T03:30")
    with closing(sqlite3.connect(folder.paths.ledger)) as db:
        db.execute(f"pragma user_version = {VERSION + 1}")
    before = files_beside(folder.paths.ledger)
    export = str(folder.path / "then.duckdb")
    for command in (("run", "--no-prefect"), ("retry", "--dry-run"), ("as-of", "2016-12-31", "--to", export)):
        ran = pilots_in_process(*command, "--data", str(folder.path))
        assert ran.returncode == 3
        assert f"is of version {VERSION + 1}, and this code knows versions up to {VERSION}: use the newer" in ran.stderr
        assert str(folder.paths.ledger) in ran.stderr
    assert "is of version" in pilots_in_process("status", "--data", str(folder.path)).stdout
    assert files_beside(folder.paths.ledger) == before
    assert folder.count("core.participants") == 1


def test_read_only_commands_migrate_a_copy(old: DataFolder) -> None:
    before = files_beside(old.paths.ledger)
    status = pilots_in_process("status", "--data", str(old.path))
    assert status.returncode == 0 and "ended well with new figures" in status.stdout.splitlines()[0]
    dry_run = pilots_in_process("retry", "--dry-run", "--data", str(old.path))
    assert dry_run.returncode == 0 and "8 files would be re-validated" in dry_run.stdout
    assert files_beside(old.paths.ledger) == before


def change_body(ledger: Path, table: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change every JSON record of a table."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as db:
        for rowid, text in db.execute(f"select rowid, body from {table}").fetchall():
            body = json.loads(text)
            change(body)
            db.execute(f"update {table} set body = ? where rowid = ?", (json.dumps(body), rowid))


REQUIRED_FIELDS = {
    "deliveries": "delivery_id site_code programme_code dataset period version file_name path sheet sha256 bytes"
    " received_at data_cut_date",
}


@pytest.mark.parametrize("table", ["deliveries", "told", "held", "standing"])
def test_an_unknown_field_of_a_record_is_ignored(old: DataFolder, table: str) -> None:
    change_body(old.paths.ledger, table, lambda body: body.update(newer="?"))
    if table == "told":
        change_body(old.paths.ledger, table, lambda body: [i.update(newer="?") for i in body["items"]])
        change_body(old.paths.ledger, table, lambda body: body["rows"].update(newer=1))
    written = tables_of_version_0()
    with closing(Ledger(old.paths.ledger)) as ledger:
        assert len(ledger.deliveries()) == 9 and len(ledger.report_snapshots(i for i, _ in written["told"])) == len(
            written["told"]
        )
        assert all(ledger.held_rows(i) for i, _ in written["held"])
        assert ledger.cached_summary(written["standing"][0][0])


def fields_of(table: str) -> list[str]:
    return sorted({name for row in tables_of_version_0()[table] for name in json.loads(row[1])})


@pytest.mark.parametrize("table", ["deliveries", "told", "held", "standing"])
def test_a_missing_field_takes_its_default_or_stops_the_run_with_a_message(old: DataFolder, table: str) -> None:
    """It takes its default. A delivery that lacks a field without one stops the run with a message."""
    written, required = tables_of_version_0(), REQUIRED_FIELDS.get(table, "").split()
    for name in fields_of(table):
        restore_version_0(old.paths.ledger)
        change_body(old.paths.ledger, table, lambda body, name=name: body.pop(name, None))
        with closing(Ledger(old.paths.ledger)) as ledger:
            if name in required:
                with pytest.raises(
                    LedgerUnusable, match=f"it lacks {name}.*use the code that wrote it, or put .* back"
                ):
                    ledger.deliveries()
            else:
                assert len(ledger.deliveries()) == 9
            ledger.report_snapshots(i for i, _ in written["told"])
            ledger.held_rows(written["held"][0][0])
            ledger.cached_summary(written["standing"][0][0])


def restore_version_0(ledger: Path) -> None:
    for part in ledger.parent.glob("*ledger*"):
        part.unlink()
    write_ledger(ledger)


def test_a_run_succeeds_when_stored_reports_cannot_be_read(old: DataFolder) -> None:
    for table in ("told", "held", "standing"):
        change_body(old.paths.ledger, table, lambda body: body.clear())
    result = old.run("2016-12-11T03:30")
    assert result.result == "published" and result.reported.not_reported == ()


def test_which_deliveries_count_is_recorded_when_it_changes(tmp_path: Path) -> None:
    day = [datetime(2016, 12, n) for n in range(10)[1:]]
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        assert ledger.counted_before(day[8]) == []
        old, new, jobs = ("A", "contacts", "old"), ("A", "contacts", "new"), ("A", "jobs", "jobs")
        ledger.record_counting("run 1", day[0], [old, jobs])
        ledger.record_counting("run 2", day[1], [jobs, old])
        rows = ledger._db.execute("select * from counted").fetchall()
        assert rows == [(*old, "2016-12-01T00:00:00", "run 1"), (*jobs, "2016-12-01T00:00:00", "run 1")]
        ledger.record_counting("run 3", day[2], [new, jobs])
        assert ledger.counted_before(day[8]) == [new, jobs, old]
        assert ledger.counted_before(day[1]) == [jobs, old]
        ledger.record_counting("run 4", day[3], [old, jobs])
        assert ledger.counted_before(day[8]) == [old, new, jobs], "a delivery that counts again is the newest again"
        both = [old, new]
        ledger.record_counting("run 5", day[4], both)
        ledger.record_counting("run 6", day[5], both)
        ledger.record_counting("run 6", day[5], [new])
        ledger.record_counting("run 6", day[5], [old])
        assert ledger._db.execute("select delivery_id, run_id from counted where dataset = 'contacts'").fetchall() == [
            *(("old", "run 1"), ("new", "run 3"), ("old", "run 4"), ("new", "run 5"), ("old", "run 5")),
            ("old", "run 6"),
        ]


def test_a_read_only_copy_is_consistent_while_a_run_writes(old: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may checkpoint the write-ahead log while the file and the log are being copied."""
    path, original_copy, pending = old.paths.ledger, shutil.copy, [True]
    with closing(Ledger(path)) as ledger:
        ledger.record_result_key("noted", "before")

        def copy_and_write(part: Path, folder: Path) -> None:
            original_copy(part, folder)
            if pending.pop() if pending else False:
                ledger.record_result_key("noted", "meanwhile")
                ledger._db.execute("pragma wal_checkpoint(truncate)")

        monkeypatch.setattr(shutil, "copy", copy_and_write)
        with Ledger.copy_of(path) as copy:
            assert copy.result_keys()["noted"] == "meanwhile"


def test_migrations_are_numbered_up_to_the_code_version() -> None:
    numbers = list(migrations.migrations())
    assert numbers == list(range(1, VERSION + 1))
    assert len(numbers) == len(list(migrations.FOLDER.glob("*.sql"))), "numbers are unique"
