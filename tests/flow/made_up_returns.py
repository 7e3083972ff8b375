"""Made-up returns for the tests of the whole night: a few rows of each dataset that keep every rule.

No row is about anyone. A test takes the sound rows, says how its own differ, and sends them as a file.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from judging import JOB, REFERRAL, workbook

from flows.deliveries.corrections import COLUMNS
from flows.nightly import RunResult, nightly_run
from flows.settings import Settings
from flows.store.ledger import Ledger
from flows.store.paths import DataPaths

PROJECT = Path(__file__).parents[2]
Row = dict[str, Any]
BPL, WLA, WMCA = "MHT-BPL", "MHT-WLA", "HLT-WMCA"
NUMBER = "943 476 5919"  # valid by its check digit, and nobody's: NHS test numbers begin like this

# One sound row of each dataset. {n} is the person's number, {s} the site's letters.
_SOUND: dict[str, dict[str, str]] = {
    "participants": {
        "participant_ref": "{s}-{n:06}",
        "site_code": "{site}",
        "year_of_birth": "1980",
        "gender": "2",
        "ethnic_category": "A",
        "disability_ea2010": "Y",
        "primary_condition": "common_mental_disorder",
        "la_code": "{area}",
        "gp_area_code": "{area}",
        "benefit_at_start": "jsa",
        "consent_participation": "Y",
        "consent_data_sharing": "Y",
        "consent_date": "{year}-05-09",
    },
    "referrals": {
        **REFERRAL,
        "episode_id": "{s}-E{n:06}",
        "participant_ref": "{s}-{n:06}",
        "referral_received_date": "{year}-05-04",
        "eligibility_date": "{year}-05-11",
        "programme_start_date": "{year}-05-20",
    },
    "contacts": {
        "contact_id": "{s}-C{n:06}",
        "episode_id": "{s}-E{n:06}",
        "contact_date": "{year}-06-01",
        "contact_type": "first",
        "contact_medium": "01",
        "attended": "5",
        "duration_minutes": "45",
        "staff_role": "employment_specialist",
        "staff_ref": "W-0012",
    },
    "employment_outcomes": {
        **JOB,
        "outcome_id": "{s}-J{n:06}",
        "episode_id": "{s}-E{n:06}",
        "job_start_date": "{year}-07-04",
    },
    "randomisation": {
        "randomisation_id": "{s}-R{n:06}",
        "participant_ref": "{s}-{n:06}",
        "trial_group": "wmca_oow",
        "baseline_completed_date": "{year}-05-20",
        "randomised_date": "{year}-05-21",
        "arm": "ips",
    },
}
_SITES = {
    BPL: {"s": "BPL", "area": "E06000009", "year": "2016"},
    WLA: {"s": "WLA", "area": "E09000009", "year": "2016"},
    WMCA: {"s": "WM", "area": "E08000031", "year": "2018"},
}


def sound(dataset: str, n: int, site: str = BPL, **differences: str) -> Row:
    """Person `n`'s row of a dataset: it keeps every rule, but for the differences."""
    said = {"n": n, "site": site, **_SITES[site]}
    return {name: text.format(**said) for name, text in _SOUND[dataset].items()} | differences


def people(dataset: str, *numbers: int, site: str = BPL) -> list[Row]:
    """The sound rows of some people."""
    return [sound(dataset, n, site) for n in numbers]


@dataclass(frozen=True)
class DataFolder:
    """A data folder of a test's own: send a file, run a night, ask the warehouse."""

    path: Path

    @property
    def places(self) -> DataPaths:
        return DataPaths(self.path)

    def send(
        self,
        dataset: str,
        rows: list[Row],
        period: str = "201611",
        version: int = 1,
        site: str = BPL,
        manifest: dict[str, Any] | None = None,
        suffix: str = "csv",
    ) -> Path:
        """Put a file where the site would; without rows it has the dataset's heading alone."""
        names = list(rows[0]) if rows else list(_SOUND[dataset])
        path = self.places.raw / site / f"{site}_{dataset}_{period}_v{version}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = [names, *([str(row[n]) for n in names] for row in rows)]
        path.write_bytes(workbook({dataset: table}) if suffix == "xlsx" else _as_csv(table))
        if manifest is not None:
            path.with_name(f"{path.stem}.manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return path

    def send_all(self, *numbers: int, period: str = "201611", version: int = 1, site: str = BPL) -> None:
        """Send the four returns of a site for some people."""
        for dataset in ("participants", "referrals", "contacts", "employment_outcomes"):
            self.send(dataset, people(dataset, *numbers, site=site), period, version, site)

    def send_office_files(self, *names: str) -> None:
        """Send the programme office's own files, which are real and part of the project."""
        to = self.places.raw / "PMO"
        to.mkdir(parents=True, exist_ok=True)
        for path in sorted((PROJECT / "data" / "raw" / "PMO").glob("*.csv")):
            if not names or any(f"_{name}_" in path.name for name in names):
                shutil.copy2(path, to)

    def night(self, as_of: str = "", **settings: Any) -> RunResult:
        """Run the night without the engine; for a few rows, threads only cost."""
        chosen = Settings(data=self.path, **{"threads": 1} | settings)
        return nightly_run(chosen, datetime.fromisoformat(as_of) if as_of else None)

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The published warehouse, as a reader opens it."""
        with duckdb.connect(str(self.places.current_link.resolve()), read_only=True) as db:
            yield db

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a question to the published warehouse."""
        with self.open() as db:
            return db.execute(sql, list(values)).fetchall()

    def count(self, table: str) -> int:
        """How many rows a table of the published warehouse has."""
        return int(self.ask(f"select count(*) from {table}")[0][0])

    def standings(self, dataset: str, site: str = BPL) -> dict[str, tuple[str, str]]:
        """Of each delivery of a dataset, by period and version: its result and standing."""
        found = self.ask(
            "select period || ' v' || version, result, standing from audit.deliveries"
            " where site_code = ? and dataset = ? order by 1",
            site,
            dataset,
        )
        return {name: (result, standing) for name, result, standing in found}

    def findings(self, dataset: str = "") -> list[tuple[str, str, str, int | None]]:
        """Every finding: (rule, severity, outcome, row of the file)."""
        return self.ask(
            "select rule_id, severity, outcome, source_row"
            " from audit.findings join audit.deliveries using (delivery_id) where ? in ('', dataset) order by all",
            dataset,
        )

    def runs(self) -> list[dict[str, Any]]:
        """The runs that the ledger knows."""
        ledger = Ledger(self.places.ledger)
        try:
            return ledger.runs()
        finally:
            ledger.close()

    def builds(self) -> list[str]:
        """The names of the builds that are kept."""
        return sorted(p.name for p in self.places.builds.glob("*.duckdb"))

    def files_under(self, *folders: str) -> set[str]:
        """Every file under some folders of this one, by its path."""
        return {
            p.relative_to(self.path).as_posix()
            for folder in folders
            for p in (self.path / folder).rglob("*")
            if p.is_file()
        }


def _as_csv(table: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue().encode()


AGREED = {
    "site_code": BPL, "dataset": "contacts", "file": f"{BPL}_contacts_201611_v1.csv", "sheet": "", "row": "3",
    "column": "attended", "was": "9", "becomes": "5", "reason": "the export wrote 9 for 5",
    "agreed_with": "data lead", "agreed_on": "2016-12-03", "until": "2017-03-31",
}  # fmt: skip


def agree(folder: DataFolder, *lines: dict[str, str]) -> None:
    """Write `corrections.csv`."""
    with folder.places.corrections.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(AGREED | line for line in lines)


def content_of(warehouse: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in an order of its own; but for run ids, clocks and when a file was received.

    With it, each table's columns and comments: two warehouses are the same if this is.
    """
    with duckdb.connect(str(warehouse), read_only=True) as db:
        tables = db.execute(
            "select schema_name || '.\"' || table_name || '\"', comment from duckdb_tables() where not internal"
        ).fetchall()
        content: dict[str, list[tuple[Any, ...]]] = {}
        for table, comment in tables:
            columns = db.execute(f"select column_name, column_type from (describe {table})").fetchall()
            kept = [f'"{name}"' for name, _ in columns if name not in ("received_at", "last_received_at")]
            rows = [] if table == 'audit."runs"' else db.execute(f"select {', '.join(kept)} from {table} order by all")
            content[table] = [(comment, *columns), *(rows if isinstance(rows, list) else rows.fetchall())]
        return content
