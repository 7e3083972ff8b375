"""`pilots revalidate`: what a changed code list, rule or correction touches is re-validated, and its site is told."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import clean_environment, copy_project, pilots, pilots_command, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows, warehouse_content, write_corrections
from soak import in_soak

from flows.nightly import nightly_run
from flows.orchestration import active_run
from flows.orchestration.run import Scope
from flows.settings import Settings
from flows.steps import validate_delivery

pytestmark = pytest.mark.without_marts

RETRY = Scope(new_files=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project's code."""
    return copy_project(tmp_path / "project")


def page(folder: DataFolder, dataset: str = "contacts", version: int = 1) -> str:
    """The page that the site gets, its spaces made one."""
    path = folder.paths.reports / BPL / f"{BPL}_{dataset}_201611_v{version}.html"
    return " ".join(path.read_text(encoding="utf-8").split())


def bytes_of(folder: DataFolder) -> dict[str, str]:
    """Every file and folder below the data folder, with a digest of its bytes or where it leads."""

    def said(path: Path) -> str:
        if path.is_symlink():
            return str(path.readlink())
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"

    return {p.relative_to(folder.path).as_posix(): said(p) for p in sorted(folder.path.rglob("*"))}


def with_one_held(folder: DataFolder) -> None:
    """A first night on which row 3 of contacts is held for its attendance."""
    folder.send_all(1, 2, 3)
    folder.send(
        "contacts", [valid_row("contacts", 1), valid_row("contacts", 2, attended="9"), valid_row("contacts", 3)]
    )
    folder.run("2016-12-02T03:30")
    assert folder.count("core.contacts") == 2


def add_code(home: Path) -> None:
    """Somebody extends the list of contact types."""
    with (home / "schemas" / "core" / "codes" / "contact_type.csv").open("a", encoding="utf-8") as codes:
        codes.write("chat,Chat by text,,,,made up for a test\n")


@pytest.mark.soak
def test_an_extended_list_empties_the_quarantine_and_the_site_is_told(folder: DataFolder, copy: Path) -> None:
    folder.send_all(1, 2, 3)
    chats = [valid_row("contacts", n, contact_type="chat") for n in (2, 3)]
    folder.send("contacts", [valid_row("contacts", 1), *chats, valid_row("contacts", 4)])  # 4 has no referral
    assert pilots("run", "--no-prefect", "--data", str(folder.path), "--date", "2016-12-02", home=copy).returncode == 0
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")  # new: not for a retry to take in
    add_code(copy)

    asked = ("--no-prefect", "--data", str(folder.path), "--date", "2016-12-05")
    before = bytes_of(folder)
    planned = pilots("retry", "--dry-run", *asked, home=copy)
    assert planned.returncode == 0, planned.stderr
    count, of_site = planned.stdout.splitlines()
    assert count.startswith("1 file would be re-validated: ") and of_site == f"{BPL}: 1 file (1 of contacts)"
    [only] = json.loads(pilots("retry", "--dry-run", "--json", *asked, home=copy).stdout)
    assert only.startswith(f"{BPL}_contacts_201611_v1_")
    assert bytes_of(folder) == before, "a dry run wrote something"

    retried = pilots("retry", *asked, home=copy)
    assert retried.returncode == 0, retried.stderr
    told, where = retried.stdout.splitlines()
    assert told == f"{BPL} contacts November 2016 v1: 2 rows released, 1 still held"
    assert folder.query("select count(*) filter (contact_type = 'chat'), count(*) from core.contacts") == [(2, 3)]
    assert list(folder.standings("contacts")) == ["201611 v1"], "a retry took in a new file"
    said = (
        "2 rows that were held back on 2 December 2016 are now in the figures: the list for Contact type was extended."
    )
    assert said in page(folder)
    summary = Path(where.removeprefix("Summary: ")).read_text(encoding="utf-8")
    assert f"- {BPL} contacts November 2016 v1: {said}" in summary

    again = pilots("retry", *asked, home=copy)
    assert again.stdout.splitlines()[0] == "Nothing was out of date." and said in page(folder)
    assert pilots("retry", "--dry-run", *asked, home=copy).stdout == "Nothing is out of date.\n"


@pytest.mark.soak
def test_a_correction_judges_its_file_alone_and_its_end_is_told_too(folder: DataFolder) -> None:
    with_one_held(folder)
    raw = (folder.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv").read_bytes()
    write_corrections(folder, {})
    nightly_run = folder.run("2016-12-04")
    assert [j.delivery.dataset for j in nightly_run.validated] == ["contacts"], "another file was re-validated"
    assert folder.query("select attended from core.contacts where source_row = 3") == [("5",)]
    made = "select source_row, column_name, found, suggestion from audit.findings where rule_id = 'X01'"
    assert folder.query(made) == [(3, "attended", "9", "5")]
    said = (
        "1 row that was held back on 2 December 2016 is now in the figures: 1 agreed correction was made."
        " There is nothing to do about it."
    )
    assert said in page(folder) and said in nightly_run.reported.summary
    assert "was corrected, as agreed with you" in page(folder)
    assert (folder.paths.raw / BPL / f"{BPL}_contacts_201611_v1.csv").read_bytes() == raw
    assert folder.run("2016-12-05").result == "quiet"

    write_corrections(folder)  # the line is taken out
    later = folder.run("2016-12-06")
    assert folder.count("core.contacts") == 2 and folder.query(made) == []
    back = "1 row that was accepted on 4 December 2016 is now held back: see check V02."
    assert back in page(folder) and back in later.reported.summary
    assert said not in page(folder)


def test_to_look_at_what_is_due_notes_nothing(folder: DataFolder) -> None:
    """Not even in its own copy of the ledger. What a run that was cut off made, and did not note, the next one does."""
    folder.send_all(1)
    folder.run("2016-12-02")
    with active_run.read_only_run(Settings.of(folder.path), None, RETRY) as run:
        [contacts] = [(i, key) for i, key in run.ledger.result_keys().items() if "contacts" in i]
        run.record_result_keys({contacts[0]: "the one before"})
        before = run.ledger.result_keys()
        due = run.worklist(run.received_before)
        assert due == ([], dict([contacts])) and run.ledger.result_keys() == before
        run.record_result_keys(due.reusable_keys)
        assert run.worklist(run.received_before) == ([], {})


@pytest.mark.soak
def test_a_correction_ends_with_its_last_day(folder: DataFolder) -> None:
    with_one_held(folder)
    write_corrections(folder, {"until": "2016-12-05"})
    assert folder.run("2016-12-05").result == "published" and folder.count("core.contacts") == 3
    final_state = folder.run("2016-12-06")
    assert folder.count("core.contacts") == 2
    assert "`corrections.csv`, line 2: it was agreed until 5 December 2016" in final_state.reported.summary
    assert "`corrections.csv`, line 2" in folder.run("2016-12-07").reported.summary, "a quiet night forgets it"


@pytest.mark.soak
def test_a_mended_source_is_told_and_the_correction_not_made(folder: DataFolder) -> None:
    with_one_held(folder)
    write_corrections(folder, {})
    folder.run("2016-12-04")
    mended = [valid_row("contacts", n, attended="6" if n == 2 else "5") for n in (1, 2, 3)]
    folder.send("contacts", mended)  # the same name, other bytes
    nightly_run = folder.run("2016-12-05")
    assert folder.query("select attended from core.contacts where source_row = 3") == [("6",)]
    assert folder.query("select source_row, found from audit.findings where rule_id = 'X02'") == [(3, "6")]
    assert "`corrections.csv`, line 2: it does not fit row 3 of" in nightly_run.reported.summary
    assert "An agreed correction no longer fits" in page(folder)
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
    assert "line 2: a later file counts now" in folder.run("2016-12-06").reported.summary


def test_a_malformed_line_stops_nothing_and_is_named(folder: DataFolder) -> None:
    with_one_held(folder)
    write_corrections(folder, {"site_code": "MHT-XXX"}, {}, {"file": f"{BPL}_contacts_201608_v1.csv"})
    nightly_run = folder.run("2016-12-04")
    assert folder.count("core.contacts") == 3 and not nightly_run.must_be_fixed
    assert "line 2: there is no site of this site_code" in nightly_run.reported.summary
    assert "line 4: no file of this name was received" in nightly_run.reported.summary


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda sent: sent.replace(b"becomes", b"becoms", 1), "the heading becomes is missing (cell 8"),
        (lambda sent: None, "it is gone or empty, and the published figures rest on it"),
        *in_soak(
            (lambda sent: b"\n", "it is gone or empty, and the published figures rest on it"),
            (lambda sent: sent.replace(b"wrote", "wróte".encode("cp1252"), 1), "it is not text in UTF-8"),
            (lambda sent: sent.decode().encode("utf-16"), "it is not text in UTF-8"),
        ),
    ],
    ids=["heading", "gone", "empty", "another encoding", "UTF-16"],
)
def test_corrections_that_cannot_be_used_end_every_run_before_anything_is_built(
    folder: DataFolder, tmp_path: Path, spoil: Callable[[bytes], bytes | None], said: str
) -> None:
    with_one_held(folder)
    write_corrections(folder, {})
    folder.run("2016-12-04")
    good = folder.paths.corrections.read_bytes()
    spoilt, before = spoil(good), folder.builds()
    folder.paths.corrections.unlink()
    if spoilt is not None:
        folder.paths.corrections.write_bytes(spoilt)
    folder.send("contacts", valid_rows("contacts", 1, 2, 3), period="201612")
    data = ("--data", str(folder.path))
    for words in (
        ("run", "--no-prefect", "--date", "2017-01-05"), ("retry", "--no-prefect", "--date", "2017-01-05"),
        ("retry", "--dry-run"), ("as-of", "2016-12-05", "--to", str(tmp_path / "then.duckdb")),
    ):  # fmt: skip
        told = pilots_in_process(*words, *data)
        assert (told.returncode, said in told.stderr) == (3, True), f"{words}: {told.stdout}{told.stderr}"
    assert not (tmp_path / "then.duckdb").exists()
    assert folder.builds() == before and folder.count("core.contacts") == 3
    newest = max((folder.path / "reports" / "nights").glob("*.md"), key=lambda path: path.stat().st_mtime_ns)
    assert newest.read_text(encoding="utf-8").startswith("Not published: `corrections.csv` cannot be used")

    folder.paths.corrections.write_bytes(good.splitlines(keepends=True)[0])  # every correction taken back, as meant
    assert folder.run("2017-01-06").result == "published"
    folder.paths.corrections.unlink()
    folder.run("2017-01-07")  # nothing rests on the file any more


@pytest.mark.soak
def test_rows_whose_referral_came_later_are_released(folder: DataFolder) -> None:
    folder.send_all(1, 2)
    folder.send("contacts", valid_rows("contacts", 1, 2, 3))
    folder.run("2016-12-02")
    assert folder.count("core.contacts") == 2
    folder.send("participants", valid_rows("participants", 1, 2, 3), version=2)
    folder.send("referrals", valid_rows("referrals", 1, 2, 3), version=2)
    nightly_run = folder.run("2016-12-05")
    said = "1 row that was held back on 2 December 2016 is now in the figures: the referrals they refer to came in."
    assert said in page(folder) and f"{BPL} contacts November 2016 v1: {said}" in nightly_run.reported.summary


def test_only_the_site_or_dataset_that_is_named(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.send_all(1, 2, 3)
    folder.run("2016-12-02")
    first = validate_delivery.result_key
    for module in (validate_delivery, active_run):
        monkeypatch.setattr(module, "result_key", lambda *args: f"new{first(*args)}"[:32])
    settings = Settings.of(folder.path)
    part = nightly_run(settings, scope=Scope(new_files=False, site=BPL, dataset="contacts"))
    assert [j.delivery.dataset for j in part.validated] == ["contacts"]
    rest = nightly_run(settings, scope=RETRY)
    assert sorted(j.delivery.dataset for j in rest.validated) == ["employment_outcomes", "participants", "referrals"]
    assert folder.count("core.contacts") == 3


@pytest.mark.soak
def test_a_file_that_is_refused_only_now_is_told(folder: DataFolder, copy: Path) -> None:
    folder.send("contacts", valid_rows("contacts", *range(1, 31)))
    asked = ("--no-prefect", "--data", str(folder.path))
    pilots("run", *asked, "--date", "2016-12-02", home=copy)
    codes = copy / "schemas" / "core" / "codes" / "contact_type.csv"
    listed = codes.read_text(encoding="utf-8")
    codes.write_text("\n".join(x for x in listed.splitlines() if not x.startswith("first,")) + "\n", encoding="utf-8")
    stricter = pilots("retry", *asked, "--date", "2016-12-04", home=copy)
    assert stricter.returncode == 1
    assert "30 rows that were accepted on 2 December 2016 are now held back: the file is refused now." in page(folder)
    codes.write_text(listed, encoding="utf-8")
    mended = pilots("retry", *asked, "--date", "2016-12-06", home=copy)
    assert mended.returncode == 0
    assert mended.stdout.startswith(f"{BPL} contacts November 2016 v1: 30 rows released, 0 still held")
    assert "30 rows that were held back on 4 December 2016 are now in the figures" in page(folder)


def test_an_unknown_site_is_usage(folder: DataFolder) -> None:
    told = pilots("retry", "--no-prefect", "--data", str(folder.path), "--site", "MHT-XXX")
    assert told.returncode == 2 and "There is no site MHT-XXX" in told.stderr


def test_a_dry_run_before_any_night_makes_nothing(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    before = bytes_of(folder)
    assert pilots("retry", "--dry-run", "--data", str(folder.path)).stdout == "Nothing is out of date.\n"
    assert bytes_of(folder) == before


def test_a_dry_run_names_the_corrections_to_mend(folder: DataFolder) -> None:
    with_one_held(folder)
    write_corrections(folder, {}, {"dataset": "contakts"})
    told = pilots_in_process("retry", "--dry-run", "--data", str(folder.path), "--date", "2016-12-04")
    assert told.returncode == 1 and told.stdout.startswith("1 file would be re-validated: ")
    assert told.stderr.startswith("To fix: `corrections.csv`, line 3: ")


@pytest.mark.with_marts
@pytest.mark.soak
def test_a_retry_that_is_killed_is_made_good_by_the_night(folder: DataFolder, tmp_path: Path) -> None:
    """Killed at several moments, the next night ends with what an undisturbed retry would have, the site told."""
    with_one_held(folder)
    write_corrections(folder, {})
    said = "1 row that was held back on 2 December 2016 is now in the figures"
    arguments = ("retry", "--no-prefect", "--date", "2016-12-04", "--data")

    def copied(name: str) -> DataFolder:
        shutil.copytree(folder.path, tmp_path / name, symlinks=True)
        return DataFolder(tmp_path / name)

    whole = copied("whole")
    started = time.monotonic()
    assert (
        subprocess.run([*pilots_command(*arguments, str(whole.path))], cwd=PROJECT, env=clean_environment()).returncode
        == 0
    )
    took = time.monotonic() - started
    content = warehouse_content(whole.paths.current_link.resolve())
    for part in (0.5, 0.7, 0.85, 0.95):
        cut = copied(f"cut-{part}")
        process = subprocess.Popen(
            [*pilots_command(*arguments, str(cut.path))],
            cwd=PROJECT,
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
        )
        time.sleep(took * part)
        process.send_signal(signal.SIGKILL)
        process.wait()
        cut.run("2016-12-04")
        assert warehouse_content(cut.paths.current_link.resolve()) == content, f"killed after {part:.0%}"
        assert said in page(cut), f"killed after {part:.0%}: the site is not told"
        summaries = [p.read_text(encoding="utf-8") for p in cut.paths.reports.glob("nights/*.md")]
        assert any(said in summary for summary in summaries), f"killed after {part:.0%}: no summary says it"
        assert cut.run("2016-12-04").result == "quiet"
