"""A new site, code, column or rule is one edit in one file: the diffs of docs/architecture.md, made and used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import clean_environment, copy_project
from data_folder import PROJECT
from file_validator import CONTACT, as_csv

DIFFS = re.findall(r"```diff\n(.*?)```", (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.DOTALL)
# What each diff makes possible: the site that sends a contact, how its row differs, and the rule then broken, if any.
NEW = {
    "a site": ("MHT-FIF", {}, []),
    "a code": ("MHT-BPL", {"contact_type": "debt_advice"}, []),
    "a column": ("MHT-BPL", {"interpreter_present": "Y"}, []),
    "a rule": ("MHT-BPL", {"contact_type": "first", "contact_medium": "02"}, ["K99"]),
}
# One process for all files, because starting one takes longer than checking them.
CHECK_EACH = """
import json, sys
from pathlib import Path
import typer
from flows.commands.check import check_file
for name in sys.argv[1:]:
    try:
        reports = check_file(Path(name)).reports
        print(json.dumps([item.rule_id for report in reports for item in report.items if item.rule_id != "F45"]))
    except typer.Exit:
        print(json.dumps(["not a site"]))
"""


def rules_broken(project: Path, files: list[Path]) -> list[list[str]]:
    """The rules that each file breaks, by a copy of the project."""
    run = subprocess.run(
        [sys.executable, "-c", CHECK_EACH, *map(str, files)],
        cwd=project,
        env=clean_environment(project),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("[")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], list[str]]]:
    """The rules that the file for each change breaks, before all the edits and after them."""
    folder = tmp_path_factory.mktemp("edits")
    project = copy_project(folder / "project")
    files = []
    for n, (site, row, _) in enumerate(NEW.values()):
        files.append(folder / str(n) / f"{site}_contacts_201611_v1.csv")
        files[-1].parent.mkdir()
        files[-1].write_text(as_csv([CONTACT | row]), encoding="utf-8")
    before = rules_broken(project, files)
    apply = ["git", "apply", "--unidiff-zero", "--recount", "-"]
    for diff in DIFFS:
        subprocess.run(apply, input=diff, text=True, cwd=project, check=True)
    return dict(zip(NEW, zip(before, rules_broken(project, files), strict=True), strict=True))


@pytest.mark.parametrize(("diff", "change"), zip(DIFFS, NEW, strict=True), ids=NEW)
def test_each_change_is_one_edit_in_one_file(
    diff: str, change: str, results: dict[str, tuple[list[str], list[str]]]
) -> None:
    assert diff.count("+++ ") == diff.count("@@ -") == 1
    before, after = results[change]
    assert after == NEW[change][2] != before
