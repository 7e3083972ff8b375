"""The advice on a page works as it is: how to enter suggestions, where a cell may be empty, what to rename."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from breaks import day, half_converted, heading, hours, written
from cases import REFERRAL_DATES
from front_door import Checked, check
from sound_files import sound_file

from flows.commands.check import check_file
from flows.reporting.render import findings_csv, render_html
from flows.reporting.words.items import how_to_apply
from schemas._contract.catalogue import datasets
from schemas._rules.explain import explain, explain_columns


def advice(checked: Checked) -> str:
    """What the first problem says about its suggestions."""
    return " ".join(how_to_apply(checked.items[0], checked.report))


def test_few_pairs_are_all_listed_to_be_replaced_and_never_pasted_over_gaps(tmp_path: Path) -> None:
    checked = check(written(hours, "duration_minutes")(sound_file("contacts")), tmp_path)
    [item] = checked.items
    assert item.rule_id == "C30" and len(item.changes) > 5 and not item.changes_left_out
    assert "press Ctrl+H and tick 'Match entire cell contents'" in advice(checked)
    assert "Do not paste the list of suggestions over column" in advice(checked)
    assert "ROUND" not in item.fix and "Multiply" not in item.fix


def test_pairs_that_would_be_replaced_twice_are_not_to_be_replaced(tmp_path: Path) -> None:
    """Swapped back, 2016-06-02 is 2016-02-06, which may itself be a date to swap back."""
    checked = check(written(half_converted, *REFERRAL_DATES[:1])(sound_file("referrals")), tmp_path)
    item = checked.items[0]
    assert item.rule_id == "C25" and "Ctrl+H" not in advice(checked)
    several = check(written(half_converted, *REFERRAL_DATES)(sound_file("referrals")), tmp_path)
    assert "over these columns: it has those of every column" in advice(several)


def test_a_complete_column_of_suggestions_may_be_copied_in_one_go(tmp_path: Path) -> None:
    file = written(half_converted, "contact_date")(sound_file("contacts"))
    path = tmp_path / f"{file.site}_contacts_{file.period}_v1.csv"
    path.write_bytes(file.content)
    [report] = check_file(path, moment=file.received, to=tmp_path / "out").reports
    [page] = (tmp_path / "out").rglob("*_v1.html")
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    assert report.items[0].rule_id == "C25"
    assert "suggestions are on the sheet Problems of" in text
    assert "Every row has one, in the same order" in text


def test_a_page_says_how_many_dates_prove_the_order(tmp_path: Path) -> None:
    file = sound_file("contacts")
    checked = check(written(lambda t: f"{day(t):%m/%d/%Y}", "contact_date")(file), tmp_path)
    past_12th = [t for row in file.grid[1:] if day(t := str(row[file.position("contact_date")])).day > 12]
    [item] = checked.items
    assert item.only_month_first == len(past_12th)
    assert f"{len(past_12th):,} of these {len(file.grid) - 1:,} dates can only be month first" in advice(checked)


def test_what_a_renamed_column_must_hold_is_said_beside_its_heading(tmp_path: Path) -> None:
    changes = {"attended": "DNA?", "contact_medium": "Method", "contact_date": "When"}
    checked = check(heading(changes)(sound_file("contacts")), tmp_path)
    page = render_html(checked.report)
    assert "Attendance: one of 2 (Cancelled by the participant)" in page
    assert "only if it means the same" in page and "specification" not in checked.items[0].expected
    assert ",F1," in findings_csv(checked.report, checked.findings)
    assert "Not every column could be checked" in page and "Every row was checked" not in page


def test_headings_are_found_in_the_order_in_which_they_are_expected(tmp_path: Path) -> None:
    aliases = {"contact_date": "Date of contact", "contact_type": "Type of contact", "staff_role": "Role"}
    checked = check(heading(aliases)(sound_file("contacts")), tmp_path)
    [item] = [i for i in checked.items if i.rule_id == "F10"]
    assert [f.value for f in item.found] == [part.column for part in item.parts]


@pytest.mark.parametrize("dataset", datasets())
def test_a_cell_that_may_be_empty_need_not_be_guessed(dataset: str) -> None:
    contract = datasets()[dataset]
    for field in contract.fields:
        fix = explain(contract, "C35", field.name, "row").fix
        assert ("leave the cell empty" in fix) is not field.required
    names = [f.name for f in contract.fields]
    several = explain_columns(contract, "C35", "row", [(name, "") for name in names]).fix
    assert ("empty" in several) is any(not f.required for f in contract.fields)


def test_what_could_not_be_checked_comes_last_and_gives_no_order(tmp_path: Path) -> None:
    checked = check(written(lambda _: "perhaps", "attended", every=40)(sound_file("contacts")), tmp_path)
    lines = findings_csv(checked.report, checked.findings).splitlines()[1:]
    unchecked = ["could not be checked" in line for line in lines]
    assert any(unchecked) and unchecked == sorted(unchecked)
    assert all("Nothing to fix" in line for line, was_not in zip(lines, unchecked, strict=True) if was_not)
