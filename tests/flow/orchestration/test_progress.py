"""The progress display of a run: drawn on stderr when it is a terminal, and nowhere else."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time

import pytest
from commands import clean_environment
from data_folder import PROJECT, DataFolder, valid_rows
from terminal import AT_ONCE, STAGES, in_terminal, require_stages_drawn, run_arguments

from flows.commands import progress
from flows.commands.progress import StageList, drawn_progress
from flows.runtime.log import LOGGER, Entry, Event, log, stage_logged
from schemas._contract.catalogue import datasets


@pytest.mark.soak
def test_a_run_shows_its_stages_on_a_terminal_and_its_summary_on_stdout(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    seen = in_terminal(*run_arguments(folder, "--no-prefect", first=AT_ONCE))
    assert seen.code == 0, seen.raw
    require_stages_drawn(seen)
    loaded = rf"load +\d+\.\d s +{len(datasets())} tables, 2 rows"
    assert any(re.match(loaded, line) for line in seen.lines[-len(STAGES) :])
    assert "\x1b[?25h" in seen.raw, "the cursor is shown again"
    assert seen.out.startswith("Published: 1 file checked") and "tables" not in seen.out and "\x1b" not in seen.out


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"TERM": ""}], ids=str)
def test_a_terminal_without_cursor_movement_shows_no_progress(more: dict[str, str]) -> None:
    script = (
        "import sys; from flows.commands.console import progress\nwith progress(): print(type(progress()).__name__)"
    )
    seen = in_terminal("-c", script, **more)
    assert (seen.out.strip(), seen.raw) == ("nullcontext", "")
    assert in_terminal("-c", script).out.strip() == "_GeneratorContextManager"


@pytest.mark.soak
def test_nothing_is_drawn_and_rich_is_not_imported_without_a_terminal(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    last = (
        "import atexit\natexit.register(lambda: print([m for m in sys.modules if m == 'flows.commands.progress'"
        " or m.split('.')[0] == 'rich'], file=sys.stderr))"
    )
    script = run_arguments(folder, "--no-prefect", first=last)
    ran = subprocess.run(
        [sys.executable, *script],
        cwd=PROJECT,
        env=clean_environment(TERM="xterm"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "[]\n")


def test_no_color_turns_colours_off() -> None:
    script = (
        "import time\nimport rich.live, rich.progress_bar, rich.table\nfrom flows.commands import progress\n"
        "from flows.runtime.log import Entry, Event, log\n"
        "progress.SHORT = 0\nwith progress.drawn_progress():\n"
        "    log(Entry(Event.STAGE_STARTED, 'validate', counts={'deliveries': 4}))\n"
        "    log(Entry(Event.DELIVERY_VALIDATED, 'validate'))\n    time.sleep(0.5)\n"
    )
    plain = in_terminal("-c", script)
    assert any("1 of 4 deliveries" in line and "\u2501" in line for line in plain.lines), plain.raw
    assert not re.search(r"\x1b\[[0-9;]*[39][0-9]m", plain.raw)
    assert re.search(r"\x1b\[[0-9;]*[39][0-9]m", in_terminal("-c", script, NO_COLOR="").raw)


def test_a_short_run_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[bool] = []
    monkeypatch.setattr(progress._Drawing, "start", lambda _: started.append(True))
    before = list(LOGGER.handlers)
    with drawn_progress(), stage_logged("load"):
        pass
    monkeypatch.setattr(progress, "SHORT", 0.05)
    assert not started
    with pytest.raises(KeyError), drawn_progress(), stage_logged("load"):
        time.sleep(0.5)
        raise KeyError
    assert started == [True] and LOGGER.handlers == before


def test_the_stage_list_follows_the_log() -> None:
    followed = StageList()
    assert [s.name for s in followed.stages] == [progress.STARTING]
    LOGGER.addHandler(followed)
    try:
        with stage_logged("validate", deliveries=3) as counts:
            log(Entry(Event.DELIVERY_VALIDATED, "validate"))
            log(Entry(Event.DELIVERY_NOT_VALIDATED, "validate"))
            assert followed.stages[0].in_words == "2 of 3 deliveries"
            counts |= {"deliveries": 3, "not_validated": 0, "rows_read": 1_200, "rows_accepted": 1_100, "rows_held": 9}
        with stage_logged("report"):
            log(Entry(Event.REPORTS_DUE, "report", counts={"reports": 2}))
            log(Entry(Event.DELIVERY_REPORTED, "report"))
            assert followed.stages[1].in_words == "1 of 2 reports"
        with pytest.raises(KeyError), stage_logged("load"):
            raise KeyError
        logging.getLogger("pilots").info("no entry")
    finally:
        LOGGER.removeHandler(followed)
    assert [(s.name, s.in_words) for s in followed.stages] == [
        ("validate", "3 deliveries, 1,200 rows read, 1,100 rows accepted"), ("report", ""), ("load", "failed"),
    ]  # fmt: skip
