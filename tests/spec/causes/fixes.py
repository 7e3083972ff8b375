"""What a report asks for, done by script: every suggestion entered, and the one instruction of a cause."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl
from front_door import Checked
from sound_files import Cell, Grid, SentFile

from flows.cells.column_letters import index_of

Fix = Callable[[SentFile, Checked, SentFile], SentFile]  # the broken file, its report, and the sound file


def with_suggestions(file: SentFile, checked: Checked) -> SentFile:
    """Enter every suggestion in its cell."""
    suggested = checked.findings.filter(
        pl.col("suggestion").is_not_null(), pl.col("source_row").is_not_null(), pl.col("column_letter").is_not_null()
    )
    if suggested.is_empty():
        return file
    grid: Grid = [list(row) for row in file.grid]
    for row, letter, text in suggested.select("source_row", "column_letter", "suggestion").iter_rows():
        grid[row - 1][index_of(letter)] = text
    return file.with_grid(grid)


def nothing(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
    """Nothing beyond the suggestions."""
    return file


def rename(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
    """Give each column that the report names the heading that it asks for."""
    headings: list[Cell] = list(file.grid[0])
    for part in (part for item in checked.items for part in item.by_column):
        assert part.column_letter and part.field, checked.items_in_short
        headings[index_of(part.column_letter)] = part.field
    return file.with_grid([headings, *file.grid[1:]])


def exchange_headings(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
    """Exchange the headings of the two columns that the first item names."""
    found = re.match(r"columns ([A-Z]+) and ([A-Z]+)", str(checked.items[0].found[0].value))
    assert found, checked.items_in_short
    i, j = index_of(found[1]), index_of(found[2])
    headings: list[Cell] = list(file.grid[0])
    headings[i], headings[j] = headings[j], headings[i]
    return file.with_grid([headings, *file.grid[1:]])


def move_back(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
    """Move the cells back by one column, from the column and the row that the first item names."""
    found = re.match(
        r"from column ([A-Z]+) .* on, one to the (left|right), (?:on every row|from row (\d+) on)",
        str(checked.items[0].found[0].value),
    )
    assert found, checked.items[0].found
    k, first = index_of(found[1]), int(found[3] or 2)

    def back(row: list[Cell]) -> list[Cell]:
        return [*row[: k - 1], *row[k:], ""] if found[2] == "right" else [*row[:k], "", *row[k:-1]]

    return file.with_grid([back(row) if n >= first else row for n, row in enumerate(file.grid, 1)])


def restore(*fields: str) -> Fix:
    """Put the right values into some columns, from the sender's own records."""

    def restored(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
        at = {sound.position(field) for field in fields}
        return file.with_grid(
            [
                [right if i in at else cell for i, (cell, right) in enumerate(zip(row, own, strict=True))]
                for row, own in zip(file.grid, sound.grid, strict=True)
            ]
        )

    return restored


def add(*fields: str) -> Fix:
    """Add the columns that the report says are missing, at the end."""

    def added(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
        missing = {part.field for item in checked.items for part in item.by_column if part.rule_id == "F09"}
        assert missing == {*fields}, checked.items_in_short
        at = [sound.position(field) for field in fields]
        return file.with_grid([[*row, *(own[i] for i in at)] for row, own in zip(file.grid, sound.grid, strict=True)])

    return added


def fill_down(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
    """Copy the values of the columns that the first item names down to the next value."""
    at = {index_of(part.column_letter) for part in checked.items[0].by_column}
    grid: Grid = [list(file.grid[0])]
    for row in file.grid[1:]:
        grid.append([grid[-1][i] if i in at and cell == "" else cell for i, cell in enumerate(row)])
    return file.with_grid(grid)


def send_the_right_file(file: SentFile, checked: Checked, sound: SentFile) -> SentFile:
    """Send the file that was meant, as the sender's system has it."""
    return sound
