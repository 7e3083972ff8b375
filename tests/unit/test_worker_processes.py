"""`map_in_processes`: results in order, errors raised, and no job lost with a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.runtime.worker_processes import map_in_processes


def process_of(job: int) -> tuple[int, int]:
    """The job and the process that did it."""
    return job, os.getpid()


def killed_unless_here(job: tuple[int, int]) -> int:
    """Kill the process that does job 3, unless it is the parent."""
    number, parent = job
    if number == 3 and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def full_disk(job: int) -> int:
    """Return the process that does the job; fail at job 2."""
    if job == 2:
        raise OSError(28, "No space left on device")
    return os.getpid()


def test_results_are_in_the_order_of_the_jobs_and_come_from_other_processes() -> None:
    done = list(map_in_processes(process_of, range(20), 2))
    assert [job for job, _ in done] == list(range(20))
    assert os.getpid() not in {process for _, process in done} and len({process for _, process in done}) == 2


def test_without_workers_nothing_leaves_the_process() -> None:
    assert {process for _, process in map_in_processes(process_of, range(3), 0)} == {os.getpid()}


def test_jobs_are_not_taken_far_ahead() -> None:
    taken = []
    results = map_in_processes(process_of, (taken.append(n) or n for n in range(100)), 2)  # type: ignore[func-returns-value]
    next(results)
    assert len(taken) <= 6
    results.close()  # type: ignore[attr-defined]


def test_the_job_of_a_killed_worker_is_done_here() -> None:
    jobs = [(n, os.getpid()) for n in range(8)]
    assert list(map_in_processes(killed_unless_here, jobs, 2)) == list(range(8))


def test_an_error_is_raised_here_and_ends_the_workers() -> None:
    results = map_in_processes(full_disk, range(5), 2)
    workers = {next(results), next(results)}
    assert all(Path(f"/proc/{process}").exists() for process in workers)
    with pytest.raises(OSError, match="No space left"):
        next(results)
    assert not any(Path(f"/proc/{process}").exists() for process in workers)


# without `if __name__ == "__main__"`: a worker that ran it again would start workers of its own
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from flows.runtime.worker_processes import map_in_processes
from test_worker_processes import process_of
results = map_in_processes(process_of, iter(range(1000)), 2)
print(*{process for _, process in (next(results) for _ in range(8))}, flush=True)
sys.stdin.read()
"""


def test_workers_end_with_a_killed_parent_and_do_not_run_its_script(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(SCRIPT, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, str(script), str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    workers = [int(p) for p in parent.stdout.readline().split()]
    assert workers and parent.pid not in workers
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{p}").exists() for p in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
