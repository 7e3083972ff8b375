"""After a withdrawal every figure is as if the delivery had never come, until it is undone."""

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

REASON = "sent under another site's name"
Content = dict[str, list[tuple[Any, ...]]]


def withdraw_in(folder: DataFolder, which: str, at: str, undo: bool = False) -> tuple[str, ...]:
    """Withdraw a delivery or undo that; return the ids of the deliveries concerned."""
    withdrawal = record_withdrawal(
        Settings(data=folder.path), which, "" if undo else REASON, undo=undo, moment=datetime.fromisoformat(at)
    )
    return tuple(d.delivery_id for d in withdrawal.deliveries)


def figures(warehouse: Path) -> Content:
    """Rows of every table except those about deliveries themselves."""
    content = warehouse_content(warehouse)
    return {t: rows for t, rows in content.items() if not t.startswith(("audit.", "quality."))}


def figures_now(folder: DataFolder) -> Content:
    return figures(folder.paths.current_link.resolve())


def as_of(folder: DataFolder, moment: str, to: Path) -> Content:
    export_as_of(Settings(data=folder.path, threads=1), datetime.fromisoformat(moment), to)
    return figures(to)


def send_workbook(folder: DataFolder, name: str, sheets: dict[str, list[Row]], site: str = BPL) -> None:
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
    "contacts": [valid_row("contacts", n, contact_date="2017-03-01") for n in (1, 8, 9)],  # two without a referral
    "employment_outcomes": valid_rows("employment_outcomes", 1),
}


def run_first_month(folder: DataFolder) -> None:
    """Run the first month's returns of two sites."""
    folder.send_all(1, 2, 3)
    for dataset in ("participants", "randomisation"):
        folder.send(dataset, valid_rows(dataset, 1, 2, site=WMCA), "201811", site=WMCA)
    folder.run("2018-12-02T03:30")


def run_two_more_months(folder: DataFolder, wrong: bool) -> None:
    """Run the returns of two more months, with or without wrong files of every dataset before them."""
    if wrong:
        folder.send("participants", WRONG["participants"], "201612")
        folder.send("referrals", WRONG["referrals"], "201612")
        folder.send("contacts", WRONG["contacts"], "201703")  # a wrong month, which makes the right file stale
        send_workbook(folder, f"{BPL}_return_201701_v1.xlsx", {"employment_outcomes": WRONG["employment_outcomes"]})
        arms = [valid_row("randomisation", n, WMCA, arm="control") for n in (1, 2)]  # T02 compares with the first arm
        folder.send("randomisation", [*arms, valid_row("randomisation", 3, WMCA)], "201812", site=WMCA)
    folder.run("2018-12-03T03:30")
    folder.send_all(1, 2, 3, 4, period="201612", version=2)
    folder.send("participants", valid_rows("participants", 1, 2, 3, site=WMCA), "201812", 2, WMCA)
    folder.send("randomisation", valid_rows("randomisation", 1, 2, 3, site=WMCA), "201812", 2, WMCA)
    folder.run("2018-12-04T03:30")


WRONG_FILES = (
    f"{BPL}_participants_201612_v1.csv",
    f"{BPL}_referrals_201612_v1.csv",
    f"{BPL}_contacts_201703_v1.csv",
    f"{BPL}_return_201701_v1.xlsx",
    f"{WMCA}_randomisation_201812_v1.csv",
)


@pytest.mark.with_marts
@pytest.mark.soak
def test_figures_without_withdrawn_deliveries_equal_figures_that_never_had_them(
    folder: DataFolder, tmp_path: Path
) -> None:
    run_first_month(folder)
    clean = folder.copied_to(tmp_path / "never")
    run_two_more_months(clean, wrong=False)
    run_two_more_months(folder, wrong=True)
    assert folder.standings("contacts")["201612 v2"] == ("refused", "stale")
    with_it, without = figures_now(folder), figures_now(clean)
    assert with_it != without
    for name in WRONG_FILES:
        assert len(withdraw_in(folder, name, "2018-12-05T10:00")) == 1
    result = folder.run("2018-12-06T03:30")
    assert result.result == "published" and not result.must_be_fixed
    assert figures_now(folder) == without
    for dataset, site in (("participants", BPL), ("contacts", BPL), ("randomisation", WMCA)):
        assert "withdrawn" in {standing for _, standing in folder.standings(dataset, site).values()}
    assert as_of(folder, "2018-12-05T09:59", tmp_path / "before.duckdb") == with_it
    for name in WRONG_FILES:
        withdraw_in(folder, name, "2018-12-07T10:00", undo=True)
    folder.run("2018-12-08T03:30")
    assert figures_now(folder) == with_it, "undo restores every figure"
    assert as_of(folder, "2018-12-06T12:00", tmp_path / "then.duckdb") == without, (
        "a past date still shows the withdrawal"
    )
    assert folder.query("select count(*), count(undone_at) from audit.withdrawals") == [(5, 5)]


def test_the_run_after_a_withdrawal_is_a_full_run_and_reports_it(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_files, "STABLE_AFTER_NS", 0)
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), version=2)
    folder.run("2016-12-02T03:30")
    assert folder.run("2016-12-03T03:30").result == "quiet"
    [withdrawn] = withdraw_in(folder, f"{BPL}_contacts_201611_v2.csv", "2016-12-03T10:00")
    result = folder.run("2016-12-04T03:30")
    assert result.result == "published" and folder.count("core.contacts") == 2
    name = f"{BPL}/{BPL}_contacts_201611_v2.csv"
    sentence = f"The data team took this file out of all figures on 3 December 2016: {REASON}."
    assert f"- `{name}` is withdrawn: {sentence}" in result.reported.summary
    no_op = folder.run("2016-12-05T03:30")
    assert no_op.result == "quiet" and "## Withdrawn by the data team" in no_op.reported.summary
    assert (
        f"Contacts, November 2016, version 2: {sentence} No other file has come in its place." in no_op.reported.summary
    )
    html = page(folder, f"{BPL}_contacts_201611_v2")
    assert (
        "<h1>Withdrawn by the data team: nothing to do</h1>" in html
        and f"{sentence} There is nothing" in html.replace("&#39;", "'")
    )
    assert "How to send it again" not in html and "Accepted: nothing to do" in page(folder, f"{BPL}_contacts_201611_v1")
    assert folder.query("select * from audit.withdrawals") == [(withdrawn, datetime(2016, 12, 3, 10), REASON, None)]
    withdraw_in(folder, withdrawn, "2016-12-05T10:00", undo=True)
    undone = folder.run("2016-12-06T03:30")
    assert undone.result == "published" and f"`{name}` is no longer withdrawn" in undone.reported.summary
    assert "Withdrawn" not in page(folder, f"{BPL}_contacts_201611_v2")
    assert folder.run("2016-12-07T03:30").result == "quiet"


@pytest.mark.soak
def test_an_identical_resubmission_of_a_withdrawn_file_is_withdrawn(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1, 2))
    rows = valid_rows("contacts", 1, 2, 3)
    folder.send("contacts", rows, version=2)
    folder.run("2016-12-02T03:30")
    withdraw_in(folder, f"{BPL}_contacts_201611_v2.csv", "2016-12-02T10:00")
    folder.send("contacts", rows, version=3)
    folder.send("contacts", rows, "201612")
    result = folder.run("2017-01-03T03:30")
    assert folder.count("core.contacts") == 2 and not result.must_be_fixed
    assert ", 2 withdrawn" in result.verdict
    standing = {name: s for name, (_, s) in folder.standings("contacts").items()}
    assert standing == {
        **{"201611 v1": "current", "201611 v2": "withdrawn", "201611 v3": "withdrawn", "201612 v1": "withdrawn"}
    }
    html = page(folder, f"{BPL}_contacts_201612_v1")
    assert "It is the same as a file that the data team took out of all figures on 2 December 2016" in html
    [back] = withdraw_in(folder, f"{BPL}_contacts_201612_v1.csv", "2017-01-03T10:00", undo=True)
    assert back.startswith(f"{BPL}_contacts_201612_v1_")
    folder.run("2017-01-04T03:30")
    standing = {name: s for name, (_, s) in folder.standings("contacts").items()}
    assert standing["201612 v1"] == "current" and standing["201611 v2"] == standing["201611 v3"] == "withdrawn"
    assert folder.query("select distinct delivery_id from core.contacts") == [(back,)], "it counts under its own id"


@pytest.mark.soak
def test_a_workbook_is_withdrawn_sheet_by_sheet_or_whole(folder: DataFolder) -> None:
    for dataset in ("participants", "referrals", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1))
    name = f"{BPL}_return_201612_v1.xlsx"
    send_workbook(folder, name, {d: valid_rows(d, 1, 2) for d in ("participants", "referrals", "contacts")})
    folder.run("2017-01-03T03:30")
    assert folder.count("core.contacts") == folder.count("core.participants") == 2
    [contacts] = folder.query(
        "select delivery_id from audit.deliveries where dataset = 'contacts' and period = '201612'"
    )
    assert withdraw_in(folder, contacts[0], "2017-01-03T10:00") == contacts
    folder.run("2017-01-04T03:30")
    assert (folder.count("core.contacts"), folder.count("core.participants")) == (1, 2)
    rest = withdraw_in(folder, f"{BPL}/{name}", "2017-01-04T10:00")
    assert len(rest) == 2 and contacts[0] not in rest, "a withdrawn delivery is not withdrawn twice"
    folder.run("2017-01-05T03:30")
    assert {folder.count(f"core.{d}") for d in ("participants", "referrals", "contacts")} == {1}
    assert len(withdraw_in(folder, name, "2017-01-05T10:00", undo=True)) == 3


@pytest.mark.soak
def test_a_refused_file_has_nothing_to_fix_once_withdrawn(folder: DataFolder) -> None:
    folder.send("employment_outcomes", valid_rows("employment_outcomes", 1, 2))
    folder.run("2016-12-02T03:30")
    jobs = valid_rows("employment_outcomes", 1, 2)
    refused = [{name: v for name, v in row.items() if name != "job_start_date"} for row in jobs]
    folder.send("employment_outcomes", refused, version=2)
    assert folder.run("2016-12-03T03:30").must_be_fixed
    stem = f"{BPL}_employment_outcomes_201611_v2"
    marked = folder.paths.reports / BPL / f"{stem}_to_fix.xlsx"
    status = pilots_in_process("status", "--data", str(folder.path)).stdout
    assert "Refused and not sent again: 1" in status and "Withdrawn" not in status and marked.exists()
    withdraw_in(folder, f"{stem}.csv", "2016-12-03T10:00")
    entry = f"- {BPL} employment_outcomes November 2016 v2: The data team took this file out of all figures on"
    status = pilots_in_process("status", "--data", str(folder.path)).stdout
    assert "Withdrawn by the data team: 1" in status and f"{entry} 3 December 2016: {REASON}. It counts until" in status
    result = folder.run("2016-12-04T03:30")
    assert not result.must_be_fixed and "Whose figures are old" not in result.reported.summary
    status = pilots_in_process("status", "--data", str(folder.path)).stdout
    assert "Refused and not sent again: none" in status and f"{entry} 3 December 2016: {REASON}.\n" in status
    assert "nothing to do" in page(folder, stem) and not marked.exists()
    withdraw_in(folder, f"{stem}.csv", "2016-12-04T10:00", undo=True)
    assert "- 1 file let back" in pilots_in_process("status", "--data", str(folder.path)).stdout
    folder.run("2016-12-05T03:30")
    assert "fix 1 problem and send it again" in page(folder, stem) and marked.exists()


@pytest.fixture(scope="module")
def after_a_run(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder with one delivery and a build."""
    folder = DataFolder(tmp_path_factory.mktemp("built") / "data")
    folder.send("contacts", valid_rows("contacts", 1, 2))
    folder.run("2016-12-02T03:30")
    return folder


@pytest.fixture
def built(after_a_run: DataFolder, tmp_path: Path) -> DataFolder:
    """A copy of `after_a_run` for one test."""
    return after_a_run.copied_to(tmp_path / "built")


def withdraw_fails(folder: DataFolder, *arguments: str, code: int = 2) -> str:
    """Stderr of `pilots withdraw`, which ends with `code`."""
    ran = pilots_in_process("withdraw", *arguments, "--data", str(folder.path))
    assert ran.returncode == code, ran.stderr
    return ran.stderr


NAME = f"{BPL}_contacts_201611_v1.csv"
PERSONAL = [
    NHS_NUMBER, "the row of QQ123456C", "ask a.person@example.org", "home is FY1 4AB", "called on 01253 477477",
    "it was Mrs Margaret Thompson's file", "Margaret Thompson sent it", "the one born on 12/03/1980",
    "asked for by M Thompson", "Margaret asked for it",
]  # fmt: skip


@pytest.mark.parametrize("reason", PERSONAL)
def test_a_reason_that_may_be_personal_is_refused_and_not_repeated(built: DataFolder, reason: str) -> None:
    stderr = withdraw_fails(built, NAME, "--reason", reason)
    assert stderr == "The reason may hold personal data, and many people will read it: say it without.\n"


@pytest.mark.parametrize(
    "reason",
    [
        "the month in the name is wrong: the dates end in March 2016",
        "West London Alliance's contacts under Blackpool's name",
        "asked for by the site on 12 December 2016 (ticket 4711)",
    ],
)
def test_a_reason_about_a_file_is_accepted(built: DataFolder, reason: str) -> None:
    withdrawal = record_withdrawal(Settings(data=built.path), NAME, reason, undo=False, moment=datetime(2016, 12, 3))
    with closing(Ledger(built.paths.ledger)) as ledger:
        assert [(w.delivery_id, w.reason) for w in ledger.withdrawals(datetime(2016, 12, 3))] == [
            (withdrawal.deliveries[0].delivery_id, reason)
        ]


def test_invalid_withdrawals_are_usage_errors(built: DataFolder) -> None:
    assert "Say why" in withdraw_fails(built, NAME)
    assert "Say why" in withdraw_fails(built, NAME, "--reason", "  ")
    assert "The reason has 201 characters" in withdraw_fails(built, NAME, "--reason", "a" * 201)
    assert "leave --reason away" in withdraw_fails(built, NAME, "--undo", "--reason", REASON)
    assert withdraw_fails(built, NAME, "--undo").endswith("contacts November 2016 v1 is not withdrawn.\n")
    similar = withdraw_fails(built, f"{BPL}_contacts_201612_v1.csv", "--reason", REASON)
    assert (
        similar.startswith("There is no delivery of this name. The nearest are:\n")
        and f"{BPL}_contacts_201611" in similar
    )
    unknown = withdraw_fails(built, NHS_NUMBER, "--reason", REASON)
    assert unknown == "There is no delivery of this name.\n", "the unknown name is not repeated"
    assert "is not a valid date" in withdraw_fails(built, NAME, "--reason", REASON, "--date", "soon")
    assert "that is yet to come" in withdraw_fails(built, NAME, "--reason", REASON, "--date", "2999-01-01")
    assert "deliveries up to" in withdraw_fails(built, NAME, "--reason", REASON, "--date", "2016-12-01")
    with closing(Ledger(built.paths.ledger)) as ledger:
        assert ledger.withdrawals(datetime(2999, 1, 1)) == []
    withdrawn = pilots_in_process(
        "withdraw", NAME, "--reason", REASON, "--date", "2016-12-03", "--data", str(built.path)
    )
    assert withdrawn.returncode == 0 and withdrawn.stdout.startswith(f"Withdrawn: {BPL} contacts November 2016 v1 (")
    assert "It leaves the figures with the next run: `pilots run` does it now." in withdrawn.stdout
    assert "is withdrawn already. The data team took" in withdraw_fails(built, NAME, "--reason", REASON)
    early = pilots_in_process("run", "--no-prefect", "--date", "2016-12-02T12:00", "--data", str(built.path))
    assert early.returncode == 2 and "withdrawals up to 2016-12-03" in early.stderr


def test_a_file_name_received_twice_is_ambiguous(built: DataFolder) -> None:
    built.send("contacts", valid_rows("contacts", 1, 2, 3))
    built.run("2016-12-03T03:30")
    stderr = withdraw_fails(built, NAME, "--reason", REASON)
    assert (
        stderr.startswith("More than one file came under this name.")
        and stderr.count(f"{BPL}_contacts_201611_v1_") == 2
    )


def test_nothing_is_withdrawn_during_a_run_or_before_any_delivery(built: DataFolder, tmp_path: Path) -> None:
    with writer_lock(built.paths.lock):
        assert "Busy" in withdraw_fails(built, NAME, "--reason", REASON, code=4)
    empty = DataFolder(tmp_path / "empty")
    empty.paths.raw.mkdir(parents=True)
    assert "Nothing was received yet" in withdraw_fails(empty, NAME, "--reason", REASON)
    assert not empty.paths.warehouse.exists()
