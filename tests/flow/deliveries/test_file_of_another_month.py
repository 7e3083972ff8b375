"""Last month's file under this month's name is named as that: by night, and by check where both lie together."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import pilots_in_process
from data_folder import BPL, DataFolder, valid_row, valid_rows


def test_by_night(folder: DataFolder) -> None:
    """The same bytes change nothing; the same rows in another format count. Either is one warning with the month."""
    for dataset in ("contacts", "referrals", "participants"):
        folder.send(dataset, valid_rows(dataset, *range(1, 41)), period="201610")
    folder.send("contacts", valid_rows("contacts", *range(1, 41)), period="201611")
    folder.send("referrals", valid_rows("referrals", *range(40, 0, -1)), period="201611", suffix="xlsx")
    folder.send("participants", valid_rows("participants", *range(1, 42)), period="201611")
    result = folder.run("2016-12-02")
    found = {
        dataset: f"the file of October 2016: {BPL}_{dataset}_201610_v1.csv" for dataset in ("contacts", "referrals")
    }
    sql = "select dataset, found from audit.findings join audit.deliveries using (delivery_id) where rule_id = 'F54'"
    assert dict(folder.query(sql)) == found
    assert folder.standings("contacts")["201611 v1"] == ("accepted", "same")
    assert folder.standings("referrals")["201611 v1"] == ("accepted", "current")
    sql = "select rule_id from audit.findings join audit.deliveries using (delivery_id) where period = '201611'"
    assert set(folder.query(f"{sql} and dataset <> 'participants'")) == {("F54",)}
    page = folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html"
    assert "This is the file of an earlier month under a new name" in page.read_text(encoding="utf-8")
    assert "is identical to the file of an earlier month (F54)" in result.reported.summary


@pytest.mark.parametrize(("dataset", "suffix"), [("contacts", "csv"), ("participants", "xlsx")])
def test_by_check(folder: DataFolder, tmp_path: Path, dataset: str, suffix: str) -> None:
    earlier = folder.send(dataset, valid_rows(dataset, *range(1, 41)), period="201610", suffix=suffix)
    path = earlier.with_name(earlier.name.replace("201610", "201612"))
    path.write_bytes(earlier.read_bytes())
    lines = pilots_in_process("check", str(path)).stdout.splitlines()
    at = lines.index("Worth checking (would load)")
    assert lines[at + 1] == "- This is the file of an earlier month under a new name (check F54)"
    assert f"the file of October 2016: {earlier.name}" in lines[at + 3]
    assert not any("F19" in line for line in lines)
    folder.send(dataset, [*valid_rows(dataset, *range(1, 40)), valid_row(dataset, 99)], period="201612", suffix=suffix)
    assert "F54" not in pilots_in_process("check", str(path)).stdout
