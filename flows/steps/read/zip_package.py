"""Zip packages (workbooks are such), looked at before anything in them is opened. Nothing is ever unpacked by name.

A package that no office program writes is refused in words (rule U01): one that grows beyond measure, whose sizes lie,
whose entries overlap, or whose names lead elsewhere.
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

LARGEST_UNPACKED = 1 << 30  # bytes: an honest workbook of a million rows stays well below
MOST_MEMBERS = 10_000
SMALL = 64 << 20  # a part up to this size may be packed as tightly as it likes
TIGHTEST = 200  # times that a larger part may be packed: spreadsheets reach 10 to 60
PIECE = 1 << 20
LARGEST_INDEX = 8 << 20  # of the parts that say what is in a workbook
LONGEST_TEXT = 1 << 20  # of one cell: the programs allow 32,767 characters
# The parts that say which kind of workbook a package is.
XLSX_BOOK, ODS_CONTENT, ODS_MANIFEST = "xl/workbook.xml", "content.xml", "META-INF/manifest.xml"
_LOCAL_HEADER = struct.Struct("<4s22sHH")
_ENCRYPTED = 1
_DOCUMENT_TYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


class Package:
    """A zip package whose entries have been looked at. `members` are its parts by their plain names in lower case."""

    def __init__(self, path: Path) -> None:
        """Raises Unreadable: U01 damaged, too large or out of order; U02 password."""
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError, IndexError):
            raise UnreadableFile("U01", "it is damaged or was cut off") from None
        except OSError as wrong:
            if wrong.errno != errno.EINVAL:  # a disk that is away is no fault of the file
                raise
            raise UnreadableFile("U01", "it is damaged or was cut off") from None
        _look_at_sizes(entries)
        _look_at_places(entries)
        self.members = _by_name(entries)
        if any(e.flag_bits & _ENCRYPTED for e in entries):
            raise UnreadableFile("U02")

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self.members

    def pieces(self, name: str) -> Iterator[bytes]:
        """A part's bytes, piece by piece, and no more of them than it says. Raises Unreadable (U01)."""
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
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFile("U01", "it is packed in an unusual way")
        with self.path.open("rb") as file:
            file.seek(entry.header_offset)
            header = file.read(_LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
                raise UnreadableFile("U01", "it is damaged or was cut off")
            *_, name, extra = _LOCAL_HEADER.unpack(header)
            file.seek(name + extra, 1)
            left = entry.compress_size
            inflate = None if entry.compress_type == zipfile.ZIP_STORED else zlib.decompressobj(-zlib.MAX_WBITS)
            while left > 0 and (packed := file.read(min(PIECE, left))):
                left -= len(packed)
                if inflate is None:
                    yield packed
                    continue
                while packed and not inflate.eof:
                    try:
                        yield inflate.decompress(packed, PIECE)
                    except zlib.error:
                        raise UnreadableFile("U01", "it is damaged or was cut off") from None
                    packed = inflate.unconsumed_tail

    def xml_pieces(self, name: str) -> Iterator[bytes]:
        """An XML part, piece by piece. Raises Unreadable (U01) for one that defines words of its own, or is no XML.

        Words of its own are how a few bytes grow to gigabytes, or make a reader fetch a file: no office program
        writes them.
        """
        before = b""
        for n, piece in enumerate(self.pieces(name)):
            if n == 0 and (piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in piece[:4]):
                raise UnreadableFile("U01", "its text is stored in an unusual way")
            if _DOCUMENT_TYPE.search(before + piece):
                raise UnreadableFile("U01", "it defines words of its own, as no office program does")
            if len(piece) >= LONGEST_TEXT and b"<" not in piece:
                raise UnreadableFile("U01", "a cell holds more than a million characters")
            before = piece[-16:]
            yield piece

    def xml(self, name: str) -> bytes:
        """A small XML part, whole."""
        entry = self.members.get(name.casefold())
        if entry is not None and entry.file_size > LARGEST_INDEX:
            raise UnreadableFile("U01", "its list of sheets is far too long")
        return b"".join(self.xml_pieces(name))

    def holds(self, name: str, text: bytes) -> bool:
        """Whether a small part holds a text."""
        entry = self.members.get(name.casefold())
        return entry is not None and entry.file_size <= LARGEST_INDEX and text in b"".join(self.pieces(name))


def only_file_in_zip(package: Package) -> str:
    """The name of the one file that a zip holds. Raises Unreadable (U01) for none or several."""
    found = [
        name
        for name, entry in package.members.items()
        if not entry.is_dir() and not entry.filename.startswith("__MACOSX/") and not _is_added(entry)
    ]
    if len(found) != 1:
        raise UnreadableFile("U01", f"the zip holds {len(found)} files" if found else "the zip holds no file")
    return found[0]


def _is_added(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.replace("\\", "/").rpartition("/")[2]
    return name.casefold() in ADDED_BY_COMPUTERS or name.startswith(
        "._"
    )  # what a Macintosh knows of the file of that name


def unpack_to_temp(package: Package, name: str) -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """One part as a file in a folder of its own, which goes with the folder. It keeps the ending of its name alone."""
    folder = tempfile.TemporaryDirectory(prefix="pilots-")
    ending = re.search(r"\.[a-z0-9]{1,8}$", name)
    path = Path(folder.name) / f"file{ending[0] if ending else ''}"
    try:
        with path.open("wb") as file:
            for piece in package.pieces(name):
                file.write(piece)
    except BaseException:
        with suppress(OSError):
            folder.cleanup()
        raise
    return folder, path


def _look_at_sizes(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_MEMBERS:
        raise UnreadableFile("U01", f"it holds {len(entries):,} parts")
    if sum(e.file_size for e in entries) > LARGEST_UNPACKED:
        raise UnreadableFile("U01", "it unpacks to more than 1 GB")
    if any(e.file_size > SMALL and e.file_size > TIGHTEST * e.compress_size for e in entries):
        raise UnreadableFile("U01", f"it unpacks to more than {TIGHTEST} times its size")


def _look_at_places(entries: list[zipfile.ZipInfo]) -> None:
    """No byte may belong to two entries: so a few kilobytes would unpack to terabytes."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            raise UnreadableFile("U01", "parts of it overlap")
        end = entry.header_offset + _LOCAL_HEADER.size + entry.compress_size


def _by_name(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename.replace("\\", "/").casefold()
        if name.startswith("/") or ".." in name.split("/") or re.match(r"[a-z]:", name) or "\x00" in name:
            raise UnreadableFile("U01", "the name of a part leads outside it")
        if name in members:
            raise UnreadableFile("U01", "two parts of it have the same name")
        members[name] = entry
    return members
