"""A wrong month in a file's name, over several runs: the file is held up, and the right file counts (rule F26).

What a single file shows is tested in `tests/spec/deliveries/test_wrong_month.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from data_folder import BPL, DataFolder, Row, valid_row, warehouse_content
from file_validator import as_table, workbook
from soak import in_soak

from flows.orchestration.run import RunResult
from schemas._contract.catalogue import datasets

DATASETS = ("participants", "referrals", "contacts", "employment_outcomes")
MONTHS = ("201601", "201602", "201603", "201604")
MARCH, APRIL, MAY, JUNE = "2016-03-05", "2017-04-05", "2017-04-06", "2017-04-07"


def rows_of_month(n: int, month: str) -> dict[str, Row]:
    """One row of each dataset for a person referred in a month."""
    days = {name: f"{month[:4]}-{month[4:]}-{day:02}" for name, day in (("came", 4), ("met", 14), ("worked", 24))}
    dates = {
        "participants": {"consent_date": days["came"]},
        "referrals": {
            "referral_received_date": days["came"],
            "eligibility_date": days["came"],
            "programme_start_date": days["met"],
        },
        "contacts": {"contact_date": days["met"]},
        "employment_outcomes": {"job_start_date": days["worked"]},
    }
    return {dataset: valid_row(dataset, n, **changes) for dataset, changes in dates.items()}


def extract(to: str, each: int = 4) -> dict[str, list[Row]]:
    """A cumulative extract up to a month, with `each` people referred in every month."""
    months = [m for m in MONTHS if m <= to]
    people = [rows_of_month(each * i + k, month) for i, month in enumerate(months) for k in range(1, each + 1)]
    return {dataset: [person[dataset] for person in people] for dataset in DATASETS}


def send(folder: DataFolder, file_format: str, period: str, rows: dict[str, list[Row]], version: int = 1) -> list[Path]:
    """Send a month's files as CSV or XLSX, or as one workbook, under the name of a month."""
    if file_format == "csv":
        return [folder.send(dataset, part, period, version) for dataset, part in rows.items()]
    raw = folder.paths.raw / BPL
    raw.mkdir(parents=True, exist_ok=True)
    if file_format == "return":
        sheets = {datasets()[dataset].title: as_table(part) for dataset, part in rows.items()}
        books = {f"{BPL}_return_{period}_v{version}.xlsx": sheets}
    else:
        books = {
            f"{BPL}_{dataset}_{period}_v{version}.xlsx": {"Data": as_table(part)} for dataset, part in rows.items()
        }
    for name, content in books.items():
        (raw / name).write_bytes(workbook(content))
    return [raw / name for name in books]


def core(result: RunResult) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of core, including which delivery each came from."""
    return {table: rows for table, rows in warehouse_content(result.warehouse).items() if table.startswith("core.")}


def standings_of(folder: DataFolder, period: str) -> set[str]:
    """Distinct standings of the files of a month, over all datasets."""
    return {s for (s,) in folder.query("select distinct standing from audit.deliveries where period = ?", period)}


@pytest.mark.parametrize(("file_format", "wrong"), [("csv", "201703"), *in_soak(("return", "201604"))])
def test_a_wrong_month_is_held_up_and_the_right_file_counts(tmp_path: Path, file_format: str, wrong: str) -> None:
    folder = DataFolder(tmp_path / "with")
    send(folder, file_format, "201602", extract("201602"))
    before = core(folder.run(MARCH))
    without = folder.copied_to(tmp_path / "without")

    send(folder, file_format, wrong, extract("201603"))
    result = folder.run(APRIL)
    assert standings_of(folder, wrong) == {"held_up"} and standings_of(folder, "201602") == {"current"}
    assert core(result) == before
    assert result.must_be_fixed and {j.delivery.period for j in result.stopped} == {wrong}
    summary = result.reported.summary
    assert "4 files held up: the figures of Blackpool are older than what was sent" in summary.splitlines()[0]
    assert "The month in the name may be wrong: this file is held up, and replaces nothing (F26)" in summary
    assert "figures to 29 February 2016 stay current" in summary

    send(folder, file_format, "201603", extract("201603"))
    send(without, file_format, "201603", extract("201603"))
    assert core(folder.run(MAY)) == core(without.run(MAY))
    assert standings_of(folder, "201603") == {"current"} and standings_of(folder, wrong) == {"held_up"}
    assert folder.query("select count(*) from audit.deliveries where period = ? and replaced_by is null", wrong) == [
        (0,)
    ]
    no_op = folder.run(JUNE)
    assert "held up" not in no_op.reported.summary.splitlines()[0]
    assert no_op.result == "quiet" and not no_op.must_be_fixed


@pytest.mark.soak
@pytest.mark.parametrize("file_format", ["csv", "return"])
def test_a_renamed_file_counts(folder: DataFolder, file_format: str) -> None:
    sent = DATASETS if file_format == "return" else ("contacts",)
    february, march = ({d: extract(month)[d] for d in sent} for month in ("201602", "201603"))
    send(folder, file_format, "201602", february)
    folder.run(MARCH)
    wrong = send(folder, file_format, "201703", march)
    folder.run(APRIL)
    for path in wrong:
        path.rename(path.with_name(path.name.replace("201703", "201603")))
    result = folder.run(MAY)
    assert standings_of(folder, "201603") == {"current"} and folder.count("core.contacts") == 12
    assert not result.must_be_fixed and "Whose figures are old" not in result.reported.summary


@pytest.mark.soak
def test_the_page_of_a_wrong_month_says_why_and_later_that_it_was_replaced(folder: DataFolder) -> None:
    folder.send("contacts", extract("201602")["contacts"], "201602")
    folder.run(MARCH)
    folder.send("contacts", extract("201603")["contacts"], "201703")
    [page] = (p.read_text(encoding="utf-8") for p in folder.run(APRIL).reported.pages.values())
    assert "This file is held up: check the month in its name" in page
    first = page.partition('<h3 id="fix-1"')[2].partition("</section>")[0]
    assert "the dates end in March 2016; no file for March 2016 to February 2017" in first
    assert "in place of 201703" in page and "_v2" not in page and "to_fix" not in page
    folder.send("contacts", extract("201603")["contacts"], "201603")
    pages = [p.read_text(encoding="utf-8") for p in folder.run(MAY).reported.pages.values()]
    assert sum("Accepted: nothing to do" in p for p in pages) == 1
    [replaced] = (folder.paths.reports / BPL).glob("*201703*.html")
    assert f"Replaced by {BPL}_contacts_201603_v1.csv: nothing to do" in replaced.read_text(encoding="utf-8")


@pytest.mark.soak
def test_a_refused_file_renamed_to_its_right_month_counts(folder: DataFolder) -> None:
    """Bytes refused for their dates under one month are not an identical resubmission under another."""
    path = folder.send("contacts", extract("201604")["contacts"], "201410")
    refused = folder.run(APRIL)
    assert folder.findings("contacts") == [("F19", "file", "broken", None)] and refused.must_be_fixed
    path.rename(path.with_name(path.name.replace("201410", "201604")))
    folder.run(MAY)
    assert folder.standings("contacts")["201604 v1"] == ("accepted", "current")


@pytest.mark.soak
def test_a_stale_file_page_names_the_accepted_file_of_a_wrong_month(
    folder: DataFolder,
) -> None:
    folder.send("contacts", extract("201603")["contacts"], "201703")
    folder.run(APRIL)
    folder.send("contacts", extract("201603")["contacts"][:11], "201603")
    [page] = (p.read_text(encoding="utf-8") for p in folder.run(MAY).reported.pages.values())
    assert folder.standings("contacts")["201603 v1"] == ("refused", "stale")
    assert "This file is older than one that was accepted" in page
    assert f"{BPL}_contacts_201703_v1.csv was accepted, to 31 March 2017" in page
    assert "tell the data team. They can withdraw it" in page
    assert "_v2" not in page


@pytest.mark.soak
def test_an_extract_without_new_dates_is_reported_once(folder: DataFolder) -> None:
    """A service that has closed goes on sending cumulative extracts without new dates."""
    rows = extract("201604", each=12)["contacts"]
    reported = {}
    for month, moment in (("201606", "2016-07-05"), ("201607", "2016-08-05"), ("201608", "2016-09-05")):
        folder.send("contacts", [*rows, valid_row("contacts", int(month), contact_date="2015-12-01")], month)
        folder.run(moment)
        reported = dict(
            folder.query(
                "select period, count(*) from audit.findings join audit.deliveries using (delivery_id)"
                " where rule_id = 'F19' group by 1"
            )
        )
    assert reported == {"201606": 1}
    assert folder.standings("contacts")["201608 v1"] == ("accepted", "current")


def test_a_month_that_had_not_begun_stays_refused_when_re_validated(folder: DataFolder) -> None:
    folder.send("contacts", extract("201603")["contacts"], "201703")
    assert folder.run(MARCH).must_be_fixed
    assert folder.findings("contacts") == [("F25", "file", "broken", None)]
    assert not folder.run("2018-01-01").must_be_fixed, "it was refused again, or counts because its month has begun"
    assert folder.standings("contacts") == {"201703 v1": ("refused", "refused")}
    assert "Personal data to delete" not in folder.run("2018-01-02").reported.summary
