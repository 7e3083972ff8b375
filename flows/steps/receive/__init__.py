"""receive: what lies under data/raw becomes deliveries. It never changes or deletes a raw file.

A file's fingerprint is taken anew whenever its size, times or inode differ from what the ledger knows; a file that
changed in the last moments is never trusted by its stat alone. What is no delivery is named, with the reason: nothing
under data/raw is passed over in silence.
"""

from __future__ import annotations

import calendar
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from flows.cells.redact import is_safe_to_echo
from flows.deliveries.file_names import (
    ADDED_BY_COMPUTERS,
    AGREED,
    MARKED,
    WHOLE_RETURN,
    FileName,
    agreed_name,
    likely_stem,
    read_name,
)
from flows.deliveries.standings import duplicate_of
from flows.steps.receive.manifest import MANIFEST_SUFFIX, Manifest, WrongManifest, manifest_of
from flows.store.paths import DataPaths
from flows.store.raw_files import FileStat, file_digest
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import fold
from schemas._contract.registry import sites
from schemas.audit.deliveries import Delivery

if TYPE_CHECKING:
    from flows.store.ledger import Ledger  # a check has none

UNREADABLE, WRONG_MANIFEST = "U01", "F16"  # the rules that a file breaks which cannot be read now, or its manifest
TRIED_AGAIN = (UNREADABLE, WRONG_MANIFEST)  # each run: a disk may have been away
TWICE = "another file of the same month and version came with it: send the one that is meant as the next version"
NO_FILE_YET = "its file has not come yet: the two are taken in together"
NO_FILE = (
    "no file of the same name lies beside it: send that file (in a nil return it has its headings alone), or delete"
    " the manifest"
)
_LIST_OF_SHEETS, _LONGEST_LIST = "xl/workbook.xml", 8 << 20


@dataclass(frozen=True)
class UnusableFile:
    """Something under data/raw that is no delivery, and why."""

    path: str
    rule_id: str
    reason: str
    send_as: str = ""  # what it may have to be called, without its ending, where its name is at fault


@dataclass(frozen=True)
class Received:
    """What receiving found: every delivery known by now, which of them are new, and what is no delivery."""

    deliveries: dict[str, Delivery]
    new: tuple[str, ...]
    unusable: tuple[UnusableFile, ...]
    newly_unusable: tuple[UnusableFile, ...] = ()


def receive(places: DataPaths, ledger: Ledger, run_id: str, received_at: datetime) -> Received:
    """Look through data/raw and note every new delivery in the ledger."""
    known_files, known = ledger.known_files(), ledger.deliveries()
    new: list[str] = []
    unusable: list[UnusableFile] = []
    newly_unusable: list[UnusableFile] = []
    with ledger.transaction():
        for path, name in _named(_entries(places.raw, known), places.raw):
            found, stat, sha256 = _look_at(path, name, known_files.get(name), received_at)
            if isinstance(found, list) and _came_with_another(found, known, known_files.get(name), sha256):
                found = _to_be_sent_anew(found, name)
            reason = found.reason if isinstance(found, UnusableFile) else ""
            if known_files.get(name) != (stat, sha256, reason):
                ledger.record_file(name, stat if stat.is_settled else replace(stat, mtime_ns=0), sha256, reason)
            if isinstance(found, UnusableFile):
                unusable.append(found)
                if reason != NO_FILE_YET and (name not in known_files or known_files[name][1:] != (sha256, reason)):
                    newly_unusable.append(found)
                continue
            for delivery in found:
                noted = _noted(delivery, known)
                if delivery.delivery_id not in known:
                    new.append(delivery.delivery_id)
                if noted != known.get(delivery.delivery_id):
                    ledger.put_delivery(noted, run_id)
                    known[delivery.delivery_id] = noted
    return Received(known, tuple(new), tuple(unusable), tuple(newly_unusable))


def _came_with_another(
    found: list[Delivery], known: Mapping[str, Delivery], seen: tuple[FileStat, str, str] | None, sha256: str
) -> bool:
    """Whether a file whose name is only understood came together with other bytes of the same month and version.

    By its name alone it may be either the earlier or the later of the two; on another run, arrival tells. What was
    doubtful once stays so.
    """
    new = [d for d in found if d.delivery_id not in known and agreed_name(d.file_name)]
    if new and seen is not None and seen[1:] == (sha256, TWICE):
        return True
    return any(_identity(d) == _identity(k) for d in new for k in known.values() if k.received_at == d.received_at)


def _identity(d: Delivery) -> tuple[str, str, str, int]:
    return d.site_code, d.dataset, d.period, d.version


def _to_be_sent_anew(found: list[Delivery], name: str) -> UnusableFile:
    said = read_name(found[0].file_name, found[0].site_code)
    stem = replace(said, version=said.version + 1).stem if said else ""
    return UnusableFile(name, "F21", TWICE, stem)


def _noted(delivery: Delivery, known: dict[str, Delivery]) -> Delivery:
    """A delivery as the ledger has it: when it was first received, and under which name, stays."""
    before = known.get(delivery.delivery_id)
    if before is None:
        pair = delivery.site_code, delivery.dataset
        others = (d for d in known.values() if (d.site_code, d.dataset) == pair)
        return replace(delivery, same_as=duplicate_of(delivery, others))
    first = {name: getattr(before, name) for name in ("received_at", "same_as", "path", "file_name")}
    return replace(delivery, **first)


def _entries(raw: Path, known: Mapping[str, Delivery]) -> Iterator[Path]:
    """What lies under data/raw, in order, but for hidden files, office lock files and the manifests of files.

    A manifest that lies alone is among it, unless its file was taken in and deleted since.
    """
    for entry in sorted(raw.iterdir()):
        is_folder = entry.is_dir() and not entry.name.startswith(".")
        found = [p for p in (_inside(entry) if is_folder else [entry]) if not _is_passed_over(p)]
        found.sort(key=lambda p: AGREED.match(p.name) is None)  # before a copy that a program named after it
        files = {p.with_suffix("") for p in found if not _is_manifest(p)}
        for path in found:
            if not _is_manifest(path) or not (_without_suffix(path) in files or _was_taken_in(path, raw, known)):
                yield path


def _inside(folder: Path) -> list[Path]:
    """What lies in a folder, in order; the folder itself where it cannot be looked into."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return [folder]


def _was_taken_in(manifest: Path, raw: Path, known: Mapping[str, Delivery]) -> bool:
    """Whether the file of a manifest is a known delivery."""
    file = _without_suffix(manifest).relative_to(raw)
    return any(Path(d.path).with_suffix("") == file for d in known.values())


def _is_passed_over(path: Path) -> bool:
    return path.name.startswith((".", "~$")) or path.name.casefold() in ADDED_BY_COMPUTERS


def _is_manifest(path: Path) -> bool:
    return path.name.endswith(MANIFEST_SUFFIX)


def _without_suffix(manifest: Path) -> Path:
    return manifest.with_name(manifest.name.removesuffix(MANIFEST_SUFFIX))


def _named(entries: Iterable[Path], raw: Path) -> Iterator[tuple[Path, str]]:
    """Entries with the names that they go by, each its own: files whose names are not told are numbered."""
    told: Counter[str] = Counter()
    for path in entries:
        name = _name(path, raw)
        told[name] += 1
        yield path, name if told[name] == 1 else f"{name} ({told[name]})"


def _name(path: Path, raw: Path) -> str:
    """A path below data/raw that can be written down: what may hold personal data, or strange bytes, is not.

    A name of the agreed form may be, and any other that is made of our words.
    """
    said = read_name(path.name.replace(MANIFEST_SUFFIX, ".json"), path.parent.name)
    if said and said.site == path.parent.name and said.dataset in (*datasets(), WHOLE_RETURN):
        return _plainly(path.relative_to(raw).as_posix())
    folder, told = _plainly(path.parent.name), _plainly(path.name)
    if not is_safe_to_echo(folder, datasets().values()):
        folder = "(a folder)"
    stem = _without_suffix(path).name if _is_manifest(path) else path.stem
    if not is_safe_to_echo(_plainly(stem), datasets().values()):
        kind = "folder" if path.is_dir() else f"file of {path.stat().st_size} bytes" if path.exists() else "file"
        told = f"(a {kind} whose name may hold personal data)"
    return told if path.parent == raw else f"{folder}/{told}"


def _plainly(name: str) -> str:
    """A name with its strange bytes written out."""
    return os.fsencode(name).decode("ascii", "backslashreplace")


def _look_at(
    path: Path, name: str, known: tuple[FileStat, str, str] | None, received_at: datetime
) -> tuple[list[Delivery] | UnusableFile, FileStat, str]:
    """What an entry is, its stat and its fingerprint ('' where it cannot be read)."""
    try:
        stat = FileStat.of(path)
        if path.is_dir():
            os.scandir(path).close()  # one that may not be looked into is told as that
        if not path.is_file():
            return UnusableFile(name, "F21", "it is not a file"), stat, ""
        if _is_manifest(path):  # it may come some minutes before its file: only the next run is there need to act
            return UnusableFile(name, WRONG_MANIFEST, NO_FILE if known else NO_FILE_YET), stat, ""
        sha256 = known[1] if known and known[0] == stat and known[1] else file_digest(path)
    except PermissionError:
        return UnusableFile(name, UNREADABLE, "it may not be read: its permissions forbid it"), stat, ""
    except FileNotFoundError:
        return UnusableFile(name, UNREADABLE, "it points to a file that is not there"), FileStat(0, 0, 0, 0), ""
    except OSError as error:  # the disk: told by the name that may be told
        raise OSError(error.errno, error.strerror, name) from None
    return _deliveries_in(path, name, sha256, received_at), stat, sha256


def _deliveries_in(path: Path, name: str, sha256: str, received_at: datetime) -> list[Delivery] | UnusableFile:
    said = read_name(path.name, path.parent.name)
    if said is None:
        return UnusableFile(name, "F21", _why_so_named(path.name), _may_be_called(path))
    if why := _why_no_delivery(said, path):
        is_named_wrongly = said.site not in sites() or said.dataset not in (*datasets(), WHOLE_RETURN)
        return UnusableFile(name, "F21", why, _may_be_called(path) if is_named_wrongly else "")
    try:
        sheets = [("", said.dataset)] if said.dataset != WHOLE_RETURN else sheets_of_return(path)
        manifest = manifest_of(path, said.period)
    except WrongManifest as wrong:
        return UnusableFile(name, WRONG_MANIFEST, str(wrong))
    except ValueError as wrong:
        return UnusableFile(name, "U04", str(wrong))
    if len(sheets) > 1:  # its totals are about the whole workbook, not about each sheet
        manifest = manifest.model_copy(update={"rows": None, "gbp_total": None, "deletes": 0})
    file = ReceivedFile(path, name, sha256, received_at)
    return [delivery_of(file, replace(said, dataset=dataset), manifest, sheet) for sheet, dataset in sheets]


def _may_be_called(path: Path) -> str:
    """What a file may have to be called, by the words of its name and the folder of a site that it lies in."""
    folder = path.parent.name
    return likely_stem(path.name, folder) if folder in sites() else ""


def _why_so_named(name: str) -> str:
    """Why a file is no delivery whose name has not the agreed form."""
    marked = MARKED.match(name)
    if marked and marked["site"] in sites() and marked["dataset"] in (*datasets(), WHOLE_RETURN):
        send_as = f"{marked['stem']}{int(marked['version']) + 1}.xlsx"
        return f"it is our marked workbook, under the name that we gave it: save it as {send_as}, or a later version"
    return "its name is not `<site>_<dataset>_<yyyymm>_v<n>.<ext>`"


def _why_no_delivery(said: FileName, path: Path) -> str:
    """Why a file is no delivery though its name can be read; '' where it is one. A site's code may be told."""
    if said.site not in sites():
        return "its name begins with a site code that is not registered"
    if said.site != path.parent.name:
        return f"it lies in another folder than its site's, {said.site}"
    if said.dataset not in datasets() and said.dataset != WHOLE_RETURN:
        return "there is no dataset of that name"
    if (
        not said.is_agreed
        and _is_beside(path, said.stem + MANIFEST_SUFFIX)
        and not _is_beside(path, path.stem + MANIFEST_SUFFIX)
    ):
        return (
            f"its name is slightly off, and its manifest is called {said.stem}{MANIFEST_SUFFIX}: give it the same name"
        )
    return ""


def _is_beside(path: Path, name: str) -> bool:
    return path.with_name(name).exists()


@dataclass(frozen=True)
class ReceivedFile:
    """A file as it came. `name` is what it goes by: its path below the raw folder."""

    path: Path
    name: str
    sha256: str
    received_at: datetime


def delivery_of(file: ReceivedFile, said: FileName, manifest: Manifest, sheet: str = "") -> Delivery:
    """The delivery that a file is, or one sheet of it: by what its name says, with what its manifest states."""
    return Delivery(
        delivery_id=f"{said.stem}_{file.sha256[:10]}",
        site_code=said.site,
        programme_code=sites()[said.site].programme_code,
        dataset=said.dataset,
        period=said.period,
        version=said.version,
        file_name=file.path.name,
        path=file.name,
        sheet=sheet,
        sha256=file.sha256,
        bytes=file.path.stat().st_size,
        received_at=file.received_at,
        data_cut_date=manifest.data_cut_date or _last_day(said.period),
        extract_type=manifest.extract_type,
        rows_declared=manifest.rows,
        gbp_declared=None if manifest.gbp_total is None else str(manifest.gbp_total),
        sha256_declared=manifest.sha256,
        nil_return=manifest.nil_return,
        deletes_declared=manifest.deletes,
    )


def sheets_of_return(path: Path) -> list[tuple[str, str]]:
    """The sheets of a whole return that are named after a dataset: (sheet, dataset). Raises ValueError for a tangle."""
    known = {fold(n): n for n in datasets()} | {fold(c.title): n for n, c in datasets().items()}
    names = _sheet_names(path)
    sheets = [(n, known[fold(n)]) for n in names if fold(n) in known]
    if not sheets:
        raise ValueError("no sheet of the workbook is named after a dataset")
    if len({dataset for _, dataset in sheets}) < len(sheets):
        raise ValueError("two sheets of the workbook are named after the same dataset")
    return sheets


def _sheet_names(path: Path) -> list[str]:
    """The names of an Excel workbook's sheets, without opening any. Raises ValueError where they cannot be told."""
    try:
        with zipfile.ZipFile(path) as package:
            if package.getinfo(_LIST_OF_SHEETS).file_size > _LONGEST_LIST:
                raise ValueError("the workbook's list of sheets is far too long")
            xml = package.read(_LIST_OF_SHEETS)
        if b"<!" in xml:  # words of its own, which may grow without end
            raise ValueError("the workbook could not be opened")
        return [e.get("name", "") for e in ElementTree.fromstring(xml).iter() if e.tag.endswith("}sheet")]
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, EOFError, struct.error, RuntimeError):
        raise ValueError("the workbook could not be opened: a return is one Excel workbook (.xlsx)") from None
    except ElementTree.ParseError:
        raise ValueError("the workbook could not be opened") from None


def _last_day(period: str) -> date:
    year, month = int(period[:4]), int(period[4:])
    return date(year, month, calendar.monthrange(year, month)[1])
