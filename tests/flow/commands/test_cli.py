"""The command line: exit codes, JSON, and that nothing can be changed or reached through `pilots sql`."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commands import clean_environment, pilots, pilots_in_process
from data_folder import BPL, PROJECT, DataFolder, valid_row, valid_rows


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder with a build: one file accepted whole, one with a row held, one refused."""
    folder = DataFolder(tmp_path_factory.mktemp("cli") / "data")
    folder.send_all(1, 2, 3)
    folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 3, attended="9")])
    folder.send_office_files("funding_awards")
    folder.run()
    return folder


def sent(published: DataFolder, dataset: str) -> str:
    return str(published.paths.raw / BPL / f"{BPL}_{dataset}_201611_v1.csv")


def sql(published: DataFolder, *arguments: str) -> subprocess.CompletedProcess[str]:
    return pilots_in_process("sql", *arguments, "--data", str(published.path))


def test_a_night_that_refused_a_file_ends_with_1_and_the_quiet_one_after_it_with_0(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    rows = valid_rows("participants", 1)
    del rows[0]["year_of_birth"]
    folder.send("participants", rows)
    night = ("run", "--no-prefect", "--json", "--data", str(folder.path), "--date", "2016-12-02")
    first = pilots(*night)
    assert first.returncode == 1 and first.stderr == ""
    said = json.loads(first.stdout)
    assert said["result"] == "published" and said["warehouse"]
    second = pilots(*night)
    assert second.returncode == 0
    assert json.loads(second.stdout)["result"] == "quiet"
    state = json.loads(pilots_in_process("status", "--json", "--data", str(folder.path)).stdout)
    assert state["deliveries"] == {"current": 1, "refused": 1}
    assert state["refused_and_not_sent_again"] == [f"{BPL} participants"]
    assert f"Refused and not sent again: 1\n- {BPL} participants" in pilots_in_process("status", *night[-4:-2]).stdout


def test_a_date_that_is_none_is_a_mistake_of_use(tmp_path: Path) -> None:
    told = pilots_in_process("run", "--no-prefect", "--date", "yesterday", "--data", str(tmp_path))
    assert (told.returncode, told.stdout) == (2, "") and "is not a valid date" in told.stderr


def test_status_says_what_is_published(published: DataFolder) -> None:
    told = pilots("status", "--json", "--data", str(published.path))
    assert told.returncode == 0
    state = json.loads(told.stdout)
    assert state["published"] == published.builds()[0] and state["deliveries"] == {"current": 5}
    said = pilots_in_process("status", "--data", str(published.path)).stdout
    assert f"\nPublished: {published.builds()[0]}, made " in said
    assert "\nDeliveries: 5 current\n" in said and said.endswith("\nRefused and not sent again: none\n")
    assert not set("{}[]'") & set(said)


def test_status_before_the_first_night_and_without_a_data_folder(tmp_path: Path) -> None:
    gone = pilots_in_process("status", "--data", str(tmp_path / "nowhere"))
    assert (gone.returncode, gone.stdout) == (3, "") and "there is no folder" in gone.stderr
    (tmp_path / "raw").mkdir()
    nothing = pilots_in_process("status", "--json", "--data", str(tmp_path))
    assert (nothing.returncode, json.loads(nothing.stdout)) == (0, {"last_run": None, "published": "nothing yet"})
    assert pilots_in_process("status", "--data", str(tmp_path)).stdout.startswith("Nothing is published yet")


QUESTION = "select contact_id, duration_minutes from core.contacts order by 1"


def test_sql_answers_as_csv_json_and_parquet(published: DataFolder, tmp_path: Path) -> None:
    as_csv = sql(published, "-f", "csv", QUESTION)
    assert as_csv.returncode == 0
    rows = [
        {"contact_id": "BPL-C000001", "duration_minutes": 45},
        {"contact_id": "BPL-C000002", "duration_minutes": 45},
    ]
    assert list(csv.DictReader(io.StringIO(as_csv.stdout))) == [{k: str(v) for k, v in r.items()} for r in rows]
    assert json.loads(sql(published, "-f", "json", QUESTION).stdout) == rows
    assert "BPL-C000001" in sql(published, QUESTION).stdout
    out = tmp_path / "out.parquet"
    with out.open("wb") as file:
        arguments = ["sql", "-f", "parquet", QUESTION, "--data", str(published.path)]
        subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=PROJECT,
            env=clean_environment(),
            stdout=file,
            check=True,
        )
    assert pq.read_table(out).to_pylist() == rows


def test_sql_lists_and_describes_every_table(published: DataFolder) -> None:
    listed = json.loads(sql(published, "--list", "-f", "json").stdout)
    assert {"core.contacts", "audit.deliveries", "outcomes.kpi"} <= {t["table"] for t in listed}
    assert all(t["meaning"] for t in listed)
    data = ("--data", str(published.path))
    described = json.loads(pilots_in_process("sql", "--describe", "core.contacts", "--json", *data).stdout)
    assert {"contact_id", "delivery_id", "source_row"} <= {c["column"] for c in described}
    assert all(c["meaning"] for c in described)
    assert pilots_in_process("sql", "--describe", "core.nothing", *data).returncode == 2


@pytest.mark.parametrize(
    "query",
    [
        "delete from core.contacts",
        "create table core.mine as select 1",
        "from read_csv('{raw}')",
        "copy core.contacts to '{raw}.copy'",
        "attach '{raw}.duckdb' as other",
        "set enable_external_access = true",
        "set memory_limit = '1GB'",
        "select * from core.nothing",
        "selec",
    ],
)
def test_sql_changes_nothing_and_reaches_nothing(published: DataFolder, query: str) -> None:
    raw = published.paths.raw / BPL
    before = published.files_under("raw", "warehouse")
    asked = query.format(raw=raw / f"{BPL}_contacts_201611_v1.csv")
    told = pilots_in_process("sql", "-f", "csv", asked, "--data", str(published.path))
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr and "Traceback" not in told.stderr
    assert published.files_under("raw", "warehouse") == before


def test_sql_before_the_first_night_says_what_to_do(tmp_path: Path) -> None:
    told = pilots_in_process("sql", "select 1", "--data", str(tmp_path))
    assert told.returncode == 3 and "run `pilots run` first" in told.stderr
    assert pilots_in_process("sql", "--data", str(tmp_path)).returncode == 2


def test_check_ends_with_0_1_or_2(published: DataFolder, tmp_path: Path) -> None:
    good = pilots("check", sent(published, "referrals"), "--json")
    assert good.returncode == 0 and json.loads(good.stdout)["rows"]["accepted"] == 3
    held = pilots_in_process("check", sent(published, "contacts"))
    assert held.returncode == 1 and "V02" in held.stdout
    unnamed = tmp_path / "our contacts.csv"
    unnamed.write_bytes(Path(sent(published, "contacts")).read_bytes())
    told = pilots_in_process("check", str(unnamed))
    assert (told.returncode, told.stdout) == (2, "") and "--dataset" in told.stderr
    named = pilots_in_process("check", str(unnamed), "--site", BPL, "--dataset", "contacts", "--period", "201611")
    assert named.returncode == 1 and "V02" in named.stdout
    assert pilots_in_process("check", str(tmp_path / "nothing.csv")).returncode == 2


@pytest.mark.parametrize(
    ("option", "said", "told"),
    [
        ("--site", "XX", "There is no site called XX."),
        ("--dataset", "contakts", "There is no dataset called contakts. There are: "),
        ("--period", "Dec16", "'Dec16' is not a valid month"),
    ],
)
def test_check_says_which_of_what_it_was_told_there_is_none_of(
    published: DataFolder, tmp_path: Path, option: str, said: str, told: str
) -> None:
    unnamed = tmp_path / "my contacts.csv"
    unnamed.write_bytes(Path(sent(published, "contacts")).read_bytes())
    wrong = pilots_in_process("check", str(unnamed), option, said)
    assert (wrong.returncode, wrong.stdout) == (2, "") and wrong.stderr.startswith(told)
    assert "It is not clear" not in wrong.stderr


def test_check_does_not_know_a_site_that_a_name_makes_up(published: DataFolder, tmp_path: Path) -> None:
    named = tmp_path / "MHT-XXX_contacts_201611_v1.csv"
    named.write_bytes(Path(sent(published, "contacts")).read_bytes())
    assert pilots_in_process("check", str(named)).stderr.startswith("There is no site called MHT-XXX.")
    assert pilots_in_process("check", str(named), "--site", BPL).returncode == 1


def test_report_says_where_the_pages_are(published: DataFolder) -> None:
    pages = json.loads(pilots("report", BPL, "--json", "--data", str(published.path)).stdout)
    assert len(pages) == 4 and all(Path(p).exists() and BPL in p for p in pages)
    assert len(pilots_in_process("report", "--data", str(published.path)).stdout.splitlines()) >= 5
    none = pilots_in_process("report", "MHT-GM", "--data", str(published.path))
    assert none.returncode == 0 and none.stdout == "" and "no reports of MHT-GM" in none.stderr


HEAVY = ("pandera", "polars", "duckdb", "prefect", "pyarrow", "pandas", "numpy", "statsmodels")
LOADED = """
import sys
from flows.cli import main
sys.argv = ["pilots", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("sql", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True
    )
    assert told.returncode == 0 and "Usage" in told.stdout
    assert set(told.stderr.split(",")) & set(HEAVY) == set()


def test_a_flag_beats_the_environment_and_that_beats_the_settings_file(published: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "pilots.toml").write_text(f'data = "{published.path}"\n', encoding="utf-8")
    empty = str(tmp_path / "empty")
    (tmp_path / "empty" / "raw").mkdir(parents=True)
    name = published.builds()[0]

    def seen(*arguments: str, **more: str) -> str:
        told = pilots_in_process("status", "--json", *arguments, cwd=tmp_path, **more)
        assert told.returncode == 0, told.stderr
        return str(json.loads(told.stdout)["published"])

    assert seen() == name
    assert seen(PILOTS_DATA=empty) == "nothing yet"
    assert seen("--data", str(published.path), PILOTS_DATA=empty) == name
    (tmp_path / "pilots.toml").write_text("keep_builds = 0\n", encoding="utf-8")
    wrong = pilots_in_process("status", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (3, "") and "keep_builds" in wrong.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--no-prefect", "--date", "2999-01-01"),
        ("retry", "--no-prefect", "--date", "2999-01-01"),
        ("as-of", "2016-12-02", "--to", "no-such-folder/then.duckdb"),
        ("simulate", "--months", "0"),
        ("simulate", "--rows", "-5"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    published: DataFolder, arguments: tuple[str, ...]
) -> None:
    before = published.builds()
    told = pilots_in_process(*arguments, "--data", str(published.path))
    assert told.returncode == 2 and told.stderr
    assert published.builds() == before


def test_json_holds_no_number_that_json_does_not_know(published: DataFolder) -> None:
    asked = "select 'nan'::double as a, 'inf'::double as b, 0.5::double as c"
    told = pilots_in_process("sql", asked, "--json", "--data", str(published.path))
    assert json.loads(told.stdout, parse_constant=pytest.fail) == [{"a": None, "b": None, "c": 0.5}]
