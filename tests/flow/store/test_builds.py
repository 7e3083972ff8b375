"""Builds are proved before they are promoted, made by one run at a time, and readable by their owner alone."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import Any

import duckdb
import pytest
from data_folder import PROJECT, DataFolder, valid_rows, warehouse_content

from flows.orchestration import stages
from flows.orchestration.build_steps import run_build
from flows.steps.promote import NotConserved
from flows.store.lock import Busy, writer_lock
from flows.store.warehouse import Warehouse
from flows.store.warehouse.new_build import NewBuild


def test_an_open_reader_keeps_its_build_and_a_new_one_sees_the_next(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run()
    query = "select count(*), count(distinct delivery_id) from core.contacts"
    with closing(duckdb.connect(str(folder.paths.current_link), read_only=True)) as reader:
        assert reader.execute(query).fetchall() == [(2, 1)]
        folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
        folder.run(keep_builds=1)
        assert reader.execute(query).fetchall() == [(2, 1)]
        assert folder.query(query) == [(3, 1)]
        assert len(folder.builds()) == 1


def test_a_build_that_lost_a_row_is_not_promoted(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    before = folder.run().warehouse

    def build_and_lose_a_row(new: NewBuild) -> None:
        run_build(new)
        with new.open() as db:
            db.execute("delete from core.contacts where contact_id = 'BPL-C000002'")

    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2, 3), period="201612")
    with monkeypatch.context() as patch, pytest.raises(NotConserved, match="contacts_201612"):
        patch.setattr(stages, "build_stage", build_and_lose_a_row)
        folder.run()
    assert (current := Warehouse(folder.paths).current()) and current.file == before
    assert folder.count("core.contacts") == 2
    [failed] = [r["run_id"] for r in folder.ledger_runs() if r["result"] == "failed"]
    summary = (folder.paths.reports / "nights" / f"{failed}.md").read_text(encoding="utf-8")
    assert summary.startswith("Not published") and "the figures of the last good night stand" in summary
    fixed = folder.run()
    assert fixed.result == "published" and folder.count("core.contacts") == 3
    assert len(fixed.reported.pages) == 2, "the next run writes the reports of the failed one"
    assert [p.name for p in folder.paths.builds.glob(".*")] == []


@pytest.mark.soak
def test_only_the_last_builds_are_kept(folder: DataFolder) -> None:
    names = []
    for month in range(1, 5):
        folder.send("contacts", valid_rows("contacts", *range(month)), f"2017{month:02}")
        published = folder.run(f"2017-{month + 1:02}-02", keep_builds=2).warehouse
        assert published
        names.append(published.name)
    assert len(folder.builds()) == 2
    assert names[-1] in folder.builds()


@pytest.mark.soak
@pytest.mark.with_marts
def test_a_deleted_build_is_rebuilt_from_stored_results(folder: DataFolder) -> None:
    """A build needs stored results only. Raw files may be missing, but not all of them (NoDataFolder)."""
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


def test_two_runs_never_work_at_once(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    before = folder.files_under("warehouse")
    command = [sys.executable, "-c", HOLD, str(folder.paths.lock)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=f"process {holder.pid}"):
            folder.run()
        ran = subprocess.run(
            [sys.executable, "-m", "flows.cli", "run", "--no-prefect", "--data", str(folder.path)],
            cwd=PROJECT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (ran.returncode, ran.stdout) == (4, "")
        assert ran.stderr.startswith("Busy: another run is at work") and "Traceback" not in ran.stderr
        assert folder.files_under("warehouse") == before | {"warehouse/writer.lock"}
        holder.kill()
    assert folder.run().result == "published"


def test_a_failed_run_releases_the_lock(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="broken"):
        patch.setattr(stages, "load_stage", broken)
        folder.run()
    with writer_lock(folder.paths.lock):
        pass


def test_builds_are_readable_by_their_owner_alone(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    warehouse = folder.run().warehouse
    assert warehouse and oct(warehouse.stat().st_mode & 0o777) == "0o600"
    for private in (folder.paths.builds, folder.paths.results):
        assert oct(private.stat().st_mode & 0o777) == "0o750"
