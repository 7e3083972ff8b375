"""Chunks without quotation marks take a fast path, which must give the same result as reading line by line."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soak import iterations

from flows.steps.read import read
from flows.steps.read.text import delimited, text_heading
from flows.steps.read.text.lines import Dialect
from schemas._contract.code_lists import fold

HEADINGS = ("contact_id", "episode_id", "contact_date")
KNOWN = frozenset(map(fold, HEADINGS))

cells = st.text(st.sampled_from("a1é €\t\xa0'-\ufeff"), max_size=4)
records = st.lists(cells, min_size=3, max_size=3).map(",".join)
ragged = st.lists(cells, min_size=1, max_size=5).map(",".join)
unusual = st.sampled_from(
    ["", " ", "\t\xa0", "\x1a", ",,", ",", "total", "\x00", "a\rb,c,d", 'a,"b",c', 'a,b"c,d', '"a']
)
lines = st.lists(st.one_of(records, ragged, unusual), max_size=12)


@settings(max_examples=iterations(everyday=20, soak=4000))
@given(
    lines=lines,
    end=st.sampled_from(["\n", "\r\n"]),
    ends_with_line_end=st.booleans(),
    delimiter=st.sampled_from(text_heading.DELIMITERS),
    max_lines=st.sampled_from([4, 100]),
)
def test_the_fast_path_gives_the_same_batches(
    lines: list[str],
    end: str,
    ends_with_line_end: bool,
    delimiter: str,
    max_lines: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("plain") / "contacts.csv"
    text = end.join([",".join(HEADINGS), *lines]) + (end if ends_with_line_end else "")
    file.write_bytes(text.replace(",", delimiter).encode())
    with patch.multiple(delimited, MAX_CHUNK_LINES=max_lines, MAX_RECORD_LINES=1):
        fast = batches_of(file)
        with patch.object(Dialect, "is_plain", lambda *_: False):
            assert fast == batches_of(file)


def test_chunks_with_quotes_zero_bytes_or_stray_returns_are_not_plain() -> None:
    dialect = Dialect(",", '"', 3)
    assert dialect.is_plain(b"a,b,c\n") and dialect.is_plain(b"a,b,c\r\n\r\n") and dialect.is_plain(b"a")
    for text in (b'a,"b,c\n', b"a,b\r,c\n", b"a,b,c\r\nd,e\r,f\r\n", b"a,\x00,c\n"):
        assert not dialect.is_plain(text)
    assert not Dialect(",", '"', 1).is_plain(b"a\n")
    assert not Dialect(",", "'", 3).is_plain(b"a,'b,c\n")


def test_a_file_overwritten_while_it_is_read_raises(tmp_path: Path) -> None:
    """The encoding was checked when the file was opened. The next run reads the file as it is then."""
    file = tmp_path / "contacts.csv"
    file.write_bytes(",".join(HEADINGS).encode() + b"\n" + b"SIM-C000001,SIM-E000001,2016-11-01\n" * 100)
    extract = read(file, KNOWN)
    with file.open("r+b") as other:
        other.seek(file.stat().st_size - len("000001,SIM-E000001,2016-11-01\n"))
        other.write(b"\xff" * 6)  # within a cell
    with pytest.raises(pa.ArrowInvalid, match="UTF8"):
        list(extract.batches)


def batches_of(file: Path) -> list[object]:
    """Everything read from a file, batch by batch."""
    return [(b.rows.to_dict(as_series=False), b.malformed, b.stray_text) for b in read(file, KNOWN).batches]
