"""receive: what lies under data/raw becomes deliveries. It never changes or deletes a raw file.

A file's fingerprint is taken anew whenever its size, times or inode differ from what the ledger knows; a file that
changed in the last moments is never trusted by its stat alone.
"""

from __future__ import annotations

import calendar
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flows.store.ledger import Ledger
from flows.store.places import Places
from flows.store.raw import FileStat, fingerprint
from schemas.audit.deliveries import Delivery, ExtractType
from schemas.catalogue import datasets
from schemas.codes import fold
from schemas.registry import sites
from schemas.standing import extent

FILE_NAME = re.compile(
    r"^(?P<site>[A-Z0-9-]+)_(?P<dataset>[a-z_]+)_(?P<period>\d{6})_v(?P<version>\d{1,4})\.(?P<ext>\w+)$"
)
MANIFEST = ".manifest.json"
WHOLE_RETURN = "return"  # a workbook of this name holds several datasets, one a sheet (DOMAIN.md amendment 11)
_SETTLED_NS = 2_000_000_000  # a file younger than this when hashed is hashed again next time


@dataclass(frozen=True)
class UnusableFile:
    """A raw file that is no delivery, and why."""

    path: str
    rule_id: str
    reason: str


@dataclass(frozen=True)
class Received:
    """What receiving found: every delivery known by now, which of them are new, and files that are none."""

    deliveries: dict[str, Delivery]
    new: tuple[str, ...]
    unusable: tuple[UnusableFile, ...]
    newly_unusable: tuple[UnusableFile, ...] = ()


def receive(places: Places, ledger: Ledger, run_id: str, received_at: datetime) -> Received:
    """Look through data/raw and note every new delivery in the ledger.

    A file with a name that says nothing, or in another site's folder, is reported and left (rule F21).
    """
    known_files = ledger.known_files()
    known = ledger.deliveries()
    new: list[str] = []
    unusable: list[UnusableFile] = []
    newly_unusable: list[UnusableFile] = []
    with ledger.together():
        for path in _raw_files(places.raw):
            name = path.relative_to(places.raw).as_posix()
            stat = FileStat.of(path)
            sha256 = _fingerprint(path, stat, known_files.get(name))
            found = _deliveries_in(path, name, sha256, received_at)
            if isinstance(found, UnusableFile):
                unusable.append(found)
                if name not in known_files or known_files[name][1:] != (sha256, found.reason):
                    newly_unusable.append(found)
            reason = found.reason if isinstance(found, UnusableFile) else ""
            if known_files.get(name) != (stat, sha256, reason):
                trusted = time.time_ns() - max(stat.mtime_ns, stat.ctime_ns) > _SETTLED_NS
                ledger.remember_file(name, stat if trusted else replace(stat, mtime_ns=0), sha256, reason)
            for delivery in [] if isinstance(found, UnusableFile) else found:
                before = known.get(delivery.delivery_id)
                if before is None:
                    delivery = replace(delivery, same_as=_same_as(delivery, known))
                    new.append(delivery.delivery_id)
                else:
                    delivery = replace(
                        delivery, received_at=before.received_at, same_as=before.same_as, path=before.path
                    )
                    delivery = replace(delivery, file_name=before.file_name)
                if delivery != before:
                    ledger.put_delivery(delivery, run_id)
                    known[delivery.delivery_id] = delivery
    return Received(known, tuple(new), tuple(unusable), tuple(newly_unusable))


def _raw_files(raw: Path) -> Iterator[Path]:
    """The files that sites sent, in the order of their names; not manifests, hidden files or office lock files."""
    for folder in sorted(p for p in raw.iterdir() if p.is_dir() and not p.name.startswith(".")):
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith((".", "~$")) and not path.name.endswith(MANIFEST):
                yield path


def _fingerprint(path: Path, stat: FileStat, known: tuple[FileStat, str, str] | None) -> str:
    return known[1] if known and known[0] == stat else fingerprint(path)


def _deliveries_in(path: Path, name: str, sha256: str, received_at: datetime) -> list[Delivery] | UnusableFile:
    said = FILE_NAME.match(path.name)
    wrong = UnusableFile(name, "F21", "the name is not <site>_<dataset>_<yyyymm>_v<n>.<ext>, in the folder of the site")
    if not said or said["site"] != path.parent.name or said["site"] not in sites():
        return wrong
    if said["dataset"] not in datasets() and said["dataset"] != WHOLE_RETURN:
        return UnusableFile(name, "F21", f"there is no dataset called {said['dataset']}")
    if not 1 <= int(said["period"][4:]) <= 12:
        return UnusableFile(name, "F21", f"{said['period']} is no month")
    sheets = [("", said["dataset"])] if said["dataset"] != WHOLE_RETURN else _sheets(path)
    if not sheets:
        return UnusableFile(name, "U01", "no sheet of the workbook is named after a dataset")
    known = (said["period"], int(said["version"]), sha256, received_at)
    try:
        return [delivery_of(path, name, said["site"], dataset, *known, sheet=sheet) for sheet, dataset in sheets]
    except ValueError:
        return UnusableFile(name, "F16", "its manifest is not in the agreed form")


def delivery_of(
    path: Path,
    name: str,
    site: str,
    dataset: str,
    period: str,
    version: int,
    sha256: str,
    received_at: datetime,
    sheet: str = "",
) -> Delivery:
    """The delivery that a file is, with what its manifest says. Raises ValueError for a manifest that is wrong."""
    manifest = _manifest(path)
    return Delivery(
        delivery_id=f"{site}_{dataset}_{period}_v{version}_{sha256[:10]}",
        site_code=site,
        programme_code=sites()[site].programme_code,
        dataset=dataset,
        period=period,
        version=version,
        file_name=path.name,
        path=name,
        sheet=sheet,
        sha256=sha256,
        bytes=path.stat().st_size,
        received_at=received_at,
        data_cut_date=manifest.get("data_cut_date") or _last_day(period),
        extract_type=manifest.get("extract_type", ExtractType.CUMULATIVE),
        rows_declared=manifest.get("rows"),
        gbp_declared=manifest.get("gbp_total"),
        sha256_declared=manifest.get("sha256"),
        nil_return=manifest.get("nil_return", False),
    )


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest beside a file, if there is one (DOMAIN.md amendment 11). Raises ValueError for one that is wrong."""
    beside = path.with_name(path.stem + MANIFEST)
    if not beside.exists():
        return {}
    said = json.loads(beside.read_text(encoding="utf-8-sig"))
    if not isinstance(said, dict):
        raise ValueError("a manifest is a JSON object")
    clean: dict[str, Any] = {k: said[k] for k in ("sha256",) if said.get(k)}
    if said.get("rows") is not None:
        clean["rows"] = int(said["rows"])
    if said.get("gbp_total") is not None:
        clean["gbp_total"] = str(said["gbp_total"])
        float(clean["gbp_total"])
    if said.get("data_cut_date"):
        clean["data_cut_date"] = date.fromisoformat(said["data_cut_date"])
    clean["nil_return"] = said.get("nil_return") in (True, "Y", "y", "yes")
    clean["extract_type"] = ExtractType(said.get("extract_type") or ExtractType.CUMULATIVE)
    return clean


def _sheets(path: Path) -> list[tuple[str, str]]:
    """The sheets of a whole return that are named after a dataset: (sheet, dataset)."""
    import python_calamine as calamine

    known = {fold(n): n for n in datasets()} | {fold(c.title): n for n, c in datasets().items()}
    try:
        names = calamine.CalamineWorkbook.from_path(str(path)).sheet_names
    except (calamine.CalamineError, OSError):
        return []
    return [(n, known[fold(n)]) for n in names if fold(n) in known]


def _last_day(period: str) -> date:
    year, month = int(period[:4]), int(period[4:])
    return date(year, month, calendar.monthrange(year, month)[1])


def _same_as(delivery: Delivery, known: dict[str, Delivery]) -> str:
    """The latest delivery of the site and dataset, if it has these very bytes and said the same of them (rule F17)."""
    pair = (delivery.site_code, delivery.dataset)
    before = [d for d in known.values() if (d.site_code, d.dataset) == pair and not d.same_as]
    if not before:
        return ""
    latest = max(before, key=lambda d: (*extent(d), d.received_at))
    return latest.delivery_id if _content(latest) == _content(delivery) else ""


def _content(d: Delivery) -> tuple[object, ...]:
    """What a delivery consists of: its bytes, and what its manifest states of them."""
    return d.sha256, d.sheet, d.extract_type, d.rows_declared, d.gbp_declared, d.sha256_declared, d.nil_return
