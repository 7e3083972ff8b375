"""A real Prefect server and worker for a test: on 127.0.0.1 alone, with a home of their own, stopped by id."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from commands import environment
from made_up_returns import PROJECT

T = TypeVar("T")


class PrefectServer:
    """`prefect server start`, and what is asked of it. Used as a context."""

    def __init__(self, home: Path, **more: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home, self._started = home, {}
        home.mkdir(parents=True, exist_ok=True)
        self.environment = environment(
            PREFECT_HOME=str(home),
            PREFECT_API_URL=f"http://127.0.0.1:{self.port}/api",
            PREFECT_SERVER_ANALYTICS_ENABLED="false",
            DO_NOT_TRACK="1",
            PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS="2",  # else a new schedule may wait a minute for its runs
            PREFECT_WORKER_QUERY_SECONDS="1",
            PREFECT_CLI_PROMPT="false",
            **more,
        )

    def __enter__(self) -> PrefectServer:
        self.start("server", "server", "start", "--host", "127.0.0.1", "--port", str(self.port), "--no-ui")
        self.until("the server answers", lambda: self.ask("health"), 90)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started.values()):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own: nothing else is in it
                process.wait(15)

    def start(self, name: str, *arguments: str) -> None:
        """Start a Prefect process that stays. What it says goes into a log file."""
        with self._log(name).open("w") as log:
            self._started[name] = subprocess.Popen(
                [sys.executable, "-m", "prefect", *arguments],
                cwd=self.home, env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def run(self, *arguments: str) -> str:
        """Run a Prefect command in the project's folder. Gives what it said."""
        ran = subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            cwd=PROJECT, env=self.environment, capture_output=True, text=True, timeout=90,
        )  # fmt: skip
        assert ran.returncode == 0, f"`prefect {' '.join(arguments)}` failed:\n{ran.stdout}{ran.stderr}\n{self.logs()}"
        return ran.stdout

    def ask(self, path: str, **body: Any) -> Any:
        """The answer of the API: a GET, or with a body a POST."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)

    def until(self, what: str, asked: Callable[[], T | None], seconds: float = 60) -> T:
        """Ask again and again until there is something, and fail with the logs if there never is."""
        last = time.monotonic() + seconds
        while time.monotonic() < last:
            for name, process in self._started.items():
                assert process.poll() is None, f"the {name} ended by itself:\n{self.logs()}"
            try:
                if found := asked():
                    return found
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.3)
        raise AssertionError(f"within {seconds:.0f} s it was not seen that {what}:\n{self.logs()}")

    def logs(self) -> str:
        """The ends of the logs."""
        ends = {n: self.said_by(n)[-4000:] for n in self._started}
        return "\n".join(f"--- end of the log of the {name}\n{end}" for name, end in ends.items())

    def said_by(self, name: str) -> str:
        """All that one of the processes wrote."""
        return self._log(name).read_text(encoding="utf-8", errors="replace")

    def addresses(self) -> set[str]:
        """Every address that the processes listen on or are connected to, as the kernel has it (IPv4, IPv6 in hex)."""
        found: set[str] = set()
        for process in self._started.values():
            held = {str(f.readlink()) for f in Path(f"/proc/{process.pid}/fd").iterdir() if f.is_symlink()}
            for table in ("tcp", "tcp6", "udp", "udp6"):
                for line in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
                    _, local, remote, state, *_, inode = line.split()[:10]
                    if f"socket:[{inode}]" in held:
                        found.add((local if state == "0A" else remote).split(":")[0])
        return found

    def _log(self, name: str) -> Path:
        return self.home / f"{name}.log"
