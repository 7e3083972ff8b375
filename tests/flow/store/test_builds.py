"""The builds of the warehouse: each proved before readers see it, made by one run at a time, and its owner's alone."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import Any

import duckdb
import pytest
from data_folder import PROJECT, DataFolder, valid_rows, warehouse_content

from flows.orchestration import stages
from flows.orchestration.build_steps import make_marts
from flows.steps.promote import NotConserved
from flows.store.lock import Busy, writer_lock
from flows.store.warehouse import Warehouse
from flows.store.warehouse.new_build import NewBuild


def test_a_reader_keeps_its_file_through_a_night_and_a_new_one_sees_the_new_figures(folder: DataFolder) -> None:
    folder.send_all(1, 2)
    folder.run()
    question = "select count(*), count(distinct delivery_id) from core.contacts"
    with closing(duckdb.connect(str(folder.paths.current_link), read_only=True)) as reader:
        assert reader.execute(question).fetchall() == [(2, 1)]
        folder.send_all(1, 2, 3, period="201612")
        folder.run(keep_builds=1)
        assert reader.execute(question).fetchall() == [(2, 1)]
        assert folder.query(question) == [(3, 1)]
        assert len(folder.builds()) == 1


def test_what_cannot_be_proved_is_not_published(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.send_all(1, 2)
    before = folder.run().warehouse

    def build_and_lose_a_row(new: NewBuild) -> None:
        make_marts(new)
        with new.open() as db:
            db.execute("delete from core.contacts where contact_id = 'BPL-C000002'")

    folder.send_all(1, 2, 3, period="201612")
    with monkeypatch.context() as patch, pytest.raises(NotConserved, match="contacts_201612"):
        patch.setattr(stages, "build_marts", build_and_lose_a_row)
        folder.run()
    assert (current := Warehouse(folder.paths).current()) and current.file == before
    assert folder.count("core.contacts") == 2
    [failed] = [r["run_id"] for r in folder.ledger_runs() if r["result"] == "failed"]
    told = (folder.paths.reports / "nights" / f"{failed}.md").read_text(encoding="utf-8")
    assert told.startswith("Not published") and "the figures of the last good night stand" in told
    mended = folder.run()
    assert mended.result == "published" and folder.count("core.contacts") == 3
    assert len(mended.reported.pages) == 4, "the run that broke off left its reports to this one"
    assert [p.name for p in folder.paths.builds.glob(".*")] == []


@pytest.mark.soak
def test_the_last_builds_are_kept_and_no_more(folder: DataFolder) -> None:
    names = []
    for month in range(1, 5):
        folder.send("contacts", valid_rows("contacts", *range(month)), f"2017{month:02}")
        published = folder.run(f"2017-{month + 1:02}-02", keep_builds=2).warehouse
        assert published
        names.append(published.name)
    assert len(folder.builds()) == 2
    assert names[-1] in folder.builds()


@pytest.mark.soak
def test_a_lost_warehouse_is_made_again_from_the_store(folder: DataFolder) -> None:
    """The warehouse is a product of the store: even raw files may be gone by then, but not all (NoDataFolder)."""
    folder.send_all(1, 2)
    folder.run()
    content = warehouse_content(folder.paths.current_link.resolve())
    for path in (
        folder.paths.current_link,
        *folder.paths.builds.glob("*.duckdb"),
        *sorted(folder.paths.raw.glob("*/*.csv"))[1:],
    ):
        path.unlink()
    again = folder.run()
    [run] = [r for r in folder.ledger_runs() if r["run_id"] == again.run_id]
    assert (again.result, run["deliveries_judged"]) == ("published", 0)
    assert warehouse_content(folder.paths.current_link.resolve()) == content


HOLD = """
import sys
from pathlib import Path
from flows.store.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_night_at_a_time(folder: DataFolder) -> None:
    folder.send_all(1)
    command = [sys.executable, "-c", HOLD, str(folder.paths.lock)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=f"process {holder.pid}"):
            folder.run()
        told = subprocess.run(
            [sys.executable, "-m", "flows.cli", "run", "--no-prefect", "--data", str(folder.path)],
            cwd=PROJECT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (told.returncode, told.stdout) == (4, "")
        assert told.stderr.startswith("Busy: another run is at work") and "Traceback" not in told.stderr
        assert folder.files_under("warehouse") == {"warehouse/writer.lock"}
        holder.kill()
    assert folder.run().result == "published"


def test_the_lock_is_free_again_after_a_night_that_broke(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="broken"):
        patch.setattr(stages, "load_core", broken)
        folder.run()
    with writer_lock(folder.paths.lock):
        pass


def test_the_warehouse_is_its_owners_alone(folder: DataFolder) -> None:
    folder.send_all(1)
    warehouse = folder.run().warehouse
    assert warehouse and oct(warehouse.stat().st_mode & 0o777) == "0o600"
    for private in (folder.paths.builds, folder.paths.judgements):
        assert oct(private.stat().st_mode & 0o777) == "0o750"
