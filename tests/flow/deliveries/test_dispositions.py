"""Which deliveries count, over random sequences of good, wrong, late and withdrawn ones of two sites.

Whatever comes, in whatever order: no row is lost, a delivery that is held up or withdrawn leaves no trace in the
figures, and to decide again decides the same. Every row is made up.
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
from flows.orchestration.build_steps import cross_check_build, load_build
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
FIRST = datetime(2017, 1, 8, 3, 30)  # every month of the files has begun


def content(site: str, dataset: str, kind: str) -> list[Row]:
    """What a file of a site holds."""
    if kind == "few":
        return valid_rows(dataset, *range(1, 26), site=site)
    rows = valid_rows(dataset, *range(1, 31), site=site)
    key = datasets()[dataset].key[0]
    if kind == "another site's":
        own = {"site_code": site} if dataset == "participants" else {}
        return [valid_row(dataset, n, OTHER[site], **own) for n in range(1, 31)]
    if kind == "numbered anew":
        refers = key if dataset == "participants" else "participant_ref" if dataset == "referrals" else "episode_id"
        return [row | {refers: row[refers].replace("-", "-9" if "E" not in row[refers] else "-F9")} for row in rows]
    if kind == "some without consent" and dataset == "participants":
        return [row | {"consent_data_sharing": "N"} if n < 25 else row for n, row in enumerate(rows)]
    if kind == "some rows wrong":
        return [row | {"episode_id": "X-NONE"} if n < 4 and dataset == "contacts" else row
                for n, row in enumerate(rows)]  # fmt: skip
    return rows


@dataclass(frozen=True)
class Sent:
    """A file that a site sends."""

    site: str
    dataset: str
    kind: str
    month: int
    adds_up: bool


class Pool:
    """The validation result of every content, made once."""

    def __init__(self, judgements: ResultStore, verdicts: dict[tuple[str, str, str], Verdict]) -> None:
        self.judgements, self.verdicts = judgements, verdicts


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    places = DataPaths(tmp_path_factory.mktemp("dispositions"))
    places.make()
    places.raw.mkdir()
    verdicts = {}
    for site in OTHER:
        for dataset in DATASETS:
            for kind in KINDS:
                path = places.raw / "file.csv"
                path.write_text(as_csv(content(site, dataset, kind)), encoding="utf-8")
                contract, d = datasets()[dataset], delivery_of(Sent(site, dataset, kind, 12, False), 0)
                with ResultStore(places).open(key_of(site, dataset, kind), row_types(contract)) as out:
                    verdicts[site, dataset, kind] = validate_file(path, d, contract, out)
                    out.finish(verdicts[site, dataset, kind])
    return Pool(ResultStore(places), verdicts)


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


SOUND = [Sent(site, dataset, "few", 9, False) for dataset in DATASETS for site in sorted(OTHER)]
SEQUENCES = st.tuples(st.sampled_from([SOUND, SOUND, []]), st.lists(FILES, min_size=2, max_size=7)).map(
    lambda parts: [*parts[0], *parts[1]]
)


def validated(files: dict[int, Sent], pool: Pool, withdrawn: Collection[int] = ()) -> list[ValidatedDelivery]:
    """The deliveries with the standing that they have before anything is set aside."""
    keys, deliveries, verdicts = {}, [], {}
    for number, sent in files.items():
        d = delivery_of(sent, number)
        deliveries.append(d)
        keys[d.delivery_id] = key_of(sent.site, sent.dataset, sent.kind)
        verdicts[d.delivery_id] = pool.verdicts[sent.site, sent.dataset, sent.kind]
    ids = [delivery_of(files[number], number).delivery_id for number in withdrawn]
    taken_out = {i: Withdrawal(i, FIRST + timedelta(days=99), "made up") for i in ids}
    standing = standings(deliveries, verdicts, withdrawn=taken_out)
    return [
        ValidatedDelivery(d, keys[i], apply_standing(verdicts[i], standing[i]), standing[i], taken_out.get(i))
        for d in deliveries
        for i in (d.delivery_id,)
    ]


@dataclass(frozen=True)
class World:
    """What a night makes of some deliveries."""

    standing: dict[str, Standing]
    core: dict[str, list[tuple[object, ...]]]


def world(given_: list[ValidatedDelivery], pool: Pool, counted_before: list[tuple[str, str, str]]) -> World:
    """Load and cross-check some deliveries, with every row accounted for."""
    with TemporaryDirectory() as folder:
        new = NewBuild(Path(folder) / "build.duckdb", DuckDBOptions(threads=1))
        load_build(new, given_, [], pool.judgements)
        final = cross_check_build(new, given_, pool.judgements, counted_before)
        with new.read() as db:
            prove(db, final)
            noted = dict(db.execute("select delivery_id, standing from audit.deliveries").fetchall())
            core = {n: db.execute(f"from core.{n} order by all").fetchall() for n in DATASETS}
            counts = {
                i for n in DATASETS for (i,) in db.execute(f"select distinct delivery_id from core.{n}").fetchall()
            }
    standing = {j.delivery.delivery_id: j.standing for j in final}
    assert noted == {i: str(s) for i, s in standing.items()}
    assert counts <= {i for i, s in standing.items() if s is Standing.CURRENT}
    return World(standing, core)


def counting(given_: list[ValidatedDelivery], standing: dict[str, Standing]) -> list[tuple[str, str, str]]:
    deliveries = [j.delivery for j in given_ if standing[j.delivery.delivery_id] is Standing.CURRENT]
    return [(d.site_code, d.dataset, d.delivery_id) for d in deliveries]


@pytest.mark.soak
@settings(max_examples=iterations(6, 100))
@given(sent=SEQUENCES, seed=st.integers(0, 9))
def test_what_is_held_up_or_withdrawn_leaves_no_trace(sent: list[Sent], seed: int, pool: Pool) -> None:
    files = dict(enumerate(sent, 1))
    withdrawn = Random(seed).sample(sorted(files), seed % 3)
    first = validated(files, pool, withdrawn)
    made = world(first, pool, [])
    held_up = {i for i, s in made.standing.items() if s is Standing.HELD_UP}
    event(f"{len(held_up)} held up, {len(withdrawn)} withdrawn")

    # every site that sent a file of a dataset has one that counts
    of_others = {(j.delivery.site_code, j.delivery.dataset) for j in first if not j.withdrawal}
    assert of_others == {(site, dataset) for site, dataset, _ in counting(first, made.standing)}

    shuffled = Random(seed).sample(first, len(first))
    assert world(shuffled, pool, counting(first, made.standing)) == made

    without = {n: s for n, s in files.items() if n not in withdrawn and delivery_of(s, n).delivery_id not in held_up}
    if len(without) < len(files):
        assert world(validated(without, pool), pool, []).core == made.core
