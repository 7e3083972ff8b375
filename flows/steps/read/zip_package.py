"""Read zip packages (.xlsx, .ods, .zip) safely: the entries are checked before any of them is unpacked.

Refused with a reason (rule U01): zip bombs, false sizes, overlapping entries, and names that lead out of the package.
Nothing is unpacked under the name that its entry states.
"""

from __future__ import annotations

import errno
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from flows.deliveries.extract import UnreadableFile
from flows.deliveries.file_names import ADDED_BY_COMPUTERS

MAX_UNPACKED_BYTES = 1 << 30  # a genuine workbook of a million rows is well below
MAX_MEMBERS = 10_000
SMALL_PART_BYTES = 64 << 20  # a part up to this size may have any compression ratio
MAX_COMPRESSION_RATIO = 200  # for larger parts: spreadsheets reach 10 to 60
PIECE_BYTES = 1 << 20
MAX_INDEX_BYTES = 8 << 20  # for the parts that list a workbook's contents
MAX_CELL_CHARACTERS = 1 << 20  # Excel allows 32,767
# The parts that say which kind of workbook a package is.
XLSX_BOOK, ODS_CONTENT, ODS_MANIFEST = "xl/workbook.xml", "content.xml", "META-INF/manifest.xml"
_LOCAL_HEADER = struct.Struct("<4s22sHH")
_ENCRYPTED = 1
_DOCUMENT_TYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


class Package:
    """A zip package whose entries have passed the checks. `members` are its parts by name, in lower case."""

    def __init__(self, path: Path) -> None:
        """Raises UnreadableFile: U01 damaged, too large or unsafe; U02 password."""
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError, IndexError):
            raise UnreadableFile("U01", "it is damaged or was cut off") from None
        except OSError as error:
            if error.errno != errno.EINVAL:  # a false offset makes seek fail with EINVAL; anything else is the disk's
                raise
            raise UnreadableFile("U01", "it is damaged or was cut off") from None
        _check_sizes(entries)
        _check_overlaps(entries)
        self.members = _by_name(entries)
        if any(e.flag_bits & _ENCRYPTED for e in entries):
            raise UnreadableFile("U02")

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self.members

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a part's bytes piece by piece. Raises UnreadableFile (U01) if size or checksum is not as stated."""
        entry = self.members.get(name.casefold())
        if entry is None:
            raise UnreadableFile("U01", "a part of it is missing")
        size = crc = 0
        for piece in self._unpacked(entry):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if size > entry.file_size:
                raise UnreadableFile("U01", "it unpacks to more than it says")
            yield piece
        if size != entry.file_size or crc != entry.CRC:
            raise UnreadableFile("U01", "it is damaged or was cut off")

    def _unpacked(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """Yield an entry's bytes, at most PIECE_BYTES at a time, so that a bomb is noticed before it fills memory."""
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFile("U01", "it is packed in an unusual way")
        with self.path.open("rb") as file:
            file.seek(entry.header_offset)
            header = file.read(_LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
                raise UnreadableFile("U01", "it is damaged or was cut off")
            *_, name, extra = _LOCAL_HEADER.unpack(header)
            file.seek(name + extra, 1)  # lengths from the local header: the central directory's may differ
            left = entry.compress_size
            inflate = None if entry.compress_type == zipfile.ZIP_STORED else zlib.decompressobj(-zlib.MAX_WBITS)
            while left > 0 and (packed := file.read(min(PIECE_BYTES, left))):
                left -= len(packed)
                if inflate is None:
                    yield packed
                    continue
                while packed and not inflate.eof:
                    try:
                        yield inflate.decompress(packed, PIECE_BYTES)
                    except zlib.error:
                        raise UnreadableFile("U01", "it is damaged or was cut off") from None
                    packed = inflate.unconsumed_tail

    def xml_pieces(self, name: str) -> Iterator[bytes]:
        """Yield an XML part piece by piece. Raises UnreadableFile (U01) for a DOCTYPE, an entity or UTF-16.

        Entities can expand a few bytes to gigabytes, or make a parser fetch a file. No office program writes them.
        """
        before = b""
        for n, piece in enumerate(self.pieces(name)):
            # In UTF-16 the search below would not find a declaration. Office programs write UTF-8.
            if n == 0 and (piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in piece[:4]):
                raise UnreadableFile("U01", "its text is stored in an unusual way")
            if _DOCUMENT_TYPE.search(before + piece):
                raise UnreadableFile("U01", "it holds XML definitions of its own, as no office program writes")
            if len(piece) >= MAX_CELL_CHARACTERS and b"<" not in piece:
                raise UnreadableFile("U01", "a cell holds more than a million characters")
            before = piece[-16:]  # a declaration may be split between two pieces
            yield piece

    def xml(self, name: str) -> bytes:
        """The whole of a small XML part."""
        entry = self.members.get(name.casefold())
        if entry is not None and entry.file_size > MAX_INDEX_BYTES:
            raise UnreadableFile("U01", "its list of sheets is far too long")
        return b"".join(self.xml_pieces(name))

    def holds(self, name: str, text: bytes) -> bool:
        """Whether a small part contains a text."""
        entry = self.members.get(name.casefold())
        return entry is not None and entry.file_size <= MAX_INDEX_BYTES and text in b"".join(self.pieces(name))


def only_file_in_zip(package: Package) -> str:
    """The name of the only file in a zip, apart from system files. Raises UnreadableFile (U01) for none or several."""
    found = [
        name
        for name, entry in package.members.items()
        if not entry.is_dir() and not entry.filename.startswith("__MACOSX/") and not _is_system_file(entry)
    ]
    if len(found) != 1:
        raise UnreadableFile("U01", f"the zip holds {len(found)} files" if found else "the zip holds no file")
    return found[0]


def _is_system_file(entry: zipfile.ZipInfo) -> bool:
    """Whether an operating system added the entry: Thumbs.db, .DS_Store, or macOS metadata ('._' and a file's name)."""
    name = entry.filename.replace("\\", "/").rpartition("/")[2]
    return name.casefold() in ADDED_BY_COMPUTERS or name.startswith("._")


def unpack_to_temp(package: Package, name: str) -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """Unpack one part into a temporary folder of its own: (folder, file). Only the extension of its name is kept."""
    folder = tempfile.TemporaryDirectory(prefix="pilots-")
    ending = re.search(r"\.[a-z0-9]{1,8}$", name)
    path = Path(folder.name) / f"file{ending[0] if ending else ''}"
    try:
        with path.open("wb") as file:
            for piece in package.pieces(name):
                file.write(piece)
    except BaseException:  # also when the run is interrupted: no copy of personal data may be left behind
        with suppress(OSError):
            folder.cleanup()
        raise
    return folder, path


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse zip bombs by the sizes that the entries state; `pieces` checks that these are true."""
    if len(entries) > MAX_MEMBERS:
        raise UnreadableFile("U01", f"it holds {len(entries):,} parts")
    if sum(e.file_size for e in entries) > MAX_UNPACKED_BYTES:
        raise UnreadableFile("U01", "it unpacks to more than 1 GB")
    if any(e.file_size > SMALL_PART_BYTES and e.file_size > MAX_COMPRESSION_RATIO * e.compress_size for e in entries):
        raise UnreadableFile("U01", f"it unpacks to more than {MAX_COMPRESSION_RATIO} times its size")


def _check_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse entries that share bytes, by which a few kilobytes can unpack to terabytes."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            raise UnreadableFile("U01", "parts of it overlap")
        end = entry.header_offset + _LOCAL_HEADER.size + entry.compress_size


def _by_name(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The entries by name in lower case. Refuses absolute paths, '..', and two entries of one name."""
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename.replace("\\", "/").casefold()
        if name.startswith("/") or ".." in name.split("/") or re.match(r"[a-z]:", name) or "\x00" in name:
            raise UnreadableFile("U01", "the name of a part leads outside it")
        if name in members:
            raise UnreadableFile("U01", "two parts of it have the same name")
        members[name] = entry
    return members
