"""On a terminal, and nowhere else, `pilots check` shows hidden values, but none that a privacy rule found."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from commands import clean_environment, pilots_command, pilots_in_process
from data_folder import NHS_NUMBER, DataFolder, Row, valid_row, valid_rows
from soak import in_soak

from flows.commands.check import check_file

# In each dataset a field and a value that pages hide.
HIDDEN = {
    "contacts": ("contact_id", "bpl c 000777"),
    "referrals": ("episode_id", "bpl e 000777"),
    "participants": ("participant_ref", "bpl 000777 x"),
}
FORMATS = ("csv", *in_soak("xlsx"))


def rows_with(dataset: str, **differences: str) -> list[Row]:
    return [*valid_rows(dataset, *range(1, 10)), valid_row(dataset, 10, **differences)]


def on_a_terminal(path: Path) -> str:
    """What `pilots check` prints where its output is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        pilots_command("check", str(path)), stdout=theirs, stderr=theirs, env=clean_environment()
    )
    os.close(theirs)
    output = b""
    try:
        while part := os.read(ours, 65536):
            output += part
    except OSError:  # the terminal is closed at the end of the process
        pass
    finally:
        os.close(ours)
        process.wait(60)
    return output.decode()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", HIDDEN)
def test_values_are_in_full_in_the_lines_of_a_terminal_alone(folder: DataFolder, dataset: str, suffix: str) -> None:
    field, value = HIDDEN[dataset]
    path = folder.send(dataset, rows_with(dataset, **{field: value}), suffix=suffix)
    hidden, full = check_file(path), check_file(path, in_full=True)
    assert value not in hidden.text and "hidden (may be personal data)" in hidden.text
    assert value in full.text and "hidden (may be personal data)" not in full.text
    assert value not in full.report_json


def test_a_terminal_shows_them_and_a_pipe_json_and_a_folder_do_not(folder: DataFolder, tmp_path: Path) -> None:
    field, value = HIDDEN["contacts"]
    path = folder.send("contacts", rows_with("contacts", **{field: value}))
    assert value in on_a_terminal(path)
    check = "check", str(path)
    assert value in pilots_in_process(*check, on_a_terminal=True).stdout
    for options in (("--json",), ("--to", str(tmp_path / "out"))):
        assert value not in pilots_in_process(*check, *options, on_a_terminal=True).stdout
    assert value not in pilots_in_process(*check).stdout
    written = [p for p in (tmp_path / "out").rglob("*") if p.suffix in (".html", ".json", ".csv")]
    assert len(written) == 3 and not [p for p in written if value in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_with_personal_data_shows_no_value(folder: DataFolder, suffix: str) -> None:
    rows = [*rows_with("contacts", contact_id="bpl c 000777"), valid_row("contacts", 11, contact_type=NHS_NUMBER)]
    full = check_file(folder.send("contacts", rows, suffix=suffix), in_full=True)
    assert "bpl c 000777" not in full.text and NHS_NUMBER not in full.text


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_a_privacy_rule_found_and_a_name_stay_hidden(folder: DataFolder, suffix: str) -> None:
    rows = rows_with("contacts", contact_id="bpl c 000777", contact_type="Sarah", contact_date="1978-03-12")
    full = check_file(folder.send("contacts", rows, suffix=suffix), in_full=True)
    assert "bpl c 000777" in full.text
    assert "Sarah" not in full.text and "1978" not in full.text


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_attribute_of_a_person_stays_hidden(folder: DataFolder, suffix: str) -> None:
    rows = rows_with("participants", year_of_birth="born in spring", participant_ref="bpl 000777 x")
    full = check_file(folder.send("participants", rows, suffix=suffix), in_full=True)
    assert "bpl 000777 x" in full.text and "spring" not in full.text
