"""Run `pilots` commands on Linux as if on Windows, one after the other in one process.

Takes a list of commands as JSON (their arguments, and the files that another program has open). Prints the exit code,
stdout and stderr of each, encoded as when redirected to a file on a western European Windows.

Names that only Unix has are removed (`unix_only.py`), and calls that behave differently on Windows do so here: a
folder cannot be opened, an open file cannot be replaced or removed, a rename never replaces, a symlink needs rights
that senders lack, and text files are written with carriage returns. Relying on the system's encoding, which differs
between countries on Windows, is an error. There are no system time zones (`VARIABLES`).

Libraries are imported first: they have their own code for Windows, which cannot run here.
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
    "PYTHONTZPATH": "",  # Windows has no time zone database that Python can read
    "PYTHONWARNDEFAULTENCODING": "1",
    "PYTHONUTF8": "0",
}
held_by_others: set[str] = set()
OURS = ("flows", "schemas")
ENCODING = "cp1252"  # of redirected output; a console shows every character
IN_USE = "The process cannot access the file because it is being used by another process"


def emulate_windows() -> None:
    """Remove what Windows lacks, and patch what behaves differently there."""
    unix_names = unix_only()
    for name in LIBRARIES:
        __import__(name)
    absent = {module for module, names in unix_names.items() if "*" in names}
    for module, names in unix_names.items():
        for name in names if module in sys.modules and module not in absent else []:
            vars(sys.modules[module]).pop(name, None)
    sys.platform = "win32"
    _patch(builtins, "__import__", lambda real: _hiding_modules(real, absent))
    for module in (io, builtins):
        _patch(module, "open", _writing_carriage_returns)
    _patch(os, "open", _refusing_folders)
    for name in ("unlink", "remove", "rmdir", "truncate"):
        _patch(os, name, _refusing_files_in_use)
    for name in ("replace", "rename"):
        _patch(os, name, _refusing_files_in_use)
    _patch(os, "rename", _never_replacing)
    _patch(os, "symlink", lambda _: _forbidden)
    tempfile.TemporaryFile = tempfile.NamedTemporaryFile  # an unnamed one would keep a folder open here
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    for package in OURS:
        warnings.filterwarnings("error", category=EncodingWarning, module=rf"{package}\b")


def _patch(module: Any, name: str, other: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(module, name, other(getattr(module, name)))


def _hiding_modules(real: Callable[..., Any], absent: set[str]) -> Callable[..., Any]:
    def import_on_windows(name: str, globals: Any = None, *others: Any, **more: Any) -> Any:
        if name.partition(".")[0] in absent and str((globals or {}).get("__name__")).partition(".")[0] in OURS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, globals, *others, **more)

    return import_on_windows


def _writing_carriage_returns(real: Callable[..., Any]) -> Callable[..., Any]:
    def open_on_windows(file: Any, mode: str = "r", *others: Any, **more: Any) -> Any:
        is_written = "b" not in mode and set(mode) & set("wax")
        if is_written and len(others) < 4 and more.get("newline") is None:
            more["newline"] = "\r\n"
        return real(file, mode, *others, **more)

    return open_on_windows


def _refusing_folders(real: Callable[..., Any]) -> Callable[..., Any]:
    def open_on_windows(path: Any, *others: Any, **more: Any) -> Any:
        if Path(os.fsdecode(path)).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, *others, **more)

    return open_on_windows


def _refusing_files_in_use(real: Callable[..., Any]) -> Callable[..., Any]:
    def change_on_windows(*paths: Any, **more: Any) -> Any:
        in_use = {*_files_in_use(), *held_by_others}
        for path in paths:
            if os.path.realpath(path) in in_use:
                raise PermissionError(errno.EACCES, IN_USE, path)
        return real(*paths, **more)

    return change_on_windows


def _files_in_use() -> Iterator[str]:
    """Yield every file that this process has open or mapped into memory."""
    for handle in Path("/proc/self/fd").iterdir():
        try:
            yield str(handle.readlink())
        except FileNotFoundError:  # the descriptor with which /proc/self/fd was listed
            continue
    with Path("/proc/self/maps").open(encoding="utf-8") as maps:
        yield from (line.split(maxsplit=5)[-1].rstrip("\n") for line in maps)


def _never_replacing(real: Callable[..., Any]) -> Callable[..., Any]:
    def rename_on_windows(path: Any, to: Any, **more: Any) -> Any:
        if Path(to).exists():
            raise FileExistsError(errno.EEXIST, "Cannot create a file when that file already exists", to)
        return real(path, to, **more)

    return rename_on_windows


def _forbidden(path: Any, to: Any, **_: Any) -> None:
    raise OSError(errno.EPERM, "A required privilege is not held by the client", path, None, to)


def run(arguments: list[str], in_use: list[str]) -> tuple[int, str, str]:
    """Run one command; return its exit code, stdout and stderr."""
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
    emulate_windows()
    print(json.dumps([run(command["arguments"], command["in_use"]) for command in json.loads(sys.argv[1])]))
