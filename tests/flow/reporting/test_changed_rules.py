"""After a changed code list, dataset, rule or calendar, the next run re-validates what it affects and nothing else.

Each test changes a copy of the project, as its maintainers would.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import copy_project, pilots
from data_folder import BPL, DataFolder, valid_row, valid_rows


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's code."""
    return copy_project(tmp_path / "project")


def run_with(folder: DataFolder, project: Path, *more: str, code: int = 0) -> str:
    """Run the code of `project` and return the printed summary."""
    ran = pilots("run", "--no-prefect", "--data", str(folder.path), *more, project=project)
    assert ran.returncode == code, ran.stderr
    return ran.stdout


def last_validated(folder: DataFolder) -> int:
    return int(folder.ledger_runs()[-1]["deliveries_judged"])


@pytest.mark.soak
def test_a_fixed_code_list_releases_the_rows_it_held(folder: DataFolder, project: Path) -> None:
    folder.send_all(1, 2, 3)
    folder.send(
        "contacts", [*valid_rows("contacts", 1), *(valid_row("contacts", n, contact_type="chat") for n in (2, 3))]
    )
    run_with(folder, project)
    assert folder.standings("contacts") == {"201611 v1": ("accepted_with_held_rows", "current")}
    assert [f[0] for f in folder.findings()] == ["V02", "V02"]
    assert last_validated(folder) == 4

    with (project / "schemas" / "core" / "codes" / "contact_type.csv").open("a", encoding="utf-8") as codes:
        codes.write("chat,Chat by text,,,,made up for a test\n")
    summary = run_with(folder, project)
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current")}
    assert folder.findings() == []
    assert folder.query("select contact_type, count(*) from core.contacts group by 1 order by 1") == [
        ("chat", 2),
        ("first", 1),
    ]
    assert last_validated(folder) == 1, "only contacts uses this list"
    assert summary.splitlines()[0] == "Published: 1 file checked, 2 rows released."
    assert "accepted" in (folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html").read_text(encoding="utf-8")
    assert run_with(folder, project).startswith("Nothing changed since")


TOY = '''"""core.toys: a dataset made up for a test."""

from schemas._contract.model import Contract, Field, Kind, Rule, Severity

CONTRACT = Contract(
    dataset="toys",
    title="Toys",
    description="Toys in the waiting room.",
    grain="one row per toy",
    key=("toy_id",),
    fields=(
        Field("toy_id", Kind.REFERENCE, "Toy reference", "The site's own reference.", example="T-1"),
        Field("pieces", Kind.INTEGER, "Pieces", "How many pieces it has.", unit="pieces", low=1),
        Field("bought_on", Kind.DATE, "Bought on", "The day it was bought.", required=False, aliases=("Bought",)),
    ),
)
'''


@pytest.mark.soak
def test_a_new_dataset_needs_one_new_contract(folder: DataFolder, project: Path) -> None:
    """The contract alone defines the table; who sends it is a row of `returns.csv` for each programme."""
    (project / "schemas" / "core" / "toys.py").write_text(TOY, encoding="utf-8")
    with (project / "schemas" / "core" / "returns.csv").open("a", encoding="utf-8") as returns:
        returns.write("MHT,toys,optional,made up for a test\n")
    toys = [
        {"toy_id": "T-1", "pieces": "12", "Bought": "2016-03-01"},
        {"toy_id": "T-2", "pieces": "0", "Bought": ""},
        {"toy_id": "T-3", "pieces": "1", "Bought": ""},
    ]
    folder.send("toys", toys)
    run_with(folder, project)
    loaded = folder.query("select toy_id, pieces, bought_on::varchar, programme_code, source_row from core.toys")
    assert sorted(loaded) == [
        ("T-1", 12, "2016-03-01", "MHT", 2),
        ("T-3", 1, None, "MHT", 4),
    ]
    assert ("V03", "row", "broken", 3) in folder.findings("toys")
    [(comment,)] = folder.query(
        "select comment from duckdb_tables() where schema_name = 'core' and table_name = 'toys'"
    )
    assert comment == "Toys: Toys in the waiting room. Grain: one row per toy."
    comments = dict(folder.query("select column_name, comment from duckdb_columns() where table_name = 'toys'"))
    assert comments["pieces"] == "Pieces. How many pieces it has."
    assert all(comments.values())
    checked = pilots("check", str(folder.paths.raw / BPL / f"{BPL}_toys_201611_v1.csv"), project=project)
    assert checked.returncode == 1 and "V03" in checked.stdout


@pytest.mark.soak
def test_a_reworded_cross_table_rule_rewrites_its_pages(folder: DataFolder, project: Path) -> None:
    folder.send_all(1)
    folder.send("contacts", valid_rows("contacts", 1, 2))
    run_with(folder, project)
    page = folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html"
    [(title,)] = folder.query("select distinct title from audit.rules where rule_id = 'P12' and dataset = 'contacts'"
                            " and severity = 'row'")  # fmt: skip
    source, wording = project / "schemas" / "_contract" / "shared_fields.py", 'f"There is no {noun} for this {entity}"'
    text = source.read_text(encoding="utf-8")
    assert title in page.read_text(encoding="utf-8") and text.count(wording) == 1
    source.write_text(text.replace(wording, '"Nobody referred this person"'), encoding="utf-8")
    run_with(folder, project)
    assert "Nobody referred this person" in page.read_text(encoding="utf-8")
    assert last_validated(folder) == 0, "no validation result depends on a rule's title"


@pytest.mark.soak
def test_a_moved_deadline_rewrites_every_page_with_something_to_fix(folder: DataFolder, project: Path) -> None:
    folder.send("participants", valid_rows("participants", 1))
    folder.send("contacts", [valid_row("contacts", 1, attended="9"), valid_row("contacts", 2)])
    folder.send("referrals", [{n: v for n, v in valid_row("referrals", 1).items() if n != "referral_received_date"}])
    run_with(folder, project, "--date", "2016-12-02T03:30", code=1)
    assert {d: folder.standings(d)["201611 v1"] for d in ("contacts", "referrals")} == {
        "contacts": ("accepted_with_held_rows", "current"),
        "referrals": ("refused", "refused"),
    }

    def page_has(dataset: str, deadline: str) -> bool:
        page = folder.paths.reports / BPL / f"{BPL}_{dataset}_201611_v1.html"
        return deadline in page.read_text(encoding="utf-8")

    assert page_has("contacts", "Friday 9 December 2016") and page_has("referrals", "Friday 9 December 2016")
    calendar = project / "schemas" / "core" / "return_calendar.csv"
    text = calendar.read_text(encoding="utf-8")
    assert text.count("201611,2016-12-09T") == 1
    calendar.write_text(text.replace("201611,2016-12-09T", "201611,2016-12-12T"), encoding="utf-8")
    run_with(folder, project, "--date", "2016-12-03T03:30")
    assert page_has("contacts", "Monday 12 December 2016") and page_has("referrals", "Monday 12 December 2016")
    assert last_validated(folder) == 0, "no validation result depends on the calendar"
