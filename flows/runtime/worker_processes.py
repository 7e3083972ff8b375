"""Call a function for many jobs in other processes, with the results in the order of the jobs.

For work that Python's global lock keeps on one core. A worker reads jobs from its standard input and ends where that
does: with the process that started it, however that ends. Unlike those of `multiprocessing`, it does not run the main
module again, which may be a script that starts a run.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

WORKERS = min(2, os.cpu_count() or 1)
_SERVE = f"from {__name__} import serve; serve()"
Job = TypeVar("Job")
T = TypeVar("T")


def map_in_processes(function: Callable[[Job], T], jobs: Iterable[Job], workers: int) -> Iterator[T]:
    """Yield `function(job)` for each job, in order. Function, jobs and results must be picklable.

    With no workers, each job is done in this process: a worker takes a second to start. So is one whose worker was
    killed, for want of memory, say. The number of jobs that are started ahead is bounded, and so are their results.
    """
    if not workers:
        yield from map(function, jobs)
        return
    idle: SimpleQueue[_Worker] = SimpleQueue()
    started = [_Worker() for _ in range(workers)]
    for worker in started:
        idle.put(worker)

    def do(job: Job) -> T:
        worker = idle.get()
        try:
            return worker.call(function, job)
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="worker process") as threads:
            pending: deque[Future[T]] = deque()
            for job in jobs:
                pending.append(threads.submit(do, job))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
    finally:
        for worker in started:
            worker.end()


class _Worker:
    """A process that calls functions. In a session of its own, so that a terminal's interrupt is left to its parent."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def call(self, function: Callable[[Job], T], job: Job) -> T:
        """Call the function in the worker, or here if the worker was killed. An error is raised here."""
        jobs, results = self.process.stdin, self.process.stdout
        assert jobs is not None and results is not None
        try:
            pickle.dump((function, job), jobs, pickle.HIGHEST_PROTOCOL)
            jobs.flush()
            result: T | Exception = pickle.load(results)  # noqa: S301 - written by our own worker
        except (EOFError, BrokenPipeError):
            return function(job)
        if isinstance(result, Exception):
            raise result
        return result

    def end(self) -> None:
        """End the worker, and wait for that."""
        try:
            self.process.communicate()
        except BrokenPipeError:
            self.process.wait()


def serve() -> None:
    """Answer the calls on standard input until it ends. Standard output is for results alone."""
    jobs, results = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing that is printed may come between results
    while True:
        try:
            function, job = pickle.load(jobs)  # noqa: S301 - written by our own parent
        except EOFError:
            return
        pickle.dump(_result(function, job), results, pickle.HIGHEST_PROTOCOL)
        results.flush()


def _result(function: Callable[[Any], Any], job: Any) -> Any:
    """The result of a call; an error that it raises is its result."""
    try:
        return function(job)
    except Exception as error:
        return error
