"""Runs commands of `pilots` on a Linux that has been made to look like Windows, one after the other in one process.

Takes a list of commands as JSON (their arguments, and which files another program has open), and prints what each came
to: exit code, stdout and stderr, both written as into a file on a Windows of western Europe.

What only Unix has is taken away (`unix_only.py`), and the calls that behave otherwise there behave so here: a folder
cannot be opened, a file that is open cannot be replaced or removed, a renaming never replaces, a symlink needs rights
that senders do not have, and text files are written with carriage returns. To rely on the encoding of the system, where
Windows has another in every country, is an error. The environment says that it has no time zones: `VARIABLES`.

Other people's libraries are imported before: they have their own code for Windows, which cannot run here.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from unix_only import unix_only

# fmt: off
LIBRARIES = (
    "asyncio", "click", "concurrent.futures.thread", "ctypes", "duckdb", "jinja2", "multiprocessing.connection",
    "multiprocessing.heap", "numpy", "pandera.polars", "polars", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet",
    "pydantic", "python_calamine", "pytz", "rich.console", "sqlite3", "subprocess", "tempfile", "typer",
    "typer.rich_utils", "xlsxwriter", "zoneinfo",
)
# fmt: on
VARIABLES = {
    "PYTHONTZPATH": "",  # Windows has no time zones of its own that Python could read
    "PYTHONWARNDEFAULTENCODING": "1",
    "PYTHONUTF8": "0",
}
held_by_others: set[str] = set()
OURS = ("flows", "schemas")
ENCODING = "cp1252"  # of output that goes into a file or to another program; a console can show everything
IN_USE = "The process cannot access the file because it is being used by another process"


def become_windows() -> None:
    """Take away what Windows lacks, and let what stays behave as it does there."""
    lacking = unix_only()
    for name in LIBRARIES:
        __import__(name)
    absent = {module for module, names in lacking.items() if "*" in names}
    for module, names in lacking.items():
        for name in names if module in sys.modules and module not in absent else []:
            vars(sys.modules[module]).pop(name, None)
    sys.platform = "win32"
    _patch(builtins, "__import__", lambda real: _without(real, absent))
    for module in (io, builtins):
        _patch(module, "open", _with_carriage_returns)
    _patch(os, "open", _of_no_folder)
    for name in ("unlink", "remove", "rmdir", "truncate"):
        _patch(os, name, _unless_in_use)
    for name in ("replace", "rename"):
        _patch(os, name, _unless_in_use)
    _patch(os, "rename", _never_over_another)
    _patch(os, "symlink", lambda _: _forbidden)
    tempfile.TemporaryFile = tempfile.NamedTemporaryFile  # without a name, it would be an open folder here
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    for package in OURS:
        warnings.filterwarnings("error", category=EncodingWarning, module=rf"{package}\b")


def _patch(module: Any, name: str, other: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(module, name, other(getattr(module, name)))


def _without(real: Callable[..., Any], absent: set[str]) -> Callable[..., Any]:
    def import_as_there(name: str, globals: Any = None, *others: Any, **more: Any) -> Any:
        if name.partition(".")[0] in absent and str((globals or {}).get("__name__")).partition(".")[0] in OURS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, globals, *others, **more)

    return import_as_there


def _with_carriage_returns(real: Callable[..., Any]) -> Callable[..., Any]:
    def open_as_there(file: Any, mode: str = "r", *others: Any, **more: Any) -> Any:
        is_written = "b" not in mode and set(mode) & set("wax")
        if is_written and len(others) < 4 and more.get("newline") is None:
            more["newline"] = "\r\n"
        return real(file, mode, *others, **more)

    return open_as_there


def _of_no_folder(real: Callable[..., Any]) -> Callable[..., Any]:
    def open_as_there(path: Any, *others: Any, **more: Any) -> Any:
        if Path(os.fsdecode(path)).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, *others, **more)

    return open_as_there


def _unless_in_use(real: Callable[..., Any]) -> Callable[..., Any]:
    def change_as_there(*paths: Any, **more: Any) -> Any:
        in_use = {*_files_in_use(), *held_by_others}
        for path in paths:
            if os.path.realpath(path) in in_use:
                raise PermissionError(errno.EACCES, IN_USE, path)
        return real(*paths, **more)

    return change_as_there


def _files_in_use() -> Iterator[str]:
    """Every file that this process has open, or has mapped into its memory."""
    for handle in Path("/proc/self/fd").iterdir():
        try:
            yield str(handle.readlink())
        except FileNotFoundError:  # the one by which the folder itself was listed
            continue
    with Path("/proc/self/maps").open(encoding="utf-8") as maps:
        yield from (line.split(maxsplit=5)[-1].rstrip("\n") for line in maps)


def _never_over_another(real: Callable[..., Any]) -> Callable[..., Any]:
    def rename_as_there(path: Any, to: Any, **more: Any) -> Any:
        if Path(to).exists():
            raise FileExistsError(errno.EEXIST, "Cannot create a file when that file already exists", to)
        return real(path, to, **more)

    return rename_as_there


def _forbidden(path: Any, to: Any, **_: Any) -> None:
    raise OSError(errno.EPERM, "A required privilege is not held by the client", path, None, to)


def run(arguments: list[str], in_use: list[str]) -> tuple[int, str, str]:
    """Run one command: its exit code, and what it wrote to stdout and to stderr."""
    from flows.cli import main

    held_by_others.clear()
    held_by_others.update(os.path.realpath(path) for path in in_use)
    sys.argv = ["pilots", *arguments]
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = written = [io.TextIOWrapper(io.BytesIO(), ENCODING, newline="\r\n") for _ in streams]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout, sys.stderr = streams
    out, err = (_text_of(stream) for stream in written)
    return code, out, err


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    text = stream.detach().getvalue().decode(ENCODING)  # type: ignore[attr-defined]
    assert text.count("\n") == text.count("\r\n")
    return text.replace("\r\n", "\n")


if __name__ == "__main__":
    become_windows()
    print(json.dumps([run(command["arguments"], command["in_use"]) for command in json.loads(sys.argv[1])]))
