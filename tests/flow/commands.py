"""Starting the command line as a user would: in a process of its own, from the project or from a copy of it.

Each command is started so somewhere. What else it says, and how it ends, may be seen without another start.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from made_up_returns import PROJECT

from flows.cli import main


def environment(home: Path = PROJECT, **more: str) -> dict[str, str]:
    """This process's environment without any setting of ours or of Prefect's, with the code of `home`.

    Python itself says so if it is told to write no bytecode: then every start would take two to three times as long.
    """
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PILOTS_", "PREFECT_"))}
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**ours, "PYTHONPATH": str(home), "NO_COLOR": "1", "COLUMNS": "200", **more}


def command(*arguments: str) -> list[str]:
    """The command line of `pilots`."""
    return [sys.executable, "-m", "flows.cli", *arguments]


def pilots(
    *arguments: str, home: Path = PROJECT, cwd: Path | None = None, timeout: float = 120, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `pilots` and wait for it. `home` is where its code lies, `more` is added to the environment."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd or home,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def pilots_here(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `pilots` in this process, by the function that the script calls."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    ours = (patch.object(sys, "argv", ["pilots", *arguments]), patch.dict(os.environ, environment(**more), clear=True))
    with ours[0], ours[1], chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def copy_of_the_project(to: Path) -> Path:
    """A copy of the project's code, which a test may mend or break.

    What is compiled of it comes along, but for what another test is just writing: what is changed is compiled anew.
    """
    for name in ("flows", "schemas"):
        shutil.copytree(PROJECT / name, to / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    return to
