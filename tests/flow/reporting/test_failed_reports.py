"""A report that cannot be written affects no other, and is written by the next run; so are those after it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from data_folder import BPL, DataFolder, valid_row, valid_rows
from soak import in_soak

from flows.reporting import site_reports
from flows.reporting.render.marked import marking

DEC, JAN, FEB = "2016-12-02T03:30", "2017-01-03T03:30", "2017-02-02T03:30"


def contact_with_bad_code(n: int) -> dict[str, str]:
    return valid_row("contacts", n, attended="9")


@pytest.mark.parametrize("broken", ["write_reports", *in_soak("make_marked_workbook", "write_marked_workbook")])
def test_a_report_that_cannot_be_written_does_not_affect_the_others(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    folder.send("participants", valid_rows("participants", 1, 2))
    folder.send("contacts", [valid_row("contacts", 1), contact_with_bad_code(2)])
    module = marking if broken == "write_marked_workbook" else site_reports
    original = getattr(module, broken)

    def breaks_on_contacts(*args: Any, **options: Any) -> Any:
        if "contacts" in str(args[0 if module is marking else 1]):
            raise KeyError("AB123456C")
        return original(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, broken, breaks_on_contacts)
        outcome = folder.run(DEC)
    assert outcome.verdict.startswith("Published: 2 files checked") and outcome.must_be_fixed
    assert len(outcome.reported.pages) == (1 if broken == "write_reports" else 2)
    [failed] = outcome.reported.not_reported
    assert failed.startswith(f"{BPL} contacts November 2016 v1: ") and "KeyError" in failed
    assert f"- {failed}. The next night tries again." in outcome.reported.summary
    assert "AB123456C" not in outcome.reported.summary
    again = folder.run(JAN)
    assert again.result == "quiet" and again.reported.not_reported == ()
    assert [i.split("-2016")[0] for i in again.reported.pages if "contacts" not in i] == []
    assert (folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1_to_fix.xlsx").exists()
    assert folder.run(FEB).reported.pages == {}


def test_reports_after_one_that_failed_are_written_again(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.send("contacts", valid_rows("contacts", 1), period="201610")
    folder.run(DEC)
    folder.send("contacts", valid_rows("contacts", 1, 2), period="201611")
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
    original = site_reports.write_reports

    def breaks_in_november(reports: Path, report: Any, *args: Any) -> Any:
        if report.period == "201611":
            raise KeyError
        return original(reports, report, *args)

    with monkeypatch.context() as patch:
        patch.setattr(site_reports, "write_reports", breaks_in_november)
        failed = folder.run(JAN)
    assert len(failed.reported.not_reported) == 1 and len(failed.reported.pages) == 1
    assert sorted(i.split("_")[2] for i in folder.run(FEB).reported.pages) == ["201611", "201612"]
    assert folder.run("2017-03-02T03:30").reported.pages == {}


@pytest.mark.soak
def test_reports_are_the_same_with_workbooks_made_in_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reports(name: str) -> dict[str, bytes]:
        folder = DataFolder(tmp_path / name)
        folder.send_all(1, 2)
        folder.send("contacts", [valid_row("contacts", 1), contact_with_bad_code(2)])
        assert folder.run(DEC).reported.not_reported == ()
        return {p.name: without_run(p) for p in (folder.paths.reports / BPL).iterdir()}

    def without_run(path: Path) -> bytes:
        data = path.read_bytes()
        return data if path.suffix == ".xlsx" else re.sub(rb'"run": \{.*?\}|[Rr]un [-\w]+', b"", data, flags=re.DOTALL)

    in_this_process = reports("one")
    monkeypatch.setattr(site_reports, "ROWS_FOR_PROCESSES", 0)
    assert reports("two") == in_this_process and any(name.endswith("_to_fix.xlsx") for name in in_this_process)


def test_a_run_that_fails_while_reporting_says_that_figures_are_published(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    for dataset in ("participants", "contacts"):
        folder.send(dataset, valid_rows(dataset, 1))
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(site_reports, "write_reports", full)
        folder.run()
    [summary] = [p.read_text(encoding="utf-8") for p in (folder.paths.reports / "nights").glob("*.md")]
    assert summary.startswith("Published, but not all was reported: No space left on device.")
    assert folder.count("core.contacts") == 1
    assert len(folder.run().reported.pages) == 2
