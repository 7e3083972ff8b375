"""What is taken in of what lies under data/raw, what it says of a site, and how the rest is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from data_folder import DataFolder, valid_row, valid_rows

pytestmark = pytest.mark.without_marts

MISSPELT = (
    '{"extract-type": "period"}',
    '{"Extract_Type": "period"}',
    '{"rows": 1, "row_count": 1}',
    '{"SHA256": "0"}',
)


@pytest.mark.parametrize("manifest", MISSPELT)
def test_what_a_manifest_states_under_another_name_is_not_passed_over(folder: DataFolder, manifest: str) -> None:
    """An extract of one month that is taken for one of everything would take the place of all the months before."""
    path = folder.send("contacts", valid_rows("contacts", 1))
    path.with_name(f"{path.stem}.manifest.json").write_text(manifest)
    (told,) = folder.run().unusable
    assert told.rule_id == "F16" and "it may state rows, sha256, gbp_total, deletes, nil_return" in told.reason
    assert "row_count" not in told.reason and folder.count("core.contacts") == 0


def test_a_name_of_our_own_words_is_told_and_our_marked_workbook_told_apart(folder: DataFolder) -> None:
    home = folder.send("contacts", valid_rows("contacts", 1)).parent
    for name in ("MHT-BPL_contacts_201611_v9_to_fix.xlsx", "MHT-BPL_contacts_2016-13_v1.csv"):
        (home / name).write_text("x")
    misspelt, marked = sorted((u.path, u.reason) for u in folder.run().unusable)
    assert misspelt == (
        "MHT-BPL/MHT-BPL_contacts_2016-13_v1.csv",
        "its name is not `<site>_<dataset>_<yyyymm>_v<n>.<ext>`",
    )
    assert marked[0] == "MHT-BPL/MHT-BPL_contacts_201611_v9_to_fix.xlsx"
    assert marked[1] == (
        "it is our marked workbook, under the name that we gave it: save it as MHT-BPL_contacts_201611_v10.xlsx, or a"
        " later version"
    )


def test_a_folder_that_may_not_be_looked_into_stops_no_other(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions do not bind who runs the tests, who may be root: the two calls that look into a folder fail here."""
    folder.send("contacts", valid_rows("contacts", 1))
    closed = folder.paths.raw / "Jane Smith 9434765919"
    closed.mkdir()

    def forbidden(look: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def looked(path: Path) -> Any:
            if Path(path) == closed:
                raise PermissionError(13, "Permission denied", str(path))
            return look(path)

        return looked

    monkeypatch.setattr(Path, "iterdir", forbidden(Path.iterdir))
    monkeypatch.setattr("os.scandir", forbidden(os.scandir))
    result = folder.run()
    (told,) = result.unusable
    assert (told.path, told.rule_id) == ("(a folder whose name may hold personal data)", "U01")
    assert folder.count("core.contacts") == 1 and "Jane" not in result.reported.summary
    again = folder.run()  # now that something was received, a night looks whether anything lies there at all
    assert told.path in again.reported.summary and "Jane" not in again.reported.summary


def test_a_file_whose_every_row_is_held_says_nothing(folder: DataFolder) -> None:
    """It is no statement that nothing happened, as a nil return is: no figure may go by it."""
    folder.send("contacts", [valid_row("contacts", 1, contact_date="2016-11-31")])
    folder.send("referrals", [], manifest={"nil_return": "Y", "rows": 0})
    folder.run()
    assert folder.standings("contacts") == {"201611 v1": ("accepted_with_held_rows", "empty")}
    assert folder.standings("referrals") == {"201611 v1": ("accepted", "current")}
