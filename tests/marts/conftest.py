"""An in-memory warehouse with every table, macro and mart, which tests fill by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from flows.steps.build import make_mart
from schemas._contract import catalogue
from schemas._contract.derive import columns, create_table

SCHEMAS = catalogue.SCHEMAS_DIR
PMO = SCHEMAS.parent / "data" / "raw" / "PMO"
RECEIVED = datetime(2016, 12, 1, 3, 30)
# Values of required columns that a hand-made row does not state, by type.
BLANKS: dict[str, Any] = {"VARCHAR": "", "DATE": date(2016, 1, 1), "TIMESTAMP": RECEIVED, "BOOLEAN": False, "BIGINT": 0}


class Warehouse:
    """Insert rows, build the marts, query them."""

    def __init__(self) -> None:
        """Create all tables of `core` and `audit`, empty except for the registry."""
        self.db = duckdb.connect(config={"threads": 1})  # threads only cost time for a few rows
        self.db.execute("CREATE SCHEMA core; CREATE SCHEMA audit")
        self._columns: dict[str, dict[str, tuple[str, bool]]] = {}
        self._rows = 0
        self._added_to: set[str] = set()
        for name, contract in catalogue.datasets().items():
            self._create("core", name, contract, sent=True)
        for name, contract in catalogue.reference_tables().items():
            self._create("core", name, contract, sent=False)
        for name, contract in catalogue.audit_tables().items():
            self._create("audit", name, contract, sent=False)
        for name in catalogue.reference_tables():
            self._fill_from_csv(name)
        for row in csv.DictReader((SCHEMAS / "core" / "codes" / "target_metric.csv").open(encoding="utf-8")):
            self.add("core.codes", list_name="target_metric", code=row["code"], label=row["label"])
        self._registry = {f"core.{name}" for name in catalogue.reference_tables()}
        self._added_to = set()

    def empty(self) -> None:
        """Delete what a test has added and built, which takes less time than to create all tables again."""
        assert not self._added_to & self._registry, "the registry is the same in every test"
        for table in self._added_to:
            self.db.execute(f"TRUNCATE {table}")
        for schema in {mart.schema for mart in catalogue.marts()}:
            self.db.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        self.db.execute("RESET TimeZone")
        self._rows, self._added_to = 0, set()

    def _create(self, schema: str, name: str, contract: Any, sent: bool) -> None:
        self.db.execute(create_table(schema, contract, sent_by_sites=sent))
        self._columns[f"{schema}.{name}"] = {
            c.name: (c.type, c.required) for c in columns(contract, sent_by_sites=sent)
        }

    def _fill_from_csv(self, name: str) -> None:
        path = catalogue.reference_csv(name)
        if path.exists():
            self.db.execute(
                f"INSERT INTO core.{name} BY NAME SELECT * FROM read_csv(?, all_varchar = true, header = true)",
                [str(path)],
            )

    def add(self, table: str, **values: Any) -> None:
        """Insert one row; required columns that are not given get an empty value (see `BLANKS`)."""
        stated = self._columns[table]
        unknown = values.keys() - stated.keys()
        assert not unknown, f"{table} has no column {unknown}"
        self._rows += 1
        self._added_to.add(table)
        given = {"source_row": self._rows, "delivery_id": f"d{self._rows}"} | values
        row = {n: given[n] for n in stated if n in given}
        for column, (type_, required) in stated.items():
            if required and row.get(column) is None:
                row[column] = Decimal(0) if type_.startswith("DECIMAL") else BLANKS[type_]
        names = ", ".join(f'"{n}"' for n in row)
        marks = ", ".join("?" for _ in row)
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))

    def deliver(self, site: str, cut: str, *datasets: str) -> None:
        """Add current, cumulative deliveries of a site's datasets, with cut-off date `cut`."""
        for dataset in datasets:
            self.add(
                "audit.deliveries",
                delivery_id=f"{site}-{dataset}",
                site_code=site,
                programme_code=site.split("-")[0],
                dataset=dataset,
                period=cut[:4] + cut[5:7],
                version=1,
                data_cut_date=cut,
                extract_type="cumulative",
                result="accepted",
                standing="current",
            )

    def episode(self, site: str, episode: str, referred: str, start: str | None = None, **values: Any) -> None:
        """Add one referral of an eligible person who is out of work."""
        self.add(
            "core.referrals",
            **{
                "programme_code": site.split("-")[0],
                "site_code": site,
                "episode_id": episode,
                "participant_ref": f"P{episode}",
                "referral_received_date": referred,
                "programme_start_date": start,
                "eligibility_outcome": "eligible",
                "employment_status_at_start": "02",
            }
            | values,
        )

    def job(self, site: str, episode: str, start: str, end: str | None = None, **values: Any) -> None:
        """Add one job spell of 20 hours a week; without `end` it continues."""
        self.add(
            "core.employment_outcomes",
            **{
                "programme_code": site.split("-")[0],
                "site_code": site,
                "outcome_id": f"J{self._rows}",
                "episode_id": episode,
                "job_start_date": start,
                "job_end_date": end,
                "paid_hours_week": 20,
                "outcome_definition_code": "JOB_START",
            }
            | values,
        )

    def allocation(self, site: str, episode: str, arm: str, day: str, group: str = "wmca_oow") -> None:
        """Add the allocation of an episode's participant to an arm of the trial."""
        self.add(
            "core.randomisation",
            programme_code=site.split("-")[0],
            site_code=site,
            randomisation_id=f"R{episode}",
            participant_ref=f"P{episode}",
            trial_group=group,
            arm=arm,
            randomised_date=day,
        )

    def contact(self, site: str, episode: str, day: str, attended: str = "5", kind: str = "first") -> None:
        """Add one contact."""
        self.add(
            "core.contacts",
            programme_code=site.split("-")[0],
            site_code=site,
            contact_id=f"C{self._rows}",
            episode_id=episode,
            contact_date=day,
            attended=attended,
            contact_type=kind,
        )

    def build(self, *wanted: str) -> Warehouse:
        """Build the macros and every mart, each after those it reads and checked against its header.

        With addresses or schemas, build only these marts and those they read.
        """
        self.db.execute(catalogue.MACROS.read_text(encoding="utf-8"))
        for mart in marts_to_build(wanted) if wanted else catalogue.marts():
            self.db.execute(f"CREATE SCHEMA IF NOT EXISTS {mart.schema}")
            make_mart(self.db, mart)
        return self

    def build_funding(self) -> Warehouse:
        """Build the marts of money but unit costs, which need every outcome mart."""
        money = (m.address for m in catalogue.marts() if m.schema == "funding")
        return self.build(*(address for address in money if address != "funding.unit_costs"))

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.db.execute(sql, list(values)).fetchall()

    def one(self, sql: str, *values: Any) -> tuple[Any, ...]:
        """The only row of a query."""
        found = self.rows(sql, *values)
        assert len(found) == 1, found
        return found[0]

    def figure(self, code: str, columns: str, site_or_programme: str, cohort: str = "all") -> tuple[Any, ...]:
        """The row of outcomes.kpi of a site, or of a programme over all its sites."""
        programme, is_site, _ = site_or_programme.partition("-")
        return self.one(
            f"SELECT {columns} FROM outcomes.kpi "
            "WHERE kpi_code = $1 AND programme_code = $2 AND site_code = $3 AND cohort = $4",
            code,
            programme,
            site_or_programme if is_site else "all",
            cohort,
        )


def marts_to_build(wanted: tuple[str, ...]) -> list[catalogue.Mart]:
    """Marts with these addresses or in these schemas, and those they read, in the order in which to build them."""
    unknown = set(wanted) - {name for m in catalogue.marts() for name in (m.address, m.schema)}
    assert not unknown, f"no mart is called {unknown}"
    found, read = [], set(wanted)
    for mart in reversed(catalogue.marts()):
        if mart.address in read or mart.schema in wanted:
            found.append(mart)
            read |= mart.reads
    return found[::-1]


@pytest.fixture(scope="session")
def shared_warehouse() -> Iterator[Warehouse]:
    """The warehouse of all tests, one after another."""
    db_with_tables = Warehouse()
    yield db_with_tables
    db_with_tables.db.close()


another_shared_warehouse = shared_warehouse  # for tests that compare two


@pytest.fixture
def warehouse(shared_warehouse: Warehouse) -> Iterator[Warehouse]:
    """An empty warehouse."""
    yield shared_warehouse
    shared_warehouse.empty()


@pytest.fixture
def office_files(warehouse: Warehouse) -> Warehouse:
    """The warehouse with the real published figures: the rows of the programme office's newest files."""
    for dataset in ("funding_awards", "match_funding", "targets", "benchmarks", "published_measures"):
        newest = sorted(PMO.glob(f"PMO_{dataset}_*.csv"))[-1]
        for row in csv.DictReader(newest.open(encoding="utf-8")):
            warehouse.add(f"core.{dataset}", site_code="PMO", **{name: cell or None for name, cell in row.items()})
    return warehouse


@pytest.fixture
def another_warehouse(another_shared_warehouse: Warehouse) -> Iterator[Warehouse]:
    """A second empty warehouse."""
    yield another_shared_warehouse
    another_shared_warehouse.empty()
