"""Finding the heading among the first rows of a file (rules F04, U03)."""

from __future__ import annotations

from collections.abc import Sequence, Set

from schemas.codes import fold

ROWS_SEARCHED = 30
LEAST_MATCHES = 2


def matches(cells: Sequence[str], known: Set[str]) -> int:
    """How many of a row's cells are known headings."""
    return len({fold(c) for c in cells} & known)


def find_heading(rows: Sequence[Sequence[str]], known: Set[str]) -> int | None:
    """The position of the heading: the first of the rows that hold the most known headings; None if none holds two."""
    scores = [matches(r, known) for r in rows]
    best = max(scores, default=0)
    return scores.index(best) if best >= min(LEAST_MATCHES, len(known)) and best else None
