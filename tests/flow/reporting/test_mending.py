"""What a change of the rules does the night after: it is re-validated, and nothing else is.

Each test changes a copy of the project, as someone who looks after it would.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import copy_project, pilots
from data_folder import BPL, DataFolder, valid_row, valid_rows

pytestmark = pytest.mark.without_marts


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project's code."""
    return copy_project(tmp_path / "project")


def night(folder: DataFolder, home: Path, *more: str, ends: int = 0) -> str:
    """A night with the code of `home`. Gives its summary."""
    ran = pilots("run", "--no-prefect", "--data", str(folder.path), *more, home=home)
    assert ran.returncode == ends, ran.stderr
    return ran.stdout


def judged_last(folder: DataFolder) -> int:
    return int(folder.ledger_runs()[-1]["deliveries_judged"])


@pytest.mark.soak
def test_a_mended_code_list_empties_the_quarantine_it_caused(folder: DataFolder, copy: Path) -> None:
    folder.send_all(1, 2, 3)
    folder.send(
        "contacts", [*valid_rows("contacts", 1), *(valid_row("contacts", n, contact_type="chat") for n in (2, 3))]
    )
    night(folder, copy)
    assert folder.standings("contacts") == {"201611 v1": ("accepted_with_held_rows", "current")}
    assert [f[0] for f in folder.findings()] == ["V02", "V02"]
    assert judged_last(folder) == 4

    with (copy / "schemas" / "core" / "codes" / "contact_type.csv").open("a", encoding="utf-8") as codes:
        codes.write("chat,Chat by text,,,,made up for a test\n")
    said = night(folder, copy)
    assert folder.standings("contacts") == {"201611 v1": ("accepted", "current")}
    assert folder.findings() == []
    assert folder.query("select contact_type, count(*) from core.contacts group by 1 order by 1") == [
        ("chat", 2),
        ("first", 1),
    ]
    assert judged_last(folder) == 1, "only contacts know this list"
    assert said.splitlines()[0] == "Published: 1 file checked, 2 rows released."
    assert "accepted" in (folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html").read_text(encoding="utf-8")
    assert night(folder, copy).startswith("Nothing changed since")


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
def test_a_new_dataset_is_one_new_file(folder: DataFolder, copy: Path) -> None:
    """The contract alone makes the table. Who sends it is data: one entry of the registry for each programme."""
    (copy / "schemas" / "core" / "toys.py").write_text(TOY, encoding="utf-8")
    with (copy / "schemas" / "core" / "returns.csv").open("a", encoding="utf-8") as returns:
        returns.write("MHT,toys,optional,made up for a test\n")
    toys = [
        {"toy_id": "T-1", "pieces": "12", "Bought": "2016-03-01"},
        {"toy_id": "T-2", "pieces": "0", "Bought": ""},
        {"toy_id": "T-3", "pieces": "1", "Bought": ""},
    ]
    folder.send("toys", toys)
    night(folder, copy)
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
    checked = pilots("check", str(folder.paths.raw / BPL / f"{BPL}_toys_201611_v1.csv"), home=copy)
    assert checked.returncode == 1 and "V03" in checked.stdout


@pytest.mark.soak
def test_a_reworded_rule_between_tables_is_told_in_its_new_words(folder: DataFolder, copy: Path) -> None:
    folder.send_all(1)
    folder.send("contacts", valid_rows("contacts", 1, 2))
    night(folder, copy)
    page = folder.paths.reports / BPL / f"{BPL}_contacts_201611_v1.html"
    [(title,)] = folder.query("select distinct title from audit.rules where rule_id = 'P12' and dataset = 'contacts'"
                            " and severity = 'row'")  # fmt: skip
    stated, wording = copy / "schemas" / "_contract" / "shared_fields.py", 'f"There is no {noun} for this {entity}"'
    text = stated.read_text(encoding="utf-8")
    assert title in page.read_text(encoding="utf-8") and text.count(wording) == 1
    stated.write_text(text.replace(wording, '"Nobody referred this person"'), encoding="utf-8")
    night(folder, copy)
    assert "Nobody referred this person" in page.read_text(encoding="utf-8")
    assert judged_last(folder) == 0, "no validation result depends on those words"


def test_a_deadline_that_moved_is_told_on_every_page_that_asks_for_something(folder: DataFolder, copy: Path) -> None:
    folder.send("participants", valid_rows("participants", 1))
    folder.send("contacts", [valid_row("contacts", 1, attended="9"), valid_row("contacts", 2)])
    folder.send("referrals", [{n: v for n, v in valid_row("referrals", 1).items() if n != "referral_received_date"}])
    night(folder, copy, "--date", "2016-12-02T03:30", ends=1)
    assert {d: folder.standings(d)["201611 v1"] for d in ("contacts", "referrals")} == {
        "contacts": ("accepted_with_held_rows", "current"),
        "referrals": ("refused", "refused"),
    }

    def told(dataset: str, deadline: str) -> bool:
        page = folder.paths.reports / BPL / f"{BPL}_{dataset}_201611_v1.html"
        return deadline in page.read_text(encoding="utf-8")

    assert told("contacts", "Friday 9 December 2016") and told("referrals", "Friday 9 December 2016")
    calendar = copy / "schemas" / "core" / "return_calendar.csv"
    text = calendar.read_text(encoding="utf-8")
    assert text.count("201611,2016-12-09T") == 1
    calendar.write_text(text.replace("201611,2016-12-09T", "201611,2016-12-12T"), encoding="utf-8")
    night(folder, copy, "--date", "2016-12-03T03:30")
    assert told("contacts", "Monday 12 December 2016") and told("referrals", "Monday 12 December 2016")
    assert judged_last(folder) == 0, "no validation result knows the calendar"
