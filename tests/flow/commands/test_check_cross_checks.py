"""`pilots check` applies rules between rows of one file and between the sheets of a return, with a run's results.

The last test compares it with a run on an empty data folder.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import pilots_in_process
from data_folder import BPL, WMCA, DataFolder, Row, valid_row, valid_rows
from file_validator import workbook
from soak import in_soak

from flows.commands.check import check_file
from flows.reporting.report import Report

AREA = {"lsoa": "E01012345"}
PARTICIPANT_DATASETS = ("participants", "referrals", "contacts", "employment_outcomes")
Return = dict[str, list[Row]]

# Files in which the last row breaks a rule that reads only its own dataset: (dataset, site, rows, severity).
ONE_DATASET: dict[str, tuple[str, str, list[Row], str]] = {
    "K04": (
        "contacts",
        BPL,
        [valid_row("contacts", 1), valid_row("contacts", 2, episode_id="BPL-E000001")],
        "row",
    ),
    "P05": ("participants", BPL, [valid_row("participants", n) | AREA for n in (1, 2)], "warning"),
    "P16": (
        "referrals",
        BPL,
        [valid_row("referrals", 1), valid_row("referrals", 2, participant_ref="BPL-000001")],
        "row",
    ),
    "E11": (
        "employment_outcomes",
        BPL,
        [
            valid_row("employment_outcomes", 1),
            valid_row("employment_outcomes", 2, episode_id="BPL-E000001", job_spell_no="2"),
        ],
        "warning",
    ),
    "E12": (
        "employment_outcomes",
        BPL,
        [
            valid_row("employment_outcomes", 1),
            valid_row(
                "employment_outcomes", 2, episode_id="BPL-E000001", job_spell_no="2", job_start_date="2016-09-01"
            ),
        ],
        "warning",
    ),
    "T01": (
        "randomisation",
        WMCA,
        [valid_row("randomisation", 1, WMCA), valid_row("randomisation", 2, WMCA, participant_ref="WM-000001")],
        "row",
    ),
}


def broken_by(report: Report) -> list[tuple[str, str, list[int]]]:
    """The broken rules of a report: (rule, severity, rows)."""
    rows = [(i, [n for first, last in i.rows for n in range(first, last + 1)]) for i in report.items]
    return sorted((i.rule_id, str(i.severity), numbers) for i, numbers in rows)


def not_judged_rules(report: Report) -> dict[str, str]:
    """Rules that were not judged, or only provisionally, and what each lacks."""
    return {i.rule_id: i.lacks for i in report.not_validated}


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
@pytest.mark.parametrize("rule", ONE_DATASET)
def test_rules_between_rows_of_one_file_are_applied(folder: DataFolder, rule: str, suffix: str) -> None:
    dataset, site, rows, severity = ONE_DATASET[rule]
    period = "201811" if site == WMCA else "201611"
    checked = check_file(folder.send(dataset, rows, period, site=site, suffix=suffix))
    [report] = checked.reports
    assert broken_by(report) == [(rule, severity, [3])]
    assert rule not in not_judged_rules(report)
    held = int(severity == "row")
    assert (report.rows.accepted, report.rows.held) == (2 - held, held)
    assert checked.must_be_fixed is bool(held)
    [item] = report.items
    assert item.column == item.field and item.column_letter
    assert item.sheet == (dataset if suffix == "xlsx" else "")


def send_return(folder: DataFolder, content: Return, site: str = BPL, period: str = "201611") -> Path:
    """Send one workbook with these datasets."""
    path = folder.paths.raw / site / f"{site}_return_{period}_v1.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    sheets = {name: [list(rows[0]), *(list(r.values()) for r in rows)] for name, rows in content.items()}
    path.write_bytes(workbook(sheets))
    return path


def return_of(*numbers: int, site: str = BPL, more: tuple[str, ...] = ()) -> Return:
    return {name: valid_rows(name, *numbers, site=site) for name in (*PARTICIPANT_DATASETS, *more)}


def change(content: Return, dataset: str, n: int, **differences: str) -> None:
    content[dataset][n - 1] = content[dataset][n - 1] | differences


# Changes to one row of a return that break a cross-table rule: (dataset, rule, severity, cells, participant's cells).
CROSS_TABLE: dict[str, tuple[str, str, str, dict[str, str], dict[str, str]]] = {
    "an orphan referral": ("referrals", "P12", "row", {"participant_ref": "BPL-000099"}, {}),
    "an orphan contact": ("contacts", "P12", "row", {"episode_id": "BPL-E000099"}, {}),
    "an orphan job": ("employment_outcomes", "P12", "row", {"episode_id": "BPL-E000099"}, {}),
    "a contact before support": ("contacts", "K01", "warning", {"contact_date": "2016-05-12"}, {}),
    "a job before support": ("employment_outcomes", "E01", "row", {"job_start_date": "2016-05-12"}, {}),
    "too old": ("referrals", "P07", "warning", {}, {"year_of_birth": "1935"}),
    "a start after death": ("referrals", "P20", "row", {}, {"deceased_date": "2016-05-15"}),
}


@pytest.fixture(scope="module")
def reports_of_a_return(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """The reports of a return in which person 1 has the first case of `CROSS_TABLE`, person 2 the second, ..."""
    content = return_of(*range(1, 21))
    content["participants"] = [{**row, "deceased_date": ""} for row in content["participants"]]
    for n, (dataset, _, _, differences, of_participant) in enumerate(CROSS_TABLE.values(), 1):
        change(content, dataset, n, **differences)
        change(content, "participants", n, **of_participant)
    checked = check_file(send_return(DataFolder(tmp_path_factory.mktemp("return") / "data"), content))
    assert checked.must_be_fixed
    return {report.dataset: report for report in checked.reports}


@pytest.mark.parametrize("case", CROSS_TABLE)
def test_rules_between_sheets_of_a_return_are_applied(reports_of_a_return: dict[str, Report], case: str) -> None:
    dataset, rule, severity, *_ = CROSS_TABLE[case]
    report, row = reports_of_a_return[dataset], list(CROSS_TABLE).index(case) + 2
    assert any((rule, severity) == broken[:2] and row in broken[2] for broken in broken_by(report)), broken_by(report)
    assert not {"P12", "P20", "K01", "P07", "P19", "E13"} & not_judged_rules(report).keys()


def test_rules_on_trial_arms_read_the_allocations_of_the_return(folder: DataFolder) -> None:
    content = return_of(1, 2, 3, site=WMCA, more=("randomisation",))
    change(content, "randomisation", 1, arm="control")
    change(content, "participants", 2, consent_date="2018-05-22")
    reports = {r.dataset: r for r in check_file(send_return(folder, content, WMCA, "201811")).reports}
    assert broken_by(reports["randomisation"]) == [("T03", "row", [3])]
    assert ("T08", "warning", [2]) in broken_by(reports["contacts"])
    for report in reports.values():
        lacking = {need for rule, need in not_judged_rules(report).items() if rule not in ("K05", "P21")}
        assert {"what you sent before", "what others sent"} >= lacking


def test_rules_that_lack_data_are_listed_with_what_they_lack(folder: DataFolder) -> None:
    report = check_file(folder.send("contacts", valid_rows("contacts", 1, 2))).reports[0]
    assert not_judged_rules(report) == {
        "P12": "your accepted files of referrals",
        "K01": "your accepted files of referrals",
        "T08": "your accepted files of referrals and randomisation",
        "K05": "your accepted files of staff posts, if you send any",
        "P21": "your accepted files of deletions, if you send any",
        "F22": "what you sent before",
        "F23": "what you sent before",
    }
    assert report.rows.accepted == 2
    participants = check_file(folder.send("participants", valid_rows("participants", 1))).reports[0]
    assert not_judged_rules(participants)["P06"] == "what you sent before"
    assert not_judged_rules(participants)["P04"] == "what others sent"


def test_rules_do_not_read_a_refused_sheet(folder: DataFolder) -> None:
    content = return_of(1, 2)
    content["referrals"] = [{("when" if n == "referral_received_date" else n): v for n, v in row.items()}
                            for row in content["referrals"]]  # fmt: skip
    reports = {r.dataset: r for r in check_file(send_return(folder, content)).reports}
    assert not_judged_rules(reports["contacts"])["P12"] == "your accepted files of referrals"
    assert reports["contacts"].rows.accepted == 2
    assert not_judged_rules(reports["referrals"])["P16"] == "rows that are accepted"


def test_an_optional_dataset_left_out_is_taken_as_not_sent_and_listed(folder: DataFolder) -> None:
    """Randomisation is optional: without it, a job before support breaks E01, which allocations could excuse."""
    content = return_of(1, 2)
    change(content, "employment_outcomes", 1, job_start_date="2016-05-12")
    jobs = check_file(send_return(folder, content)).reports[-1]
    assert ("E01", "row", [2]) in broken_by(jobs)
    assert not_judged_rules(jobs)["E01"] == "your accepted files of randomisation, if you send any"


def test_rules_on_the_registry_are_applied_and_on_other_senders_listed(folder: DataFolder) -> None:
    folder.send_office_files("funding_awards")
    [path] = (folder.paths.raw / "PMO").glob("*.csv")
    unchanged = check_file(path).reports[0]
    path.write_text(path.read_text(encoding="utf-8").replace("MHT-BPL", "HLT-SCR"), encoding="utf-8")
    report = check_file(path).reports[0]
    assert unchanged.items == () and report.rows.held
    assert {(i.rule_id, str(i.severity)) for i in report.items} >= {("M27", "row")}
    assert "M27" not in not_judged_rules(report) and not_judged_rules(report)["M29"] == "what others sent"


@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_rules_between_rows_are_not_applied_to_a_period_extract(folder: DataFolder, suffix: str) -> None:
    dataset, site, rows, _ = ONE_DATASET["K04"]
    period = {"extract_type": "period"}
    report = check_file(folder.send(dataset, rows, site=site, manifest=period, suffix=suffix)).reports[0]
    assert "K04" not in [i.rule_id for i in report.items]
    assert not_judged_rules(report)["K04"] == "what you sent before"


def test_pilots_check_prints_the_broken_rule_and_exits_with_1(folder: DataFolder) -> None:
    dataset, site, rows, _ = ONE_DATASET["K04"]
    path = str(folder.send(dataset, rows, site=site))
    as_text, as_json = pilots_in_process("check", path), pilots_in_process("check", path, "--json")
    assert (as_text.returncode, as_json.returncode) == (1, 1)
    assert (
        "The same contact is recorded more than once (check K04)\n"
        "    where     Column A, Contact reference (contact_id), row 3\n    found     the same contact as row 2"
    ) in as_text.stdout
    assert (
        "1 of 2 rows would load, 1 would be held back.\n7 checks could not be made here: see the end." in as_text.stdout
    )
    assert "BPL-C000002" not in as_text.stdout + as_json.stdout
    report = json.loads(as_json.stdout)
    assert report["result"] == "accepted_with_held_rows" and report["rows"]["held"] == 1
    assert [r["rule_id"] for r in report["rules"]] == ["K04"]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("K04", "the same contact as row 2"),
        ("P16", "the earlier episode is on row 2"),
        ("E11", "perhaps the same job as row 2"),
    ],
)
def test_a_rule_about_two_rows_names_the_other_row(rule: str, found: str, folder: DataFolder) -> None:
    dataset, site, rows, _ = ONE_DATASET[rule]
    report = check_file(folder.send(dataset, rows, site=site)).reports[0]
    assert [[f.value for f in i.found] for i in report.items if i.rule_id == rule] == [[found]]


def test_a_valid_file_is_not_called_accepted_while_checks_are_open(folder: DataFolder) -> None:
    ran = pilots_in_process("check", str(folder.send("contacts", valid_rows("contacts", 1))))
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[:2] == [
        "Nothing to fix was found. Nothing was sent.",
        "1 of 1 row would load.",
    ]


def break_rules(content: Return, rng: random.Random) -> None:
    """Break some rules of a return at random, within and between rows."""
    changes: list[Callable[[int, int], None]] = [
        lambda n, m: change(content, "contacts", n, episode_id=f"BPL-E{m:06}"),  # a duplicate, if its date is the same
        lambda n, m: change(content, "contacts", n, episode_id="BPL-E000099"),
        lambda n, m: change(content, "contacts", n, contact_date="2016-05-12"),
        lambda n, m: change(content, "contacts", n, attended="9"),
        lambda n, m: change(content, "referrals", n, participant_ref=f"BPL-{m:06}"),
        lambda n, m: change(content, "referrals", n, participant_ref="BPL-000099"),
        lambda n, m: change(content, "referrals", n, support_model="zz"),
        lambda n, m: change(content, "referrals", n, episode_id=f"BPL-E{m:06}"),
        lambda n, m: change(content, "participants", n, consent_data_sharing="N"),
        lambda n, m: change(content, "participants", n, year_of_birth="1935"),
        lambda n, m: change(content, "participants", n, deceased_date="2016-05-29", lsoa="E01012345"),
        lambda n, m: change(content, "employment_outcomes", n, job_start_date="2016-05-12"),
        lambda n, m: change(content, "employment_outcomes", n, episode_id=f"BPL-E{m:06}", job_spell_no="2"),
    ]
    for _ in range(rng.randint(3, 9)):
        rng.choice(changes)(rng.randint(1, 8), rng.randint(1, 8))


@pytest.mark.parametrize("seed", [0, *in_soak(1, 2)])
def test_pilots_check_of_a_return_reports_the_same_as_a_run(folder: DataFolder, seed: int) -> None:
    rng = random.Random(seed)
    content = return_of(*range(1, 9))
    content["participants"] = [{**row, "lsoa": "E01012345", "deceased_date": ""} for row in content["participants"]]
    break_rules(content, rng)
    if rng.random() < 0.3:
        del content[rng.choice(["contacts", "employment_outcomes"])]
    path = send_return(folder, content)
    checked = [{n: r.to_json()[n] for n in ("dataset", "result", "rows", "rules")} for r in check_file(path).reports]
    folder.run("2016-12-08")
    site_folder = folder.paths.reports / BPL
    reports = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(site_folder.glob("*.report.json"))]
    assert any(r["rules"] for r in reports)
    assert {r["dataset"]: r for r in checked} == {r["dataset"]: {n: r[n] for n in checked[0]} for r in reports}
