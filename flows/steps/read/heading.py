"""Find the heading among the first rows of a file (rules F04, U03)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import zip_longest

from flows.cells.headings import recognise

HEADING_SEARCH_ROWS = 30
MAX_COLUMNS = 2_000  # far more than any dataset has, and few enough to search each for personal data
MIN_KNOWN_HEADINGS = 2  # one may occur by chance, in a title or a note above the table


def count_known_headings(cells: Sequence[str], known: Set[str]) -> int:
    """The number of different known headings among a row's cells."""
    return len({recognise(c, known) for c in cells} - {None})


def find_heading(rows: Sequence[Sequence[str]], known: Set[str]) -> int | None:
    """The index of the row with the most known headings (the first of equals); None if no row holds two."""
    scores = [count_known_headings(r, known) for r in rows]
    best = max(scores, default=0)
    # A dataset with a single known heading cannot show two.
    return scores.index(best) if best >= min(MIN_KNOWN_HEADINGS, len(known)) and best else None


def is_complete_heading(cells: Sequence[str], known: Set[str]) -> bool:
    """Whether every filled cell of a row is a known heading, so that no second heading row could add to it."""
    filled = [c for c in cells if c.strip()]
    return len(filled) >= MIN_KNOWN_HEADINGS and all(recognise(c, known) for c in filled)


def merge_heading_rows(upper: Sequence[str], lower: Sequence[str], known: Set[str]) -> list[str]:
    """Merge two heading rows into one: for each column the text that is a known heading, else both texts together.

    A text in the upper row also stands for the empty cells to its right, as a merged cell does.
    """
    cells, group = [], ""
    for above, below in zip_longest(upper, lower, fillvalue=""):
        group = above.strip() or group
        both, alone = f"{above} {below}".strip(), below or above
        candidates = (both, f"{group} {below}", alone) if below.strip() else (both,)
        cells.append(next((text for text in candidates if recognise(text, known)), both))
    return cells
