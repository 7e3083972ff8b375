"""`pilots check` and `pilots template` on Windows, which most senders use, as far as Linux can emulate it.

`as_windows.py` describes the emulation; everything else here is the real command.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import openpyxl
import pytest
from as_windows import VARIABLES
from commands import clean_environment, pilots_in_process
from data_folder import BPL, DataFolder, valid_row, valid_rows
from soak import in_soak
from unix_only import unix_only
from workbook_bytes import ods, ods_row, parquet, xls, zip_of

EMULATOR = Path(__file__).with_name("as_windows.py")
DATE = ("--date", "2016-12-02")
UNENCODABLE = "1 \u2192 \U0001f600 2"  # an arrow and a smiley, which are in no Windows code page


class Ended(NamedTuple):
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Windows:
    """A folder on an emulated Windows."""

    home: Path
    temporary: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "temporary", self.home / "Temp")
        self.temporary.mkdir()

    def run(self, commands: Mapping[str, Sequence[str]], in_use: Mapping[str, Path] | None = None) -> dict[str, Ended]:
        """Run named commands in one process; return how each ended, by name.

        `in_use` gives, by the same names, a file that another program has open meanwhile.
        """
        files_in_use = {name: [str(path)] for name, path in (in_use or {}).items()}
        payload = [{"arguments": [*map(str, c)], "in_use": files_in_use.get(name, [])} for name, c in commands.items()]
        started = subprocess.run(
            [sys.executable, str(EMULATOR), json.dumps(payload)],
            cwd=self.home,
            env=clean_environment(TMPDIR=str(self.temporary), **VARIABLES),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (started.returncode, started.stderr) == (0, ""), started.stderr
        return dict(zip(commands, (Ended(*e) for e in json.loads(started.stdout)), strict=True))


@pytest.fixture
def windows(tmp_path: Path) -> Windows:
    return Windows(tmp_path)


def write_named(folder: Path, name: str, content: bytes) -> Path:
    """Write a file with a valid name in its own folder."""
    path = folder / f"{BPL}_{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_removed_names_are_those_documented_as_unix_only() -> None:
    """Samples from Python's documentation: names marked 'Availability: Unix', and names that Windows has too."""
    lacking = unix_only()
    assert {"fcntl", "grp", "pwd", "resource", "termios", "pty"} <= {m for m, names in lacking.items() if "*" in names}
    absent = {"pread", "pwrite", "fork", "getuid", "chown", "sync", "fdatasync", "sched_getaffinity", "O_DIRECTORY"}
    assert absent <= {*lacking["os"]}
    assert not {"fsync", "open", "replace", "umask", "link", "symlink", "getpid", "O_EXCL", "chmod"} & {*lacking["os"]}
    assert "SIGKILL" in lacking["signal"] and not {"SIGTERM", "SIGINT"} & {*lacking["signal"]}


@pytest.mark.soak
def test_files_of_every_format_are_checked(windows: Windows, tmp_path: Path) -> None:
    """Bad, damaged and headless files, alone and zipped; an unzipped copy must be closed before it is removed."""
    rows = [valid_row("contacts", 1), valid_row("contacts", 2, attended="9")]
    table = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    csv = DataFolder(tmp_path / "csv").send("contacts", rows).read_bytes()
    xlsx = DataFolder(tmp_path / "xlsx").send("contacts", rows, suffix="xlsx").read_bytes()
    bad = {
        "csv": csv,
        "txt": csv.decode().encode("utf-16"),
        "tsv": csv.replace(b",", b"\t").replace(b"\n", b"\r\n"),
        "xlsx": xlsx,
        "xls": xls({"contacts": table}),
        "ods": ods("".join(ods_row(*row) for row in table)),
        "parquet": parquet(table),
    }
    damaged = {"csv": b"\x00" * 99, "xlsx": xlsx[:-300], "parquet": parquet(table)[:-20]}
    headless = {"csv": csv.partition(b"\n")[2]}
    files = {
        f"{kind} {ending}{' in a zip' if is_zipped else ''}": write_named(
            tmp_path / kind / f"{ending}{is_zipped}",
            f"contacts_201611_v1.{'zip' if is_zipped else ending}",
            zip_of({f"x.{ending}": content}) if is_zipped else content,
        )
        for kind, contents in (("bad", bad), ("damaged", damaged), ("headless", headless))
        for ending, content in contents.items()
        for is_zipped in (False, True)
    }
    results = windows.run({n: ("check", str(f), *DATE, "--to", str(tmp_path / n)) for n, f in files.items()})
    first_lines = {name: (e.code, e.err, e.out.partition("\n")[0]) for name, e in results.items()}
    unreadable = "This file could not be read and would be refused: fix 1 problem before you send it. Nothing was sent."
    verdicts = {
        "bad": "Fix 1 problem before you send this file. Nothing was sent.",
        "damaged": unreadable,
        "headless": unreadable,
    }
    assert first_lines == {name: (1, "", verdicts[name.partition(" ")[0]]) for name in files}
    marked = {name for name in files if list((tmp_path / name).rglob("*_to_fix.xlsx"))}
    assert marked == {name for name in files if name.startswith("bad")}
    assert not list(windows.temporary.iterdir())


@pytest.mark.parametrize(("dataset", "suffix"), in_soak(("contacts", "csv"), ("participants", "xlsx")))
def test_output_files_are_the_same_as_on_linux(windows: Windows, tmp_path: Path, dataset: str, suffix: str) -> None:
    wrong = {"contacts": {"attended": UNENCODABLE}, "participants": {"gender": UNENCODABLE}}[dataset]
    sent = [valid_row(dataset, 1), valid_row(dataset, 2, **wrong)]
    bad = DataFolder(tmp_path / "bad").send(dataset, sent, suffix=suffix)
    good = DataFolder(tmp_path / "good").send(dataset, valid_rows(dataset, 1, 2), suffix=suffix)
    check = ("check", str(bad), *DATE)
    on_windows = windows.run(
        {
            "good": ("check", str(good), *DATE, "--to", str(tmp_path / "there")),
            "bad": (*check, "--to", str(tmp_path / "there" / "bad")),
            "json": (*check, "--json"),
        }
    )
    on_linux = {
        "good": pilots_in_process("check", str(good), *DATE, "--to", str(tmp_path / "here")),
        "bad": pilots_in_process(*check, "--to", str(tmp_path / "here" / "bad")),
        "json": pilots_in_process(*check, "--json"),
    }
    assert {n: (e.code, e.err) for n, e in on_windows.items()} == {
        n: (e.returncode, e.stderr) for n, e in on_linux.items()
    }
    assert [e.code for e in on_windows.values()] == [0, 1, 1]
    assert on_windows["json"].out.isascii() and json.loads(on_windows["json"].out) == json.loads(
        on_linux["json"].stdout
    )

    def windows_text(text: str) -> str:
        text = text.replace(str(tmp_path / "here"), str(tmp_path / "there"))
        return text.encode("cp1252", "backslashreplace").decode("cp1252")

    for name in ("good", "bad"):
        assert on_windows[name].out == windows_text(on_linux[name].stdout)
    assert "found     1 \\u2192 \\U0001f600 2" in on_windows["bad"].out

    files = {p.relative_to(tmp_path / "here") for p in (tmp_path / "here").rglob("*.*")}
    assert files == {p.relative_to(tmp_path / "there") for p in (tmp_path / "there").rglob("*.*")}
    texts = {p for p in files if p.suffix != ".xlsx"}
    assert {p.suffix for p in files} == {".html", ".json", ".csv", ".xlsx"}
    for path in texts:
        assert (tmp_path / "there" / path).read_bytes() == (tmp_path / "here" / path).read_bytes()


@pytest.mark.soak
def test_blank_workbooks_are_written_and_checked(windows: Windows, tmp_path: Path) -> None:
    name = f"{BPL}_return_201611_v1.xlsx"
    results = windows.run(
        {
            "one": ("template", "contacts"),
            "whole": ("template", "return", "--site", BPL, "--period", "201611"),
            "again": ("template", "return", "--site", BPL, "--period", "201611"),
            "check": ("check", name, *DATE),
        }
    )
    assert (results["one"], results["whole"]) == ((0, "contacts_blank.xlsx\n", ""), (0, f"{name}\n", ""))
    assert results["again"].code == 2 and "is there already" in results["again"].err
    assert (results["check"].code, results["check"].err) == (1, "")
    assert results["check"].out.count("The file has no rows of data (check F01)") == 4
    book = openpyxl.load_workbook(tmp_path / name)
    assert {"participants", "referrals", "contacts", "employment_outcomes"} <= {*book.sheetnames}


@pytest.mark.soak
def test_rules_between_sheets_of_a_return_are_applied(windows: Windows, tmp_path: Path) -> None:
    path = tmp_path / f"{BPL}_return_201611_v1.xlsx"
    pilots_in_process("template", "return", "--site", BPL, "--to", str(path))
    book = openpyxl.load_workbook(path)
    for dataset in ("participants", "referrals", "contacts", "employment_outcomes"):
        rows = valid_rows(dataset, 1, 2) if dataset != "contacts" else valid_rows(dataset, 1, 3)
        headings = [cell.value for cell in book[dataset][1]]
        for row in rows:
            book[dataset].append([row.get(heading) for heading in headings])
    book.save(path)
    checked = windows.run({"it": ("check", str(path), *DATE, "--to", "reports")})["it"]
    assert (checked.code, checked.err) == (1, "")
    assert "There is no referral for this contact (check P12)\n    where     Sheet contacts" in checked.out


@pytest.mark.soak
def test_errors_are_one_sentence(windows: Windows, tmp_path: Path) -> None:
    """Usage errors, a file in place of a folder, and commands that need Unix."""
    bad = DataFolder(tmp_path / "sent").send("contacts", [valid_row("contacts", 1, attended="9")])
    (tmp_path / "file").touch()
    (tmp_path / "data" / "raw").mkdir(parents=True)
    needs_unix = {
        "run": ("run", "--data", "data"),
        "plain run": ("run", "--no-prefect", "--data", "data"),
        "demo": ("demo", "--data", "data"),
        "retry": ("retry", "--data", "data"),
    }
    results = windows.run(
        {
            "help": ("--help",),
            "no file": ("check", "nothing.csv"),
            "no name": ("check", "file"),
            "in a file": ("template", "contacts", "--to", "file/blank.xlsx"),
            "reports in a file": ("check", str(bad), *DATE, "--to", "file"),
            **needs_unix,
        }
    )
    assert {name: e.code for name, e in results.items()} == {
        "help": 0, "no file": 2, "no name": 2, "in a file": 3, "reports in a file": 3, **dict.fromkeys(needs_unix, 3)
    }  # fmt: skip
    assert "check" in results["help"].out and not results["help"].err
    for name in needs_unix:
        assert (results[name].out, results[name].err.count("\n")) == ("", 1)
        assert "needs Linux or macOS" in results[name].err
    assert not any("Traceback" in e.err for e in results.values())
    assert not (tmp_path / "data" / "warehouse").exists()


@pytest.mark.soak
def test_a_report_open_in_excel_is_reported(windows: Windows, tmp_path: Path) -> None:
    bad = DataFolder(tmp_path / "sent").send(
        "contacts", [valid_row("contacts", 1), valid_row("contacts", 2, attended="9")]
    )
    check = ("check", str(bad), *DATE, "--to", "reports")
    reports = tmp_path / "reports" / BPL
    in_use = {ending: reports / f"{bad.stem}{ending}" for ending in ("_to_fix.xlsx", ".findings.csv")}
    results = windows.run({"before": check} | dict.fromkeys(in_use, check), in_use)
    assert results.pop("before").code == 1
    for ending, result in results.items():
        assert (result.code, result.out) == (3, "")
        assert ending in result.err and "open in Excel" in result.err
    assert all(report.stat().st_size for report in in_use.values())
    assert not [p for p in reports.iterdir() if p.name.startswith(".")]
