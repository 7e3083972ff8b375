"""Making the extracts: every site, dataset and month, batch by batch, with the truth about each planted fault."""

from __future__ import annotations

import csv
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from flows.simulator.faults.fault import FaultContext, Planter
from flows.simulator.faults.of_events import TOO_MANY
from flows.simulator.faults.planting import PLANTERS, Planted, draw, spoil
from flows.simulator.files.extract import as_of
from flows.simulator.files.made_apart import made_apart
from flows.simulator.files.shapes import Shape, headings, shape_of
from flows.simulator.files.writing import CsvFile, ExtractFile, Workbook
from flows.simulator.population.site_population import BATCH, population
from flows.simulator.programmes import SimulatedProgramme, SimulatedSite, cut_dates
from flows.simulator.sites import pilot_sites, retired_areas
from schemas._contract import registry
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Severity

TRUTH_COLUMNS = ("file", "sheet", "source_row", "column", "field", "rule_id", "severity", "fault")
NOT_DATA = ("F05", "F06", "F07")  # rows that a manifest does not count: repeated headings, totals, blank rows
MISSING_COLUMN, TOO_MANY_FAULTS = "missing column", "too many faults"


@dataclass(frozen=True)
class Refusal:
    """A file that is meant to be refused whole, and why. `month` counts from the first simulated one, 0."""

    site_code: str
    dataset: str
    month: int
    why: str  # MISSING_COLUMN or TOO_MANY_FAULTS


# For demonstrations: contacts carry no other rows, so nothing else goes wrong with these.
DEMO_REFUSALS = (
    Refusal("MHT-BPL", "contacts", 2, MISSING_COLUMN),
    Refusal("MWW-LIN", "contacts", 2, TOO_MANY_FAULTS),
)


@dataclass
class Summary:
    """What was made."""

    files: int = 0
    rows: int = 0
    contacts: int = 0  # in the last month of each site
    faults: int = 0  # findings to be expected of planted faults
    sites: tuple[str, ...] = ()
    rules: Counter[str] = field(default_factory=Counter)


@dataclass
class _Open:
    """One file while it is written."""

    file: ExtractFile
    contract: Contract
    fields: list[str]
    headings: list[str]
    context: FaultContext
    month: int
    version: int
    refusal: str
    share: float
    planters: tuple[Planter, ...]
    so_far: Counter[str] = field(default_factory=Counter)
    data_rows: int = 0
    truth: list[tuple[object, ...]] = field(default_factory=list)

    def told(self, row: int | str, name: str, rule_id: str, severity: str, fault: str) -> None:
        """Note a finding to be expected."""
        column = self.headings[self.fields.index(name)] if name in self.fields else ""
        self.truth.append((self.file.path.name, self.file.sheet, row, column, name, rule_id, severity, fault))


def simulate(  # parameters: whoever asks for extracts says what they are to be like, each by its name
    folder: Path,
    *,
    rows: int,
    seed: int,
    truth: Path,
    months: int = 3,
    fault_rate: float = 0.01,
    sites: Sequence[str] | None = None,
    refused: Sequence[Refusal] = (),
) -> Summary:
    """Write made-up extracts of the pilot sites under `folder`, and the planted faults to the CSV `truth`.

    `rows` is about how many contacts all sites together send in the last month; the other datasets follow from it.
    `fault_rate` is the share of rows that get a fault. The same arguments give the same bytes. Months end with each
    programme's own last one. Where nothing has happened yet, a site sends no file.
    Raises ValueError for a site that sends no participants, or a truth file inside the folder of the extracts, and
    OthersThere where made-up files would lie among, or in place of, others: then nothing is written.
    """
    if folder.resolve() in truth.resolve().parents:
        raise ValueError("the truth file must lie outside the folder of the extracts")
    with made_apart(folder, truth) as (making, telling):
        return _make(making, telling, pilot_sites(sites), rows, _Plan(seed, months, fault_rate, tuple(refused)))


@dataclass(frozen=True)
class _Plan:
    """What is asked of the extracts of every site."""

    seed: int
    months: int
    fault_rate: float
    refused: tuple[Refusal, ...]


def _make(folder: Path, truth: Path, chosen: Sequence[SimulatedSite], rows: int, plan: _Plan) -> Summary:
    spare = max(0.05, min(0.3, 3 * plan.fault_rate))
    weight = sum(s.weight for s in chosen)
    summary = Summary(sites=tuple(s.code for s in chosen))
    with truth.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TRUTH_COLUMNS)
        for site in chosen:
            wanted = rows * site.weight / weight
            people = max(1, round(wanted / _contacts_per_person(site.programme, spare)))
            making = _Site(site, folder / site.code, people, int(wanted), plan, spare)
            for told in making.run(summary):
                writer.writerow(told)
    return summary


@lru_cache
def _contacts_per_person(programme: SimulatedProgramme, spare: float) -> float:
    """How many contacts a person of a programme has at its end, seen on a sample."""
    sample = SimulatedSite("XX-SAMPLE", "XX", ("E06000009",), ("E06000009",), (), programme)
    tables = population(sample, np.random.default_rng(1), 0, 4000, cut_dates(programme, 1)[-1], spare)
    return max(0.1, len(tables["contacts"]) / 4000)


@dataclass(frozen=True)
class _Site:
    """The making of one site's extracts."""

    site: SimulatedSite
    folder: Path
    people: int
    contacts: int
    plan: _Plan
    spare: float

    def run(self, summary: Summary) -> Iterator[tuple[object, ...]]:
        """Write the site's files; give the rows of the truth file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cuts = cut_dates(self.site.programme, self.plan.months)
        files: dict[str, list[_Open]] = {d: [] for d in self.site.datasets}
        for first in range(0, self.people, BATCH):
            rng = np.random.default_rng([self.plan.seed, _number(self.site.code), first])
            tables = population(self.site, rng, first, min(BATCH, self.people - first), cuts[-1], self.spare)
            for dataset in self.site.datasets:
                files[dataset] = files[dataset] or self._open(dataset, cuts)
                for month, cut in enumerate(cuts):
                    versions = [f for f in files[dataset] if f.month == month]
                    self._append(as_of(tables[dataset], cut, tuple(datasets()[dataset].by_name)), versions, first)
        for opened in files.values():
            yield from self._close(opened, summary)

    def _open(self, dataset: str, cuts: list[date]) -> list[_Open]:
        contract = datasets()[dataset]
        opened = []
        for month in range(len(cuts)):
            why = self._refusal(dataset, month)
            last_version = (
                2 if self.plan.fault_rate and not why and _sent_again(self.site.code, dataset, month, len(cuts)) else 1
            )
            for version in range(1, last_version + 1):
                latest = month == len(cuts) - 1 and version == last_version
                opened.append(self._new(contract, cuts, month, version, why, latest=latest))
        return opened

    def _new(self, contract: Contract, cuts: list[date], month: int, version: int, why: str, *, latest: bool) -> _Open:
        dataset, cut, shape = contract.dataset, cuts[month], shape_of(self.site.code, self.contacts)
        fields = list(contract.by_name)
        if why == MISSING_COLUMN:
            dropped = next(
                f.name for f in reversed(contract.fields) if f.column_is_required and f.name not in contract.key
            )
            fields.remove(dropped)
        heads = headings(contract, fields, shape)
        path = self.folder / f"{self.site.code}_{dataset}_{cut:%Y%m}_v{version}.{shape.extension}"
        titles = [
            f"MADE-UP DATA - simulated, seed {self.plan.seed}",
            f"{contract.title} of {self.site.code} to {cut:%d/%m/%Y}",
        ][: shape.title_lines]
        is_csv = shape.extension == "csv"
        file: ExtractFile = CsvFile(path, heads) if is_csv else Workbook(path, contract, fields, heads, titles)
        comparable = month > 0 and not any(self._refusal(dataset, m) for m in range(month))
        context = FaultContext(
            site_code=self.site.code,
            cut=cut,
            previous_cut=cuts[month - 1] if comparable else None,
            csv=is_csv,
            latest=latest and not why,
            day_first=registry.profile(self.site.code).date_order == "dmy",
            headings=tuple(heads),
            fields=tuple(fields),
            retired_areas=retired_areas(),
        )
        share = {MISSING_COLUMN: 0.0, TOO_MANY_FAULTS: 0.4}.get(why, self.plan.fault_rate)
        planters = (TOO_MANY,) if why == TOO_MANY_FAULTS else PLANTERS[dataset]
        opened = _Open(
            file=file,
            contract=contract,
            fields=fields,
            headings=heads,
            context=context,
            month=month,
            version=version,
            refusal=why,
            share=share,
            planters=planters,
        )
        _tell_shape(opened, shape)
        if why == MISSING_COLUMN:
            opened.truth.append((path.name, file.sheet, "", "", dropped, "F09", str(Severity.FILE), why))
        elif why:
            opened.truth.append((path.name, file.sheet, "", "", "", "L01", str(Severity.FILE), why))
        return opened

    def _refusal(self, dataset: str, month: int) -> str:
        return next(
            (r.why for r in self.plan.refused if (r.site_code, r.dataset, r.month) == (self.site.code, dataset, month)),
            "",
        )

    def _append(self, rows: pl.DataFrame, versions: list[_Open], first: int) -> None:
        """Write a batch to every version of a month's file: the second has some of the first one's faults fixed."""
        if rows.is_empty():
            return
        draft = versions[0]
        rng = np.random.default_rng([self.plan.seed, _number(draft.file.path.name), first])
        wanted = math.floor(draft.share * len(rows) + rng.random()) if draft.share else 0
        planted = draw(rows, draft.planters, wanted, rng, draft.context, draft.so_far)
        for opened in versions:
            if opened.version > 1:
                planted = _mended(rows, planted, opened, rng)
            _write(rows, planted, opened)

    def _close(self, opened: list[_Open], summary: Summary) -> Iterator[tuple[object, ...]]:
        seen: set[str] = set()
        for file in opened:
            sha256 = file.file.close(file.data_rows, file.context.cut)
            if not file.data_rows or sha256 in seen:  # nothing happened yet, or nothing new since
                for path in (file.file.path, file.file.path.with_suffix(".manifest.json")):
                    path.unlink(missing_ok=True)
                continue
            seen.add(sha256)
            summary.files += 1
            summary.rows += file.data_rows
            if file.contract.dataset == "contacts" and file.month == self.plan.months - 1 and file.version == 1:
                summary.contacts += file.data_rows
            for told in file.truth:
                summary.rules[str(told[5])] += 1
                summary.faults += told[7] != "shape"
                yield told
        with suppress(OSError):  # a site of whom there is nothing to say
            self.folder.rmdir()


def _write(rows: pl.DataFrame, planted: list[Planted], opened: _Open) -> None:
    texts, located = spoil(rows.select(opened.fields), planted)
    first = opened.file.next_row
    opened.file.append(texts)
    opened.data_rows += len(texts)
    for at in located:
        planter = at.planter
        opened.data_rows -= planter.rule_id in NOT_DATA
        opened.told(first + at.offset, planter.field, planter.rule_id, planter.severity, planter.fault)


def _mended(rows: pl.DataFrame, planted: list[Planted], opened: _Open, rng: np.random.Generator) -> list[Planted]:
    """About half of a first version's faults, and in the file that counts those that only tables together show."""
    kept = [p for p in planted if rng.random() < 0.5]
    opened.so_far.update(f"{p.planter.rule_id} {p.planter.field}" for p in kept)
    if not opened.context.latest:
        return kept
    spoilt = {p.row for p in planted}
    free = rows.with_row_index("_place").filter(~pl.col("_place").is_in(list(spoilt)))
    late = tuple(p for p in opened.planters if p.latest_only)
    wanted = math.floor(len(late) / max(1, len(opened.planters)) * opened.share * len(rows) + rng.random())
    places = free["_place"].to_list()
    more = draw(free, late, wanted, rng, opened.context, opened.so_far)
    return kept + [replace(p, row=places[p.row]) for p in more]


def _tell_shape(opened: _Open, shape: Shape) -> None:
    if shape.title_lines:
        opened.told(shape.title_lines + 1, "", "F04", str(Severity.WARNING), "shape")
    for name, heading in zip(opened.fields, opened.headings, strict=True):
        if heading != name:
            opened.told("", name, "F10", str(Severity.WARNING), "shape")


def _sent_again(site_code: str, dataset: str, month: int, months: int) -> bool:
    """Whether a second version follows: contacts of some sites in the last month, participants of others before."""
    turn = _number(site_code) % 3
    return (turn, dataset, month) in ((0, "contacts", months - 1), (1, "participants", 0))


def _number(text: str) -> int:
    return zlib.crc32(text.encode())
