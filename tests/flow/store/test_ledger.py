"""The ledger goes with the code: what older code wrote is migrated with nothing lost, what newer code wrote is refused.

`first_ledger.py` says where the oldest ledger that can be met comes from.
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
from first_ledger import LEDGER, send_everything, write_ledger

from flows.store.ledger import Ledger, migrations
from flows.store.ledger.runs import VERSION, LedgerUnusable, Runs

Tables = dict[str, list[tuple[Any, ...]]]
KEPT_OF_THEN = "ledger-version-0-*.sqlite"
RENAMED = {  # the tables of the first ledger that migration 5 renamed
    "judged": "validation_results",
    "reported": "report_digests",
    "told": "report_snapshots",
    "held": "held_rows",
    "standing": "cached_summary",
}


@pytest.fixture
def first(folder: DataFolder) -> DataFolder:
    """A data folder with the first ledger, and all the raw files that it knows of."""
    send_everything(folder.path)
    write_ledger(folder.paths.ledger)
    return folder


def tables_of(ledger: Path) -> Tables:
    """Every table of a ledger file with its rows, in the order in which they were written."""
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


def as_written() -> Tables:
    """The tables of the first ledger."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(LEDGER.read_text(encoding="utf-8"))
        return tables_in(db)


def migrated(tables: Tables) -> Tables:
    """The tables of an older ledger as the newest migration should leave them: each row under its table's new name."""
    now = {RENAMED.get(name, name): rows for name, rows in tables.items()}
    now["cached_summary"] = [(found, renamed_look(json.loads(body))) for found, body in now["cached_summary"]]
    return now


def renamed_look(body: dict[str, Any]) -> dict[str, Any]:
    return {"input_fingerprint" if name == "look" else name: value for name, value in body.items()}


def migrated_tables_of(ledger: Path, like: Tables) -> Tables:
    """Those tables of a migrated ledger that an older one had, with the cached summary decoded."""
    now = tables_of(ledger)
    now["cached_summary"] = [(found, json.loads(body)) for found, body in now["cached_summary"]]
    return {name: now[name] for name in migrated(like)}


def bytes_beside(ledger: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in ledger.parent.iterdir() if p.is_file()}


def test_the_first_ledger_opens_with_nothing_lost(first: DataFolder) -> None:
    then = as_written()
    with closing(Ledger(first.paths.ledger)) as ledger:
        deliveries, runs = ledger.deliveries(), ledger.runs()
        known = [row[0] for row in then["deliveries"]]
        assert sorted(deliveries) == sorted(known) and len(known) == 9
        for delivery_id, body, received_at, _ in then["deliveries"]:
            d = deliveries[delivery_id]
            assert json.loads(body).items() <= {n: str_of(v) for n, v in vars(d).items()}.items()
            assert d.received_at == datetime.fromisoformat(received_at)
        same = f"{BPL}_contacts_201611_v3_e2e5c47790"
        assert deliveries[same].same_as == f"{BPL}_contacts_201611_v2_e2e5c47790"
        assert ledger.result_keys() == dict(then["judged"]) and ledger.report_digests() == dict(then["reported"])
        told = [json.loads(json.dumps(t.to_json())) for t in ledger.report_snapshots(i for i, _ in then["told"])]
        assert told == [json.loads(body) for _, body in then["told"]]
        held = {i: ledger.held_rows(i) for i, _ in then["held"]}
        assert all(held[i] and held[i].to_json() == json.loads(body) for i, body in then["held"])
        assert {path: (s, why) for path, (_, s, why) in ledger.known_files().items()} == {
            row[0]: row[-2:] for row in then["files"]
        }
        results = {"published": 4, "quiet": 1, None: 1, "failed": 1}  # None: it was cut off
        assert Counter(r["result"] for r in runs) == results
        assert {tuple(r.values()) for r in runs} == set(then["runs"])
        assert ledger.cached_summary(then["standing"][0][0]) is not None
    assert migrated_tables_of(first.paths.ledger, then) == migrated(then), "a migration of the tables changes no row"
    assert version_of(first.paths.ledger) == VERSION == max(migrations.migrations())


def test_a_ledger_of_the_version_before_is_migrated_in_place(first: DataFolder) -> None:
    """Rows that only later tables than the first ledger's have are in it too."""
    path = first.paths.ledger
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for number, sql in migrations.migrations().items():
            if number < VERSION:
                db.executescript(f"{sql}; pragma user_version = {number};")
        db.execute("insert into counted values ('MHT-BPL', 'contacts', 'v4', '2016-12-10T03:30:00', 'run')")
        db.execute("insert into withdrawals values ('v1', '2016-12-06T09:00:00', 'sent under another name', null)")
        db.execute("insert into held_up values ('v2', '2016-12-05T03:30:00')")
    then = tables_of(path)
    assert {"judged", "told", "held", "standing", "counted", "withdrawals", "held_up"} < set(then)
    with closing(Ledger(path)) as ledger:
        assert version_of(path) == VERSION
        moment = datetime(2016, 12, 11)
        assert ledger.counted_before(moment) == [("MHT-BPL", "contacts", "v4")]
        assert [w.reason for w in ledger.withdrawals(moment)] == ["sent under another name"]
        assert list(ledger.holds(moment)) == ["v2"]
        assert ledger.result_keys() == dict(then["judged"])
        assert ledger.runs()[0]["deliveries_judged"] == then["runs"][0][-2], "the column's public name"
    assert migrated_tables_of(path, then) == migrated(then) and set(tables_of(path)) == set(migrated(then))
    [copy] = path.parent.glob(f"ledger-version-{VERSION - 1}-*.sqlite")
    assert tables_of(copy) == then and version_of(copy) == VERSION - 1


def test_a_migrated_ledger_has_the_columns_of_a_new_one(first: DataFolder, tmp_path: Path) -> None:
    for path in (first.paths.ledger, tmp_path / "new.sqlite"):
        Runs(path).close()
    assert columns_of(first.paths.ledger) == columns_of(tmp_path / "new.sqlite")


def test_a_cached_summary_that_is_no_json_does_not_stop_the_migration(first: DataFolder) -> None:
    with closing(sqlite3.connect(first.paths.ledger)) as db:
        db.execute("update standing set body = '{'")
        db.commit()
    Runs(first.paths.ledger).close()
    assert version_of(first.paths.ledger) == VERSION


def str_of(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_a_night_goes_on_from_the_first_ledger(first: DataFolder, tmp_path: Path) -> None:
    received = [row[2] for row in as_written()["deliveries"]]
    night = first.run("2016-12-11T03:30")
    assert night.result == "published" and first.ledger_runs()[-1]["files_received"] == 0, "every raw file is known"
    told = [m.isoformat() for (m,) in first.query("select received_at from audit.deliveries order by received_at")]
    assert told == sorted(received), "when each file came is as the ledger had it"
    assert {name: standing for name, (_, standing) in first.standings("contacts").items()} == {
        **{"201611 v1": "superseded", "201611 v2": "superseded", "201611 v3": "same", "201611 v4": "current"}
    }
    assert first.standings("referrals")["201610 v1"] == ("refused", "stale"), "it came after a later one"
    assert first.standings("employment_outcomes")["201611 v2"] == ("refused", "refused")
    assert first.count("core.referrals") == 4, "the correction holds"
    assert first.run("2016-12-12T03:30").result == "quiet"

    with closing(Ledger(first.paths.ledger)) as ledger:
        keys = ledger.result_keys()
    write_again(first.paths.ledger)  # as if nobody had migrated it yet, with the results that are stored now
    with closing(sqlite3.connect(first.paths.ledger)) as db:
        db.executemany("insert or replace into judged values (?, ?)", keys.items())
        db.commit()
    before = bytes_beside(first.paths.ledger)
    asked = pilots_in_process("as-of", "2016-12-03", "--to", str(tmp_path / "then.duckdb"), "--data", str(first.path))
    assert asked.returncode == 0 and "4 deliveries known" in asked.stderr
    assert bytes_beside(first.paths.ledger) == before, "who only looks migrates a copy"


def test_a_copy_is_kept_before_a_ledger_is_migrated(first: DataFolder) -> None:
    ledger = first.paths.ledger
    ledger.chmod(0o640)
    with closing(sqlite3.connect(ledger)) as db:  # what lies in the log beside the file belongs to it
        db.execute("insert into judged values ('noted last', 'key')")
        db.commit()
        Runs(ledger).close()
        [copy] = ledger.parent.glob(KEPT_OF_THEN)
    assert tables_of(copy) == as_written() | {"judged": [*as_written()["judged"], ("noted last", "key")]}
    assert version_of(copy) == 0 and copy.stat().st_mode & 0o777 == 0o640
    Runs(ledger).close()
    assert list(ledger.parent.glob("*version*.sqlite")) == [copy], "a ledger of our version is not copied"
    copy.replace(ledger)  # to go back
    assert version_of(ledger) == 0


def test_a_new_ledger_leaves_no_copy(folder: DataFolder) -> None:
    Runs(folder.paths.ledger).close()
    assert version_of(folder.paths.ledger) == VERSION
    assert not list(folder.paths.ledger.parent.glob("*version*"))


def test_no_copy_no_migration(first: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrations, "sync", full)
    with pytest.raises(OSError, match="No space"):
        Runs(first.paths.ledger)
    assert version_of(first.paths.ledger) == 0 and tables_of(first.paths.ledger) == as_written()
    assert not list(first.paths.ledger.parent.glob(KEPT_OF_THEN)), "half a copy has no name"
    monkeypatch.undo()
    Runs(first.paths.ledger).close()
    assert len(list(first.paths.ledger.parent.glob("*.sqlite"))) == 2 and not list(first.paths.ledger.parent.glob(".*"))


BROKEN = {**migrations.migrations(), VERSION + 1: "drop table report_snapshots; update deliveries set nothing = 1;"}


def test_a_migration_that_fails_leaves_the_ledger_before_it(first: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "migrations", lambda: BROKEN)
        with pytest.raises(sqlite3.OperationalError, match="nothing"):
            Runs(first.paths.ledger)
    assert version_of(first.paths.ledger) == VERSION, "those before it were done"
    assert migrated_tables_of(first.paths.ledger, as_written()) == migrated(as_written())
    Runs(first.paths.ledger).close()


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
def test_a_run_that_is_killed_while_it_migrates_loses_nothing(first: DataFolder, at: int) -> None:
    command = [sys.executable, "-c", KILLED, str(first.paths.ledger), str(at)]
    assert subprocess.run(command, cwd=PROJECT, env=clean_environment(), check=False).returncode == 9
    assert version_of(first.paths.ledger) == at - 1, "each is done or not done"
    Runs(first.paths.ledger).close()
    assert migrated_tables_of(first.paths.ledger, as_written()) == migrated(as_written())
    assert version_of(first.paths.ledger) == VERSION


def test_a_ledger_of_newer_code_is_refused_and_stays_as_it_is(folder: DataFolder) -> None:
    folder.send("participants", valid_rows("participants", 1))
    folder.run("2016-12-02T03:30")
    with closing(sqlite3.connect(folder.paths.ledger)) as db:
        db.execute(f"pragma user_version = {VERSION + 1}")
    before = bytes_beside(folder.paths.ledger)
    then = str(folder.path / "then.duckdb")
    for command in (("run", "--no-prefect"), ("retry", "--dry-run"), ("as-of", "2016-12-31", "--to", then)):
        told = pilots_in_process(*command, "--data", str(folder.path))
        assert told.returncode == 3
        assert (
            f"is of version {VERSION + 1}, and this code knows versions up to {VERSION}: use the newer" in told.stderr
        )
        assert str(folder.paths.ledger) in told.stderr
    assert "is of version" in pilots_in_process("status", "--data", str(folder.path)).stdout
    assert bytes_beside(folder.paths.ledger) == before
    assert folder.count("core.participants") == 1


def test_who_only_looks_migrates_a_copy(first: DataFolder) -> None:
    before = bytes_beside(first.paths.ledger)
    status = pilots_in_process("status", "--data", str(first.path))
    assert status.returncode == 0 and "ended well with new figures" in status.stdout.splitlines()[0]
    retried = pilots_in_process("retry", "--dry-run", "--data", str(first.path))
    assert retried.returncode == 0 and "8 files would be re-validated" in retried.stdout
    assert bytes_beside(first.paths.ledger) == before


def change_body(ledger: Path, table: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change every record of a table that is kept as JSON."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as db:
        for rowid, text in db.execute(f"select rowid, body from {table}").fetchall():
            body = json.loads(text)
            change(body)
            db.execute(f"update {table} set body = ? where rowid = ?", (json.dumps(body), rowid))


NEEDED = {
    "deliveries": "delivery_id site_code programme_code dataset period version file_name path sheet sha256 bytes"
    " received_at data_cut_date",
}


@pytest.mark.parametrize("table", ["deliveries", "told", "held", "standing"])
def test_a_field_that_only_newer_code_knows_is_passed_over(first: DataFolder, table: str) -> None:
    change_body(first.paths.ledger, table, lambda body: body.update(newer="?"))
    if table == "told":
        change_body(first.paths.ledger, table, lambda body: [i.update(newer="?") for i in body["items"]])
        change_body(first.paths.ledger, table, lambda body: body["rows"].update(newer=1))
    then = as_written()
    with closing(Ledger(first.paths.ledger)) as ledger:
        assert len(ledger.deliveries()) == 9 and len(ledger.report_snapshots(i for i, _ in then["told"])) == len(
            then["told"]
        )
        assert all(ledger.held_rows(i) for i, _ in then["held"])
        assert ledger.cached_summary(then["standing"][0][0])


def fields_of(table: str) -> list[str]:
    return sorted({name for row in as_written()[table] for name in json.loads(row[1])})


@pytest.mark.parametrize("table", ["deliveries", "told", "held", "standing"])
def test_a_field_that_is_missing_never_ends_in_an_error_of_our_own(first: DataFolder, table: str) -> None:
    """It has its default. Without one, a delivery stops the run, in words; what a report said is not compared."""
    then, needed = as_written(), NEEDED.get(table, "").split()
    for name in fields_of(table):
        write_again(first.paths.ledger)
        change_body(first.paths.ledger, table, lambda body, name=name: body.pop(name, None))
        with closing(Ledger(first.paths.ledger)) as ledger:
            if name in needed:
                with pytest.raises(
                    LedgerUnusable, match=f"it lacks {name}.*use the code that wrote it, or put .* back"
                ):
                    ledger.deliveries()
            else:
                assert len(ledger.deliveries()) == 9
            ledger.report_snapshots(i for i, _ in then["told"])
            ledger.held_rows(then["held"][0][0])
            ledger.cached_summary(then["standing"][0][0])


def write_again(ledger: Path) -> None:
    for part in ledger.parent.glob("*ledger*"):
        part.unlink()
    write_ledger(ledger)


def test_the_first_night_after_a_report_that_cannot_be_read_is_a_good_one(first: DataFolder) -> None:
    for table in ("told", "held", "standing"):
        change_body(first.paths.ledger, table, lambda body: body.clear())
    night = first.run("2016-12-11T03:30")
    assert night.result == "published" and night.reported.not_reported == ()


def test_what_counts_is_noted_when_it_changes(tmp_path: Path) -> None:
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
        assert ledger.counted_before(day[8]) == [old, new, jobs], "what counts again is the newest again"
        both = [old, new]
        ledger.record_counting("run 5", day[4], both)
        ledger.record_counting("run 6", day[5], both)
        ledger.record_counting("run 6", day[5], [new])
        ledger.record_counting("run 6", day[5], [old])
        assert ledger._db.execute("select delivery_id, run_id from counted where dataset = 'contacts'").fetchall() == [
            *(("old", "run 1"), ("new", "run 3"), ("old", "run 4"), ("new", "run 5"), ("old", "run 5")),
            ("old", "run 6"),
        ]


def test_a_copy_to_look_into_is_of_one_moment(first: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two of its parts a run may move what is in the log into the file."""
    path, copied, writes = first.paths.ledger, shutil.copy, [True]
    with closing(Ledger(path)) as ledger:
        ledger.record_result_key("noted", "before")

        def copy_and_write(part: Path, folder: Path) -> None:
            copied(part, folder)
            if writes.pop() if writes else False:
                ledger.record_result_key("noted", "meanwhile")
                ledger._db.execute("pragma wal_checkpoint(truncate)")

        monkeypatch.setattr(shutil, "copy", copy_and_write)
        with Ledger.copy_of(path) as looked_into:
            assert looked_into.result_keys()["noted"] == "meanwhile"


def test_the_newest_migration_of_all_is_that_of_the_code() -> None:
    numbers = list(migrations.migrations())
    assert numbers == list(range(1, VERSION + 1))
    assert len(numbers) == len(list(migrations.FOLDER.glob("*.sql"))), "each file has a number of its own"
