"""A night on which nothing changed takes the short way: it says what the long way says, and anything ends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from commands import clean_environment, copy_project, pilots
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows, write_corrections

from flows import nightly
from flows.nightly import RunResult, nightly_run
from flows.orchestration import input_fingerprint
from flows.orchestration.run import Run, Scope
from flows.runtime import code_fingerprint
from flows.settings import Settings
from flows.steps import validate_delivery
from flows.store import build_identity, raw_files
from flows.store.ledger import Ledger

pytestmark = pytest.mark.without_marts

# the first correction lapses after 5 December; the returns of December are due on 9 January at 5pm
NIGHTS = ("2016-12-04", "2016-12-05", "2016-12-06", "2017-01-09T16:59", "2017-01-09T17:00")
HEAVY = {"polars", "duckdb", "pandera", "prefect", "pyarrow", "jinja2", "pydantic", "pandas", "numpy", "typer"}


@pytest.fixture(autouse=True)
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written a moment ago count as old: the look at them can be relied on."""
    monkeypatch.setattr(raw_files, "SETTLED_NS", 0)


@pytest.fixture
def long_ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that took the long way."""
    taken: list[str] = []
    full_run = nightly.full_run

    def noted(run: Run) -> RunResult:
        taken.append(run.id)
        return full_run(run)

    monkeypatch.setattr(nightly, "full_run", noted)
    return taken


def eventful(folder: DataFolder) -> None:
    """Send returns with all that a quiet night speaks of: held, refused and stray files, and corrections."""
    folder.send_all(1, 2, 3)
    folder.send(
        "contacts", [valid_row("contacts", 1), valid_row("contacts", 2, attended="9"), valid_row("contacts", 3)]
    )
    folder.run("2016-12-02")
    refused = valid_rows("employment_outcomes", 1, 2)
    for row in refused:
        del row["job_start_date"]
    folder.send("employment_outcomes", refused, period="201612")
    folder.send("referrals", valid_rows("referrals", 1, 2, 3), version=2, manifest={"rows": 3})
    (folder.paths.raw / "comments.csv").write_text("x", encoding="utf-8")
    write_corrections(folder, {"until": "2016-12-05"}, {"file": f"{BPL}_contacts_201608_v1.csv"})
    folder.run("2016-12-03")


def words(outcome: RunResult) -> str:
    """What a summary says, but for which run it was."""
    assert outcome.reported.path is not None
    said = outcome.reported.path.read_text(encoding="utf-8")
    assert said == outcome.reported.summary
    return "\n".join(line for line in said.splitlines() if not line.startswith(f"Run {outcome.run_id}"))


def left(folder: DataFolder) -> dict[str, object]:
    """All that lies in the data folder but the summaries, byte by byte; the ledger by its tables, but for the runs."""
    with closing(Ledger(folder.paths.ledger)) as ledger:
        tables = (
            "files",
            "deliveries",
            "validation_results",
            "report_digests",
            "report_snapshots",
            "held_rows",
        )
        known = {t: sorted(ledger._db.execute(f"select * from {t}").fetchall()) for t in tables}
    passed_over = ("reports/nights/", "warehouse/store/ledger.sqlite")
    files = {p for p in folder.files_under("raw", "reports", "warehouse") if not p.startswith(passed_over)}
    return {**known, **{p: (folder.path / p).read_bytes() for p in files}}


def forget(folder: DataFolder) -> None:
    """Make the next night take the long way."""
    with closing(Ledger(folder.paths.ledger)) as ledger:
        ledger.store_cached_summary(None)


def test_the_short_way_leaves_what_the_long_way_leaves(folder: DataFolder, long_ways: list[str]) -> None:
    eventful(folder)
    said = {}
    for moment in NIGHTS:
        due = folder.run(moment)  # whatever has to be done that day
        said[moment] = (words(due), due.run_id in long_ways)
        first = folder.run(moment)
        after = left(folder)
        forget(folder)
        second = folder.run(moment)
        assert first.run_id not in long_ways and second.run_id in long_ways, moment
        assert (first.result, first.warehouse) == (second.result, second.warehouse) == ("quiet", first.warehouse)
        assert words(first) == words(second) and left(folder) == after, moment
        assert first.must_be_fixed == second.must_be_fixed and first.deliveries() == second.deliveries() == []
        runs = {r["run_id"]: r for r in folder.ledger_runs()}
        same = ("as_of", "result", "files_received", "deliveries_judged", "code_version")
        assert [runs[first.run_id][n] for n in same] == [runs[second.run_id][n] for n in same]
    # between 6 December and 9 January the returns of November fell due
    assert [moment for moment, (_, long) in said.items() if long] == ["2016-12-06", "2017-01-09T16:59", NIGHTS[-1]]
    assert "`comments.csv` was not taken in (F21)" in said["2016-12-04"][0]
    assert "## Whose figures are old" in said["2016-12-04"][0]
    assert "line 2: it was agreed until" not in said["2016-12-05"][0]
    assert "line 2: it was agreed until 5 December 2016" in said["2016-12-06"][0]
    assert "December 2016, due by" not in said["2017-01-09T16:59"][0]
    assert "December 2016, due by" in said["2017-01-09T17:00"][0]


def contacts(folder: DataFolder) -> Path:
    return folder.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv"


def rewrite_in_disguise(folder: DataFolder) -> None:
    """Other bytes of the same length, with the old time of change set by hand."""
    path = contacts(folder)
    before = path.stat()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",45,", ",54,"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)


def lose_a_judgement(folder: DataFolder) -> None:
    """Of a file that still is there: without one the night would stop."""
    key = folder.query("select judgement_key from audit.deliveries where dataset = 'participants'")[0][0]
    shutil.rmtree(folder.paths.judgement(key))


CHANGES: dict[str, Callable[[DataFolder], object]] = {
    "a new file": lambda f: f.send("contacts", valid_rows("contacts", 1), period="201612"),
    "a file touched": lambda f: os.utime(contacts(f)),
    "other bytes that look the same": rewrite_in_disguise,
    "a manifest": lambda f: contacts(f).with_suffix(".manifest.json").write_text('{"rows": 2}'),
    "a stray folder": lambda f: (f.paths.raw / BPL / "November").mkdir(),
    "a site's folder": lambda f: (f.paths.raw / "MHT-GM").mkdir() or (f.paths.raw / "MHT-GM" / "x").touch(),
    "a correction": lambda f: write_corrections(f, {}),
    "a build gone": lambda f: f.paths.current_link.resolve().unlink(),
    "no build pointed to": lambda f: f.paths.current_link.unlink(),
    "a validation result gone": lose_a_judgement,
    "a file gone": lambda f: contacts(f).unlink(),
}


@pytest.mark.soak
def test_whatever_changes_ends_it(folder: DataFolder, long_ways: list[str]) -> None:
    """One change after another to the same folder: each night but the one after a change takes the short way."""
    folder.send_all(1, 2)
    folder.run("2016-12-02")
    assert folder.run("2016-12-02").run_id not in long_ways
    for change, make in CHANGES.items():
        make(folder)
        assert folder.run("2016-12-02").run_id in long_ways, change
        assert folder.run("2016-12-02").run_id not in long_ways, f"{change}: the long way leaves the short one"


def test_other_code_another_library_and_an_earlier_clock_end_it(
    folder: DataFolder, long_ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send_all(1)
    folder.run("2016-12-02")
    forget(folder)
    folder.run("2016-12-08")
    assert folder.run("2016-12-03").run_id in long_ways, "what stood on the eighth may not have stood on the third"
    assert folder.run("2016-12-08").run_id not in long_ways
    monkeypatch.setattr(input_fingerprint, "all_that_runs", lambda: "other")
    assert folder.run("2016-12-08").run_id in long_ways


def test_what_runs_is_every_file_of_ours_and_every_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = copy_project(tmp_path / "project")
    monkeypatch.setattr(code_fingerprint, "ROOT", home)
    digest = code_fingerprint.all_that_runs.__wrapped__
    seen = {digest()}
    for name in ("schemas/core/codes/contact_type.csv", "schemas/core/site_headings.csv",
                 "schemas/core/contacts.py",
                 "schemas/core/return_calendar.csv", "schemas/outcomes/kpi.sql", "flows/steps/validate/rows.py",
                 "flows/reporting/render/templates/report.css"):  # fmt: skip
        with (home / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        seen.add(digest())
    (home / "flows" / "new.py").touch()
    seen.add(digest())
    (tmp_path / "libraries" / "polars-99.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "libraries")
    seen.add(digest())
    assert len(seen) == 10
    (home / "flows" / "__pycache__").mkdir(exist_ok=True)
    (home / "flows" / "__pycache__" / "new.pyc").touch()
    assert digest() in seen


def test_a_young_file_is_not_relied_on(
    folder: DataFolder, long_ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send_all(1)
    folder.run()
    monkeypatch.setattr(raw_files, "SETTLED_NS", 10**15)
    for _ in range(2):
        assert folder.run().run_id in long_ways


def test_a_look_that_takes_long_makes_no_file_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was young when it was looked at may have changed since, and look the same."""
    monkeypatch.setattr(raw_files, "SETTLED_NS", 200_000_000)
    path = tmp_path / "young.csv"
    path.touch()
    seen = raw_files.FileStat.of(path)
    time.sleep(0.3)  # until a slow share has listed its other files
    assert not seen.is_settled
    assert raw_files.FileStat.of(path).is_settled and raw_files.FileStat.of(path) == seen


@pytest.mark.soak
def test_what_could_not_be_done_is_tried_again(
    folder: DataFolder, long_ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send_all(1)
    (folder.paths.raw / BPL / f"{BPL}_contacts_201612_v1.csv").symlink_to("gone.csv")
    for _ in range(2):
        assert folder.run().run_id in long_ways, "a file that cannot be read may be readable the next night"
    (folder.paths.raw / BPL / f"{BPL}_contacts_201612_v1.csv").unlink()
    folder.send("contacts", valid_rows("contacts", 1, 2))
    with monkeypatch.context() as patch:
        patch.setattr(validate_delivery, "validate_file", lambda *_: 1 / 0)
        assert folder.run().not_validated
    mended = folder.run()
    assert mended.run_id in long_ways and [j.delivery.dataset for j in mended.validated] == ["contacts"]


def test_a_run_that_was_cut_off_leaves_nothing_standing(
    folder: DataFolder, long_ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send_all(1)
    folder.run("2016-12-02")
    new = folder.send("contacts", valid_rows("contacts", 1), period="201612")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(build_identity, "build_fingerprint", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        folder.run("2016-12-03")
    new.unlink()  # the folder looks as it did before that run
    assert folder.run("2016-12-04").run_id in long_ways


def test_a_retry_takes_the_long_way_and_leaves_it_to_the_next_night(folder: DataFolder, long_ways: list[str]) -> None:
    folder.send_all(1)
    folder.run("2016-12-02")
    nightly_run(Settings(data=folder.path), datetime(2016, 12, 3), Scope(new_files=False, site=BPL))
    assert len(long_ways) == 2
    assert folder.run("2016-12-04").run_id in long_ways
    assert folder.run("2016-12-05").run_id not in long_ways


QUIETLY = """
import sys
from pathlib import Path
from flows.store import raw_files
raw_files.SETTLED_NS = 0
from flows.settings import Settings
from flows.nightly import nightly_run
assert nightly_run(Settings.of(Path(sys.argv[1]))).result == "quiet"
print(*sys.modules)
"""


def test_it_imports_nothing_heavy(folder: DataFolder) -> None:
    folder.send_all(1)
    folder.run()
    ran = subprocess.run(
        [sys.executable, "-c", QUIETLY, str(folder.path)], cwd=PROJECT, env=clean_environment(), capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert {name.split(".")[0] for name in ran.stdout.split()} & HEAVY == set()


@pytest.mark.soak
def test_a_mended_code_list_ends_it_for_the_command_too(folder: DataFolder, tmp_path: Path) -> None:
    home = copy_project(tmp_path / "project")
    folder.send_all(1, 2)
    folder.send("contacts", [valid_row("contacts", 1), valid_row("contacts", 2, contact_type="chat")])

    time.sleep(2.1)  # until a look at the files can be relied on

    def said() -> str:
        return pilots("run", "--no-prefect", "--data", str(folder.path), home=home).stdout.splitlines()[0]

    assert said().startswith("Published: 4 files checked")
    assert said().startswith("Nothing changed since") and said().startswith("Nothing changed since")
    with (home / "schemas" / "core" / "codes" / "contact_type.csv").open("a", encoding="utf-8") as codes:
        codes.write("chat,Chat by text,,,,made up for a test\n")
    assert said() == "Published: 1 file checked, 1 row released."
