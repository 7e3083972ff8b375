"""The log of operations: what commands that take the writer's lock log, and what is never logged."""

from __future__ import annotations

import json
import logging
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from commands import clean_environment, copy_project, pilots, pilots_command, pilots_in_process, raise_in
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows
from logged import DOCUMENT, EVENTS, FIELDS, TYPES, logged_lines
from soak import in_soak

from flows.commands import query
from flows.nightly import run_pipeline
from flows.orchestration.run import Scope
from flows.runtime import log_file
from flows.runtime.log import Entry, Event, log, run_log
from flows.settings import Settings
from flows.steps import validate_delivery
from flows.store import result_key
from flows.store.lock import writer_lock

NINO, SURNAME = "AB123456C", "Quillfeathersmythe"
STAGES = ["receive", "validate", "load", "cross_check", "build", "promote", "report"]


def send_returns_with_a_held_row(folder: DataFolder) -> None:
    folder.send_all(1, 2, 3)
    folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 3, attended="9")])


def test_every_event_is_documented_and_every_field_has_a_type() -> None:
    assert set(EVENTS) == set(Event) and set(FIELDS) == set(TYPES)


@pytest.mark.with_marts
def test_a_run_logs_each_stage_and_each_delivery(folder: DataFolder) -> None:
    send_returns_with_a_held_row(folder)
    result = folder.run("2017-01-03")
    logged = logged_lines(folder.path)
    assert {line["run_id"] for line in logged} == {result.run_id} and {line["command"] for line in logged} == {"run"}
    assert [line["stage"] for line in logged if line["event"] == "stage_started"] == STAGES
    finished = {line["stage"]: line for line in logged if line["event"] == "stage_finished"}
    assert list(finished) == STAGES and all(line["seconds"] >= 0 for line in finished.values())
    assert finished["receive"]["counts"] == {"deliveries": 4, "new": 4, "not_taken_in": 0}
    assert finished["validate"]["counts"]["deliveries"] == 4 and finished["validate"]["counts"]["rows_held"] == 1
    assert finished["load"]["counts"]["rows"] == 11 and finished["cross_check"]["counts"]["counting"] == 4
    assert finished["build"]["counts"]["tables"] > 10 and finished["report"]["counts"]["reports"] == 4
    assert [line["counts"] for line in logged if line["event"] == "reports_due"] == [{"reports": 4}]
    assert Counter(line["event"] for line in logged)["delivery_reported"] == 4
    for event in ("delivery_validated", "delivery_outcome"):
        by_delivery = {line["delivery_id"]: line for line in logged if line["event"] == event}
        assert set(by_delivery) == {j.delivery.delivery_id for j in result.validated}
        [contacts] = [line for i, line in by_delivery.items() if i.startswith(f"{BPL}_contacts_201611_v1_")]
        assert contacts["result"] == "accepted_with_held_rows"
        assert list(contacts["counts"].values()) == [3, 2, 1, 0, 0]
    assert (logged[0]["event"], logged[-1]["event"], logged[-1]["result"]) == (
        "run_started",
        "run_finished",
        "published",
    )
    assert logged[-1]["counts"]["with_rows_held"] == 1 and logged[-1]["seconds"] > 0


def test_writing_commands_append_to_the_log_and_reading_commands_do_not(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    at = ("--data", str(folder.path), "--date", "2017-01-03")
    assert pilots_in_process("run", "--no-prefect", *at).returncode == 0
    first = logged_lines(folder.path)
    assert pilots_in_process("run", "--no-prefect", *at).returncode == 0
    after_no_op = logged_lines(folder.path)
    assert after_no_op[: len(first)] == first
    assert after_no_op[-1]["result"] == "quiet" and after_no_op[-1]["counts"]["deliveries"] == 0
    assert pilots_in_process("retry", "--no-prefect", *at).returncode == 0
    revalidated = logged_lines(folder.path)[len(after_no_op) :]
    assert {line["command"] for line in revalidated} == {"revalidate"} and revalidated[-1]["event"] == "run_finished"
    delivery = folder.query("select delivery_id from audit.deliveries where dataset = 'contacts'")[0][0]
    assert pilots_in_process("withdraw", delivery, "--reason", "sent twice by mistake", *at).returncode == 0
    assert pilots_in_process("withdraw", delivery, "--undo", *at).returncode == 0
    withdrawals = logged_lines(folder.path)[len(after_no_op) + len(revalidated) :]
    assert [(line["event"], line["delivery_id"]) for line in withdrawals] == [
        ("run_started", None), ("delivery_withdrawn", delivery), ("run_finished", None),
        ("run_started", None), ("delivery_reinstated", delivery), ("run_finished", None),
    ]  # fmt: skip
    assert {(line["command"], line["run_id"]) for line in withdrawals} == {("withdraw", None)}
    assert "sent twice" not in json.dumps(withdrawals)

    before = (folder.paths.logs / log_file.NAME).read_bytes()
    file = next((folder.paths.raw / BPL).glob("*contacts*"))
    for arguments in (
        ("check", str(file)), ("sql", "select 1", "--data", at[1]), ("status", "--data", at[1]),
        ("retry", "--dry-run", *at), ("as-of", "2017-01-03", "--to", str(folder.path / "then.duckdb"), "--data", at[1]),
    ):  # fmt: skip
        assert pilots_in_process(*arguments, cwd=folder.path).returncode in (0, 1), arguments
    assert (folder.paths.logs / log_file.NAME).read_bytes() == before
    assert sorted(p.name for p in folder.paths.logs.iterdir()) == [log_file.NAME]


def test_an_invalid_request_is_logged_as_rejected(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run("2017-01-03")
    before = len(logged_lines(folder.path))
    at = ("--data", str(folder.path), "--date")
    assert pilots_in_process("run", "--no-prefect", *at, "2016-01-03").returncode == 2
    assert pilots_in_process("withdraw", f"{SURNAME}.csv", "--reason", "by mistake", *at, "2017-01-03").returncode == 2
    ends = [line for line in logged_lines(folder.path)[before:] if line["event"] == "run_finished"]
    assert [(line["result"], line["level"]) for line in ends] == [("rejected", "WARNING")] * 2
    assert SURNAME not in (folder.paths.logs / log_file.NAME).read_text(encoding="utf-8")


def test_a_command_that_finds_the_lock_held_logs_nothing(folder: DataFolder) -> None:
    folder.paths.make()
    with writer_lock(folder.paths.lock):
        assert pilots_in_process("run", "--no-prefect", "--data", str(folder.path)).returncode == 4
    assert not folder.paths.logs.exists()


@pytest.mark.parametrize("suffix", in_soak("csv", "xlsx"))
def test_an_exception_is_logged_without_any_cell_value(folder: DataFolder, suffix: str, tmp_path: Path) -> None:
    """A step of a copied project raises an error that quotes cells; names are in cells and in file names."""
    copy = copy_project(tmp_path / "project")
    cells = "pl.read_parquet(results.accepted(validated[0].key)).rows()"
    raise_in(copy, "flows/steps/load.py", "load", f"raise ValueError(repr({cells}))")
    for dataset in ("participants", "contacts", "referrals"):
        folder.send(dataset, valid_rows(dataset, 1, 2), suffix=suffix)
    folder.send("contacts", [valid_row("contacts", 1, staff_ref=NINO)], period="201612", suffix=suffix)
    folder.send("referrals", [valid_row("referrals", 1, referral_source=SURNAME)], period="201612", suffix=suffix)
    (folder.paths.raw / BPL / f"{SURNAME} {NINO}.{suffix}").write_bytes(b"a\n1\n")
    ran = pilots("run", "--no-prefect", "--data", str(folder.path), project=copy, TMPDIR=str(tmp_path))
    assert (ran.returncode, ran.stdout) == (70, ""), ran.stderr
    log = folder.paths.logs / log_file.NAME
    assert ran.stderr.strip().endswith(f"Details: {log}") and not list(tmp_path.glob("pilots-fault*"))
    logged = logged_lines(folder.path)
    assert [line["stage"] for line in logged if line["event"] == "stage_failed"] == ["load"]
    assert (
        logged[-1]["event"] == "run_failed" and logged[-1]["level"] == "ERROR" and logged[-1]["error"] == "ValueError"
    )
    assert "load.py" in logged[-1]["traceback"] and logged[-1]["message"] == "an error of the kind ValueError"
    text = log.read_text(encoding="utf-8")
    assert not [value for value in (NINO, SURNAME, "BPL-C", "BPL-0") if value.casefold() in text.casefold()]


def test_an_exception_in_a_command_without_a_log_goes_to_a_file(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError(NINO)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(query, "warehouse_status", broken)
    ran = pilots_in_process("status", "--data", str(folder.path))
    assert (ran.returncode, ran.stdout) == (70, "") and not folder.paths.logs.exists()
    file = Path(ran.stderr.strip().rpartition("Details: ")[2])
    assert file.parent == tmp_path and "in broken" in file.read_text(encoding="utf-8")
    assert NINO not in ran.stderr + file.read_text(encoding="utf-8")


def test_an_exception_while_validating_is_logged_with_its_traceback(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))

    def broken(*_: object) -> None:
        raise KeyError(f"{NINO} {SURNAME}")

    monkeypatch.setattr(validate_delivery, "validate_file", broken)
    folder.run()
    [line] = [line for line in logged_lines(folder.path) if line["event"] == "delivery_not_validated"]
    assert (line["level"], line["error"], line["stage"]) == ("ERROR", "KeyError", "validate")
    assert "in broken" in line["traceback"] and line["delivery_id"].startswith(f"{BPL}_contacts_")
    assert not [v for v in (NINO, SURNAME) if v in (folder.paths.logs / log_file.NAME).read_text(encoding="utf-8")]


def test_an_exception_while_reporting_is_logged_with_its_traceback(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))

    def broken(*_: object) -> None:
        raise KeyError(f"{NINO} {SURNAME}")

    monkeypatch.setattr("flows.reporting.site_reports.write_reports", broken)
    assert folder.run().reported.not_reported
    [line] = [line for line in logged_lines(folder.path) if line["event"] == "delivery_not_reported"]
    assert (line["level"], line["error"], line["stage"]) == ("ERROR", "KeyError", "report")
    assert "in broken" in line["traceback"] and line["delivery_id"].startswith(f"{BPL}_contacts_")
    assert not [v for v in (NINO, SURNAME) if v in (folder.paths.logs / log_file.NAME).read_text(encoding="utf-8")]


def test_a_disk_error_is_logged_without_its_file_name(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))

    def disk_error(*_: object) -> None:
        raise OSError(5, "Input/output error", f"{folder.paths.raw}/{SURNAME}.csv")

    monkeypatch.setattr(validate_delivery, "validate_file", disk_error)
    with pytest.raises(OSError, match=SURNAME):
        folder.run()
    assert logged_lines(folder.path)[-1]["message"] == "Input/output error"
    assert SURNAME not in (folder.paths.logs / log_file.NAME).read_text(encoding="utf-8")


def test_revalidate_of_one_site_logs_what_it_validated(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1, 2))
    folder.run("2017-01-03")
    before = len(logged_lines(folder.path))
    monkeypatch.setattr(result_key, "_code_digest", lambda _: "other")
    run_pipeline(
        Settings(data=folder.path, threads=1),
        datetime(2017, 1, 4),
        Scope(new_files=False, site=BPL, dataset="contacts"),
    )
    again = logged_lines(folder.path)[before:]
    assert Counter(line["event"] for line in again)["delivery_validated"] == 1
    assert {line["command"] for line in again} == {"revalidate"}


def test_a_log_folder_that_cannot_be_written_is_reported_once_and_stops_no_run(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.paths.logs.write_text("a file where the folder should be", encoding="utf-8")
    ran = pilots_in_process("run", "--no-prefect", "--data", str(folder.path), "--date", "2017-01-03")
    assert ran.returncode == 0 and folder.count("core.contacts") == 2
    [message] = ran.stderr.splitlines()
    assert message.startswith("No log is written to ") and message.endswith("The run goes on without it.")


def test_a_full_disk_leaves_whole_lines_and_is_reported_once(tmp_path: Path) -> None:
    """A file size limit stands for the full disk. The next run removes the line that did not fit."""
    script = (
        "import resource, signal\nfrom pathlib import Path\nfrom flows.runtime.log import Entry, Event, log, run_log\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"with run_log(Path({str(tmp_path / 'logs')!r}), 'run', 'one'):\n"
        "    for n in range(20):\n        log(Entry(Event.STAGE_STARTED, stage=f'stage {n}'))\nprint('to the end')\n"
    )
    ran = subprocess.run(
        [*pilots_command()[:1], "-c", script],
        cwd=PROJECT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout == "to the end\n" and ran.stderr.count("No log is written") == 1, ran.stderr
    with run_log(tmp_path / "logs", "run", "two"):
        pass
    assert [line["run_id"] for line in logged_lines(tmp_path)][-3:] == ["one", "two", "two"]


def test_log_files_are_rotated_within_a_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 2_000)
    for n in range(3):
        with run_log(tmp_path / "logs", "run", f"run {n}"):
            for _ in range(60):
                log(Entry(Event.STAGE_STARTED, stage="load"))
    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == log_file.OLDER_FILES + 1 and all(p.stat().st_size <= 2_000 for p in files)
    logged = logged_lines(tmp_path)
    assert logged[-1]["event"] == "run_finished" and logged[-1]["run_id"] == "run 2"
    assert logged == sorted(logged, key=lambda line: line["ts"]), "a line is lost or stands twice between two files"


def test_only_entries_are_logged(tmp_path: Path) -> None:
    with run_log(tmp_path / "logs", "run", "one"):
        logging.getLogger("pilots").error("a value: %s", NINO)
        logging.getLogger("pilots.other").error(NINO)
        logging.getLogger().error(NINO)
    assert len(logged_lines(tmp_path)) == 2
    assert NINO not in (tmp_path / "logs" / log_file.NAME).read_text(encoding="utf-8")


def test_the_query_in_the_documentation_runs(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run()
    monkeypatch.chdir(folder.path.parent)
    query = DOCUMENT.split("```sql\n")[1].split("```")[0]
    assert [row[1] for row in duckdb.sql(query).fetchall()] == STAGES
