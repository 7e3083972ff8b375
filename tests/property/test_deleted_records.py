"""Deleting records gives `core` the rows that it would have had without them, in whatever order the files come."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from data_folder import DataFolder, Row, valid_row
from hypothesis import given
from hypothesis import strategies as st

from flows.orchestration.active_run import validated_deliveries
from flows.orchestration.build_steps import run_cross_check, run_load
from flows.steps.promote import prove
from flows.steps.receive import receive
from flows.steps.validate_delivery import validate_delivery
from flows.store.build_fingerprint import load_version
from flows.store.ledger import Ledger
from flows.store.results import ResultStore
from flows.store.warehouse import DuckDBOptions
from flows.store.warehouse.load_cache import LoadCache
from flows.store.warehouse.new_build import NewBuild
from schemas._contract.catalogue import datasets

FIRST_NIGHT = datetime(2017, 1, 2, 3, 30)
PEOPLE = (1, 2, 3, 4, 5)  # 5 is never deleted, so that no file is without rows
MONTHS = ("201611", "201612")
PERIOD = {"extract_type": "period"}


class File(NamedTuple):
    """One file to send: its rows, and the month of its cut-off."""

    dataset: str
    month: str
    rows: list[Row]
    manifest: dict[str, Any] | None = None


def episode_of(n: int) -> str:
    return f"BPL-E{n:06}"


def row_of(dataset: str, month: str, n: int) -> Row:
    if dataset != "contacts":
        return valid_row(dataset, n)
    return valid_row(dataset, n, contact_id=f"BPL-C{month}{n:03}", contact_date=f"2016-{month[4:]}-05")


def files_of(deleted: set[tuple[str, int]], is_sent: dict[tuple[str, str], set[int]]) -> list[File]:
    """Two months of every file, without the rows that belong to a deleted record, and without the deletions."""
    gone = {n for kind, n in deleted if kind == "participants"}
    gone_episodes = gone | {n for kind, n in deleted if kind == "referrals"}
    without = {
        "participants": gone,
        "referrals": gone_episodes,
        "employment_outcomes": gone_episodes,
        "contacts": gone_episodes | {n for kind, n in deleted if kind == "contacts"},
    }
    files = []
    for (dataset, month), people in is_sent.items():
        rows = [row_of(dataset, month, n) for n in sorted(people | {5}) if n not in without[dataset]]
        files.append(File(dataset, month, rows, PERIOD if dataset == "contacts" else None))
    return files


def deletions_of(deleted: set[tuple[str, int]], months: Sequence[str]) -> list[Row]:
    """A row for each deleted record; a contact is deleted in each month in which it was sent."""
    named = [
        (kind, f"BPL-{n:06}" if kind == "participants" else episode_of(n))
        for kind, n in sorted(deleted)
        if kind != "contacts"
    ]
    named += [
        ("contacts", f"BPL-C{month}{n:03}") for kind, n in sorted(deleted) if kind == "contacts" for month in months
    ]
    return [
        valid_row("deletions", i, record_type=kind, reference=reference) for i, (kind, reference) in enumerate(named, 1)
    ]


def core_after(
    path: Path, cache: Path, files: Sequence[File], order: Sequence[int]
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of `core` once these files have come one a night in this order, proved as before a promotion."""
    folder = DataFolder(path)
    folder.paths.make()
    shutil.copytree(cache, folder.paths.load_cache, dirs_exist_ok=True)
    results = ResultStore(folder.paths)
    with closing(Ledger(folder.paths.ledger)) as ledger:
        for night, which in enumerate(order):
            file = files[which]
            folder.send(file.dataset, file.rows, file.month, manifest=file.manifest)
            received = receive(folder.paths, ledger, "run", FIRST_NIGHT + timedelta(days=night))
            for new in received.new:
                ledger.record_result_key(new, validate_delivery(received.deliveries[new], folder.paths, results).key)
        late = FIRST_NIGHT + timedelta(days=99)
        validated = validated_deliveries(ledger.deliveries().values(), ledger.result_keys(), results, late)
    build = NewBuild(
        folder.paths.unfinished / "build.duckdb",
        DuckDBOptions(threads=1),
        cache=LoadCache.of(folder.paths, load_version()),
    )
    run_load(build, validated, [], results)
    final = run_cross_check(build, validated, results)
    with build.read() as db:
        prove(db, final)
        faults = db.execute(
            "select distinct rule_id from audit.findings join audit.deliveries using (delivery_id)"
            " where outcome = 'broken' and severity = 'row'"
        ).fetchall()
        assert {rule for (rule,) in faults} <= {"P21"}
        return {
            name: db.execute(
                f"select {', '.join(f.name for f in contract.fields)} from core.{name} order by all"
            ).fetchall()
            for name, contract in datasets().items()
            if name != "deletions"
        }


subsets = st.sets(st.sampled_from(PEOPLE))
records = st.tuples(st.sampled_from(["participants", "referrals", "contacts"]), st.sampled_from(PEOPLE[:-1]))


@pytest.mark.soak
@given(st.sets(records, min_size=1, max_size=3), st.data())
def test_core_is_as_if_deleted_records_had_never_been_sent(
    tmp_path_factory: pytest.TempPathFactory, empty_load_cache: Path, deleted: set[tuple[str, int]], data: st.DataObject
) -> None:
    # people and referrals are sent whole, so that no row is an orphan for another reason
    is_sent = {(d, m): set(PEOPLE) for d in ("participants", "referrals") for m in MONTHS}
    is_sent |= {("contacts", m): data.draw(subsets) for m in MONTHS}
    is_sent |= {("employment_outcomes", m): data.draw(subsets) for m in MONTHS}
    files = [*files_of(set(), is_sent), File("deletions", MONTHS[-1], deletions_of(deleted, MONTHS))]
    if data.draw(st.booleans(), "the last files have been cleared of what is deleted"):
        cleared = files_of(deleted, is_sent)
        files = [c if f.month == MONTHS[-1] and f.dataset in ("participants", "referrals") else f
                 for f, c in zip(files, [*cleared, files[-1]], strict=True)]  # fmt: skip
    order = data.draw(st.permutations(range(len(files))))
    found = core_after(tmp_path_factory.mktemp("deleted"), empty_load_cache, files, _oldest_first(files, order))
    never_sent = files_of(deleted, is_sent)
    whole = range(len(never_sent))
    expected = core_after(tmp_path_factory.mktemp("never"), empty_load_cache, never_sent, whole)
    assert found == expected


def _oldest_first(files: Sequence[File], order: Sequence[int]) -> list[int]:
    """The order, in which the months of one dataset come one after another: a file that is too old never counts."""
    places: dict[str, list[int]] = {}
    for which in order:
        places.setdefault(files[which].dataset, []).append(which)
    later = {dataset: sorted(found, key=lambda w: files[w].month) for dataset, found in places.items()}
    return [later[files[which].dataset].pop(0) for which in order]
