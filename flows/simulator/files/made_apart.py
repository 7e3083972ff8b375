"""Made-up files never mix with real ones: they are made beside their folder, and put there only if nothing is lost."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.runtime.wording import counted

PUBLISHED = "PMO"  # the folder of the published record: real, and meant to lie beside made-up extracts


class OthersThere(Exception):  # noqa: N818 - what is there is not at fault
    """Files that the simulator did not make lie where made-up ones were to be put."""


@contextmanager
def made_apart(folder: Path, truth: Path) -> Iterator[tuple[Path, Path]]:
    """Give a folder to make files in and a file for their truth; then put them at `folder` and `truth`.

    A truth file marks its folder as made up. Where there is none, no other file may be there; where there is one, files
    of the same name must be the same. Raises OthersThere.
    """
    truth.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=truth.parent, prefix="being-made-up-") as apart:
        making, telling = Path(apart) / "raw", Path(apart) / truth.name
        making.mkdir()
        yield making, telling
        _require_no_others(folder, making, is_made_up=truth.exists())
        for path in _files(making):
            home = folder / path.relative_to(making)
            home.parent.mkdir(parents=True, exist_ok=True)
            path.replace(home)
        telling.replace(truth)


def _require_no_others(folder: Path, making: Path, *, is_made_up: bool) -> None:
    made = {path.relative_to(making) for path in _files(making)}
    there = {path.relative_to(folder) for path in _files(folder)}
    others = [
        name
        for name in sorted(there)
        if name.parts[0] != PUBLISHED
        and not (filecmp.cmp(folder / name, making / name, shallow=False) if name in made else is_made_up)
    ]
    if others:
        raise OthersThere(
            f"{counted(len(others), 'file')} in {folder} would be replaced by made-up ones, or lie among them, such as"
            f" {others[0]}. Nothing was written. Choose a data folder without files of sites (--data FOLDER), or delete"
            " these if they are made up."
        )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/**/*") if path.is_file()]
