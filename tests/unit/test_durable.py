"""Files are replaced atomically, and all code does so through `flows.store.durable`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flows.store import durable
from flows.store.durable import replacement_of, write_whole

FLOWS = Path(__file__).parents[2] / "flows"
# Modules that may move files into place themselves; each states its reason in code.
ALLOWED = {
    "store/durable.py",
    "store/warehouse/__init__.py",  # a build never replaces an open file: readers follow a link
    "store/results.py",  # moves a whole folder
    "store/paths.py",  # gives the folder of results its new name
    "store/ledger/migrations/__init__.py",
    "runtime/log_file.py",  # rotates log files, rewriting none
}


@pytest.fixture(params=[False, True], ids=["posix", "windows"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_IS_WINDOWS", request.param)


@pytest.mark.usefixtures("system")
def test_a_file_is_replaced_by_the_new_text(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for text in ("before\n", "after: café\n"):
        assert write_whole(path, text) == path
        assert path.read_bytes() == text.encode()
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.usefixtures("system")
def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "page.html", "before\n")
    with pytest.raises(RuntimeError, match="half way"), replacement_of(path) as unfinished:
        unfinished.write_text("aft", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "before\n"
        raise RuntimeError("half way")
    assert path.read_text(encoding="utf-8") == "before\n"
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_a_part_file_left_by_a_killed_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    (tmp_path / ".page.html.part").write_text("half", encoding="utf-8")
    write_whole(path, "whole")
    assert [(p.name, p.read_text(encoding="utf-8")) for p in tmp_path.iterdir()] == [("page.html", "whole")]


def test_the_mode_is_set_before_anything_is_written(tmp_path: Path) -> None:
    """Marked workbooks hold participants' rows, so not even a part file may be readable by others."""
    with replacement_of(tmp_path / "marked.xlsx", mode=0o600) as unfinished:
        assert unfinished.stat().st_mode & 0o777 == 0o600
        unfinished.write_bytes(b"rows")
    assert (tmp_path / "marked.xlsx").stat().st_mode & 0o777 == 0o600


def test_no_other_module_moves_files_into_place() -> None:
    """`Path.replace` has one argument, whereas `str.replace` has two and that of a frame takes a dict."""
    found = set()
    # The simulator is exempt: its files are only read once it has finished.
    for path in (p for p in FLOWS.rglob("*.py") if "simulator" not in p.parts):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            is_file = node.func.attr in ("replace", "rename") and len(node.args) == 1 and not node.keywords
            if is_file and not isinstance(node.args[0], ast.Dict | ast.DictComp):
                found.add(path.relative_to(FLOWS).as_posix())
    assert found == ALLOWED
