"""A return workbook: several datasets in one file, one on each sheet. Source: docs/domain.md 7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import workbook_bytes as made
from data_folder import BPL, DataFolder, valid_rows
from file_validator import workbook

from flows.reporting import site_reports
from flows.reporting.render.marked.marking import make_marked_workbook
from flows.steps.receive import UnusableFile, receive
from flows.store.ledger import Ledger
from schemas._contract.catalogue import datasets
from schemas._contract.workbook_names import NIL_RETURN, READ_ME

SHEETS = ("participants", "referrals", "contacts")
NOTES = [["About this return"], ["The columns are explained in the guide."], ["Column", "Meaning"], ["a", "b"]]
COLUMN_GUIDE = [["Column", "What it means", "Such as"], ["contact_id", "your own number", "17"], ["type", "first", "x"]]


def table(dataset: str, *numbers: int) -> list[list[Any]]:
    """The rows of some people, below their heading."""
    rows = valid_rows(dataset, *numbers)
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def sheets(*numbers: int) -> dict[str, Sequence[Sequence[Any]]]:
    return {name: table(name, *numbers) for name in SHEETS}


def hide_sheet(content: bytes, name: str) -> bytes:
    book = made.read_part(content, "xl/workbook.xml").replace(
        b'name="%s"' % name.encode(), b'name="%s" state="hidden"' % name.encode()
    )
    return made.replace_parts(content, {"xl/workbook.xml": book})


def send(folder: DataFolder, content: Mapping[str, Sequence[Sequence[Any]]] | bytes, suffix: str = "xlsx") -> Path:
    path = folder.paths.raw / BPL / f"{BPL}_return_201611_v1.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else workbook(content))
    return path


def not_taken_in(folder: DataFolder) -> Sequence[UnusableFile]:
    """The files that the receive step does not accept as deliveries."""
    folder.paths.make()
    with closing(Ledger(folder.paths.ledger)) as ledger:
        return receive(folder.paths, ledger, "a run", datetime(2016, 12, 2, tzinfo=UTC)).unusable


def results(folder: DataFolder) -> dict[str, str]:
    """Validation result of each delivery, by dataset."""
    return dict(folder.query("select dataset, result from audit.deliveries order by 1"))


def test_each_sheet_is_a_delivery(folder: DataFolder) -> None:
    send(folder, sheets(1, 2, 3))
    result = folder.run()
    assert results(folder) == dict.fromkeys(sorted(SHEETS), "accepted")
    assert [folder.count(f"core.{name}") for name in SHEETS] == [3, 3, 3]
    assert not result.unusable
    assert folder.run().result == "quiet"


@pytest.mark.soak
def test_a_sheet_may_be_named_by_the_title_of_its_dataset(folder: DataFolder) -> None:
    titled = {datasets()[name].title[:31]: rows for name, rows in sheets(1).items()}
    assert set(titled) != set(SHEETS)
    send(folder, titled)
    folder.run()
    assert results(folder) == dict.fromkeys(sorted(SHEETS), "accepted")


@pytest.mark.soak
def test_sheets_of_notes_are_ignored(folder: DataFolder) -> None:
    send(folder, {"Notes": NOTES, READ_ME: table("contacts", 9), **sheets(1), "Columns": COLUMN_GUIDE})
    folder.run()
    assert results(folder) == dict.fromkeys(sorted(SHEETS), "accepted")
    assert folder.findings() == []


def test_u04_a_data_sheet_of_no_dataset_is_reported_once(folder: DataFolder) -> None:
    more = {
        "Contacts of October": table("contacts", 4, 5),
        "Spending": [["what", "who", "sum"], ["a", "b", 5], ["c", "d", 7.5]],
    }
    send(folder, {**sheets(1), **more})
    folder.run()
    assert results(folder) == dict.fromkeys(sorted(SHEETS), "accepted")
    assert folder.count("core.contacts") == 1
    found = folder.query(
        "select dataset, rule_id, severity from audit.findings join audit.deliveries using (delivery_id)"
    )
    assert found == [("participants", "U04", "warning")] * 2  # reported with the first sheet named after a dataset


@pytest.mark.soak
def test_u04_a_hidden_sheet_is_not_read(folder: DataFolder) -> None:
    send(folder, hide_sheet(workbook(sheets(1)), "contacts"))
    folder.run()
    assert results(folder) == {"contacts": "unreadable", "participants": "accepted", "referrals": "accepted"}
    assert folder.findings("contacts") == [("U04", "file", "broken", None)]


def test_u04_a_dataset_on_two_sheets_keeps_the_workbook_out(folder: DataFolder) -> None:
    """The workbook is not received until its sender has removed one of them."""
    send(folder, {**sheets(1), "Contacts ": table("contacts", 2)})
    assert [(u.rule_id, u.reason) for u in not_taken_in(folder)] == [
        ("U04", "two sheets of the workbook are named after the same dataset")
    ]


def test_u04_a_workbook_of_notes_alone_is_not_received(folder: DataFolder) -> None:
    send(folder, {"Notes": NOTES})
    [unusable] = not_taken_in(folder)
    assert (unusable.rule_id, unusable.reason) == ("U04", "no sheet of the workbook is named after a dataset")


def test_an_unreadable_sheet_does_not_affect_the_others(folder: DataFolder) -> None:
    send(folder, {**sheets(1, 2), "contacts": [["nothing", "is known"], ["of", "these"]]})
    folder.run()
    assert results(folder) == {"contacts": "unreadable", "participants": "accepted", "referrals": "accepted"}


@pytest.mark.soak
def test_a_sheet_without_rows_can_be_fixed_as_its_page_says(folder: DataFolder) -> None:
    """F01 in a return workbook: its page says to write yes on the sheet of boxes; a manifest does as well."""
    send(folder, {**sheets(1), "contacts": table("contacts", 1)[:1]})
    folder.run()
    page = next(folder.paths.reports.rglob("*contacts*.html")).read_text(encoding="utf-8")
    for text in ("write yes beside the dataset", "ends in .manifest.json", "{&#34;nil_return&#34;: true}"):
        assert text in page
    rest = sheets(1)
    del rest["contacts"]
    send(folder, rest).rename(folder.paths.raw / BPL / f"{BPL}_return_201611_v2.xlsx")
    folder.send("contacts", [], version=2, manifest={"nil_return": True})
    folder.run()
    assert folder.standings("contacts")["201611 v2"] == ("accepted", "current")


@pytest.mark.soak
def test_a_nil_return_of_a_whole_workbook_is_explained(folder: DataFolder) -> None:
    path = send(folder, {**sheets(1), "contacts": table("contacts", 1)[:1]})
    path.with_name(f"{path.stem}.manifest.json").write_text('{"nil_return": true}')
    folder.run()
    page = next(folder.paths.reports.rglob("*referrals*.html")).read_text(encoding="utf-8")
    assert "nil_return applies to every sheet" in page


def test_a_workbook_that_cannot_be_opened_does_not_stop_the_run(folder: DataFolder) -> None:
    content = workbook(sheets(1))
    bomb = made.replace_parts(content, {"xl/workbook.xml": b"<workbook>" + b" " * (9 << 20) + b"</workbook>"})
    with_entity = made.replace_parts(
        content, {"xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY e "e">]><workbook>&e;</workbook>'}
    )
    for damaged in (
        content[: len(content) // 2],
        bomb,
        with_entity,
        b"contact_id,contact_date\n",
        made.xls({"contacts": [["a"]]}),
    ):
        send(folder, damaged)
        [unusable] = not_taken_in(folder)
        assert unusable.rule_id == "U04"
        assert unusable.reason.startswith("the workbook")


@pytest.mark.soak
def test_a_return_workbook_is_marked_once(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    marked = []

    def count(raw: Path, *args: Any, **options: Any) -> Any:
        marked.append(raw.name)
        return make_marked_workbook(raw, *args, **options)

    monkeypatch.setattr(site_reports, "make_marked_workbook", count)
    sent = send(folder, sheets(1, 2))
    folder.run()
    assert marked == [sent.name]


def test_a_ticked_box_moves_the_cut_off_of_its_dataset(folder: DataFolder) -> None:
    """As a manifest's nil_return does: for one dataset of a return, and for the same workbook again next month."""
    boxes = [
        ["Sheet", "Dataset", "No rows?"],
        ["participants"],
        ["contacts", "", "yes"],
        ["employment_outcomes", "", "y"],
    ]
    send(folder, {**sheets(1, 2), "contacts": table("contacts", 1)[:1], NIL_RETURN: boxes})
    alone = workbook({"jobs": table("employment_outcomes", 1)[:1], NIL_RETURN: boxes})
    for period in ("201611", "201612"):
        (folder.paths.raw / BPL / f"{BPL}_employment_outcomes_{period}_v1.xlsx").write_bytes(alone)
    folder.run("2017-01-05")
    found = folder.query("select dataset, period, result, standing, rows_read from audit.deliveries order by 1, 2")
    assert found == [
        ("contacts", "201611", "accepted", "current", 0),
        ("employment_outcomes", "201611", "accepted", "empty", 0),
        ("employment_outcomes", "201612", "accepted", "current", 0),
        ("participants", "201611", "accepted", "current", 2),
        ("referrals", "201611", "accepted", "current", 2),
    ]
