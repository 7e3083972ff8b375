"""Three months of returns: each report compares itself with the last one, and unchanged pages are not rewritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from data_folder import BPL, DataFolder, valid_row, valid_rows

CHAT = {"contact_medium": "chat"}


def report_on(folder: DataFolder, period: str, version: int = 1) -> dict[str, Any]:
    path = folder.paths.reports / BPL / f"{BPL}_contacts_{period}_v{version}.report.json"
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def send_contacts(folder: DataFolder, period: str, *wrong: int, orphans: int = 0, version: int = 1) -> None:
    """Send twenty contacts, those of `wrong` with an unlisted code, and `orphans` more without a referral."""
    rows = [valid_row("contacts", n, **(CHAT if n in wrong else {})) for n in range(1, 21)]
    rows += valid_rows("contacts", *range(31, 31 + orphans))
    folder.send("contacts", rows, period, version)


def page_times(folder: DataFolder) -> dict[Path, int]:
    return {p: p.stat().st_mtime_ns for p in folder.paths.reports.rglob("*.html")}


@pytest.mark.soak
def test_reports_compare_with_earlier_months(folder: DataFolder) -> None:
    folder.send_all(*range(1, 21), period="201609")
    send_contacts(folder, "201609", 1, 2, orphans=2)
    folder.run("2016-10-05T03:30")
    assert report_on(folder, "201609")["rows"]["held"] == 4
    assert report_on(folder, "201609")["previous"] is None

    send_contacts(folder, "201610", 2, orphans=2)
    folder.run("2016-11-05T03:30")
    october = report_on(folder, "201610")
    previous = october["previous"]
    assert (previous["fixed"], previous["remaining"], previous["new"]) == (1, 3, 0), "orphans are compared too"
    assert {(r["rule_id"], r["since"]) for r in october["rules"]} == {("V02", "201609"), ("P12", "201609")}

    send_contacts(folder, "201611", 2, orphans=0)
    folder.run("2016-12-05T03:30")
    november = report_on(folder, "201611")
    assert [(m["period"], m["held"]) for m in november["months"]] == [("201609", 4), ("201610", 3), ("201611", 1)]
    assert [i["rule_id"] for i in november["in_all_months"]] == ["V02"]
    assert [i["rule_id"] for i in november["previous"]["fixed_rules"]] == ["P12"]

    send_contacts(folder, "201611", version=2)
    folder.run("2016-12-06T03:30")
    fixed = report_on(folder, "201611", version=2)
    assert fixed["previous"] | {"fixed": 1, "remaining": 0, "new": 0} == fixed["previous"]
    assert [(m["period"], m["version"], m["held"]) for m in fixed["months"]][-1] == ("201611", 2, 0)

    written = page_times(folder)
    folder.run("2016-12-07T03:30")
    folder.send("participants", valid_rows("participants", *range(1, 22)), "201611")
    folder.run("2016-12-08T03:30")
    changed = {p.name for p, at in page_times(folder).items() if written.get(p) != at}
    assert changed == {"index.html", f"{BPL}_participants_201611_v1.html"}
