"""Files that are whole or not there: one way to write them, whoever writes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flows.store import durable
from flows.store.durable import replacement_of, write_whole

FLOWS = Path(__file__).parents[2] / "flows"
# Who puts a file in its place in another way, for the reason that is stated there.
OTHER_WAYS = {
    "store/durable.py",
    "store/warehouse/__init__.py",  # a build never replaces one that readers have open; what they follow is a link
    "store/results.py",  # a folder
    "store/ledger/migrations/__init__.py",
    "runtime/log_file.py",  # the files of a log change places; nothing is written anew
}


@pytest.fixture(params=[False, True], ids=["posix", "windows"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_IS_WINDOWS", request.param)


@pytest.mark.usefixtures("system")
def test_a_text_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for text in ("before\n", "after: café\n"):
        assert write_whole(path, text) == path
        assert path.read_bytes() == text.encode()
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.usefixtures("system")
def test_what_could_not_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "page.html", "before\n")
    with pytest.raises(RuntimeError, match="half way"), replacement_of(path) as unfinished:
        unfinished.write_text("aft", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "before\n"
        raise RuntimeError("half way")
    assert path.read_text(encoding="utf-8") == "before\n"
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_what_a_killed_process_left_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    (tmp_path / ".page.html.part").write_text("half", encoding="utf-8")
    write_whole(path, "whole")
    assert [(p.name, p.read_text(encoding="utf-8")) for p in tmp_path.iterdir()] == [("page.html", "whole")]


def test_a_file_of_rows_of_people_is_its_owners_from_the_first_moment(tmp_path: Path) -> None:
    with replacement_of(tmp_path / "marked.xlsx", mode=0o600) as unfinished:
        assert unfinished.stat().st_mode & 0o777 == 0o600
        unfinished.write_bytes(b"rows")
    assert (tmp_path / "marked.xlsx").stat().st_mode & 0o777 == 0o600


def test_nobody_else_puts_files_in_place() -> None:
    """`path.replace(other)` has one argument; that of a text has two, and that of a frame a dict."""
    there = set()
    for path in (p for p in FLOWS.rglob("*.py") if "simulator" not in p.parts):  # its files are read once it is done
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            is_file = node.func.attr in ("replace", "rename") and len(node.args) == 1 and not node.keywords
            if is_file and not isinstance(node.args[0], ast.Dict | ast.DictComp):
                there.add(path.relative_to(FLOWS).as_posix())
    assert there == OTHER_WAYS
