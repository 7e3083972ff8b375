"""`pilots check` says what would happen to a file, everywhere it speaks: nothing was sent, and nothing was accepted."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import openpyxl
import pytest
from commands import pilots_in_process
from data_folder import BPL, DataFolder, Row, valid_row, valid_rows
from soak import in_soak

# What only holds of a file that was sent.
OF_A_SENT_FILE = re.compile(
    r"accepted[:;.]|was refused|send (?:it|the file) again|this month's figures|, received|as before"
)
WRONG = {"contacts": "attended", "participants": "gender", "referrals": "source_of_referral"}
FORMATS = ("csv", *in_soak("xlsx"))


def texts(page: Path) -> str:
    """The text of a page, without its markup."""
    body = page.read_text(encoding="utf-8").partition("<main")[2]
    return html.unescape(re.sub(r"<[^>]+>", " ", body))


def one_wrong(dataset: str) -> list[Row]:
    return [*valid_rows(dataset, *range(1, 10)), valid_row(dataset, 10, **{WRONG[dataset]: "no such code"})]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dataset", WRONG)
def test_a_check_says_that_rows_would_be_held_back(
    folder: DataFolder, tmp_path: Path, dataset: str, suffix: str
) -> None:
    path = folder.send(dataset, one_wrong(dataset), suffix=suffix)
    checked = pilots_in_process("check", str(path), "--to", str(tmp_path / "out"))
    as_json = json.loads(pilots_in_process("check", str(path), "--json").stdout)
    assert checked.stdout.splitlines()[:2] == [
        "Fix 1 problem before you send this file. Nothing was sent.",
        "9 of 10 rows would load, 1 would be held back.",
    ]
    [page] = (tmp_path / "out").rglob("*.html")
    text = texts(page)
    assert "Fix 1 problem before you send this file" in text and "Nothing was sent" in text
    assert "9 of 10 rows would load, 1 would be held back" in text
    assert [*OF_A_SENT_FILE.findall(text), *OF_A_SENT_FILE.findall(checked.stdout)] == []
    assert as_json["is_check"] and as_json["in_words"] == checked.stdout.splitlines()[0]
    [marked] = (tmp_path / "out").rglob("*_to_fix.xlsx")
    read_me = openpyxl.load_workbook(marked).worksheets[0]
    cells = " ".join(str(cell) for row in read_me.iter_rows(values_only=True) for cell in row if cell)
    assert "would load" in cells and OF_A_SENT_FILE.findall(cells) == []
    assert f"named {path.stem}.xlsx" in cells  # nothing was sent, so the version is still to be used


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_check_says_that_a_file_would_be_refused(folder: DataFolder, tmp_path: Path, suffix: str) -> None:
    rows = [valid_row("referrals", n, source_of_referral="no such code") for n in range(1, 61)]
    checked = pilots_in_process(
        "check", str(folder.send("referrals", rows, suffix=suffix)), "--to", str(tmp_path / "out")
    )
    assert checked.stdout.splitlines()[:2] == [
        "This file would be refused: fix 1 problem before you send it. Nothing was sent.",
        "None of its 60 rows would load: the whole file would be refused, because too many of its rows are at fault.",
    ]
    [page] = (tmp_path / "out").rglob("*.html")
    assert "This file would be refused: fix 1 problem before you send it" in texts(page)


def test_a_report_of_a_file_that_was_sent_does_not_speak_of_checking(folder: DataFolder) -> None:
    folder.send("contacts", one_wrong("contacts"), site=BPL)
    folder.send("referrals", valid_rows("referrals", *range(1, 11)), site=BPL)
    folder.run()
    reports = [json.loads(p.read_text(encoding="utf-8")) for p in folder.paths.reports.rglob("*.report.json")]
    assert [(r["is_check"], "would" in r["in_words"]) for r in reports] == [(False, False)] * 2
