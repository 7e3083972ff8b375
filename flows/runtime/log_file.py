"""Handler that writes the log as JSON lines, each complete or absent, in a bounded number of files.

`logging.handlers.RotatingFileHandler` is not used: importing it takes longer than all else that a no-op run imports of
the standard library, it reports a full disk for every line, and it can leave half a line.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

NAME = "pilots.jsonl"
MAX_BYTES = 5 << 20  # in one file: some thousands of no-op runs, or some large ones
OLDER_FILES = 9  # number of older files: pilots.1.jsonl is the newest of them


class LogFile(logging.Handler):
    """Writes each entry with the fields that all lines of a run share. A disk error never stops the run.

    Only for the holder of the writer lock, so that nobody else writes or renames the files.
    """

    def __init__(self, folder: Path, shared: Mapping[str, str | None]) -> None:
        super().__init__()
        self.path, self._shared = folder / NAME, shared
        self._file: io.FileIO | None = None
        self._size = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            self._give_up(error)

    @property
    def is_written(self) -> bool:
        """Whether all lines so far have been written."""
        return self._file is not None

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record's line. Records without an `Entry`, such as another library's, are ignored."""
        entry = getattr(record, "entry", None)
        if entry is None or self._file is None:
            return
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"ts": when.replace("+00:00", "Z"), "level": record.levelname, **self._shared, **entry.fields()}
        try:
            self._append(json.dumps(line).encode() + b"\n")
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
        super().close()

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        if self._size and self._size + len(line) > MAX_BYTES:
            self._rotate()
        if self._file.write(line) != len(line):  # unbuffered: when the disk fills up, only a part is written
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(line)

    def _open(self) -> None:
        self._file = io.FileIO(self.path, "a+")
        self._size = self._file.seek(0, os.SEEK_END)
        if self._size and not self._ends_in_a_line(self._file):
            # an interrupted run, or a full disk, left half a line: it is cut off
            self._size = self.path.read_bytes().rfind(b"\n") + 1
            self._file.truncate(self._size)

    def _ends_in_a_line(self, file: io.FileIO) -> bool:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

    def _rotate(self) -> None:
        assert self._file is not None
        self._file.close()
        for n in range(OLDER_FILES, 0, -1):  # oldest first: an interruption then loses no file
            newer = self._older(n - 1) if n > 1 else self.path
            if newer.exists():
                newer.replace(self._older(n))
        self._open()

    def _older(self, n: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{n}{self.path.suffix}")

    def _give_up(self, error: OSError) -> None:
        """Report once that no log is written, and go on: the figures matter more than the log."""
        if self._file is not None:
            self._file.close()
        self._file = None
        why = error.strerror or type(error).__name__
        print(f"No log is written to {self.path} ({why}). The run goes on without it.", file=sys.stderr)
