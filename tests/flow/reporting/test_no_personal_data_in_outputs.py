"""No output repeats a personal value that a sender left in a file: 200 made-up values, in every part of a file.

Only `data/raw` may hold them, and a marked workbook in the sender's folder, which is made from the sender's file.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from commands import clean_environment, pilots, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_row
from file_validator import as_table
from personal_values import COUNT_BY_KIND, TEXT_PARTS, find_leaks, personal_values, read_outputs, send_values
from soak import iterations

pytestmark = pytest.mark.with_marts

MOMENT = "2017-01-03T03:30"
VALUES = personal_values()


def test_there_are_two_hundred_values() -> None:
    assert len(VALUES) == sum(COUNT_BY_KIND.values()) == 200 and len({v.text for v in VALUES}) > 190


def test_no_output_of_a_run_repeats_a_personal_value(folder: DataFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """One file for each value (in `make test`, for each fifth); none of them stops the run."""
    values = VALUES[:: iterations(everyday=5, soak=1)]
    send_values(folder, values)
    result = folder.run(MOMENT)
    printed = capfd.readouterr()
    assert result.result == "published" and "fault of ours" not in result.reported.summary
    assert folder.query("select count(*) from audit.deliveries")[0][0] > 0.8 * len(values)
    outputs = read_outputs(folder.path, but=("raw/",))
    assert any(name.endswith(".html") for name in outputs) and any("held.parquet, read" in n for n in outputs)
    outputs["printed"] = (printed.out + printed.err + result.reported.summary + repr(result)).encode()
    assert find_leaks(outputs, values) == []


@pytest.mark.parametrize("part", ["a code", "a reference", "a heading", "a torn line", "among other words"])
def test_pilots_check_repeats_no_personal_value(tmp_path: Path, part: str, capfd: pytest.CaptureFixture[str]) -> None:
    """One file with a value of each kind. Output that libraries write past Python is searched too."""
    some = [next(v for v in VALUES if v.kind == kind) for kind in COUNT_BY_KIND]
    path = tmp_path / f"{BPL}_contacts_201611_v1.csv"
    path.write_text(TEXT_PARTS[part](" and ".join(v.text for v in some)), encoding="utf-8")
    checked = (pilots if part == "a code" else pilots_in_process)("check", str(path), "--json")
    assert checked.returncode == 1 and json.loads(checked.stdout)["result"] in ("refused", "accepted_with_held_rows")
    streams = {"stdout": checked.stdout, "stderr": checked.stderr, "past Python": "".join(capfd.readouterr())}
    assert find_leaks({where: text.encode() for where, text in streams.items()}, VALUES) == []


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda t: f"<td>{t}</td>".encode(),
    "in capitals": lambda t: t.upper().encode(),
    "without spaces": lambda t: t.replace(" ", "").encode(),
    "base64": lambda t: base64.b64encode(f"x{t}yz".encode()),
    "base64, later": lambda t: base64.b64encode(f"xy{t}z".encode()),
    "UTF-16": lambda t: t.encode("utf-16"),
}


@pytest.mark.parametrize("how", ENCODINGS)
def test_the_search_finds_a_value_in_any_encoding(tmp_path: Path, how: str) -> None:
    for value in VALUES:
        (tmp_path / "page.html").write_bytes(b"before" + ENCODINGS[how](value.text) + b"after")
        assert find_leaks(read_outputs(tmp_path), [value]), f"a {value.kind} was not found {how}"


def test_the_search_decodes_compressed_files(tmp_path: Path) -> None:
    text = VALUES[0].text
    pl.DataFrame({"a": [text] * 100}).write_parquet(tmp_path / "rows.parquet", compression="zstd")
    [found, *_] = find_leaks(read_outputs(tmp_path), VALUES)
    assert found.startswith("rows.parquet, read")


PAUSED_RUN = """
import sys, time
from datetime import datetime
from pathlib import Path
from flows.steps import validate_delivery
from flows import nightly
from flows.settings import Settings
from flows.steps.conform import conform
seen = []
def slowly(batch, *others):
    typed = conform(batch, *others)
    seen.append(len(typed.rows))
    if len(seen) == 3:
        print(sum(seen), flush=True)
        time.sleep(60)
    return typed
validate_delivery.conform = slowly
nightly.run_pipeline(Settings(data=Path(sys.argv[1])), datetime(2017, 1, 3, 3, 30))
"""


@pytest.mark.soak
def test_a_run_killed_while_validating_leaves_no_personal_value(folder: DataFolder) -> None:
    """Killed by kill -9 after two batches were written: their values are nowhere on the disk."""
    values = [v for v in VALUES if v.kind in ("NHS number", "name", "date of birth")]
    rows = [valid_row("contacts", n, contact_type=values[n % len(values)].text) for n in range(1, 120_001)]
    table = as_table([valid_row("contacts", 0), *rows])
    path = folder.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv"
    path.parent.mkdir(parents=True)
    lines = [*(",".join(r) for r in table)]
    path.write_text("\n".join(line + "," + "x" * 300 if i else line + ",Other" for i, line in enumerate(lines)))
    killed = subprocess.Popen(
        [sys.executable, "-c", PAUSED_RUN, str(folder.path)],
        cwd=PROJECT, env=clean_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert killed.stdout
    assert int(killed.stdout.readline()) > 50_000
    killed.kill()
    killed.wait(20)
    assert find_leaks(read_outputs(folder.path, but=("raw/",)), VALUES) == []
    assert list(folder.paths.unfinished.iterdir()) == []
