"""Which files under data/raw are received, and how the others are reported."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from data_folder import DataFolder, valid_row, valid_rows

from flows.steps.receive import UnusableFile

MISSPELT_MANIFESTS = (
    '{"extract-type": "period"}',
    '{"Extract_Type": "period"}',
    '{"rows": 1, "row_count": 1}',
    '{"SHA256": "0"}',
)


@pytest.fixture(scope="module")
def after_misspelt_manifests(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, dict[str, UnusableFile]]:
    """A run of one file for each misspelt manifest, and what it could not use, by file name."""
    folder = DataFolder(tmp_path_factory.mktemp("misspelt") / "data")
    for version, manifest in enumerate(MISSPELT_MANIFESTS):
        path = folder.send("contacts", valid_rows("contacts", 1), version=version + 1)
        path.with_name(f"{path.stem}.manifest.json").write_text(manifest)
    return folder, {Path(unusable.path).name: unusable for unusable in folder.run().unusable}


@pytest.mark.parametrize("version", range(1, len(MISSPELT_MANIFESTS) + 1))
def test_a_manifest_with_an_unknown_key_keeps_its_file_out(
    after_misspelt_manifests: tuple[DataFolder, dict[str, UnusableFile]], version: int
) -> None:
    """A period extract taken for a cumulative one would supersede all earlier months."""
    folder, by_name = after_misspelt_manifests
    unusable = by_name[f"MHT-BPL_contacts_201611_v{version}.csv"]
    assert unusable.rule_id == "F16" and "it may state rows, sha256, gbp_total, deletes, nil_return" in unusable.reason
    assert "row_count" not in unusable.reason and folder.count("core.contacts") == 0


def test_a_marked_workbook_sent_back_under_its_own_name_is_listed_as_such(folder: DataFolder) -> None:
    site_folder = folder.send("contacts", valid_rows("contacts", 1)).parent
    for name in ("MHT-BPL_contacts_201611_v9_to_fix.xlsx", "MHT-BPL_contacts_2016-13_v1.csv"):
        (site_folder / name).write_text("x")
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


def test_a_folder_without_read_permission_does_not_stop_the_others(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests may run as root, whom permissions do not bind, so the two calls that list a folder are made to fail."""
    folder.send("contacts", valid_rows("contacts", 1))
    closed = folder.paths.raw / "Jane Smith 9434765919"
    closed.mkdir()

    def forbidden(method: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def method_or_error(path: Path) -> Any:
            if Path(path) == closed:
                raise PermissionError(13, "Permission denied", str(path))
            return method(path)

        return method_or_error

    monkeypatch.setattr(Path, "iterdir", forbidden(Path.iterdir))
    monkeypatch.setattr("os.scandir", forbidden(os.scandir))
    result = folder.run()
    (unusable,) = result.unusable
    assert (unusable.path, unusable.rule_id) == ("(a folder whose name may hold personal data)", "U01")
    assert folder.count("core.contacts") == 1 and "Jane" not in result.reported.summary
    again = folder.run()  # once something was received, a run checks first that data/raw holds any file
    assert unusable.path in again.reported.summary and "Jane" not in again.reported.summary


def test_a_file_with_every_row_held_is_empty_and_a_nil_return_is_current(folder: DataFolder) -> None:
    """It does not say that nothing happened, as a nil return does, so no figure may rest on it."""
    folder.send("contacts", [valid_row("contacts", 1, contact_date="2016-11-31")])
    folder.send("referrals", [], manifest={"nil_return": "Y", "rows": 0})
    folder.run()
    assert folder.standings("contacts") == {"201611 v1": ("accepted_with_held_rows", "empty")}
    assert folder.standings("referrals") == {"201611 v1": ("accepted", "current")}
