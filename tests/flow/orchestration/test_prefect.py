"""The night as a Prefect flow, for real: deployed to a server, and run by a worker when its schedule says so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import clean_environment, copy_project, pilots
from data_folder import BPL, NHS_NUMBER, PROJECT, DataFolder, valid_row, valid_rows, warehouse_content
from prefect_server import PrefectServer

from flows.store.lock import writer_lock

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


def test_the_night_needs_no_prefect_and_knows_its_flows_all_the_same() -> None:
    """One process may do both: how a run is driven is not settled when the night is imported."""
    code = (
        "import sys, flows.orchestration.stages, flows.nightly as n; assert 'prefect' not in sys.modules\n"
        "print(n.nightly.name, n.revalidate.name)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (0, "nightly revalidate\n"), ran.stderr


def test_the_flow_loads_and_a_broken_import_is_seen(tmp_path: Path) -> None:
    copy = copy_project(tmp_path)
    whole = load_flow(copy)
    assert (whole.returncode, whole.stdout) == (0, "nightly\n"), whole.stderr
    step = copy / "flows" / "steps" / "load.py"
    text = step.read_text(encoding="utf-8")
    step.write_text(text.replace("import polars as pl\n", "import no_such_package\n"), encoding="utf-8")
    broken = load_flow(copy)
    assert broken.returncode != 0, "a flow that cannot be imported was loaded as if it could"
    assert "no_such_package" in broken.stderr


def with_faults(folder: DataFolder) -> None:
    """Send returns of which one has a row held."""
    folder.send_all(1, 2, 3)
    folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 3, attended="9")])


def refused_later(folder: DataFolder) -> None:
    """Send a file that is refused whole."""
    rows = valid_rows("referrals", 1, 2)
    for row in rows:
        del row["referral_received_date"]
    folder.send("referrals", rows, period="201612")


@pytest.mark.soak
def test_with_prefect_and_without_it_the_warehouse_is_the_same(tmp_path: Path) -> None:
    contents, codes, said = [], [], []
    for name, arguments in (("with", ()), ("without", ("--no-prefect",))):
        folder = DataFolder(tmp_path / name)
        with_faults(folder)
        refused_later(folder)
        ran = pilots("run", "--data", str(folder.path), "--date", "2017-01-03", *arguments, timeout=240)
        assert "Traceback" not in ran.stderr, ran.stderr
        codes.append(ran.returncode)
        said.append(ran.stdout.splitlines()[0])
        contents.append(warehouse_content(folder.paths.current_link.resolve()))
    assert codes == [1, 1] and said[0] == said[1]
    assert contents[0] == contents[1]


def newest(server: PrefectServer, name: str) -> dict[str, Any] | None:
    """The last flow run that ended with the state of that name."""
    runs = server.api("flow_runs/filter", sort="START_TIME_DESC")
    broken = [r for r in runs if r["state_name"] in ("Failed", "Crashed")]
    assert not broken, f"a run ended as {broken[0]['state_name']}: {broken[0]['state']['message']}\n{server.logs()}"
    return next((r for r in runs if r["state_name"] == name), None)


def tasks_of(server: PrefectServer, run: dict[str, Any]) -> dict[str, str]:
    """The names of the states of a run's tasks, by the task's name; numbers that Prefect adds are left out."""
    return {name: task["state_name"] for name, task in _tasks(server, run).items()}


def types_of(server: PrefectServer, run: dict[str, Any]) -> dict[str, str]:
    """The types of the states of a run's tasks: they decide what Prefect shows green."""
    return {name: task["state_type"] for name, task in _tasks(server, run).items()}


def _tasks(server: PrefectServer, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tasks = server.api("task_runs/filter", task_runs={"flow_run_id": {"any_": [run["id"]]}})
    return {next((s for s in STAGES if t["name"].startswith(f"{s}-")), t["name"]): t for t in tasks}


def summary_of(server: PrefectServer, run: dict[str, Any]) -> str:
    """The summary that a run left as an artifact, beside the table of its deliveries."""
    artifacts = server.api("artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}})
    kept = {a["key"]: a["data"] for a in artifacts}
    assert set(kept) == {"night-summary", "deliveries"}
    return str(kept["night-summary"])


@pytest.mark.soak
def test_the_schedule_fires_by_itself_and_its_states_say_how_the_night_went(folder: DataFolder, tmp_path: Path) -> None:
    with_faults(folder)
    deployed_from = (PROJECT / "prefect.yaml").read_bytes()
    with PrefectServer(tmp_path / "prefect", PILOTS_HOME=str(PROJECT), PILOTS_DATA=str(folder.path)) as server:
        server.run("work-pool", "create", "pilots", "--type", "process")
        server.run("deploy", "--all")
        assert (PROJECT / "prefect.yaml").read_bytes() == deployed_from
        deployment = server.api("deployments/name/nightly/nightly")
        [daily] = deployment["schedules"]
        assert (daily["schedule"]["cron"], daily["schedule"]["timezone"]) == ("30 3 * * *", "Europe/London")
        assert daily["active"] and not deployment["paused"]
        assert deployment["global_concurrency_limit"]["limit"] == 1
        assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
        server.wait_until("nights to come are planned", lambda: server.api("flow_runs/filter", sort="START_TIME_DESC"))

        server.start("worker", "worker", "start", "--pool", "pilots", "--name", "test")
        server.run("deployment", "schedule", "create", "nightly/nightly", "--interval", "10")
        partly = server.wait_until("a night fires by itself", lambda: newest(server, "PartlyLoaded"), 90)
        assert partly["auto_scheduled"] and partly["state_type"] == "COMPLETED"
        assert partly["state"]["message"].startswith("Published: 4 files checked, 1 with rows held back")
        assert partly["work_pool_name"] == "pilots"
        wanted = dict.fromkeys(STAGES, "Completed") | {
            f"validate MHT-BPL {dataset} 201611 v1": "PartlyLoaded" if dataset == "contacts" else "Completed"
            for dataset in ("contacts", "employment_outcomes", "participants", "referrals")
        }
        server.wait_until("the tasks are told", lambda: len(tasks_of(server, partly)) == len(wanted), 20)
        assert tasks_of(server, partly) == wanted
        assert summary_of(server, partly).splitlines()[0] == partly["state"]["message"]

        quiet = server.wait_until("a night without changes ends", lambda: newest(server, "Completed"), 90)
        assert quiet["state_type"] == "COMPLETED" and quiet["state"]["message"].startswith("Nothing changed")

        refused_later(folder)
        (folder.paths.raw / BPL / "what we sent <last> month.csv").write_text("a\n1\n", encoding="utf-8")
        refused = server.wait_until("the next night fires and refuses", lambda: newest(server, "Refused"), 90)
        assert refused["auto_scheduled"] and refused["state_type"] == "COMPLETED"
        server.wait_until("its tasks are told", lambda: "report" in tasks_of(server, refused), 20)
        validated = "validate MHT-BPL referrals 201612 v1"
        assert (tasks_of(server, refused)[validated], types_of(server, refused)[validated]) == ("Refused", "COMPLETED")
        summary = summary_of(server, refused)
        assert "was not taken in (F21)" in summary, summary
        assert "<" not in re.sub("`[^`]*`", "", summary), "a page that shows the summary would take this for HTML"

        folder.send("contacts", [valid_row("contacts", 1, staff_ref=NHS_NUMBER)], period="201612")
        personal = server.wait_until("a night finds personal data", lambda: newest(server, "PersonalData"), 90)
        assert personal["state_type"] == "FAILED" and "personal data" in personal["state"]["message"]
        assert NHS_NUMBER not in summary_of(server, personal)
        server.wait_until(
            "the worker says how it ended", lambda: "did its work and ends red" in server.log_of("worker")
        )

        with writer_lock(folder.paths.lock):
            busy = server.wait_until("a night finds another at work", lambda: newest(server, "Busy"), 90)
        assert busy["state"]["message"].startswith("Busy: another run is at work")
        said = server.log_of("worker")
        assert not re.search("Traceback|unexpected exception", said), "nothing broke: the state says it all"
        assert max(map(len, said.splitlines())) < 1000, "a whole result is in the worker's log"
        assert server.addresses() <= LOCALHOST, "a process listens, or is connected, beyond this machine"
    assert folder.standings("referrals")["201611 v1"][1] == "current"


def test_a_server_that_does_not_answer_is_told_in_a_line(folder: DataFolder) -> None:
    told = pilots("run", "--data", str(folder.path), timeout=240, PREFECT_API_URL="http://127.0.0.1:9/api")
    assert told.returncode == 3
    assert told.stderr.strip().startswith("The Prefect server at http://127.0.0.1:9/api does not answer")


@pytest.mark.soak
def test_a_temporary_server_that_does_not_start_is_told_in_a_line(folder: DataFolder) -> None:
    at_once = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "0"}
    told = pilots("run", "--data", str(folder.path), timeout=240, **at_once)
    assert told.returncode == 3
    assert told.stderr.strip().startswith("Prefect's temporary server does not start")


@pytest.mark.soak
def test_a_fault_of_ours_tells_prefect_nothing_of_a_row(tmp_path: Path) -> None:
    """A step of a copy is broken so that its error quotes a row: its kind reaches Prefect, its words do not."""
    copy = copy_project(tmp_path / "project")
    step = copy / "flows" / "steps" / "load.py"
    text = step.read_text(encoding="utf-8")
    said = f'"{QUOTED[::-1]}"[::-1]'  # the log shows lines of code: there the value does not stand as such
    first = '    """Let a database hold'
    broken = text.replace(first, f"    raise ValueError({said})\n{first}", 1)
    assert broken != text
    step.write_text(broken, encoding="utf-8")
    folder = DataFolder(tmp_path / "data")
    folder.send("contacts", valid_rows("contacts", 1, 2))
    told = pilots("run", "--data", str(folder.path), home=copy, timeout=240, TMPDIR=str(tmp_path))
    assert told.returncode == 70, told.stderr
    assert QUOTED not in told.stdout + told.stderr
    assert told.stderr.strip().endswith(f"Details: {folder.paths.logs / 'pilots.jsonl'}")
    kept = [p for p in (tmp_path / "data").rglob("*") if p.is_file()]
    assert any(b"ValueError" in p.read_bytes() for p in kept), "the kind of error is told nowhere"
    assert not [p for p in kept if QUOTED.encode() in p.read_bytes()]
