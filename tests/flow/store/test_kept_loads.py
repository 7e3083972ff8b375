"""A warehouse made from what was kept of earlier nights is the one that is made from nothing, table by table.

Nights are drawn by chance: files come, come again, are refused, are re-validated by a rule that changed, take others'
place, and hold rows back by rules between tables that return when the other table is fixed.
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
from flows.orchestration.build_steps import cross_check_build, load_build, make_marts
from flows.orchestration.engine import run_attempt
from flows.orchestration.stage import Stage
from flows.runtime.safe_errors import StepFailed, safe_message
from flows.steps.promote import prove
from flows.steps.validate_delivery import row_types, validate_file
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import DuckDBOptions
from flows.store.warehouse.connection import lacks_memory
from flows.store.warehouse.load_cache import LoadCache
from flows.store.warehouse.new_build import NewBuild
from schemas._contract.catalogue import datasets
from schemas._contract.model import Rule, Severity
from schemas.audit.deliveries import Delivery, ExtractType, Standing, Verdict
from schemas.core import participants as participants_module

# What a file of a dataset may hold: each is validated once, for real.
CONTENTS: dict[str, list[list[Row]]] = {
    "participants": [
        valid_rows("participants", 1, 2, 3, site=WMCA),
        valid_rows("participants", 2, 3, site=WMCA),
        [valid_row("participants", 1, WMCA, year_of_birth="1990"), *valid_rows("participants", 2, 3, 4, site=WMCA)],
        [valid_row("participants", 1, WMCA, gender="8"), *valid_rows("participants", 2, 3, 4, 5, 6, 7, site=WMCA)],
        [{"participant_ref": "WM-000001"}],  # most columns are missing: refused
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
    """The validation results of every content, and of how a file was sent makes no difference to them."""

    judgements: ResultStore
    verdicts: dict[tuple[str, int], tuple[str, Verdict]]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    places = DataPaths(tmp_path_factory.mktemp("kept"))
    places.make()
    places.raw.mkdir()
    made = {}
    for dataset, contents in CONTENTS.items():
        contract = datasets()[dataset]
        for number, rows in enumerate(contents):
            path = places.raw / f"{dataset}-{number}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0] if rows else CONTENTS[dataset][0][0]))
                writer.writeheader()
                writer.writerows(rows)
            key = f"{dataset}-{number}"
            with ResultStore(places).open(key, row_types(contract)) as out:
                verdict = validate_file(path, delivery_of(Sent(dataset, number), 0), contract, out)
                out.finish(verdict)
            made[dataset, number] = (key, verdict)
    return Pool(ResultStore(places), made)


@dataclass(frozen=True)
class Sent:
    """A file that somebody sends: what it holds, of which month, and how it goes with others."""

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
def a_file(draw: st.DrawFn) -> Sent:
    dataset = draw(st.sampled_from(sorted(CONTENTS)))
    content = draw(st.integers(0, len(CONTENTS[dataset]) - 1))
    often, seldom = st.sampled_from([False, False, False, True]), st.sampled_from([False] * 7 + [True])
    return Sent(dataset, content, draw(st.integers(1, 4)), draw(often), draw(seldom))


@st.composite
def some_nights(draw: st.DrawFn) -> list[dict[int, Sent]]:
    """What each file that was ever sent is validated to hold, night after night: a changed rule may change that."""
    known: dict[int, Sent] = {}
    nights = []
    for _ in range(draw(st.integers(2, 5))):
        for number in draw(st.sets(st.sampled_from(sorted(known)), max_size=2)) if known else ():
            content = draw(st.integers(0, len(CONTENTS[known[number].dataset]) - 1))
            known[number] = replace(known[number], content=content)
        for sent in draw(st.lists(a_file(), min_size=0 if known else 1, max_size=5)):
            known[len(known) + 1] = sent
        nights.append(dict(known))
    return nights


def judged_as(known: dict[int, Sent], pool: Pool) -> list[ValidatedDelivery]:
    """The deliveries of a night as the night would have them."""
    deliveries, found = [], {}
    first: dict[str, str] = {}
    for number, sent in known.items():
        same_as = first.get(sent.dataset, "") if sent.again else ""
        d = delivery_of(sent, number, same_as)
        found[d.delivery_id] = found[same_as] if same_as else pool.verdicts[sent.dataset, sent.content]
        first.setdefault(sent.dataset, d.delivery_id)
        deliveries.append(d)
    standing = standings(deliveries, {i: verdict for i, (_, verdict) in found.items()})
    return [
        ValidatedDelivery(d, found[i][0], apply_standing(found[i][1], standing[i]), standing[i])
        for d in deliveries
        for i in (d.delivery_id,)
    ]


Content = dict[str, list[tuple[object, ...]]]


ONE_THREAD = DuckDBOptions(threads=1)


def made(file: Path, validated: list[ValidatedDelivery], pool: Pool, kept: LoadCache | None = None) -> Content:
    """The warehouse of a night: its content, once every row is accounted for."""
    new = NewBuild(file, ONE_THREAD, cache=kept)
    load_build(new, validated, [], pool.judgements)
    validated = cross_check_build(new, validated, pool.judgements)
    with new.read() as db:
        prove(db, validated)
    return warehouse_content(file)


def made_again(kept: LoadCache, validated: list[ValidatedDelivery], pool: Pool) -> tuple[Content, Exception | None]:
    """The warehouse of a night that relies on what is kept, if it can, and why not."""
    return kept.with_full_reload_fallback(lambda: made(kept.rows.with_name("build.duckdb"), validated, pool, kept))


@pytest.fixture
def kept(tmp_path: Path) -> LoadCache:
    return LoadCache(tmp_path / "kept.duckdb")


@pytest.mark.soak
@settings(max_examples=iterations(everyday=3, soak=60))
@given(nights=some_nights())
def test_what_was_kept_makes_the_same_warehouse(nights: list[dict[int, Sent]], pool: Pool) -> None:
    with TemporaryDirectory() as folder:
        here = Path(folder)
        for known in nights:
            validated = judged_as(known, pool)
            ours = made(here / "ours.duckdb", validated, pool, LoadCache(here / "kept.duckdb"))
            assert ours == made(here / "anew.duckdb", validated, pool)
        for file in ("ours.duckdb", "anew.duckdb"):
            make_marts(NewBuild(here / file, ONE_THREAD))
        assert warehouse_content(here / "ours.duckdb") == warehouse_content(here / "anew.duckdb")


ONE = {1: Sent("participants", 0), 2: Sent("referrals", 1), 3: Sent("contacts", 2), 4: Sent("randomisation", 0)}


def test_a_row_that_was_held_for_want_of_another_table_comes_back(pool: Pool, kept: LoadCache) -> None:
    def contacts_of(known: dict[int, Sent]) -> int:
        return len(made(kept.rows.with_name("build.duckdb"), judged_as(known, pool), pool, kept)['core."contacts"']) - 1

    assert contacts_of(ONE) == 3
    assert contacts_of(ONE | {5: Sent("participants", 6, 2)}) == 4


def test_what_lies_beside_a_new_warehouse_stays_but_for_what_a_lost_one_left(pool: Pool, tmp_path: Path) -> None:
    file, own = tmp_path / "then.duckdb", tmp_path / "then.duckdb.old"
    for stray_text in (own, tmp_path / "then.duckdb.wal"):
        stray_text.write_bytes(b"not a log")
    made(file, judged_as(ONE, pool), pool)
    assert own.exists()


@pytest.fixture
def fresh_datasets() -> Iterator[None]:
    """The catalogue as it is stated, before and after the test."""
    datasets.cache_clear()
    yield
    datasets.cache_clear()


def test_a_rule_may_look_back_at_a_dataset_that_never_came(
    fresh_datasets: None, pool: Pool, kept: LoadCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it comes nothing is found; then what it brings is, though it is settled after the dataset of the rule."""
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
    stated = participants_module.CONTRACT
    monkeypatch.setattr(participants_module, "CONTRACT", replace(stated, rules=(*stated.rules, rule)))

    def found(known: dict[int, Sent]) -> int:
        content = made(kept.rows.with_name("build.duckdb"), judged_as(known, pool), pool, kept)
        return sum("T99" in row for row in content['audit."findings"'])

    assert list(datasets()).index("participants") < list(datasets()).index("randomisation")
    participants = {1: Sent("participants", 0)}
    assert [found(participants), found(participants | {2: Sent("randomisation", 0)}), found(participants)] == [0, 2, 0]


def test_only_what_came_is_opened(pool: Pool, kept: LoadCache, tmp_path: Path) -> None:
    """The validation results that were loaded last night are not there any more: nobody asks for them."""
    own = ResultStore(DataPaths(tmp_path / "own"))
    shutil.copytree(pool.judgements.places.data, own.paths.data)
    before = judged_as(ONE, pool)
    load_build(NewBuild(tmp_path / "first.duckdb", ONE_THREAD, cache=kept), before, [], own)
    for j in before:
        shutil.rmtree(own.folder(j.key))
    validated = judged_as(ONE | {5: Sent("contacts", 1, 2)}, pool)
    assert load_build(NewBuild(tmp_path / "second.duckdb", ONE_THREAD, cache=kept), validated, [], own)["contacts"] == 2


@pytest.mark.parametrize("at", [0, *in_soak(4096, 12_288)])  # each of its headers, and its first block
def test_a_kept_file_that_is_spoilt_is_made_anew(pool: Pool, kept: LoadCache, at: int) -> None:
    validated = judged_as(ONE, pool)
    expected = made(kept.rows.with_name("first.duckdb"), validated, pool, kept)
    content = bytearray(kept.rows.read_bytes())
    content[at : at + 200] = b"\0" * 200
    kept.rows.write_bytes(content)
    again, doubt = made_again(kept, validated, pool)
    assert again == expected and isinstance(doubt, duckdb.Error)
    assert made_again(kept, validated, pool) == (expected, None)


@pytest.mark.parametrize("of", ["rows", "sent"])
def test_what_is_kept_but_lost_a_row_is_made_anew(pool: Pool, kept: LoadCache, of: str) -> None:
    validated = judged_as(ONE, pool)
    expected, doubt = made_again(kept, validated, pool)
    assert doubt is None
    with duckdb.connect(str(getattr(kept, of))) as db:
        db.execute(f"delete from {'core.contacts' if of == 'rows' else 'participants'} where source_row = 2")
    again, doubt = made_again(kept, validated, pool)
    said = {"rows": "contacts in core: not the rows that were accepted",
            "sent": "what is kept of participants is not what was accepted"}  # fmt: skip
    assert (again, str(doubt)) == (expected, said[of])
    assert made_again(kept, validated, pool) == (expected, None)


def fails_once(kept: LoadCache, error: Exception) -> tuple[str, Exception | None]:
    """What is made by a night whose first attempt fails."""
    kept.rows.touch()
    errors = [error]

    def attempt() -> str:
        if errors:
            raise errors.pop()
        return "anew" if not kept.exists() else "with what is kept"

    return kept.with_full_reload_fallback(attempt)


def test_what_no_other_file_would_mend_is_no_doubt_of_what_is_kept(kept: LoadCache) -> None:
    assert fails_once(kept, doubt := KeyError("anything")) == ("anew", doubt)
    for error in (OSError("no space left"), duckdb.Error("could not allocate block of size 256.0 KiB")):
        with pytest.raises(type(error), match=str(error)):
            fails_once(kept, error)
        assert kept.exists()


def test_a_night_that_begins_with_nothing_is_not_tried_again(kept: LoadCache) -> None:
    tried = []

    def attempt() -> None:
        tried.append(kept.rows.touch())
        raise KeyError

    with pytest.raises(KeyError):
        kept.with_full_reload_fallback(attempt)
    assert len(tried) == 1


def test_a_stage_of_a_flow_that_lacks_memory_is_known_to_though_its_message_is_not_told() -> None:
    def fails_for(message: str) -> StepFailed:
        with pytest.raises(StepFailed) as raised:
            run_attempt(Stage(lambda: duckdb.sql("select error(?)", params=[message]).fetchall(), "load"), (), {})
        assert message not in safe_message(raised.value)
        return raised.value

    assert lacks_memory(fails_for("could not allocate block of size 256.0 KiB"))
    assert not lacks_memory(fails_for("could not convert 'AB123456C'"))
    assert not lacks_memory(ValueError("out of memory")), "said of something else than DuckDB"


class LittleToLoad(DuckDBOptions):
    """Too little memory to load rows in, and enough to load wide ones."""

    def loading(self) -> dict[str, Any]:
        return super().loading() | {"memory_limit": "16MB"}


@pytest.mark.soak
def test_what_little_memory_cannot_load_is_loaded_with_more(pool: Pool, kept: LoadCache) -> None:
    """What is kept is sound: it is neither made anew nor told to be doubtful."""
    build, more = kept.rows.with_name("build.duckdb"), ONE | {5: Sent("participants", 6, 2)}
    made(build, judged_as(ONE, pool), pool, kept)
    file = kept.rows.stat().st_ino
    with pytest.raises(duckdb.Error, match="could not allocate"):
        load_build(
            NewBuild(build, DuckDBOptions(memory_limit="16MB"), cache=kept), judged_as(more, pool), [], pool.judgements
        )
    load_build(NewBuild(build, LittleToLoad(), cache=kept), judged_as(more, pool), [], pool.judgements)
    assert kept.rows.stat().st_ino == file
    assert made(build, judged_as(more, pool), pool, kept) == made(build, judged_as(more, pool), pool)


def test_rows_that_turn_out_to_be_personal_do_not_stay_in_unused_parts_of_the_file(pool: Pool, kept: LoadCache) -> None:
    """What is deleted from a database file can be read in it for a while. That is no doubt of the file."""
    validated = judged_as(ONE, pool)
    build = kept.rows.with_name("build.duckdb")
    made(build, validated, pool, kept)
    refused = pool.verdicts["participants", 4]
    assert refused[1].result.is_rejected and kept.sent.exists()
    verdict = replace(refused[1], holds_personal_data=True)
    personal = replace(validated[0], key=refused[0], verdict=verdict, standing=Standing.REFUSED)
    with kept.rows.open("rb") as before:
        load_build(NewBuild(build, ONE_THREAD, cache=kept), [personal, *validated[1:]], [], pool.judgements)
        assert os.fstat(before.fileno()).st_nlink == 0, "the file that held them is still there"
    assert [p.name for p in kept.rows.parent.glob("kept.*")] == ["kept.duckdb"]


@pytest.mark.soak
def test_a_night_that_comes_to_nothing_by_what_was_kept_loads_everything_anew(folder: DataFolder) -> None:
    folder.send_all(1, 2)
    folder.run("2016-12-02T03:30")
    [rows] = folder.paths.loaded.glob("*.duckdb")
    LoadCache(rows).sent.write_bytes(b"no database")
    folder.send_all(1, 2, 3, period="201612")
    summary = folder.run("2017-01-03T03:30").reported.summary
    assert "The load cache could not be used, so everything was loaded again: an error of the kind" in summary
    assert folder.count("core.contacts") == 3
    published = warehouse_content(folder.paths.current_link.resolve())
    folder.paths.current_link.unlink()
    shutil.rmtree(rows.parent)
    folder.run("2017-01-03T03:30")
    assert warehouse_content(folder.paths.current_link.resolve()) == published
    assert len(list(rows.parent.glob("*.duckdb"))) == 1
