"""Write simulated extracts for every site, dataset and month, batch by batch, and the list of findings to expect."""

from __future__ import annotations

import csv
import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl

from flows.simulator.faults.fault import FaultContext
from flows.simulator.faults.of_events import UNLISTED_CONTACT_TYPE
from flows.simulator.faults.of_files import FILE_PATTERNS, FilePattern, with_patterns
from flows.simulator.faults.planting import FAULT_KINDS, Planted, choose_faults
from flows.simulator.files.extract import as_of
from flows.simulator.files.open_extract import (
    IN_PENCE,
    TRUTH_COLUMNS,
    OpenExtract,
    record_shape,
    write_in_pence,
    write_rows,
)
from flows.simulator.files.shapes import headings, shape_of
from flows.simulator.files.staging import staged
from flows.simulator.files.true_files import TrueFiles
from flows.simulator.files.writing import CsvFile, ExtractFile, Workbook
from flows.simulator.lives.life import SiteConditions, conditions_of
from flows.simulator.money.extracts import money_extract
from flows.simulator.money.results import is_payable
from flows.simulator.money.site_ledger import site_ledger
from flows.simulator.programmes import SimulatedProgramme, SimulatedSite, cut_off_dates
from flows.simulator.services.tables import services
from flows.simulator.sites import pilot_sites, retired_areas
from flows.simulator.tables.population import BATCH, population
from schemas._contract import registry
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Severity
from schemas._rules.months import OTHER_MONTH_RULE
from schemas.audit.deliveries import ExtractType

SPARE_AWARDS = 3  # for each site: as many as a file can have faults that concern a whole award
TRIAL_EFFECT = 4.0  # percentage points: that of the West Midlands trial, docs/domain.md 1.5
MISSING_COLUMN, TOO_MANY_FAULTS = "missing column", "too many faults"


@dataclass(frozen=True)
class Refusal:
    """A file that is made to be refused, or held, as a whole."""

    site_code: str
    dataset: str
    month: int  # counted from the first simulated month, 0; for money, from the first quarter
    why: str  # MISSING_COLUMN or TOO_MANY_FAULTS; for money that was sent in pounds before, IN_PENCE


# For the demo. Contacts, because no other dataset refers to them: nothing else is held on their account.
DEMO_REFUSALS = (
    Refusal("MHT-BPL", "contacts", 2, MISSING_COLUMN),
    Refusal("MWW-LIN", "contacts", 1, TOO_MANY_FAULTS),
    Refusal("MHT-NECA", "contacts", 1, MISSING_COLUMN),
)


@dataclass
class Summary:
    """Counts of what was written."""

    files: int = 0
    rows: int = 0
    contacts: int = 0  # in the last month of each site
    faults: int = 0  # findings to expect from planted faults
    sites: tuple[str, ...] = ()
    rules: Counter[str] = field(default_factory=Counter)


def simulate(  # parameters: the options of the command, by name
    folder: Path,
    *,
    rows: int,
    seed: int,
    truth: Path,
    months: int = 3,
    fault_rate: float = 0.01,
    sites: Sequence[str] | None = None,
    refused: Sequence[Refusal] = (),
    money_of: Sequence[str] | None = None,
    patterns: Sequence[tuple[str, str]] = (),
    months_of: Mapping[str, int] = MappingProxyType({}),
    trial_effect: float = TRIAL_EFFECT,
    periods: Sequence[str] = (),
) -> Summary:
    """Write simulated extracts of the pilot sites under `folder`, and the findings to expect to the CSV `truth`.

    The same arguments give the same bytes. A site for which nothing has happened yet sends no file. Beside `truth` are
    written the lives of all people and the true ledgers of money, as known at each site's last cut-off: into its
    `lives_folder` and its `ledger_folder`.

    Args:
        folder: folder of raw files; each site gets a folder of its code.
        rows: approximate number of contacts of all sites in the last month. The size of the other datasets follows.
        seed: seed of all random choices.
        truth: CSV with the columns TRUTH_COLUMNS, a row per finding. It must lie outside `folder`.
        months: number of monthly extracts per dataset, up to each programme's own last month.
        fault_rate: share of rows that get a fault.
        sites: codes of the sites to simulate (default: all that send participants).
        refused: files to make so that they are refused.
        money_of: codes of the sites that send money too, at the end of each quarter among the months (default: all).
        patterns: patterns of whole files: the code of a site, and the rule that finds it (FILE_PATTERNS). The site must
            have over forty rows of the dataset in its first month.
        months_of: for some sites, another number of monthly extracts than `months`.
        trial_effect: percentage points more of those randomised to support who find a job within a year.
        periods: codes of sites whose CSV of contacts has in the last month that month alone, as its manifest says.

    Raises ValueError for a site that sends no participants or a truth file inside `folder`, and OtherFilesPresent where
    simulated files would replace or be mixed with others: then nothing is written.
    """
    if folder.resolve() in truth.resolve().parents:
        raise ValueError("the truth file must lie outside the folder of the extracts")
    with staged(folder, truth) as (staged_folder, staged_truth):
        return _write_sites(
            staged_folder,
            staged_truth,
            pilot_sites(sites),
            rows,
            _Plan(
                seed=seed,
                months=months,
                fault_rate=fault_rate,
                refused=tuple(refused),
                money_of=money_of,
                months_of=months_of,
                patterns=tuple(patterns),
                trial_effect=trial_effect,
                periods=periods,
            ),
        )


@dataclass(frozen=True)
class _Plan:
    """Options that apply to every site."""

    seed: int
    months: int
    fault_rate: float
    refused: tuple[Refusal, ...]
    money_of: Sequence[str] | None
    patterns: tuple[tuple[str, str], ...]
    months_of: Mapping[str, int]
    trial_effect: float
    periods: Sequence[str]


def _write_sites(folder: Path, truth: Path, chosen: Sequence[SimulatedSite], rows: int, plan: _Plan) -> Summary:
    # share of people who are never referred: faults that hold a participant need people without further rows
    spare = max(0.05, min(0.3, 3 * plan.fault_rate))
    weight = sum(s.weight for s in chosen)
    summary = Summary(sites=tuple(s.code for s in chosen))
    true = TrueFiles.next_to(truth)
    with truth.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TRUTH_COLUMNS)
        for site in chosen:
            contacts = rows * site.weight / weight
            people = max(1, round(contacts / _contacts_per_person(site.programme, spare)))
            extracts = _SiteExtracts(site, folder / site.code, people, int(contacts), plan, spare)
            for expected in extracts.write(summary, true):
                writer.writerow(expected)
    return summary


@lru_cache
def _contacts_per_person(programme: SimulatedProgramme, spare: float) -> float:
    """Mean number of contacts per person at the end of a programme, from a sample of 4,000 people."""
    sample = SimulatedSite("XX-SAMPLE", "XX", ("E06000009",), ("E06000009",), (), programme)
    conditions = SiteConditions(sample, cut_off_dates(programme, 1)[-1], spare, TRIAL_EFFECT)
    tables = population(conditions, np.random.default_rng(1), 0, 4000)
    return max(0.1, len(tables["contacts"]) / 4000)


@dataclass(frozen=True)
class _SiteExtracts:
    """Writes the extracts of one site."""

    site: SimulatedSite
    folder: Path
    people: int
    contacts: int
    plan: _Plan
    spare: float

    @property
    def months(self) -> int:
        """How many monthly extracts of each dataset it writes."""
        return self.plan.months_of.get(self.site.code, self.plan.months)

    def write(self, summary: Summary, true: TrueFiles) -> Iterator[tuple[object, ...]]:
        """Write the site's files, its people's lives and its ledger of money, and yield the rows of the truth file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        plan, last = self.plan, self._months[-1]
        files: dict[str, list[OpenExtract]] = {d: self._open(d, self._cut_offs(d)) for d in self.site.datasets}
        conditions = conditions_of(
            self.site, self.people, last, spare=self.spare, trial_effect=plan.trial_effect, seed=plan.seed
        )
        jobs = []
        for first in range(0, self.people, BATCH):
            rng = np.random.default_rng([plan.seed, _hash(self.site.code), first])
            lives = population(conditions, rng, first, min(BATCH, self.people - first))
            true.append(self.site, lives, last)
            tables = with_patterns(lives, self._patterns)
            if self.site.by_results:  # a payment refers to its job
                leaf = pl.col("_leaf") & ~is_payable()
                tables["employment_outcomes"] = tables["employment_outcomes"].with_columns(_leaf=leaf)
            jobs.append(tables["employment_outcomes"])
            self._append_tables(tables, files, first)
        done = services(conditions, np.random.default_rng([plan.seed, _hash(f"{self.site.code} services")]))
        true.append(self.site, done, last)
        self._append_tables(done, files, 0)
        if plan.money_of is None or self.site.code in plan.money_of:
            files |= self._write_money(pl.concat(jobs), self._quarters, true)
        for opened in files.values():
            yield from self._close(opened, summary)
        with suppress(OSError):  # removes the folder of a site without files; one with files is not empty
            self.folder.rmdir()

    @property
    def _months(self) -> list[date]:
        """The last day of each simulated month."""
        return cut_off_dates(self.site.programme, self.months)

    @property
    def _quarters(self) -> list[date]:
        """The last day of each quarter that ends with a simulated month."""
        return [day for day in self._months if day.month % 3 == 0]

    def _cut_offs(self, dataset: str) -> list[date]:
        """The cut-offs of the site's files of a dataset."""
        return self._months if registry.months_of_a_return(self.site.code, dataset) == 1 else self._quarters

    def _append_tables(self, tables: dict[str, pl.DataFrame], files: dict[str, list[OpenExtract]], first: int) -> None:
        """Append a batch to the files of its datasets, as known at each cut-off."""
        for dataset in (d for d in self.site.datasets if d in tables):
            fields = tuple(datasets()[dataset].by_name)
            for month, cut_off in enumerate(self._cut_offs(dataset)):
                versions = [f for f in files[dataset] if f.month == month]
                rows = as_of(tables[dataset], cut_off, fields)
                since = versions[0].context.period_start
                self._append(rows.filter(pl.col("_seen") >= str(since)) if since else rows, versions, first)

    @property
    def _patterns(self) -> tuple[FilePattern, ...]:
        """The patterns of this site's files."""
        return tuple(p for p in FILE_PATTERNS if (self.site.code, p.rule_id) in self.plan.patterns)

    def _write_money(self, jobs: pl.DataFrame, quarters: list[date], true: TrueFiles) -> dict[str, list[OpenExtract]]:
        """Write the site's files of money for the ends of quarters, and its ledger as known at the last of them."""
        if not quarters:
            return {}
        rng = np.random.default_rng([self.plan.seed, _hash(f"{self.site.code} money")])
        spare = SPARE_AWARDS if self.plan.fault_rate else 0
        ledger = site_ledger(self.site, rng, quarters[-1], jobs, spare)
        true.ledgers.append(ledger)
        files = {dataset: self._open(dataset, quarters) for dataset in self.site.money}
        for dataset, opened in files.items():
            for month, cut_off in enumerate(quarters):
                versions = [f for f in opened if f.month == month]
                rows = money_extract(ledger, dataset, cut_off)
                if versions[0].refusal == IN_PENCE:
                    write_in_pence(rows, versions[0])
                else:
                    self._append(rows, versions, 0)
        return files

    def _open(self, dataset: str, cut_offs: list[date]) -> list[OpenExtract]:
        contract = datasets()[dataset]
        opened = []
        for month in range(len(cut_offs)):
            why = self._refusal(dataset, month)
            last_version = (
                2
                if self.plan.fault_rate
                and not why
                and _has_second_version(self.site.code, dataset, month, len(cut_offs))
                else 1
            )
            for version in range(1, last_version + 1):
                latest = month == len(cut_offs) - 1 and version == last_version
                opened.append(self._new(contract, cut_offs, month, version, why, latest=latest))
        return opened

    def _new(
        self, contract: Contract, cut_offs: list[date], month: int, version: int, why: str, *, latest: bool
    ) -> OpenExtract:
        dataset, cut_off, shape = contract.dataset, cut_offs[month], shape_of(self.site.code, self.contacts)
        fields = list(contract.by_name)
        if why == MISSING_COLUMN:
            dropped = next(
                f.name for f in reversed(contract.fields) if f.column_is_required and f.name not in contract.key
            )
            fields.remove(dropped)
        heads = headings(contract, fields, shape)
        path = self.folder / f"{self.site.code}_{dataset}_{cut_off:%Y%m}_v{version}.{shape.extension}"
        titles = [
            f"MADE-UP DATA - simulated, seed {self.plan.seed}",
            f"{contract.title} of {self.site.code} to {cut_off:%d/%m/%Y}",
        ][: shape.title_lines]
        is_csv = shape.extension == "csv"
        is_last = month == len(cut_offs) - 1
        is_period = is_csv and is_last and dataset == "contacts" and self.site.code in self.plan.periods
        extract_type = ExtractType.PERIOD if is_period else ExtractType.CUMULATIVE
        file: ExtractFile = (
            CsvFile(path, heads, extract_type) if is_csv else Workbook(path, contract, fields, heads, titles)
        )
        comparable = month > 0 and not any(self._refusal(dataset, m) for m in range(month))
        context = FaultContext(
            site_code=self.site.code,
            cut_off=cut_off,
            previous_cut_off=cut_offs[month - 1] if comparable else None,
            csv=is_csv,
            latest=latest and not why,
            day_first=registry.profile(self.site.code).date_order == "dmy",
            headings=tuple(heads),
            fields=tuple(fields),
            retired_areas=retired_areas(),
            period_start=cut_off.replace(day=1) if is_period else None,
            has_posts=any(day <= cut_off for day in self._quarters),
        )
        progress = month / max(1, len(cut_offs) - 1)  # from 0 in its first file to 1 in its last
        usual = self.plan.fault_rate * (1 - progress * (1 - self.site.programme.faults_at_last))
        share = {MISSING_COLUMN: 0.0, IN_PENCE: 0.0, TOO_MANY_FAULTS: 0.4}.get(why, usual)
        fault_kinds = (UNLISTED_CONTACT_TYPE,) if why == TOO_MANY_FAULTS else FAULT_KINDS[dataset]
        opened = OpenExtract(
            file=file,
            contract=contract,
            fields=fields,
            headings=heads,
            context=context,
            month=month,
            version=version,
            refusal=why,
            share=share,
            fault_kinds=fault_kinds,
        )
        record_shape(opened, shape)
        if why == MISSING_COLUMN:
            opened.truth.append((path.name, file.sheet, "", "", dropped, "F09", str(Severity.FILE), why))
        elif why == TOO_MANY_FAULTS:
            opened.truth.append((path.name, file.sheet, "", "", "", "L01", str(Severity.FILE), why))
        return opened

    def _refusal(self, dataset: str, month: int) -> str:
        return next(
            (r.why for r in self.plan.refused if (r.site_code, r.dataset, r.month) == (self.site.code, dataset, month)),
            "",
        )

    def _append(self, rows: pl.DataFrame, versions: list[OpenExtract], first: int) -> None:
        """Append a batch to every version of a month's file. The second version has some of the faults fixed."""
        if rows.is_empty():
            return
        draft = versions[0]
        rng = np.random.default_rng([self.plan.seed, _hash(draft.file.path.name), first])
        wanted = math.floor(draft.share * len(rows) + rng.random()) if draft.share else 0
        planted = choose_faults(rows, draft.fault_kinds, wanted, rng, draft.context, draft.so_far)
        for opened in versions:
            if opened.version > 1:
                planted = _partly_fixed(rows, planted, opened, rng)
            write_rows(rows, planted, opened)

    def _close(self, opened: list[OpenExtract], summary: Summary) -> Iterator[tuple[object, ...]]:
        seen: set[str] = set()
        months: dict[str, set[int]] = defaultdict(set)  # of the files with the same rows, by these
        for file in opened:
            of_bytes = file.file.close(file.data_rows, file.context.cut_off)
            if not file.data_rows or of_bytes in seen:  # nothing has happened yet, or nothing new since an earlier file
                for path in (file.file.path, file.file.path.with_suffix(".manifest.json")):
                    path.unlink(missing_ok=True)
                continue
            seen.add(of_bytes)
            if not file.refusal:
                for p in self._patterns:
                    if p.dataset == file.contract.dataset:
                        file.expect("", p.field, p.rule_id, str(Severity.WARNING), p.fault)
                same = months[file.content.hexdigest()]
                if len(same) == 1 and file.month not in same:  # given once, however long nothing changes
                    file.expect("", "", OTHER_MONTH_RULE, str(Severity.WARNING), "shape")
                same.add(file.month)
            summary.files += 1
            summary.rows += file.data_rows
            if file.contract.dataset == "contacts" and file.month == self.months - 1 and file.version == 1:
                summary.contacts += file.data_rows
            for expected in file.truth:
                summary.rules[str(expected[5])] += 1
                summary.faults += expected[7] != "shape"
                yield expected


def _partly_fixed(
    rows: pl.DataFrame, planted: list[Planted], opened: OpenExtract, rng: np.random.Generator
) -> list[Planted]:
    """Faults of a second version: about half of the first one's, and new ones that only other tables show.

    The new ones only if it is the latest file, because rules between tables see no other.
    """
    kept = [p for p in planted if rng.random() < 0.5]
    opened.so_far.update(f"{p.kind.rule_id} {p.kind.field}" for p in kept)
    if not opened.context.latest:
        return kept
    changed = {p.row for p in planted}
    free = rows.with_row_index("_position").filter(~pl.col("_position").is_in(list(changed)))
    latest_only = tuple(k for k in opened.fault_kinds if k.latest_only)
    wanted = math.floor(len(latest_only) / max(1, len(opened.fault_kinds)) * opened.share * len(rows) + rng.random())
    positions = free["_position"].to_list()
    more = choose_faults(free, latest_only, wanted, rng, opened.context, opened.so_far)
    return kept + [replace(p, row=positions[p.row]) for p in more]


def _has_second_version(site_code: str, dataset: str, month: int, months: int) -> bool:
    """Whether a file has a second version: contacts of a third of the sites, first participants of another third."""
    third = _hash(site_code) % 3
    return (third, dataset, month) in ((0, "contacts", months - 1), (1, "participants", 0))


def _hash(text: str) -> int:
    """Hash that is the same in every process, unlike Python's own."""
    return zlib.crc32(text.encode())
