"""Each site has an index page: latest files, what to do and by when, what is due next, history, and working links."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from data_folder import BPL, WLA, DataFolder, valid_row, valid_rows
from file_validator import workbook
from soak import in_soak

from flows.workbooks.example_rows import example_rows
from schemas._contract.catalogue import datasets

NIGHT = "2016-12-03T03:30"


def index_of(folder: DataFolder, site: str = BPL) -> str:
    return (folder.paths.reports / site / "index.html").read_text(encoding="utf-8")


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])))


def links(path: Path) -> list[str]:
    """The files that a page links to."""
    found = re.findall(r'href="([^"#]+)"', path.read_text(encoding="utf-8"))
    return [unquote(html.unescape(link)) for link in found]


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_an_index_says_what_to_do_and_by_when(folder: DataFolder, suffix: str) -> None:
    bad = [*valid_rows("contacts", *range(1, 10)), valid_row("contacts", 10, attended="no such code")]
    folder.send("contacts", bad, suffix=suffix)
    folder.send("referrals", valid_rows("referrals", *range(1, 11)), suffix=suffix)
    folder.send("participants", valid_rows("participants", *range(1, 11), site=WLA), site=WLA)
    folder.run(NIGHT)
    text = text_of(index_of(folder))
    assert re.search(r"Fix 1 file by 5pm, \w+ \d+ December 2016", text)
    assert "Fix 1 problem and send the file again by" in text and "9 of 10 rows accepted, 1 held back" in text
    assert "Accepted: nothing to do" in text and "For November 2016, by 5pm" in text
    assert "Contacts, November 2016" in text and "No file has come yet" in text  # participants were not sent
    assert "Fix" not in text_of(index_of(folder, WLA))


def test_the_pages_link_to_each_other(folder: DataFolder) -> None:
    bad = [*valid_rows("contacts", *range(1, 10)), valid_row("contacts", 10, attended="no such code")]
    sent = folder.send("contacts", bad)
    folder.send("referrals", valid_rows("referrals", *range(1, 11)))
    folder.run(NIGHT)
    reports = folder.paths.reports / BPL
    index, page = reports / "index.html", reports / f"{sent.stem}.html"
    assert {page.name, f"{sent.stem}_to_fix.xlsx", f"{sent.stem}.findings.csv"} <= set(links(index))
    assert {"index.html", f"{sent.stem}_to_fix.xlsx", f"{sent.stem}.findings.csv"} <= set(links(page))
    assert [link for p in reports.glob("*.html") for link in links(p) if not (reports / link).exists()] == []


def test_a_sheet_with_nothing_to_fix_says_which_others_of_its_file_need_fixing(folder: DataFolder) -> None:
    sheets = {name: valid_rows(name, *range(1, 11)) for name in ("participants", "referrals", "contacts")}
    sheets["contacts"] = [*sheets["contacts"][:9], valid_row("contacts", 10, attended="no such code")]
    tables = {name: [list(rows[0]), *(list(r.values()) for r in rows)] for name, rows in sheets.items()}
    path = folder.paths.raw / BPL / f"{BPL}_return_201611_v1.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(workbook(tables))
    folder.run(NIGHT)
    reports = folder.paths.reports / BPL
    sound = (reports / f"{path.stem}_referrals.html").read_text(encoding="utf-8")
    assert "Nothing to fix on this sheet: fix the other sheets of this file" in sound
    assert "see the report on ‘Contacts’" in sound and "You do not need to send this file again" not in sound
    marked = f"{path.stem}_to_fix.xlsx"
    assert (reports / marked).exists() and index_of(folder).count(f'href="{marked}"') == 1


def test_the_history_lists_every_file_and_a_later_file_takes_the_place_of_the_latest(folder: DataFolder) -> None:
    folder.send("contacts", [valid_row("contacts", 1, attended="no such code")])
    folder.run(NIGHT)
    folder.send("contacts", valid_rows("contacts", 1, 2), version=2)
    folder.run("2016-12-04T03:30")
    page = index_of(folder)
    text = text_of(page)
    assert "Fix" not in text and "version 1" in text and "2 of 2 rows accepted" in text
    assert page.count('<th scope="row">') == 2


def test_the_contact_of_the_data_team_is_on_the_index_and_on_pages(folder: DataFolder) -> None:
    sent = folder.send("contacts", [valid_row("contacts", 1, attended="no such code")])
    folder.run(NIGHT, data_team_contact="pilots-data@example.org")
    for name in ("index.html", f"{sent.stem}.html"):
        page = (folder.paths.reports / BPL / name).read_text(encoding="utf-8")
        assert "To reach the data team: pilots-data@example.org." in page


def test_an_index_is_written_again_only_where_it_changed(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    folder.run(NIGHT)
    path = folder.paths.reports / BPL / "index.html"
    before = path.stat().st_mtime_ns
    folder.run("2016-12-03T04:30")
    assert path.stat().st_mtime_ns == before


def test_a_dataset_that_has_come_is_no_longer_due(folder: DataFolder) -> None:
    folder.send("participants", valid_rows("participants", 1))
    folder.run(NIGHT)
    due = text_of(index_of(folder)).partition("What is due next")[2].partition("The latest file")[0]
    assert "For November 2016, by 5pm" in due and "Referrals" in due and "Participants" not in due
    folder.send_all(1, 2)
    for dataset in ("action_plans", "wellbeing_measures", "training_events", "employer_support"):
        folder.send(dataset, example_rows(datasets()[dataset])[:1])
    folder.run("2016-12-04T03:30")
    assert "Every file for November 2016 has come." in text_of(index_of(folder))
