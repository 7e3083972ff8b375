"""Convert between a spreadsheet column's letters and its position."""

from __future__ import annotations


def column_letter(index: int) -> str:
    """The letters of a column by its position: 0 -> A, 26 -> AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def index_of(letters: str) -> int:
    """The position of a column by its letters: A -> 0, AA -> 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
