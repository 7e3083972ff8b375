"""Finding the heading among the first rows of a file (rules F04, U03)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import zip_longest

from schemas._contract.code_lists import fold

ROWS_SEARCHED = 30
MOST_COLUMNS = 2_000  # far more than any dataset has, and few enough to search each for personal data
LEAST_MATCHES = 2


def matches(cells: Sequence[str], known: Set[str]) -> int:
    """How many of a row's cells are known headings."""
    return len({fold(c) for c in cells} & known)


def find_heading(rows: Sequence[Sequence[str]], known: Set[str]) -> int | None:
    """The position of the heading: the first of the rows that hold the most known headings; None if none holds two."""
    scores = [matches(r, known) for r in rows]
    best = max(scores, default=0)
    return scores.index(best) if best >= min(LEAST_MATCHES, len(known)) and best else None


def is_whole(cells: Sequence[str], known: Set[str]) -> bool:
    """Whether every cell of a row that is not empty is a known heading: no second row can make it a better one."""
    said = [c for c in cells if c.strip()]
    return len(said) >= LEAST_MATCHES and all(fold(c) in known for c in said)


def joined(upper: Sequence[str], lower: Sequence[str], known: Set[str]) -> list[str]:
    """Two rows as one heading: of each column, the text that is known, else both texts together.

    A text of the upper row goes for the columns to its right that have none, as in merged cells.
    """
    cells, group = [], ""
    for above, below in zip_longest(upper, lower, fillvalue=""):
        group = above.strip() or group
        both, alone = f"{above} {below}".strip(), below or above
        texts = (both, f"{group} {below}", alone) if below.strip() else (both,)
        cells.append(next((t for t in texts if fold(t) in known), both))
    return cells
