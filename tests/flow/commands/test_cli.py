"""Commands: exit codes, JSON output, settings, and that `pilots sql` can change and reach nothing else."""

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
def built(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder with a build of valid files and one with a held row."""
    folder = DataFolder(tmp_path_factory.mktemp("cli") / "data")
    folder.send_all(1, 2, 3)
    folder.send("contacts", [*valid_rows("contacts", 1, 2), valid_row("contacts", 3, attended="9")])
    folder.send_office_files("funding_awards")
    folder.run()
    return folder


def path_of(built: DataFolder, dataset: str) -> str:
    return str(built.paths.raw / BPL / f"{BPL}_{dataset}_201611_v1.csv")


def sql(built: DataFolder, *arguments: str) -> subprocess.CompletedProcess[str]:
    return pilots_in_process("sql", *arguments, "--data", str(built.path))


def test_run_exits_with_1_after_a_refusal_and_with_0_when_nothing_changed(folder: DataFolder) -> None:
    folder.send("contacts", valid_rows("contacts", 1))
    rows = valid_rows("participants", 1)
    del rows[0]["year_of_birth"]
    folder.send("participants", rows)
    run = ("run", "--no-prefect", "--json", "--data", str(folder.path), "--date", "2016-12-02")
    first = pilots(*run)
    assert first.returncode == 1 and first.stderr == ""
    result = json.loads(first.stdout)
    assert result["result"] == "published" and result["warehouse"]
    second = pilots_in_process(*run)
    assert second.returncode == 0
    assert json.loads(second.stdout)["result"] == "quiet"
    state = json.loads(pilots_in_process("status", "--json", "--data", str(folder.path)).stdout)
    assert state["deliveries"] == {"current": 1, "refused": 1}
    assert state["refused_and_not_sent_again"] == [f"{BPL} participants"]
    assert f"Refused and not sent again: 1\n- {BPL} participants" in pilots_in_process("status", *run[-4:-2]).stdout


def test_an_invalid_date_is_a_usage_error(tmp_path: Path) -> None:
    ran = pilots_in_process("run", "--no-prefect", "--date", "yesterday", "--data", str(tmp_path))
    assert (ran.returncode, ran.stdout) == (2, "") and "is not a valid date" in ran.stderr


def test_status_shows_the_current_build_and_standings(built: DataFolder) -> None:
    ran = pilots("status", "--json", "--data", str(built.path))
    assert ran.returncode == 0
    state = json.loads(ran.stdout)
    assert state["published"] == built.builds()[0] and state["deliveries"] == {"current": 5}
    text = pilots_in_process("status", "--data", str(built.path)).stdout
    assert f"\nPublished: {built.builds()[0]}, made " in text
    assert "\nDeliveries: 5 current\n" in text and text.endswith("\nRefused and not sent again: none\n")
    assert not set("{}[]'") & set(text)


def test_status_before_the_first_run_and_without_a_data_folder(tmp_path: Path) -> None:
    missing = pilots_in_process("status", "--data", str(tmp_path / "nowhere"))
    assert (missing.returncode, missing.stdout) == (3, "") and "there is no folder" in missing.stderr
    (tmp_path / "raw").mkdir()
    empty = pilots_in_process("status", "--json", "--data", str(tmp_path))
    assert (empty.returncode, json.loads(empty.stdout)) == (0, {"last_run": None, "published": "nothing yet"})
    assert pilots_in_process("status", "--data", str(tmp_path)).stdout.startswith("Nothing is published yet")


QUERY = "select contact_id, duration_minutes from core.contacts order by 1"


def test_sql_writes_csv_json_and_parquet(built: DataFolder, tmp_path: Path) -> None:
    as_csv = sql(built, "-f", "csv", QUERY)
    assert as_csv.returncode == 0
    rows = [
        {"contact_id": "BPL-C000001", "duration_minutes": 45},
        {"contact_id": "BPL-C000002", "duration_minutes": 45},
    ]
    assert list(csv.DictReader(io.StringIO(as_csv.stdout))) == [{k: str(v) for k, v in r.items()} for r in rows]
    assert json.loads(sql(built, "-f", "json", QUERY).stdout) == rows
    assert "BPL-C000001" in sql(built, QUERY).stdout
    out = tmp_path / "out.parquet"
    with out.open("wb") as file:
        arguments = ["sql", "-f", "parquet", QUERY, "--data", str(built.path)]
        subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=PROJECT,
            env=clean_environment(),
            stdout=file,
            check=True,
        )
    assert pq.read_table(out).to_pylist() == rows


def test_sql_lists_and_describes_every_table(built: DataFolder) -> None:
    listed = json.loads(sql(built, "--list", "-f", "json").stdout)
    assert {"core.contacts", "audit.deliveries", "outcomes.kpi"} <= {t["table"] for t in listed}
    assert all(t["meaning"] for t in listed)
    data = ("--data", str(built.path))
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
def test_sql_cannot_write_or_read_files_or_change_settings(built: DataFolder, query: str) -> None:
    raw = built.paths.raw / BPL
    before = built.files_under("raw", "warehouse")
    statement = query.format(raw=raw / f"{BPL}_contacts_201611_v1.csv")
    ran = pilots_in_process("sql", "-f", "csv", statement, "--data", str(built.path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr and "Traceback" not in ran.stderr
    assert built.files_under("raw", "warehouse") == before


def test_sql_before_the_first_run_says_what_to_do(tmp_path: Path) -> None:
    ran = pilots_in_process("sql", "select 1", "--data", str(tmp_path))
    assert ran.returncode == 3 and "run `pilots run` first" in ran.stderr
    assert pilots_in_process("sql", "--data", str(tmp_path)).returncode == 2


def test_check_exits_with_0_1_or_2(built: DataFolder, tmp_path: Path) -> None:
    good = pilots("check", path_of(built, "referrals"), "--json")
    assert good.returncode == 0 and json.loads(good.stdout)["rows"]["accepted"] == 3
    held = pilots_in_process("check", path_of(built, "contacts"))
    assert held.returncode == 1 and "V02" in held.stdout
    unnamed = tmp_path / "our contacts.csv"
    unnamed.write_bytes(Path(path_of(built, "contacts")).read_bytes())
    ran = pilots_in_process("check", str(unnamed))
    assert (ran.returncode, ran.stdout) == (2, "") and "--dataset" in ran.stderr
    named = pilots_in_process("check", str(unnamed), "--site", BPL, "--dataset", "contacts", "--period", "201611")
    assert named.returncode == 1 and "V02" in named.stdout
    assert pilots_in_process("check", str(tmp_path / "nothing.csv")).returncode == 2


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--site", "XX", "There is no site called XX."),
        ("--dataset", "contakts", "There is no dataset called contakts. There are: "),
        ("--period", "Dec16", "'Dec16' is not a valid month"),
    ],
)
def test_check_names_the_unknown_option_value(
    built: DataFolder, tmp_path: Path, option: str, value: str, message: str
) -> None:
    unnamed = tmp_path / "my contacts.csv"
    unnamed.write_bytes(Path(path_of(built, "contacts")).read_bytes())
    wrong = pilots_in_process("check", str(unnamed), option, value)
    assert (wrong.returncode, wrong.stdout) == (2, "") and wrong.stderr.startswith(message)
    assert "It is not clear" not in wrong.stderr


def test_check_rejects_an_unknown_site_in_a_file_name(built: DataFolder, tmp_path: Path) -> None:
    named = tmp_path / "MHT-XXX_contacts_201611_v1.csv"
    named.write_bytes(Path(path_of(built, "contacts")).read_bytes())
    assert pilots_in_process("check", str(named)).stderr.startswith("There is no site called MHT-XXX.")
    assert pilots_in_process("check", str(named), "--site", BPL).returncode == 1


def test_report_lists_the_pages(built: DataFolder) -> None:
    pages = json.loads(pilots("report", BPL, "--json", "--data", str(built.path)).stdout)
    assert len(pages) == 5 and all(Path(p).exists() and BPL in p for p in pages)
    assert Path(pages[0]).name == "index.html", "where to begin"
    assert len(pilots_in_process("report", "--data", str(built.path)).stdout.splitlines()) >= 5
    none = pilots_in_process("report", "MHT-GM", "--data", str(built.path))
    assert none.returncode == 0 and none.stdout == "" and "no reports of MHT-GM" in none.stderr


HEAVY = ("pandera", "polars", "duckdb", "prefect", "pyarrow", "pandas", "numpy", "statsmodels")
PRINT_MODULES = """
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
def test_help_imports_no_heavy_library(arguments: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PRINT_MODULES, *arguments],
        cwd=PROJECT,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and "Usage" in ran.stdout
    assert set(ran.stderr.split(",")) & set(HEAVY) == set()


def test_flags_override_the_environment_which_overrides_the_settings_file(built: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "pilots.toml").write_text(f'data = "{built.path}"\n', encoding="utf-8")
    empty = str(tmp_path / "empty")
    (tmp_path / "empty" / "raw").mkdir(parents=True)
    name = built.builds()[0]

    def current_build_name(*arguments: str, **more: str) -> str:
        ran = pilots_in_process("status", "--json", *arguments, cwd=tmp_path, **more)
        assert ran.returncode == 0, ran.stderr
        return str(json.loads(ran.stdout)["published"])

    assert current_build_name() == name
    assert current_build_name(PILOTS_DATA=empty) == "nothing yet"
    assert current_build_name("--data", str(built.path), PILOTS_DATA=empty) == name
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
def test_invalid_arguments_are_refused_before_anything_is_done(built: DataFolder, arguments: tuple[str, ...]) -> None:
    before = built.builds()
    ran = pilots_in_process(*arguments, "--data", str(built.path))
    assert ran.returncode == 2 and ran.stderr
    assert built.builds() == before


def test_json_output_has_null_for_nan_and_infinity(built: DataFolder) -> None:
    statement = "select 'nan'::double as a, 'inf'::double as b, 0.5::double as c"
    ran = pilots_in_process("sql", statement, "--json", "--data", str(built.path))
    assert json.loads(ran.stdout, parse_constant=pytest.fail) == [{"a": None, "b": None, "c": 0.5}]
