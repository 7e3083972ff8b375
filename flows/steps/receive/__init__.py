"""receive: register every file under data/raw as one or more deliveries. Raw files are never changed or deleted.

A file is hashed again if its size, times or inode differ from what the ledger has recorded; a file that changed within
the last seconds is always hashed. Every file that is not a delivery is reported with the reason; none is ignored
silently.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from flows.cells.redact import is_safe_to_echo
from flows.deliveries.file_names import (
    ADDED_BY_COMPUTERS,
    AGREED_NAME,
    MARKED,
    WHOLE_RETURN,
    FileName,
    agreed_name,
    last_day_of,
    likely_stem,
    read_name,
)
from flows.deliveries.months import day_received
from flows.deliveries.standings import duplicate_of
from flows.steps.receive.manifest import MANIFEST_SUFFIX, InvalidManifest, Manifest, read_manifest
from flows.store.paths import DataPaths
from flows.store.raw_files import FileStat, file_digest
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import fold
from schemas._contract.registry import sites
from schemas.audit.deliveries import Delivery

if TYPE_CHECKING:
    from flows.store.ledger import Ledger  # `pilots check` has no ledger, and need not load SQLite

UNREADABLE, WRONG_MANIFEST = "U01", "F16"  # the rules for a file that cannot be read, and for an invalid manifest
RETRIED_RULES = (UNREADABLE, WRONG_MANIFEST)  # tried again at each run: a disk may have been away, a file may follow
AMBIGUOUS_VERSION = (
    "another file of the same month and version came with it: send the one that is meant as the next version"
)
MANIFEST_BEFORE_FILE = "its file has not come yet: the two are taken in together"
MANIFEST_WITHOUT_FILE = (
    "no file of the same name lies beside it: send that file (in a nil return it has its headings alone), or delete"
    " the manifest"
)
_WORKBOOK_PART, _MAX_WORKBOOK_PART = "xl/workbook.xml", 8 << 20


@dataclass(frozen=True)
class UnusableFile:
    """A file or folder under data/raw that is not a delivery, and why."""

    path: str
    rule_id: str
    reason: str
    send_as: str = ""  # a suggested name without its extension, if the name is the problem


@dataclass(frozen=True)
class Received:
    """The result of receiving: all deliveries known by now, the ids of the new ones, and the unusable files."""

    deliveries: dict[str, Delivery]
    new: tuple[str, ...]
    unusable: tuple[UnusableFile, ...]
    newly_unusable: tuple[UnusableFile, ...] = ()


def receive(paths: DataPaths, ledger: Ledger, run_id: str, received_at: datetime) -> Received:
    """Scan data/raw and record every new delivery in the ledger, in one transaction."""
    known_files, known = ledger.known_files(), ledger.deliveries()
    new: list[str] = []
    unusable: list[UnusableFile] = []
    newly_unusable: list[UnusableFile] = []
    with ledger.transaction():
        for path, name in _with_names(_candidate_paths(paths.raw, known), paths.raw):
            found, stat, sha256 = _inspect(path, name, known_files.get(name), received_at)
            if isinstance(found, list) and _is_ambiguous(found, known, known_files.get(name), sha256):
                found = _ask_for_next_version(found, name)
            reason = found.reason if isinstance(found, UnusableFile) else ""
            if known_files.get(name) != (stat, sha256, reason):
                # A stat that is too fresh to be trusted is stored so that it cannot match: the next run hashes again.
                ledger.record_file(name, stat if stat.is_stable else replace(stat, mtime_ns=0), sha256, reason)
            if isinstance(found, UnusableFile):
                unusable.append(found)
                is_new = name not in known_files or known_files[name][1:] != (sha256, reason)
                if is_new and reason != MANIFEST_BEFORE_FILE:
                    newly_unusable.append(found)
                continue
            for delivery in found:
                recorded = _as_first_received(delivery, known)
                if delivery.delivery_id not in known:
                    new.append(delivery.delivery_id)
                if recorded != known.get(delivery.delivery_id):
                    ledger.put_delivery(recorded, run_id)
                    known[delivery.delivery_id] = recorded
    return Received(known, tuple(new), tuple(unusable), tuple(newly_unusable))


def _is_ambiguous(
    found: list[Delivery], known: Mapping[str, Delivery], seen: tuple[FileStat, str, str] | None, sha256: str
) -> bool:
    """Whether a file with a nonstandard name arrived in the same run as another file of the same month and version.

    Which of the two is the later cannot be told: their names do not say, and they arrived together. Once a file is
    ambiguous it stays so.
    """
    new = [d for d in found if d.delivery_id not in known and agreed_name(d.file_name)]
    if new and seen is not None and seen[1:] == (sha256, AMBIGUOUS_VERSION):
        return True
    return any(_identity(d) == _identity(k) for d in new for k in known.values() if k.received_at == d.received_at)


def _identity(d: Delivery) -> tuple[str, str, str, int]:
    """What a file's name states of a delivery."""
    return d.site_code, d.dataset, d.period, d.version


def _ask_for_next_version(found: list[Delivery], name: str) -> UnusableFile:
    """Refuse an ambiguous file (F21), and suggest its name with the next version number."""
    parsed = read_name(found[0].file_name, found[0].site_code)
    stem = replace(parsed, version=parsed.version + 1).stem if parsed else ""
    return UnusableFile(name, "F21", AMBIGUOUS_VERSION, stem)


def _as_first_received(delivery: Delivery, known: dict[str, Delivery]) -> Delivery:
    """A delivery with the time and the name of its first arrival, and the delivery whose bytes it repeats, if any."""
    before = known.get(delivery.delivery_id)
    if before is None:
        pair = delivery.site_code, delivery.dataset
        others = (d for d in known.values() if (d.site_code, d.dataset) == pair)
        return replace(delivery, same_as=duplicate_of(delivery, others))
    first = {name: getattr(before, name) for name in ("received_at", "same_as", "path", "file_name")}
    return replace(delivery, **first)


def _candidate_paths(raw: Path, known: Mapping[str, Delivery]) -> Iterator[Path]:
    """Yield the files under data/raw in order, without hidden files, Office lock files and manifests.

    A manifest without its file is included, unless that file was received and has been deleted since.
    """
    for entry in sorted(raw.iterdir()):
        is_folder = entry.is_dir() and not entry.name.startswith(".")
        found = [p for p in (_list_folder(entry) if is_folder else [entry]) if not _is_ignored(p)]
        # Agreed names first, so that 'X (1).csv', a browser's copy, is registered as the repeat, not as the original.
        found.sort(key=lambda p: AGREED_NAME.match(p.name) is None)
        files = {p.with_suffix("") for p in found if not _is_manifest(p)}
        for path in found:
            if not _is_manifest(path) or not (_without_suffix(path) in files or _file_was_received(path, raw, known)):
                yield path


def _list_folder(folder: Path) -> list[Path]:
    """A folder's entries in order; the folder itself if it cannot be listed, so that it is reported."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return [folder]


def _file_was_received(manifest: Path, raw: Path, known: Mapping[str, Delivery]) -> bool:
    """Whether the file that a manifest belongs to is a known delivery."""
    file = _without_suffix(manifest).relative_to(raw)
    return any(Path(d.path).with_suffix("") == file for d in known.values())


def _is_ignored(path: Path) -> bool:
    """Whether a path is a hidden file, an Office lock file (~$) or one that an operating system adds to folders."""
    return path.name.startswith((".", "~$")) or path.name.casefold() in ADDED_BY_COMPUTERS


def _is_manifest(path: Path) -> bool:
    return path.name.endswith(MANIFEST_SUFFIX)


def _without_suffix(manifest: Path) -> Path:
    return manifest.with_name(manifest.name.removesuffix(MANIFEST_SUFFIX))


def _with_names(entries: Iterable[Path], raw: Path) -> Iterator[tuple[Path, str]]:
    """Yield each path with a unique safe name for ledger and reports; withheld names are numbered."""
    uses: Counter[str] = Counter()
    for path in entries:
        name = _safe_name(path, raw)
        uses[name] += 1
        yield path, name if uses[name] == 1 else f"{name} ({uses[name]})"


def _safe_name(path: Path, raw: Path) -> str:
    """A path below data/raw as it may be stored and reported, without personal data or undecodable bytes.

    A name in the agreed form is safe, and so is one made only of words that the contracts know. Any other is replaced
    by a description.
    """
    parsed = read_name(path.name.replace(MANIFEST_SUFFIX, ".json"), path.parent.name)
    if parsed and parsed.site == path.parent.name and parsed.dataset in (*datasets(), WHOLE_RETURN):
        return _escape_bytes(path.relative_to(raw).as_posix())
    folder, safe = _escape_bytes(path.parent.name), _escape_bytes(path.name)
    if not is_safe_to_echo(folder, datasets().values()):
        folder = "(a folder)"
    stem = _without_suffix(path).name if _is_manifest(path) else path.stem
    if not is_safe_to_echo(_escape_bytes(stem), datasets().values()):
        kind = "folder" if path.is_dir() else f"file of {path.stat().st_size} bytes" if path.exists() else "file"
        safe = f"(a {kind} whose name may hold personal data)"
    return safe if path.parent == raw else f"{folder}/{safe}"


def _escape_bytes(name: str) -> str:
    """A file name in ASCII, with all other bytes as backslash escapes."""
    return os.fsencode(name).decode("ascii", "backslashreplace")


def _inspect(
    path: Path, name: str, known: tuple[FileStat, str, str] | None, received_at: datetime
) -> tuple[list[Delivery] | UnusableFile, FileStat, str]:
    """An entry's deliveries or the reason why it has none, its stat, and its SHA-256 ('' if it cannot be read)."""
    try:
        stat = FileStat.of(path)
        if path.is_dir():
            os.scandir(path).close()  # raises PermissionError for a folder that cannot be listed
        if not path.is_file():
            return UnusableFile(name, "F21", "it is not a file"), stat, ""
        if _is_manifest(path):  # uploads may bring it minutes before its file, so it is a problem only at the next run
            reason = MANIFEST_WITHOUT_FILE if known else MANIFEST_BEFORE_FILE
            return UnusableFile(name, WRONG_MANIFEST, reason), stat, ""
        sha256 = known[1] if known and known[0] == stat and known[1] else file_digest(path)
    except PermissionError:
        return UnusableFile(name, UNREADABLE, "it may not be read: its permissions forbid it"), stat, ""
    except FileNotFoundError:
        return UnusableFile(name, UNREADABLE, "it points to a file that is not there"), FileStat(0, 0, 0, 0), ""
    except OSError as error:  # a failing disk stops the run; the message must not hold the raw file name
        raise OSError(error.errno, error.strerror, name) from None
    return _deliveries_in(path, name, sha256, received_at), stat, sha256


def _deliveries_in(path: Path, name: str, sha256: str, received_at: datetime) -> list[Delivery] | UnusableFile:
    """The delivery that a readable file is, or several for a whole return; else the reason why it is none."""
    parsed = read_name(path.name, path.parent.name)
    if parsed is None:
        return UnusableFile(name, "F21", _why_name_is_unknown(path.name), _suggested_stem(path))
    if why := _why_not_a_delivery(parsed, path):
        is_named_wrongly = parsed.site not in sites() or parsed.dataset not in (*datasets(), WHOLE_RETURN)
        return UnusableFile(name, "F21", why, _suggested_stem(path) if is_named_wrongly else "")
    try:
        sheets = [("", parsed.dataset)] if parsed.dataset != WHOLE_RETURN else sheets_of_return(path)
        manifest = read_manifest(path, parsed.period, day_received(received_at))
    except InvalidManifest as wrong:
        return UnusableFile(name, WRONG_MANIFEST, str(wrong))
    except ValueError as wrong:
        return UnusableFile(name, "U04", str(wrong))
    if len(sheets) > 1:  # the manifest's totals are those of the whole workbook, not of each sheet
        manifest = manifest.model_copy(update={"rows": None, "gbp_total": None, "deletes": 0})
    file = ReceivedFile(path, name, sha256, received_at)
    return [delivery_of(file, replace(parsed, dataset=dataset), manifest, sheet) for sheet, dataset in sheets]


def _suggested_stem(path: Path) -> str:
    """A suggested name for a misnamed file, from the words in its name and its site's folder; '' if none is known."""
    folder = path.parent.name
    return likely_stem(path.name, folder) if folder in sites() else ""


def _why_name_is_unknown(name: str) -> str:
    """Why a file whose name cannot be parsed is not a delivery."""
    marked = MARKED.match(name)
    if marked and marked["site"] in sites() and marked["dataset"] in (*datasets(), WHOLE_RETURN):
        send_as = f"{marked['stem']}{int(marked['version']) + 1}.xlsx"
        return f"it is our marked workbook, under the name that we gave it: save it as {send_as}, or a later version"
    return "its name is not `<site>_<dataset>_<yyyymm>_v<n>.<ext>`"


def _why_not_a_delivery(parsed: FileName, path: Path) -> str:
    """Why a file whose name can be parsed is not a delivery; '' if it is one. Site codes are not personal data."""
    if parsed.site not in sites():
        return "its name begins with a site code that is not registered"
    if parsed.site != path.parent.name:
        return f"it lies in another folder than its site's, {parsed.site}"
    if parsed.dataset not in datasets() and parsed.dataset != WHOLE_RETURN:
        return "there is no dataset of that name"
    # The manifest is found by the file's own name, so a misspelt file beside a correctly named manifest would lose it.
    if (
        not parsed.is_agreed
        and _has_sibling(path, parsed.stem + MANIFEST_SUFFIX)
        and not _has_sibling(path, path.stem + MANIFEST_SUFFIX)
    ):
        manifest_name = parsed.stem + MANIFEST_SUFFIX
        return f"its name is slightly off, and its manifest is called {manifest_name}: give it the same name"
    return ""


def _has_sibling(path: Path, name: str) -> bool:
    return path.with_name(name).exists()


@dataclass(frozen=True)
class ReceivedFile:
    """A received file. `name` is its safe path below data/raw, as stored in the ledger."""

    path: Path
    name: str
    sha256: str
    received_at: datetime


def delivery_of(file: ReceivedFile, parsed: FileName, manifest: Manifest, sheet: str = "") -> Delivery:
    """Build the delivery for a file, or for one sheet of it, from its parsed name and its manifest."""
    return Delivery(
        delivery_id=f"{parsed.stem}_{file.sha256[:10]}",
        site_code=parsed.site,
        programme_code=sites()[parsed.site].programme_code,
        dataset=parsed.dataset,
        period=parsed.period,
        version=parsed.version,
        file_name=file.path.name,
        path=file.name,
        sheet=sheet,
        sha256=file.sha256,
        bytes=file.path.stat().st_size,
        received_at=file.received_at,
        data_cut_date=manifest.data_cut_date or last_day_of(parsed.period),
        extract_type=manifest.extract_type,
        rows_declared=manifest.rows,
        gbp_declared=None if manifest.gbp_total is None else str(manifest.gbp_total),
        sha256_declared=manifest.sha256,
        nil_return=manifest.nil_return,
        deletes_declared=manifest.deletes,
        signed_off_by_role=manifest.signed_off_by_role,
        signed_off_on=manifest.signed_off_on,
    )


def sheets_of_return(path: Path) -> list[tuple[str, str]]:
    """The sheets of a whole return that are named after a dataset, as (sheet, dataset).

    Raises ValueError, with a reason for the sender, if there are none or two for one dataset.
    """
    known = {fold(n): n for n in datasets()} | {fold(c.title): n for n, c in datasets().items()}
    names = _sheet_names(path)
    sheets = [(n, known[fold(n)]) for n in names if fold(n) in known]
    if not sheets:
        raise ValueError("no sheet of the workbook is named after a dataset")
    if len({dataset for _, dataset in sheets}) < len(sheets):
        raise ValueError("two sheets of the workbook are named after the same dataset")
    return sheets


def _sheet_names(path: Path) -> list[str]:
    """The sheet names of an Excel workbook, read without opening the sheets. Raises ValueError if it is damaged."""
    try:
        with zipfile.ZipFile(path) as package:
            if package.getinfo(_WORKBOOK_PART).file_size > _MAX_WORKBOOK_PART:
                raise ValueError("the workbook's list of sheets is far too long")
            xml = package.read(_WORKBOOK_PART)
        if b"<!" in xml:  # a DOCTYPE may define entities that expand without limit
            raise ValueError("the workbook could not be opened")
        return [e.get("name", "") for e in ElementTree.fromstring(xml).iter() if e.tag.endswith("}sheet")]
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, EOFError, struct.error, RuntimeError):
        raise ValueError("the workbook could not be opened: a return is one Excel workbook (.xlsx)") from None
    except ElementTree.ParseError:
        raise ValueError("the workbook could not be opened") from None
