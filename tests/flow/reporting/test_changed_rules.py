"""After a changed code list, dataset, rule or calendar, the next run re-validates what it affects and nothing else.

Each test changes a copy of the project, as its maintainers would.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from commands import copy_project, pilots
from data_folder import BPL, DataFolder, valid_row, valid_rows

from flows.store.ledger import Ledger


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's code."""
    return copy_project(tmp_path / "project")


def run_with(folder: DataFolder, project: Path, *more: str) -> str:
    """Run the code of `project` and return the printed summary."""
    ran = pilots("run", "--no-prefect", "--data", str(folder.path), *more, project=project)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def last_validated(folder: DataFolder) -> int:
    return int(folder.ledger_runs()[-1]["deliveries_judged"])


def edit(project: Path, name: str, old: str, new: str) -> None:
    """Replace a text that is in a file once."""
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, name
    path.write_text(text.replace(old, new), encoding="utf-8")


def result_keys(folder: DataFolder) -> dict[str, str]:
    """The key of the validation result of each dataset's file."""
    with closing(Ledger(folder.paths.ledger)) as ledger:
        return {delivery.split("_")[1]: key for delivery, key in ledger.result_keys().items()}


@pytest.mark.soak
def test_changes_re_validate_what_they_affect_and_rewrite_the_pages_that_say_them(
    folder: DataFolder, project: Path
) -> None:
    """A code and a limit are added, a rule within and one between tables are reworded, and a deadline is moved."""
    folder.send_all(1, 2, 3)
    wrong = valid_row("contacts", 1, contact_id="BPL-C000005", contact_date="2016-06-02", attended="9")
    chats = [valid_row("contacts", n, contact_type="chat") for n in (2, 3)]
    folder.send("contacts", [valid_row("contacts", 1), *chats, valid_row("contacts", 4), wrong])
    no_start = [{n: v for n, v in row.items() if n != "job_start_date"} for row in valid_rows("employment_outcomes", 1)]
    folder.send("employment_outcomes", no_start)
    assert folder.run("2016-12-02T03:30").must_be_fixed
    before = result_keys(folder)
    held = ("accepted_with_held_rows", "current")
    assert (folder.standings("contacts"), last_validated(folder)) == ({"201611 v1": held}, 4)
    assert sorted(rule for rule, *_ in folder.findings("contacts")) == ["P12", "V02", "V02", "V02"]

    def page_of(dataset: str) -> str:
        return (folder.paths.reports / BPL / f"{BPL}_{dataset}_201611_v1.html").read_text(encoding="utf-8")

    said = {
        "Change it to a listed code.": "Take a code from the list.",
        "There is no referral for this contact": "Nobody referred this person",
        "Friday 9 December 2016": "Monday 12 December 2016",
    }
    assert all(text in page_of("contacts") for text in said) and "Friday 9 December" in page_of("employment_outcomes")

    with (project / "schemas" / "core" / "codes" / "contact_type.csv").open("a", encoding="utf-8") as codes:
        codes.write("chat,Chat by text,,,,made up for a test\n")
    edit(project, "schemas/core/participants.py", "low=1930", "low=1931")
    edit(project, "schemas/_rules/cells.py", "Change it to a listed code.", said["Change it to a listed code."])
    rule_between_tables = 'f"There is no {noun} for this {entity}"'
    edit(project, "schemas/_contract/shared_fields.py", rule_between_tables, '"Nobody referred this person"')
    edit(project, "schemas/core/return_calendar.csv", "201611,2016-12-09T", "201611,2016-12-12T")
    summary = run_with(folder, project, "--date", "2016-12-03T03:30")
    assert "2 files checked" in summary.splitlines()[0] and "2 rows released" in summary.splitlines()[0]
    assert {name for name, key in result_keys(folder).items() if key != before[name]} == {"contacts", "participants"}
    assert last_validated(folder) == 2, "no validation result depends on a text or on the calendar"
    types = "select contact_type, count(*) from core.contacts group by 1 order by 1"
    assert folder.query(types) == [("chat", 2), ("first", 1)]
    for old, new in said.items():
        assert new in page_of("contacts") and old not in page_of("contacts")
    assert "Monday 12 December" in page_of("employment_outcomes")
    assert run_with(folder, project, "--date", "2016-12-04T03:30").startswith("Nothing changed since")


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
        returns.write("MHT,toys,optional,monthly,made up for a test\n")
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
