"""Stage simulated files, and move them into place only if they neither replace nor mix with real ones."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.runtime.wording import counted

PUBLISHED = "PMO"  # folder of the published figures: real, and allowed beside simulated extracts


class OtherFilesPresent(Exception):  # noqa: N818 - a state, not a defect
    """The folder for simulated files has files that the simulator did not write."""


@contextmanager
def staged(folder: Path, truth: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a temporary folder and truth file to write to; afterwards move both to `folder` and `truth`.

    A folder that was written beside the temporary truth file is moved too, in place of one of its name.

    A truth file marks its folder as simulated. Without one, the folder may hold no other files; with one, files of the
    same name must be identical. Raises OtherFilesPresent.
    """
    truth.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=truth.parent, prefix="being-made-up-") as temporary:
        staged_folder, staged_truth = Path(temporary) / "raw", Path(temporary) / truth.name
        staged_folder.mkdir()
        yield staged_folder, staged_truth
        require_no_others(folder, staged_folder, is_simulated=truth.exists())
        for path in _files(staged_folder):
            target = folder / path.relative_to(staged_folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        staged_truth.replace(truth)
        for path in Path(temporary).iterdir():
            if path != staged_folder:
                shutil.rmtree(truth.parent / path.name, ignore_errors=True)
                path.replace(truth.parent / path.name)


def require_no_others(folder: Path, staged_folder: Path, *, is_simulated: bool) -> None:
    """Raise OtherFilesPresent if `folder` has files that those of `staged_folder` would replace or be mixed with.

    `is_simulated`: the files in `folder` were simulated, so those that are staged too may be there, if identical.
    """
    new = {path.relative_to(staged_folder) for path in _files(staged_folder)}
    present = {path.relative_to(folder) for path in _files(folder)}
    others = [
        name
        for name in sorted(present)
        if name.parts[0] != PUBLISHED
        and not (filecmp.cmp(folder / name, staged_folder / name, shallow=False) if name in new else is_simulated)
    ]
    if others:
        raise OtherFilesPresent(
            f"{counted(len(others), 'file')} in {folder} would be replaced by made-up ones, or lie among them, such as"
            f" {others[0]}. Nothing was written. Choose a data folder without files of sites (--data FOLDER), or delete"
            " these if they are made up."
        )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/**/*") if path.is_file()]
