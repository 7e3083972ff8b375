"""Read OLE compound files: Office documents from before 2007, and password-protected ones of today.

A compound file is a small file system: streams are chains of sectors, linked by allocation tables.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from flows.deliveries.extract import UnreadableFile

MAX_BYTES = 512 << 20  # an old workbook holds at most 65,536 rows of 256 columns per sheet
WORKBOOK_STREAMS = ("workbook", "book")
DAMAGED = "it is damaged or was cut off"
_FREE, _END_OF_CHAIN = 0xFFFFFFFF, 0xFFFFFFFE  # sector numbers with a special meaning
_STREAM, _ROOT = 2, 5  # types of directory entry


class CompoundFile:
    """A compound file. `streams` maps each stream's name, in lower case, to (first sector, size)."""

    def __init__(self, data: bytes) -> None:
        """Raises UnreadableFile (U01) if the file is damaged."""
        self._data = data
        try:
            self._read_header()
            self.streams = dict(self._directory())
        except (struct.error, IndexError, OverflowError, UnicodeDecodeError):
            raise UnreadableFile("U01", DAMAGED) from None

    def _read_header(self) -> None:
        """Read sector size and allocation tables from the header ([MS-CFB] 2.2)."""
        shift, small_shift = struct.unpack_from("<HH", self._data, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise UnreadableFile("U01", DAMAGED)
        self._sector = 1 << shift
        tables, self._directory_start = struct.unpack_from("<II", self._data, 44)
        self._small_below, small_table, _, next_list, _ = struct.unpack_from("<5I", self._data, 56)
        # The header lists the first 109 sectors of the allocation table; any more are listed in a chain of sectors.
        table_sectors = list(struct.unpack_from("<109I", self._data, 76))
        while next_list < _END_OF_CHAIN and len(table_sectors) < tables + 109:
            *more, next_list = struct.unpack(f"<{self._sector // 4}I", self._sector_at(next_list))
            table_sectors += more
        self._table = self._numbers(table_sectors[:tables])
        self._small_table = self._numbers(self._chain(small_table, self._table))
        self._small = b""
        self._small_sectors: list[int] = []

    def _numbers(self, sectors: list[int]) -> list[int]:
        """The content of some sectors as 32-bit numbers."""
        data = b"".join(self._sector_at(s) for s in sectors if s != _FREE)
        return list(struct.unpack(f"<{len(data) // 4}I", data))

    def _sector_at(self, number: int) -> bytes:
        """The content of a sector. Raises IndexError if it is not in the file."""
        start = (number + 1) * self._sector  # the header takes the place of a sector
        if number >= _END_OF_CHAIN - 3 or start + self._sector > len(self._data):
            raise IndexError(number)
        return self._data[start : start + self._sector]

    @staticmethod
    def _chain(start: int, table: list[int]) -> list[int]:
        """The sectors of a chain, from its first. Raises IndexError for a circular or broken chain."""
        found: list[int] = []
        while start < _END_OF_CHAIN:
            if len(found) > len(table):
                raise IndexError("a circle")
            found.append(start)
            start = table[start]
        return found

    def _directory(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield the streams; sets `_small` and `_small_sectors` from the root entry on the way."""
        listed = b"".join(self._sector_at(s) for s in self._chain(self._directory_start, self._table))
        for at in range(0, len(listed), 128):  # an entry has 128 bytes
            length, kind = struct.unpack_from("<HB", listed, at + 64)
            start, size = struct.unpack_from("<II", listed, at + 116)
            if kind == _ROOT:
                self._small_sectors = self._chain(start, self._table) if size else []
                self._small = b"".join(map(self._sector_at, self._small_sectors))[:size]
            elif kind == _STREAM and 2 <= length <= 64:
                yield listed[at : at + length - 2].decode("utf-16-le").casefold(), (start, size)

    def stream(self, name: str) -> bytes:
        """The bytes of a stream. Raises UnreadableFile (U01) if some are missing."""
        start, size = self.streams[name]
        try:
            if size < self._small_below:  # short streams are stored in 64-byte sectors within one larger stream
                sectors = self._chain(start, self._small_table)
                data = b"".join(self._small[64 * s : 64 * s + 64] for s in sectors)
            else:
                data = b"".join(self._sector_at(s) for s in self._chain(start, self._table))
        except IndexError:
            raise UnreadableFile("U01", DAMAGED) from None
        if len(data) < size:
            raise UnreadableFile("U01", DAMAGED)
        return data[:size]

    def with_stream(self, name: str, data: bytes) -> bytes:
        """The whole file with a stream replaced by other bytes of the same size."""
        start, size = self.streams[name]
        whole, step = bytearray(self._data), 64 if size < self._small_below else self._sector
        table = self._small_table if size < self._small_below else self._table
        for n, sector in enumerate(self._chain(start, table)):
            at = self._small_at(sector) if size < self._small_below else (sector + 1) * self._sector
            part = data[n * step : (n + 1) * step]
            whole[at : at + len(part)] = part
        return bytes(whole)

    def _small_at(self, small_sector: int) -> int:
        """The file offset of a small sector."""
        per_sector = self._sector // 64
        return (self._small_sectors[small_sector // per_sector] + 1) * self._sector + 64 * (small_sector % per_sector)


def compound_file(path: Path) -> CompoundFile:
    """Open a compound file. Raises UnreadableFile (U01)."""
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFile("U01", "it is larger than any such workbook")
    return CompoundFile(path.read_bytes())


def is_xls(file: CompoundFile) -> bool:
    """Whether a compound file is an old Excel workbook."""
    return any(name in file.streams for name in WORKBOOK_STREAMS)
