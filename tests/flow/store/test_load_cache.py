"""A warehouse built from the load cache equals one loaded in full, table by table.

Sequences of runs are drawn at random: files arrive, are sent again, refused, superseded or re-validated by a changed
rule, and rows held by cross-table rules return when the other table is fixed.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from data_folder import WMCA, DataFolder, Row, valid_row, valid_rows, warehouse_content
from hypothesis import given, settings
from hypothesis import strategies as st
from soak import in_soak, iterations

from flows.deliveries.standings import apply_standing, standings
from flows.deliveries.validated import ValidatedDelivery
from flows.orchestration.build_steps import run_build, run_cross_check, run_load
from flows.steps.promote import prove
from flows.steps.validate_delivery import row_types, validate_file
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import DuckDBOptions
from flows.store.warehouse.load_cache import LoadCache
from flows.store.warehouse.new_build import NewBuild
from schemas._contract.catalogue import datasets
from schemas._contract.model import Rule, Severity
from schemas.audit.deliveries import Delivery, ExtractType, Standing, Verdict
from schemas.core import participants as participants_module

# Possible contents of a file, by dataset; each is validated once by the real code.
CONTENTS: dict[str, list[list[Row]]] = {
    "participants": [
        valid_rows("participants", 1, 2, 3, site=WMCA),
        valid_rows("participants", 2, 3, site=WMCA),
        [valid_row("participants", 1, WMCA, year_of_birth="1990"), *valid_rows("participants", 2, 3, 4, site=WMCA)],
        [valid_row("participants", 1, WMCA, gender="8"), *valid_rows("participants", 2, 3, 4, 5, 6, 7, site=WMCA)],
        [{"participant_ref": "WM-000001"}],  # refused: most columns are missing
        [],
        valid_rows("participants", 1, 2, 3, 4, site=WMCA),
    ],
    "referrals": [
        valid_rows("referrals", 1, 2, 3, site=WMCA),
        valid_rows("referrals", 1, 2, 3, 4, site=WMCA),
        [valid_row("referrals", 1, WMCA, eligibility_outcome="ineligible"), *valid_rows("referrals", 3, 4, site=WMCA)],
    ],
    "contacts": [
        valid_rows("contacts", 1, 2, 3, site=WMCA),
        valid_rows("contacts", 2, 4, site=WMCA),
        [*valid_rows("contacts", 1, 2, 3, 4, 5, 6, site=WMCA), valid_row("contacts", 9, WMCA, attended="9")],
        [],
    ],
    "randomisation": [
        valid_rows("randomisation", 1, 2, site=WMCA),
        [valid_row("randomisation", 1, WMCA, arm="control"), valid_row("randomisation", 2, WMCA)],
        [valid_row("randomisation", 1, WMCA, arm="control"), valid_row("randomisation", 3, WMCA)],
    ],
}
FIRST = datetime(2019, 1, 2, 3, 30)


@dataclass(frozen=True)
class Pool:
    """Validation results of all contents, by dataset and number. They do not depend on a file's month or version."""

    results: ResultStore
    verdicts: dict[tuple[str, int], tuple[str, Verdict]]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    paths = DataPaths(tmp_path_factory.mktemp("kept"))
    paths.make()
    paths.raw.mkdir()
    verdicts = {}
    for dataset, contents in CONTENTS.items():
        contract = datasets()[dataset]
        for number, rows in enumerate(contents):
            path = paths.raw / f"{dataset}-{number}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0] if rows else CONTENTS[dataset][0][0]))
                writer.writeheader()
                writer.writerows(rows)
            key = f"{dataset}-{number}"
            with ResultStore(paths).open(key, row_types(contract)) as out:
                verdict = validate_file(path, delivery_of(Sent(dataset, number), 0), contract, out)
                out.finish(verdict)
            verdicts[dataset, number] = (key, verdict)
    return Pool(ResultStore(paths), verdicts)


@dataclass(frozen=True)
class Sent:
    """A file as it is sent: contents, month, and whether it is a period extract or an identical resubmission."""

    dataset: str
    content: int
    month: int = 1
    period: bool = False
    again: bool = False  # the same bytes as the last file of the dataset


def delivery_of(sent: Sent, number: int, same_as: str = "") -> Delivery:
    month = f"2018{sent.month:02}"
    return Delivery(
        delivery_id=f"{WMCA}_{sent.dataset}_{month}_v{number}_{number:012}",
        site_code=WMCA,
        programme_code="HLT",
        dataset=sent.dataset,
        period=month,
        version=number,
        file_name=f"{WMCA}_{sent.dataset}_{month}_v{number}.csv",
        path="",
        sheet="",
        sha256=f"{number}",
        bytes=1,
        received_at=FIRST + timedelta(days=number),
        data_cut_date=date(2018, 12, sent.month),
        extract_type=ExtractType.PERIOD if sent.period else ExtractType.CUMULATIVE,
        same_as=same_as,
    )


@st.composite
def sent_files(draw: st.DrawFn) -> Sent:
    dataset = draw(st.sampled_from(sorted(CONTENTS)))
    content = draw(st.integers(0, len(CONTENTS[dataset]) - 1))
    mostly_false, rarely_true = st.sampled_from([False, False, False, True]), st.sampled_from([False] * 7 + [True])
    return Sent(dataset, content, draw(st.integers(1, 4)), draw(mostly_false), draw(rarely_true))


@st.composite
def run_sequences(draw: st.DrawFn) -> list[dict[int, Sent]]:
    """The files known to each run, by number. A file's content may change between runs, as by a changed rule."""
    known: dict[int, Sent] = {}
    runs = []
    for _ in range(draw(st.integers(2, 5))):
        for number in draw(st.sets(st.sampled_from(sorted(known)), max_size=2)) if known else ():
            content = draw(st.integers(0, len(CONTENTS[known[number].dataset]) - 1))
            known[number] = replace(known[number], content=content)
        for sent in draw(st.lists(sent_files(), min_size=0 if known else 1, max_size=5)):
            known[len(known) + 1] = sent
        runs.append(dict(known))
    return runs


def validated_deliveries(known: dict[int, Sent], pool: Pool) -> list[ValidatedDelivery]:
    """The validated deliveries of a run, with standings, as the run would compute them."""
    deliveries, verdicts = [], {}
    first: dict[str, str] = {}
    for number, sent in known.items():
        same_as = first.get(sent.dataset, "") if sent.again else ""
        d = delivery_of(sent, number, same_as)
        verdicts[d.delivery_id] = verdicts[same_as] if same_as else pool.verdicts[sent.dataset, sent.content]
        first.setdefault(sent.dataset, d.delivery_id)
        deliveries.append(d)
    standing_of = standings(deliveries, {i: verdict for i, (_, verdict) in verdicts.items()})
    return [
        ValidatedDelivery(d, verdicts[i][0], apply_standing(verdicts[i][1], standing_of[i]), standing_of[i])
        for d in deliveries
        for i in (d.delivery_id,)
    ]


Content = dict[str, list[tuple[object, ...]]]


ONE_THREAD = DuckDBOptions(threads=1)


def build_warehouse(
    file: Path, validated: list[ValidatedDelivery], pool: Pool, cache: LoadCache | None = None
) -> Content:
    """Build the warehouse of a run, prove that every row is accounted for, and return its content."""
    new = NewBuild(file, ONE_THREAD, cache=cache)
    run_load(new, validated, [], pool.results)
    validated = run_cross_check(new, validated, pool.results)
    with new.read() as db:
        prove(db, validated)
    return warehouse_content(file)


def build_or_reload(
    cache: LoadCache, validated: list[ValidatedDelivery], pool: Pool
) -> tuple[Content, Exception | None]:
    """Build with the load cache; return the content, and the error if the cache could not be relied on."""
    return cache.with_full_reload_fallback(
        lambda: build_warehouse(cache.rows.with_name("build.duckdb"), validated, pool, cache)
    )


@pytest.fixture
def cache(tmp_path: Path) -> LoadCache:
    return LoadCache(tmp_path / "kept.duckdb")


@pytest.mark.with_marts
@pytest.mark.soak
@settings(max_examples=iterations(everyday=1, soak=60))
@given(runs=run_sequences())
def test_builds_with_the_load_cache_equal_full_builds(runs: list[dict[int, Sent]], pool: Pool) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for known in runs:
            validated = validated_deliveries(known, pool)
            cached = build_warehouse(folder / "ours.duckdb", validated, pool, LoadCache(folder / "kept.duckdb"))
            assert cached == build_warehouse(folder / "anew.duckdb", validated, pool)
        for file in ("ours.duckdb", "anew.duckdb"):
            run_build(NewBuild(folder / file, ONE_THREAD))
        assert warehouse_content(folder / "ours.duckdb") == warehouse_content(folder / "anew.duckdb")


FILES = {1: Sent("participants", 0), 2: Sent("referrals", 1), 3: Sent("contacts", 2), 4: Sent("randomisation", 0)}


def test_a_row_held_for_a_missing_parent_returns_with_the_parent(pool: Pool, cache: LoadCache) -> None:
    def contacts_of(known: dict[int, Sent]) -> int:
        return (
            len(
                build_warehouse(cache.rows.with_name("build.duckdb"), validated_deliveries(known, pool), pool, cache)[
                    'core."contacts"'
                ]
            )
            - 1
        )

    assert contacts_of(FILES) == 3
    assert contacts_of(FILES | {5: Sent("participants", 6, 2)}) == 4


def test_a_new_build_removes_a_stale_write_ahead_log_and_nothing_else(pool: Pool, tmp_path: Path) -> None:
    file, unrelated = tmp_path / "then.duckdb", tmp_path / "then.duckdb.old"
    for path in (unrelated, tmp_path / "then.duckdb.wal"):
        path.write_bytes(b"not a log")
    build_warehouse(file, validated_deliveries(FILES, pool), pool)
    assert unrelated.exists()


@pytest.fixture
def fresh_datasets() -> Iterator[None]:
    """Clear the cached catalogue before and after the test, which changes a contract."""
    datasets.cache_clear()
    yield
    datasets.cache_clear()


def test_a_rule_may_read_the_history_of_a_dataset_never_sent(
    fresh_datasets: None, pool: Pool, cache: LoadCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are findings once it is sent, though it is cross-checked after the dataset of the rule."""
    rule = Rule(
        "T99",
        Severity.WARNING,
        "They were randomised",
        expected="",
        fix="",
        field="participant_ref",
        violations_sql="select p.delivery_id, p.source_row from core.participants p"
        " join history.randomisation using (site_code, participant_ref)",
    )
    contract = participants_module.CONTRACT
    monkeypatch.setattr(participants_module, "CONTRACT", replace(contract, rules=(*contract.rules, rule)))

    def findings(known: dict[int, Sent]) -> int:
        content = build_warehouse(cache.rows.with_name("build.duckdb"), validated_deliveries(known, pool), pool, cache)
        return sum("T99" in row for row in content['audit."findings"'])

    assert list(datasets()).index("participants") < list(datasets()).index("randomisation")
    participants = {1: Sent("participants", 0)}
    assert [findings(participants), findings(participants | {2: Sent("randomisation", 0)}), findings(participants)] == [
        0,
        2,
        0,
    ]


def test_only_new_validation_results_are_read(pool: Pool, cache: LoadCache, tmp_path: Path) -> None:
    """Validation results that the cache already holds are deleted here, so reading one would fail."""
    store = ResultStore(DataPaths(tmp_path / "own"))
    shutil.copytree(pool.results.paths.data, store.paths.data)
    before = validated_deliveries(FILES, pool)
    run_load(NewBuild(tmp_path / "first.duckdb", ONE_THREAD, cache=cache), before, [], store)
    for j in before:
        shutil.rmtree(store.folder(j.key))
    validated = validated_deliveries(FILES | {5: Sent("contacts", 1, 2)}, pool)
    assert (
        run_load(NewBuild(tmp_path / "second.duckdb", ONE_THREAD, cache=cache), validated, [], store)["contacts"] == 2
    )


@pytest.mark.parametrize("at", in_soak(0, 12_288))  # its first header and its first block
def test_a_damaged_cache_file_is_replaced_by_a_full_reload(pool: Pool, cache: LoadCache, at: int) -> None:
    validated = validated_deliveries(FILES, pool)
    expected = build_warehouse(cache.rows.with_name("first.duckdb"), validated, pool, cache)
    content = bytearray(cache.rows.read_bytes())
    content[at : at + 200] = b"\0" * 200
    cache.rows.write_bytes(content)
    again, error = build_or_reload(cache, validated, pool)
    assert again == expected and isinstance(error, duckdb.Error)
    assert build_or_reload(cache, validated, pool) == (expected, None)


@pytest.mark.parametrize("table", ["rows", *in_soak("history")])
def test_a_cache_that_lost_a_row_is_replaced_by_a_full_reload(pool: Pool, cache: LoadCache, table: str) -> None:
    validated = validated_deliveries(FILES, pool)
    expected, error = build_or_reload(cache, validated, pool)
    assert error is None
    with duckdb.connect(str(getattr(cache, table))) as db:
        db.execute(f"delete from {'core.contacts' if table == 'rows' else 'participants'} where source_row = 2")
    again, error = build_or_reload(cache, validated, pool)
    expected_error = {"rows": "contacts in core: not the rows that were accepted",
            "history": "participants in history_rows: not the rows that were accepted"}  # fmt: skip
    assert (again, str(error)) == (expected, expected_error[table])
    assert build_or_reload(cache, validated, pool) == (expected, None)


def fail_once(cache: LoadCache, error: Exception) -> tuple[str, Exception | None]:
    """Run an attempt that fails the first time; return its result and the error that made it fall back."""
    cache.rows.touch()
    errors = [error]

    def attempt() -> str:
        if errors:
            raise errors.pop()
        return "anew" if not cache.exists() else "with what is kept"

    return cache.with_full_reload_fallback(attempt)


def test_an_error_that_a_reload_cannot_fix_keeps_the_cache(cache: LoadCache) -> None:
    assert fail_once(cache, fault := KeyError("anything")) == ("anew", fault)
    for error in (OSError("no space left"), duckdb.Error("could not allocate block of size 256.0 KiB")):
        with pytest.raises(type(error), match=str(error)):
            fail_once(cache, error)
        assert cache.exists()


def test_a_run_without_a_cache_is_not_retried(cache: LoadCache) -> None:
    attempts = []

    def attempt() -> None:
        attempts.append(cache.rows.touch())
        raise KeyError

    with pytest.raises(KeyError):
        cache.with_full_reload_fallback(attempt)
    assert len(attempts) == 1


class LittleMemoryFirst(DuckDBOptions):
    """Options whose first attempt to load has too little memory."""

    def loading(self) -> dict[str, Any]:
        return super().loading() | {"memory_limit": "16MB"}


@pytest.mark.soak
def test_rows_too_wide_for_little_memory_are_loaded_with_more(pool: Pool, cache: LoadCache) -> None:
    """The cache is valid: it is neither dropped nor reported as unreliable."""
    build, more = cache.rows.with_name("build.duckdb"), FILES | {5: Sent("participants", 6, 2)}
    build_warehouse(build, validated_deliveries(FILES, pool), pool, cache)
    file = cache.rows.stat().st_ino
    with pytest.raises(duckdb.Error, match="could not allocate"):
        run_load(
            NewBuild(build, DuckDBOptions(memory_limit="16MB"), cache=cache),
            validated_deliveries(more, pool),
            [],
            pool.results,
        )
    run_load(NewBuild(build, LittleMemoryFirst(), cache=cache), validated_deliveries(more, pool), [], pool.results)
    assert cache.rows.stat().st_ino == file
    assert build_warehouse(build, validated_deliveries(more, pool), pool, cache) == build_warehouse(
        build, validated_deliveries(more, pool), pool
    )


def test_personal_rows_do_not_stay_in_free_blocks_of_the_cache(pool: Pool, cache: LoadCache) -> None:
    """Deleted rows stay readable in a database file, so the cache is written to a new file; it is not invalid."""
    validated = validated_deliveries(FILES, pool)
    build = cache.rows.with_name("build.duckdb")
    build_warehouse(build, validated, pool, cache)
    refused = pool.verdicts["participants", 4]
    assert refused[1].result.is_rejected and cache.history.exists()
    verdict = replace(refused[1], holds_personal_data=True)
    personal = replace(validated[0], key=refused[0], verdict=verdict, standing=Standing.REFUSED)
    with cache.rows.open("rb") as before:
        run_load(NewBuild(build, ONE_THREAD, cache=cache), [personal, *validated[1:]], [], pool.results)
        assert os.fstat(before.fileno()).st_nlink == 0, "the file that held them is still there"
    assert [p.name for p in cache.rows.parent.glob("kept.*")] == ["kept.duckdb"]


@pytest.mark.soak
def test_a_run_with_a_damaged_cache_reloads_everything_and_says_so(folder: DataFolder) -> None:
    folder.send_all(1, 2)
    folder.run("2016-12-02T03:30")
    [rows] = folder.paths.load_cache.glob("*.duckdb")
    LoadCache(rows).history.write_bytes(b"no database")
    folder.send_all(1, 2, 3, period="201612")
    summary = folder.run("2017-01-03T03:30").reported.summary
    assert "The load cache could not be used, so everything was loaded again: an error of the kind" in summary
    assert folder.count("core.contacts") == 3
    content = warehouse_content(folder.paths.current_link.resolve())
    folder.paths.current_link.unlink()
    shutil.rmtree(rows.parent)
    folder.run("2017-01-03T03:30")
    assert warehouse_content(folder.paths.current_link.resolve()) == content
    assert len(list(rows.parent.glob("*.duckdb"))) == 1
