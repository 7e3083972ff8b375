"""A chunk without a quotation mark is split at once: what comes of it is what the closer look at each line comes to."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.steps.read import read
from flows.steps.read.lines import Grammar
from schemas.codes import fold

HEADINGS = ("contact_id", "episode_id", "contact_date")
KNOWN = frozenset(map(fold, HEADINGS))

cells = st.text(st.sampled_from("a1é €\t\xa0'-\ufeff"), max_size=4)
records = st.lists(cells, min_size=3, max_size=3).map(",".join)
ragged = st.lists(cells, min_size=1, max_size=5).map(",".join)
odd = st.sampled_from(["", " ", "\t\xa0", "\x1a", ",,", ",", "total", "\x00", "a\rb,c,d", 'a,"b",c', 'a,b"c,d', '"a'])
texts = st.tuples(
    st.lists(st.one_of(records, ragged, odd), max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans()
).map(lambda made: made[1].join([",".join(HEADINGS), *made[0]]) + (made[1] if made[2] else ""))


@settings(max_examples=300)
@given(text=texts)
def test_a_plain_chunk_gives_what_a_closer_look_gives(text: str, tmp_path_factory) -> None:
    file = tmp_path_factory.mktemp("plain") / "contacts.csv"
    file.write_bytes(text.encode())
    at_once = batches_of(file)
    with patch.object(Grammar, "is_plain", lambda *_: False):
        assert at_once == batches_of(file)


def test_most_texts_are_plain_and_none_that_could_hide_a_record() -> None:
    grammar = Grammar(",", '"', 3)
    assert grammar.is_plain(b"a,b,c\n") and grammar.is_plain(b"a,b,c\r\n\r\n") and grammar.is_plain(b"a")
    for hiding in (b'a,"b,c\n', b"a,b\r,c\n", b"a,b,c\r\nd,e\r,f\r\n", b"a,\x00,c\n"):
        assert not grammar.is_plain(hiding)
    assert not Grammar(",", '"', 1).is_plain(b"a\n")
    assert not Grammar(",", "'", 3).is_plain(b"a,'b,c\n")


def batches_of(file: Path) -> list[object]:
    """All that is read of a file, batch by batch."""
    return [(b.rows.to_dict(as_series=False), b.torn, b.beside) for b in read(file, KNOWN).batches]
