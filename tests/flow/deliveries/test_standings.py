"""Standings of random sequences of good, wrong, late and withdrawn deliveries of two sites.

Whatever arrives in whatever order, no row is lost, held-up and withdrawn deliveries leave no trace in the figures,
and deciding again gives the same standings.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from data_folder import BPL, WLA, Row, valid_row, valid_rows
from file_validator import as_csv
from hypothesis import event, given, settings
from hypothesis import strategies as st
from soak import iterations

from flows.deliveries.standings import apply_standing, standings
from flows.deliveries.validated import ValidatedDelivery
from flows.orchestration.build_steps import run_cross_check, run_load
from flows.steps.promote import prove
from flows.steps.validate_delivery import row_types, validate_file
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import DuckDBOptions
from flows.store.warehouse.new_build import NewBuild
from schemas._contract.catalogue import datasets
from schemas.audit.deliveries import Delivery, ExtractType, Standing, Verdict
from schemas.audit.withdrawals import Withdrawal

DATASETS = ("participants", "referrals", "contacts")
OTHER = {BPL: WLA, WLA: BPL}
KINDS = ("few", "many", "another site's", "numbered anew", "some without consent", "some rows wrong")
FIRST = datetime(2017, 1, 8, 3, 30)  # after the first day of every month in the file names


def content(site: str, dataset: str, kind: str) -> list[Row]:
    """The rows of a file: `kind` says how they differ from those of a good file."""
    if kind == "few":
        return valid_rows(dataset, *range(1, 26), site=site)
    rows = valid_rows(dataset, *range(1, 31), site=site)
    key = datasets()[dataset].key[0]
    if kind == "another site's":
        changes = {"site_code": site} if dataset == "participants" else {}
        return [valid_row(dataset, n, OTHER[site], **changes) for n in range(1, 31)]
    if kind == "numbered anew":
        reference = key if dataset == "participants" else "participant_ref" if dataset == "referrals" else "episode_id"
        return [
            row | {reference: row[reference].replace("-", "-9" if "E" not in row[reference] else "-F9")} for row in rows
        ]
    if kind == "some without consent" and dataset == "participants":
        return [row | {"consent_data_sharing": "N"} if n < 25 else row for n, row in enumerate(rows)]
    if kind == "some rows wrong":
        return [row | {"episode_id": "X-NONE"} if n < 4 and dataset == "contacts" else row
                for n, row in enumerate(rows)]  # fmt: skip
    return rows


@dataclass(frozen=True)
class Sent:
    """A file as a site sends it."""

    site: str
    dataset: str
    kind: str
    month: int
    adds_up: bool


class Pool:
    """Validation results of every content, computed once."""

    def __init__(self, results: ResultStore, verdicts: dict[tuple[str, str, str], Verdict]) -> None:
        self.results, self.verdicts = results, verdicts


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    paths = DataPaths(tmp_path_factory.mktemp("dispositions"))
    paths.make()
    paths.raw.mkdir()
    verdicts = {}
    for site in OTHER:
        for dataset in DATASETS:
            for kind in KINDS:
                path = paths.raw / "file.csv"
                path.write_text(as_csv(content(site, dataset, kind)), encoding="utf-8")
                contract, d = datasets()[dataset], delivery_of(Sent(site, dataset, kind, 12, False), 0)
                with ResultStore(paths).open(key_of(site, dataset, kind), row_types(contract)) as out:
                    verdicts[site, dataset, kind] = validate_file(path, d, contract, out)
                    out.finish(verdicts[site, dataset, kind])
    return Pool(ResultStore(paths), verdicts)


def key_of(site: str, dataset: str, kind: str) -> str:
    return f"{site}-{dataset}-{kind}".replace(" ", "-").replace("'", "")


def delivery_of(sent: Sent, number: int) -> Delivery:
    period = f"2016{sent.month:02}"
    return Delivery(
        delivery_id=f"{sent.site}_{sent.dataset}_{period}_v{number}",
        site_code=sent.site,
        programme_code="MHT",
        dataset=sent.dataset,
        period=period,
        version=number,
        file_name=f"{sent.site}_{sent.dataset}_{period}_v{number}.csv",
        path="",
        sheet="",
        sha256=f"{number}",
        bytes=1,
        received_at=FIRST + timedelta(days=number),
        data_cut_date=date(2016, sent.month, 28),
        extract_type=ExtractType.PERIOD if sent.adds_up else ExtractType.CUMULATIVE,
    )


FILES = st.builds(
    Sent,
    st.sampled_from(sorted(OTHER)),
    st.sampled_from(DATASETS),
    st.sampled_from([*KINDS, "few", "many"]),
    st.integers(9, 12),
    st.sampled_from([False, False, False, True]),
)


GOOD_FILES = [Sent(site, dataset, "few", 9, False) for dataset in DATASETS for site in sorted(OTHER)]
SEQUENCES = st.tuples(st.sampled_from([GOOD_FILES, GOOD_FILES, []]), st.lists(FILES, min_size=2, max_size=7)).map(
    lambda parts: [*parts[0], *parts[1]]
)


def validated(files: dict[int, Sent], pool: Pool, withdrawn: Collection[int] = ()) -> list[ValidatedDelivery]:
    """The validated deliveries with their standings before cross-checking."""
    keys, deliveries, verdicts = {}, [], {}
    for number, sent in files.items():
        d = delivery_of(sent, number)
        deliveries.append(d)
        keys[d.delivery_id] = key_of(sent.site, sent.dataset, sent.kind)
        verdicts[d.delivery_id] = pool.verdicts[sent.site, sent.dataset, sent.kind]
    ids = [delivery_of(files[number], number).delivery_id for number in withdrawn]
    withdrawals = {i: Withdrawal(i, FIRST + timedelta(days=99), "made up") for i in ids}
    standing_of = standings(deliveries, verdicts, withdrawn=withdrawals)
    return [
        ValidatedDelivery(d, keys[i], apply_standing(verdicts[i], standing_of[i]), standing_of[i], withdrawals.get(i))
        for d in deliveries
        for i in (d.delivery_id,)
    ]


@dataclass(frozen=True)
class LoadedBuild:
    """Final standings and rows of `core` that result from some deliveries."""

    standing: dict[str, Standing]
    core: dict[str, list[tuple[object, ...]]]


def load_and_cross_check(
    validated_: list[ValidatedDelivery], pool: Pool, counted_before: list[tuple[str, str, str]]
) -> LoadedBuild:
    """Load and cross-check some deliveries, and prove that every row is accounted for."""
    with TemporaryDirectory() as folder:
        new = NewBuild(Path(folder) / "build.duckdb", DuckDBOptions(threads=1))
        run_load(new, validated_, [], pool.results)
        final = run_cross_check(new, validated_, pool.results, counted_before)
        with new.read() as db:
            prove(db, final)
            recorded = dict(db.execute("select delivery_id, standing from audit.deliveries").fetchall())
            core = {n: db.execute(f"from core.{n} order by all").fetchall() for n in DATASETS}
            loaded = {
                i for n in DATASETS for (i,) in db.execute(f"select distinct delivery_id from core.{n}").fetchall()
            }
    standing = {j.delivery.delivery_id: j.standing for j in final}
    assert recorded == {i: str(s) for i, s in standing.items()}
    assert loaded <= {i for i, s in standing.items() if s is Standing.CURRENT}
    return LoadedBuild(standing, core)


def current_deliveries(
    validated_: list[ValidatedDelivery], standing: dict[str, Standing]
) -> list[tuple[str, str, str]]:
    deliveries = [j.delivery for j in validated_ if standing[j.delivery.delivery_id] is Standing.CURRENT]
    return [(d.site_code, d.dataset, d.delivery_id) for d in deliveries]


@pytest.mark.soak
@settings(max_examples=iterations(everyday=3, soak=100))
@given(sent=SEQUENCES, seed=st.integers(0, 9))
def test_held_up_and_withdrawn_deliveries_leave_no_trace_in_core(sent: list[Sent], seed: int, pool: Pool) -> None:
    files = dict(enumerate(sent, 1))
    withdrawn = Random(seed).sample(sorted(files), seed % 3)
    first = validated(files, pool, withdrawn)
    build = load_and_cross_check(first, pool, [])
    held_up = {i for i, s in build.standing.items() if s is Standing.HELD_UP}
    event(f"{len(held_up)} held up, {len(withdrawn)} withdrawn")

    # each site has a current delivery of every dataset that it sent
    sent_datasets = {(j.delivery.site_code, j.delivery.dataset) for j in first if not j.withdrawal}
    assert sent_datasets == {(site, dataset) for site, dataset, _ in current_deliveries(first, build.standing)}

    shuffled = Random(seed).sample(first, len(first))
    assert load_and_cross_check(shuffled, pool, current_deliveries(first, build.standing)) == build

    without = {n: s for n, s in files.items() if n not in withdrawn and delivery_of(s, n).delivery_id not in held_up}
    if len(without) < len(files):
        assert load_and_cross_check(validated(without, pool), pool, []).core == build.core
