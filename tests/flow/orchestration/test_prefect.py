"""The nightly run as a real Prefect flow: deployed to a server, and run by a worker on its schedule."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import clean_environment, copy_project, pilots, pilots_in_process, raise_in
from data_folder import BPL, NHS_NUMBER, PROJECT, DataFolder, valid_row, valid_rows, warehouse_content
from logged import comparable_lines, logged_lines
from personal_values import find_leaks, personal_values, read_outputs, send_values
from prefect_server import PrefectServer
from terminal import AT_ONCE, in_terminal, require_stages_drawn, run_arguments

from flows.orchestration.stage import Stage
from flows.runtime.safe_errors import StepFailed, safe_message
from flows.store.lock import writer_lock
from flows.store.warehouse.connection import lacks_memory

pytestmark = pytest.mark.server
LOCALHOST = {"0100007F", "00000000000000000000000001000000"}  # 127.0.0.1 and ::1, as /proc writes them
QUOTED = "Smith, AB123456C"
STAGES = ("receive", "load", "cross_check", "build", "promote", "report")
LOAD = (
    "from prefect.flows import load_flow_from_entrypoint as load\n"
    "print(load('flows/nightly.py:nightly', use_placeholder_flow=False).name)"
)


def load_flow(home: Path) -> subprocess.CompletedProcess[str]:
    """Load the flow as a worker does, from the code in `home`."""
    return subprocess.run(
        [sys.executable, "-c", LOAD], cwd=home, env=clean_environment(home, PREFECT_HOME=str(home / "prefect")),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_importing_the_flows_does_not_import_prefect() -> None:
    """One process may run with and without Prefect, so importing the flow must not decide which."""
    code = (
        "import sys, flows.orchestration.stages, flows.nightly as n; assert 'prefect' not in sys.modules\n"
        "print(n.nightly.name, n.revalidate.name)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (0, "nightly revalidate\n"), ran.stderr


@pytest.mark.soak
def test_the_flow_loads_and_a_broken_import_is_an_error(tmp_path: Path) -> None:
    copy = copy_project(tmp_path)
    loaded = load_flow(copy)
    assert (loaded.returncode, loaded.stdout) == (0, "nightly\n"), loaded.stderr
    step = copy / "flows" / "steps" / "load.py"
    text = step.read_text(encoding="utf-8")
    step.write_text(text.replace("import polars as pl\n", "import no_such_package\n"), encoding="utf-8")
    broken = load_flow(copy)
    assert broken.returncode != 0, "a flow that cannot be imported was loaded"
    assert "no_such_package" in broken.stderr


def send_returns_with_a_held_row(folder: DataFolder) -> None:
    """Send a site's four returns; contacts has one held row."""
    folder.send_all(1, 2, 3)
    folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 3, attended="9")])


def send_refused_file(folder: DataFolder) -> None:
    """Send a file that is refused because a required column is missing."""
    rows = valid_rows("referrals", 1, 2)
    for row in rows:
        del row["referral_received_date"]
    folder.send("referrals", rows, period="201612")


@pytest.mark.soak
def test_lack_of_memory_in_a_stage_is_recognised_without_its_message() -> None:
    from flows.orchestration.engine import run_attempt  # here, because each test process would import Prefect

    def fails_for(message: str) -> StepFailed:
        with pytest.raises(StepFailed) as raised:
            run_attempt(Stage(lambda: duckdb.sql("select error(?)", params=[message]).fetchall(), "load"), (), {})
        assert message not in safe_message(raised.value)
        return raised.value

    assert lacks_memory(fails_for("could not allocate block of size 256.0 KiB"))
    assert not lacks_memory(fails_for("could not convert 'AB123456C'"))
    assert not lacks_memory(ValueError("out of memory")), "an error that is not DuckDB's"


@dataclass(frozen=True)
class Ran:
    """A run of `pilots run` and what it left."""

    command: subprocess.CompletedProcess[str]
    folder: DataFolder


@pytest.fixture(scope="module")
def with_and_without(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Ran]:
    """Two runs of the same files: with Prefect, which starts a temporary server, and without it."""
    runs = []
    for name, arguments in (("with", ()), ("without", ("--no-prefect",))):
        folder = DataFolder(tmp_path_factory.mktemp(name) / "data")
        send_returns_with_a_held_row(folder)
        send_refused_file(folder)
        ran = pilots("run", "--data", str(folder.path), "--date", "2017-01-03", *arguments, timeout=240)
        assert (ran.returncode, ran.stderr) == (1, ""), ran.stderr
        runs.append(Ran(ran, folder))
    return runs[0], runs[1]


@pytest.mark.soak
def test_the_warehouse_is_the_same_with_and_without_prefect(with_and_without: tuple[Ran, Ran]) -> None:
    first_lines = {ran.command.stdout.splitlines()[0] for ran in with_and_without}
    contents = [warehouse_content(ran.folder.paths.current_link.resolve()) for ran in with_and_without]
    assert len(first_lines) == 1 and contents[0] == contents[1]


@pytest.mark.soak
def test_the_log_is_the_same_with_and_without_prefect(with_and_without: tuple[Ran, Ran]) -> None:
    with_prefect, without = (logged_lines(ran.folder.path) for ran in with_and_without)
    assert comparable_lines(with_prefect) == comparable_lines(without)
    assert with_prefect[-1]["event"] == "run_finished"


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The data folder of the runs that the server's worker starts."""
    folder = DataFolder(tmp_path_factory.mktemp("scheduled") / "data")
    send_returns_with_a_held_row(folder)
    return folder


@pytest.fixture(scope="module")
def server(scheduled: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A Prefect server, without a worker."""
    home = tmp_path_factory.mktemp("prefect")
    with PrefectServer(home, PILOTS_HOME=str(PROJECT), PILOTS_DATA=str(scheduled.path)) as running:
        yield running


def newest_run(server: PrefectServer, name: str) -> dict[str, Any] | None:
    """The newest run of the deployment whose final state has this name."""
    runs = [r for r in server.api("flow_runs/filter", sort="START_TIME_DESC") if r["deployment_id"]]
    broken = [r for r in runs if r["state_name"] in ("Failed", "Crashed")]
    assert not broken, f"a run ended as {broken[0]['state_name']}: {broken[0]['state']['message']}\n{server.logs()}"
    return next((r for r in runs if r["state_name"] == name), None)


def tasks_of(server: PrefectServer, run: dict[str, Any]) -> dict[str, str]:
    """State name of each task of a run, by task name without the suffix that Prefect adds."""
    return {name: task["state_name"] for name, task in _tasks(server, run).items()}


def types_of(server: PrefectServer, run: dict[str, Any]) -> dict[str, str]:
    """State type of each task of a run: it decides what Prefect shows in green."""
    return {name: task["state_type"] for name, task in _tasks(server, run).items()}


def _tasks(server: PrefectServer, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tasks = server.api("task_runs/filter", task_runs={"flow_run_id": {"any_": [run["id"]]}})
    return {next((s for s in STAGES if t["name"].startswith(f"{s}-")), t["name"]): t for t in tasks}


def summary_of(server: PrefectServer, run: dict[str, Any]) -> str:
    """The summary artifact of a run; its other artifact is the table of deliveries."""
    artifacts = server.api("artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}})
    data = {a["key"]: a["data"] for a in artifacts}
    assert set(data) == {"night-summary", "deliveries"}
    return str(data["night-summary"])


def start_run(server: PrefectServer, deployment: dict[str, Any]) -> None:
    """Start a run of the deployment, for the worker to take: once none is at work, because it would be cancelled."""

    def none_at_work() -> bool:
        states = {run["state_type"] for run in server.api("flow_runs/filter", sort="START_TIME_DESC")}
        return not states & {"PENDING", "RUNNING", "CANCELLING"}

    server.wait_until("the run before is over", none_at_work)
    create = f"deployments/{deployment['id']}/create_flow_run"
    server.wait_until("a run is created", lambda: server.api(create, state={"type": "SCHEDULED"}))


@pytest.mark.soak
def test_the_schedule_starts_runs_whose_states_name_their_outcomes(
    scheduled: DataFolder, server: PrefectServer
) -> None:
    deployed_from = (PROJECT / "prefect.yaml").read_bytes()
    server.run("work-pool", "create", "pilots", "--type", "process")
    server.run("deploy", "--all")
    assert (PROJECT / "prefect.yaml").read_bytes() == deployed_from
    deployment = server.api("deployments/name/nightly/nightly")
    [daily] = deployment["schedules"]
    assert (daily["schedule"]["cron"], daily["schedule"]["timezone"]) == ("30 3 * * *", "Europe/London")
    assert daily["active"] and not deployment["paused"]
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    server.wait_until("future runs are scheduled", lambda: server.api("flow_runs/filter", sort="START_TIME_DESC"))

    server.start("worker", "worker", "start", "--pool", "pilots", "--name", "test")
    server.run("deployment", "schedule", "create", "nightly/nightly", "--interval", "10")
    first = server.wait_until("a run starts on schedule", lambda: newest_run(server, "PartlyLoaded"), 240)
    assert first["auto_scheduled"] and first["state_type"] == "COMPLETED"
    assert first["state"]["message"].startswith("Published: 4 files checked, 1 with rows held back")
    assert first["work_pool_name"] == "pilots"
    wanted = dict.fromkeys(STAGES, "Completed") | {
        f"validate MHT-BPL {dataset} 201611 v1": "PartlyLoaded" if dataset == "contacts" else "Completed"
        for dataset in ("contacts", "employment_outcomes", "participants", "referrals")
    }
    server.wait_until("every task is reported", lambda: len(tasks_of(server, first)) == len(wanted), 20)
    assert tasks_of(server, first) == wanted
    assert summary_of(server, first).splitlines()[0] == first["state"]["message"]

    server.run("deployment", "schedule", "clear", "nightly/nightly", "--accept-yes")  # the others start at once
    start_run(server, deployment)
    no_op = server.wait_until("a run without changes ends", lambda: newest_run(server, "Completed"), 240)
    assert no_op["state_type"] == "COMPLETED" and no_op["state"]["message"].startswith("Nothing changed")

    send_refused_file(scheduled)
    (scheduled.paths.raw / BPL / "what we sent <last> month.csv").write_text("a\n1\n", encoding="utf-8")
    start_run(server, deployment)
    refused = server.wait_until("a run refuses a file", lambda: newest_run(server, "Refused"), 240)
    assert refused["state_type"] == "COMPLETED"
    server.wait_until("its tasks are reported", lambda: "report" in tasks_of(server, refused), 20)
    validated = "validate MHT-BPL referrals 201612 v1"
    assert (tasks_of(server, refused)[validated], types_of(server, refused)[validated]) == ("Refused", "COMPLETED")
    summary = summary_of(server, refused)
    assert "was not taken in (F21)" in summary, summary
    assert "<" not in re.sub("`[^`]*`", "", summary), "a page that shows the summary would take this for HTML"

    scheduled.send("contacts", [valid_row("contacts", 1, staff_ref=NHS_NUMBER)], period="201612")
    start_run(server, deployment)
    personal = server.wait_until("a run finds personal data", lambda: newest_run(server, "PersonalData"), 240)
    assert personal["state_type"] == "FAILED" and "personal data" in personal["state"]["message"]
    assert NHS_NUMBER not in summary_of(server, personal)
    server.wait_until("the worker logs its final state", lambda: "did its work and ends red" in server.log_of("worker"))

    with writer_lock(scheduled.paths.lock):
        start_run(server, deployment)
        busy = server.wait_until("a run finds another at work", lambda: newest_run(server, "Busy"), 240)
    assert busy["state"]["message"].startswith("Busy: another run is at work")
    log = server.log_of("worker")
    assert not re.search("Traceback|unexpected exception", log), "a final state is no exception"
    assert max(map(len, log.splitlines())) < 1000, "a whole result is in the worker's log"
    assert server.addresses() <= LOCALHOST, "a process listens, or is connected, beyond this machine"
    server.stop("worker")
    assert scheduled.standings("referrals")["201611 v1"][1] == "current"


@pytest.mark.soak
def test_the_stages_of_a_prefect_flow_are_shown(folder: DataFolder, server: PrefectServer) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    seen = in_terminal(*run_arguments(folder, first=AT_ONCE), **server.settings)
    assert seen.code == 0, seen.raw
    require_stages_drawn(seen)
    no_op = pilots_in_process("run", "--no-prefect", "--data", str(folder.path), "--date", "2017-01-03")
    assert (no_op.returncode, no_op.stderr) == (0, "")


def test_a_server_that_does_not_answer_is_reported_in_one_line(folder: DataFolder) -> None:
    ran = pilots("run", "--data", str(folder.path), timeout=240, PREFECT_API_URL="http://127.0.0.1:9/api")
    assert ran.returncode == 3
    assert ran.stderr.strip().startswith("The Prefect server at http://127.0.0.1:9/api does not answer")


@pytest.mark.soak
def test_a_temporary_server_that_does_not_start_is_reported_in_one_line(folder: DataFolder) -> None:
    at_once = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "0"}
    ran = pilots("run", "--data", str(folder.path), timeout=240, **at_once)
    assert ran.returncode == 3
    assert ran.stderr.strip().startswith("Prefect's temporary server does not start")


@pytest.mark.soak
def test_an_exception_passes_no_cell_value_to_prefect(server: PrefectServer, tmp_path: Path) -> None:
    """A step of a copied project raises an error that quotes a row: Prefect gets its type and not its message."""
    copy = copy_project(tmp_path / "project")
    value = f'"{QUOTED[::-1]}"[::-1]'  # tracebacks show source lines: reversed, so that the value itself is not in one
    raise_in(copy, "flows/steps/load.py", "load", f"raise ValueError({value})")
    folder = DataFolder(tmp_path / "data")
    folder.send("contacts", valid_rows("contacts", 1, 2))
    ran = pilots("run", "--data", str(folder.path), project=copy, timeout=240, TMPDIR=str(tmp_path), **server.settings)
    assert ran.returncode == 70, ran.stderr
    assert QUOTED not in ran.stdout + ran.stderr
    assert ran.stderr.strip().endswith(f"Details: {folder.paths.logs / 'pilots.jsonl'}")
    [failed] = [r for r in server.api("flow_runs/filter", sort="START_TIME_DESC") if r["state_name"] == "Failed"]
    assert "ValueError" in failed["state"]["message"]
    files = [p for home in (tmp_path / "data", server.home) for p in home.rglob("*") if p.is_file()]
    assert any(b"ValueError" in p.read_bytes() for p in files), "the type of the error is logged nowhere"
    assert not [p for p in files if QUOTED.encode() in p.read_bytes()]


@pytest.mark.soak
def test_prefect_stores_no_personal_value(folder: DataFolder, server: PrefectServer) -> None:
    """Prefect's database, artifacts and logs, and everything else under its home."""
    values = personal_values()
    send_values(folder, values[::9])
    ran = pilots("run", "--data", str(folder.path), "--date", "2017-01-03T03:30", timeout=240, **server.settings)
    assert ran.returncode in (1, 2), ran.stderr
    artifacts = json.dumps(server.api("artifacts/filter", sort="CREATED_DESC"))
    logs = json.dumps(server.api("logs/filter", sort="TIMESTAMP_ASC"))
    assert "deliveries" in artifacts
    outputs = read_outputs(server.home) | read_outputs(folder.path, but=("raw/",))
    assert any("prefect.db, read" in name for name in outputs)
    outputs |= {"stdout": ran.stdout.encode(), "stderr": ran.stderr.encode()}
    outputs |= {"artifacts": artifacts.encode(), "logs": logs.encode()}
    assert find_leaks(outputs, values) == []
