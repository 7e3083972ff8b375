"""A delivery that the data team withdraws: every figure is as if it had never come, until that is undone."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from commands import pilots_in_process
from data_folder import BPL, NHS_NUMBER, WMCA, DataFolder, Row, valid_row, valid_rows, warehouse_content

from flows.commands.withdraw import record_withdrawal
from flows.orchestration.as_of import export_as_of
from flows.settings import Settings
from flows.store import raw_files
from flows.store.ledger import Ledger
from flows.store.lock import writer_lock

WHY = "sent under another site's name"
Content = dict[str, list[tuple[Any, ...]]]


def take_out(folder: DataFolder, which: str, at: str, undo: bool = False) -> tuple[str, ...]:
    """Withdraw a delivery, or let it back. Gives the ids of those concerned."""
    noted = record_withdrawal(
        Settings(data=folder.path), which, "" if undo else WHY, undo=undo, moment=datetime.fromisoformat(at)
    )
    return tuple(d.delivery_id for d in noted.deliveries)


def figures(warehouse: Path) -> Content:
    """All that is read from the deliveries: every table but what is said of the deliveries themselves."""
    content = warehouse_content(warehouse)
    return {t: rows for t, rows in content.items() if not t.startswith(("audit.", "quality."))}


def figures_now(folder: DataFolder) -> Content:
    return figures(folder.paths.current_link.resolve())


def as_of(folder: DataFolder, moment: str, to: Path) -> Content:
    export_as_of(Settings(data=folder.path, threads=1), datetime.fromisoformat(moment), to)
    return figures(to)


def workbook(folder: DataFolder, name: str, sheets: dict[str, list[Row]], site: str = BPL) -> None:
    """Send a workbook with a sheet for each dataset."""
    with xlsxwriter.Workbook(folder.paths.raw / site / name) as book:
        for sheet_name, rows in sheets.items():
            sheet = book.add_worksheet(sheet_name)
            for n, line in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
                sheet.write_row(n, 0, line)


def page(folder: DataFolder, name: str, site: str = BPL) -> str:
    return " ".join((folder.paths.reports / site / f"{name}.html").read_text(encoding="utf-8").split())


WRONG = {
    "participants": [
        valid_row("participants", n, year_of_birth="1985") for n in (1, 2)
    ],  # P06, and one is missing (F23)
    "referrals": [valid_row("referrals", n, referral_received_date="2016-05-02") for n in (1, 2, 3, 4)],
    "contacts": [valid_row("contacts", n, contact_date="2017-03-01") for n in (1, 8, 9)],  # two are nobody's
    "employment_outcomes": valid_rows("employment_outcomes", 1),
}


def live_through(folder: DataFolder, wrong: bool) -> None:
    """Three months of two sites; with wrong files of every dataset in between, or without."""
    folder.send_all(1, 2, 3)
    for dataset in ("participants", "randomisation"):
        folder.send(dataset, valid_rows(dataset, 1, 2, site=WMCA), "201811", site=WMCA)
    folder.run("2018-12-02T03:30")
    if wrong:
        folder.send("participants", WRONG["participants"], "201612")
        folder.send("referrals", WRONG["referrals"], "201612")
        folder.send("contacts", WRONG["contacts"], "201703")  # a wrong month: the right file is stale beside it
        workbook(folder, f"{BPL}_return_201701_v1.xlsx", {"employment_outcomes": WRONG["employment_outcomes"]})
        arms = [valid_row("randomisation", n, WMCA, arm="control") for n in (1, 2)]  # T02: the first arm stands
        folder.send("randomisation", [*arms, valid_row("randomisation", 3, WMCA)], "201812", site=WMCA)
    folder.run("2018-12-03T03:30")
    folder.send_all(1, 2, 3, 4, period="201612", version=2)
    folder.send("participants", valid_rows("participants", 1, 2, 3, site=WMCA), "201812", 2, WMCA)
    folder.send("randomisation", valid_rows("randomisation", 1, 2, 3, site=WMCA), "201812", 2, WMCA)
    folder.run("2018-12-04T03:30")


NAMES = (
    f"{BPL}_participants_201612_v1.csv",
    f"{BPL}_referrals_201612_v1.csv",
    f"{BPL}_contacts_201703_v1.csv",
    f"{BPL}_return_201701_v1.xlsx",
    f"{WMCA}_randomisation_201812_v1.csv",
)


@pytest.mark.soak
def test_every_figure_is_as_if_what_is_withdrawn_had_never_come(folder: DataFolder, tmp_path: Path) -> None:
    never = DataFolder(tmp_path / "never")
    (never.path / "raw").mkdir(parents=True)
    live_through(never, wrong=False)
    live_through(folder, wrong=True)
    assert folder.standings("contacts")["201612 v2"] == ("refused", "stale")
    with_it, without = figures_now(folder), figures_now(never)
    assert with_it != without
    for name in NAMES:
        assert len(take_out(folder, name, "2018-12-05T10:00")) == 1
    night = folder.run("2018-12-06T03:30")
    assert night.result == "published" and not night.must_be_fixed
    assert figures_now(folder) == without
    for dataset, site in (("participants", BPL), ("contacts", BPL), ("randomisation", WMCA)):
        assert "withdrawn" in {standing for _, standing in folder.standings(dataset, site).values()}
    assert as_of(folder, "2018-12-05T09:59", tmp_path / "before.duckdb") == with_it
    for name in NAMES:
        take_out(folder, name, "2018-12-07T10:00", undo=True)
    folder.run("2018-12-08T03:30")
    assert figures_now(folder) == with_it, "undone, all of it is back"
    assert as_of(folder, "2018-12-06T12:00", tmp_path / "then.duckdb") == without, "and it is known what was then"
    assert folder.query("select count(*), count(undone_at) from audit.withdrawals") == [(5, 5)]


def test_the_next_night_is_not_quiet_and_the_one_after_is(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_files, "STABLE_AFTER_NS", 0)
    folder.send_all(1, 2)
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), version=2)
    folder.run("2016-12-02T03:30")
    assert folder.run("2016-12-03T03:30").result == "quiet"
    [out] = take_out(folder, f"{BPL}_contacts_201611_v2.csv", "2016-12-03T10:00")
    night = folder.run("2016-12-04T03:30")
    assert night.result == "published" and folder.count("core.contacts") == 2
    name = f"{BPL}/{BPL}_contacts_201611_v2.csv"
    said = f"The data team took this file out of all figures on 3 December 2016: {WHY}."
    assert f"- `{name}` is withdrawn: {said}" in night.reported.summary
    quiet = folder.run("2016-12-05T03:30")
    assert quiet.result == "quiet" and "## Withdrawn by the data team" in quiet.reported.summary
    assert f"Contacts, November 2016, version 2: {said} No other file has come in its place." in quiet.reported.summary
    told = page(folder, f"{BPL}_contacts_201611_v2")
    assert "<h1>Withdrawn by the data team: nothing to do</h1>" in told and f"{said} There is nothing" in told.replace(
        "&#39;", "'"
    )
    assert "How to send it again" not in told and "Accepted: nothing to do" in page(folder, f"{BPL}_contacts_201611_v1")
    assert folder.query("select * from audit.withdrawals") == [(out, datetime(2016, 12, 3, 10), WHY, None)]
    take_out(folder, out, "2016-12-05T10:00", undo=True)
    back = folder.run("2016-12-06T03:30")
    assert back.result == "published" and f"`{name}` is no longer withdrawn" in back.reported.summary
    assert "Withdrawn" not in page(folder, f"{BPL}_contacts_201611_v2")
    assert folder.run("2016-12-07T03:30").result == "quiet"


@pytest.mark.soak
def test_the_same_bytes_sent_again_stay_withdrawn(folder: DataFolder) -> None:
    folder.send_all(1, 2)
    rows = valid_rows("contacts", 1, 2, 3)
    folder.send("contacts", rows, version=2)
    folder.run("2016-12-02T03:30")
    take_out(folder, f"{BPL}_contacts_201611_v2.csv", "2016-12-02T10:00")
    folder.send("contacts", rows, version=3)
    folder.send("contacts", rows, "201612")
    night = folder.run("2017-01-03T03:30")
    assert folder.count("core.contacts") == 2 and not night.must_be_fixed
    assert ", 2 withdrawn" in night.verdict
    standing = {name: s for name, (_, s) in folder.standings("contacts").items()}
    assert standing == {
        **{"201611 v1": "current", "201611 v2": "withdrawn", "201611 v3": "withdrawn", "201612 v1": "withdrawn"}
    }
    again = page(folder, f"{BPL}_contacts_201612_v1")
    assert "It is the same as a file that the data team took out of all figures on 2 December 2016" in again
    [back] = take_out(folder, f"{BPL}_contacts_201612_v1.csv", "2017-01-03T10:00", undo=True)
    assert back.startswith(f"{BPL}_contacts_201612_v1_")
    folder.run("2017-01-04T03:30")
    standing = {name: s for name, (_, s) in folder.standings("contacts").items()}
    assert standing["201612 v1"] == "current" and standing["201611 v2"] == standing["201611 v3"] == "withdrawn"
    assert folder.query("select distinct delivery_id from core.contacts") == [(back,)], "it stands for itself"


@pytest.mark.soak
def test_a_workbook_is_withdrawn_sheet_by_sheet_or_whole(folder: DataFolder) -> None:
    folder.send_all(1)
    name = f"{BPL}_return_201612_v1.xlsx"
    workbook(folder, name, {d: valid_rows(d, 1, 2) for d in ("participants", "referrals", "contacts")})
    folder.run("2017-01-03T03:30")
    assert folder.count("core.contacts") == folder.count("core.participants") == 2
    [contacts] = folder.query(
        "select delivery_id from audit.deliveries where dataset = 'contacts' and period = '201612'"
    )
    assert take_out(folder, contacts[0], "2017-01-03T10:00") == contacts
    folder.run("2017-01-04T03:30")
    assert (folder.count("core.contacts"), folder.count("core.participants")) == (1, 2)
    rest = take_out(folder, f"{BPL}/{name}", "2017-01-04T10:00")
    assert len(rest) == 2 and contacts[0] not in rest, "what is withdrawn already is not withdrawn twice"
    folder.run("2017-01-05T03:30")
    assert {folder.count(f"core.{d}") for d in ("participants", "referrals", "contacts")} == {1}
    assert len(take_out(folder, name, "2017-01-05T10:00", undo=True)) == 3


@pytest.mark.soak
def test_a_file_that_was_refused_asks_for_nothing_once_it_is_withdrawn(folder: DataFolder) -> None:
    folder.send_all(1, 2)
    folder.run("2016-12-02T03:30")
    jobs = valid_rows("employment_outcomes", 1, 2)
    bad = [{"begun" if name == "job_start_date" else name: v for name, v in row.items()} for row in jobs]
    folder.send("employment_outcomes", bad, version=2)
    assert folder.run("2016-12-03T03:30").must_be_fixed
    stem = f"{BPL}_employment_outcomes_201611_v2"
    marked = folder.paths.reports / BPL / f"{stem}_to_fix.xlsx"
    status = pilots_in_process("status", "--data", str(folder.path)).stdout
    assert "Refused and not sent again: 1" in status and "Withdrawn" not in status and marked.exists()
    take_out(folder, f"{stem}.csv", "2016-12-03T10:00")
    said = f"- {BPL} employment_outcomes November 2016 v2: The data team took this file out of all figures on"
    status = pilots_in_process("status", "--data", str(folder.path)).stdout
    assert "Withdrawn by the data team: 1" in status and f"{said} 3 December 2016: {WHY}. It counts until" in status
    night = folder.run("2016-12-04T03:30")
    assert not night.must_be_fixed and "Whose figures are old" not in night.reported.summary
    status = pilots_in_process("status", "--data", str(folder.path)).stdout
    assert "Refused and not sent again: none" in status and f"{said} 3 December 2016: {WHY}.\n" in status
    assert "nothing to do" in page(folder, stem) and not marked.exists()
    take_out(folder, f"{stem}.csv", "2016-12-04T10:00", undo=True)
    assert "- 1 file let back" in pilots_in_process("status", "--data", str(folder.path)).stdout
    folder.run("2016-12-05T03:30")
    assert "fix 1 problem and send it again" in page(folder, stem) and marked.exists()


@pytest.fixture
def known(folder: DataFolder) -> DataFolder:
    """A data folder with one delivery."""
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run("2016-12-02T03:30")
    return folder


def says(folder: DataFolder, *arguments: str, code: int = 2) -> str:
    """What `pilots withdraw` says on stderr."""
    told = pilots_in_process("withdraw", *arguments, "--data", str(folder.path))
    assert told.returncode == code, told.stderr
    return told.stderr


NAME = f"{BPL}_contacts_201611_v1.csv"
PERSONAL = [
    NHS_NUMBER, "the row of QQ123456C", "ask a.person@example.org", "home is FY1 4AB", "called on 01253 477477",
    "it was Mrs Margaret Thompson's file", "Margaret Thompson sent it", "the one born on 12/03/1980",
]  # fmt: skip


@pytest.mark.parametrize("reason", PERSONAL)
def test_a_reason_that_may_be_personal_is_refused_and_never_repeated(known: DataFolder, reason: str) -> None:
    said = says(known, NAME, "--reason", reason)
    assert said == "The reason may hold personal data, and many people will read it: say it without.\n"


@pytest.mark.parametrize(
    "reason",
    [
        "the month in the name is wrong: the dates end in March 2016",
        "West London Alliance's contacts under Blackpool's name",
        "asked for by the site on 12 December 2016 (ticket 4711)",
    ],
)
def test_a_reason_about_a_file_is_taken(known: DataFolder, reason: str) -> None:
    noted = record_withdrawal(Settings(data=known.path), NAME, reason, undo=False, moment=datetime(2016, 12, 3))
    with closing(Ledger(known.paths.ledger)) as ledger:
        assert [(w.delivery_id, w.reason) for w in ledger.withdrawals(datetime(2016, 12, 3))] == [
            (noted.deliveries[0].delivery_id, reason)
        ]


def test_what_cannot_be_meant_is_refused_as_usage(known: DataFolder) -> None:
    assert "Say why" in says(known, NAME)
    assert "Say why" in says(known, NAME, "--reason", "  ")
    assert "The reason has 201 characters" in says(known, NAME, "--reason", "a" * 201)
    assert "leave --reason away" in says(known, NAME, "--undo", "--reason", WHY)
    assert says(known, NAME, "--undo").endswith("contacts November 2016 v1 is not withdrawn.\n")
    near = says(known, f"{BPL}_contacts_201612_v1.csv", "--reason", WHY)
    assert near.startswith("There is no delivery of this name. The nearest are:\n") and f"{BPL}_contacts_201611" in near
    far = says(known, NHS_NUMBER, "--reason", WHY)
    assert far == "There is no delivery of this name.\n", "what was asked for is not repeated"
    assert "is not a valid date" in says(known, NAME, "--reason", WHY, "--date", "soon")
    assert "that is yet to come" in says(known, NAME, "--reason", WHY, "--date", "2999-01-01")
    assert "deliveries up to" in says(known, NAME, "--reason", WHY, "--date", "2016-12-01")
    with closing(Ledger(known.paths.ledger)) as ledger:
        assert ledger.withdrawals(datetime(2999, 1, 1)) == []
    done = pilots_in_process("withdraw", NAME, "--reason", WHY, "--date", "2016-12-03", "--data", str(known.path))
    assert done.returncode == 0 and done.stdout.startswith(f"Withdrawn: {BPL} contacts November 2016 v1 (")
    assert "It leaves the figures with the next run: `pilots run` does it now." in done.stdout
    assert "is withdrawn already. The data team took" in says(known, NAME, "--reason", WHY)
    early = pilots_in_process("run", "--no-prefect", "--date", "2016-12-02T12:00", "--data", str(known.path))
    assert early.returncode == 2 and "withdrawals up to 2016-12-03" in early.stderr


def test_a_name_under_which_two_files_came_is_not_enough(known: DataFolder) -> None:
    known.send("contacts", valid_rows("contacts", 1, 2, 3))
    known.run("2016-12-03T03:30")
    said = says(known, NAME, "--reason", WHY)
    assert said.startswith("More than one file came under this name.") and said.count(f"{BPL}_contacts_201611_v1_") == 2


def test_nothing_is_withdrawn_while_a_run_is_at_work_or_where_nothing_came(known: DataFolder, tmp_path: Path) -> None:
    with writer_lock(known.paths.lock):
        assert "Busy" in says(known, NAME, "--reason", WHY, code=4)
    empty = DataFolder(tmp_path / "empty")
    empty.paths.raw.mkdir(parents=True)
    assert "Nothing was received yet" in says(empty, NAME, "--reason", WHY)
    assert not empty.paths.warehouse.exists()
