"""What people and programs do to a sound file: each function returns a way to break one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from file_validator import Formula
from sound_files import Cell, Grid, SentFile, sound_file

Break = Callable[[SentFile], SentFile]
Written = Callable[[str], Cell]  # how a sound cell is written instead


def written(how: Written, *fields: str, every: int = 1) -> Break:
    """The filled cells of some columns in another form, on every so many rows."""

    def broken(file: SentFile) -> SentFile:
        at = {file.position(field) for field in fields}
        return _with_rows(
            file,
            lambda n, row: [how(str(c)) if i in at and c and n % every == 0 else c for i, c in enumerate(row)],
        )

    return broken


def everywhere(how: Written) -> Break:
    """Every filled cell of the table in another form."""
    return lambda file: _with_rows(file, lambda n, row: [how(str(cell)) if cell else cell for cell in row])


def emptied(text: str, *fields: str) -> Break:
    """The empty cells of some columns filled with a text."""

    def broken(file: SentFile) -> SentFile:
        at = {file.position(field) for field in fields}
        return _with_rows(file, lambda n, row: [c or text if i in at else c for i, c in enumerate(row)])

    return broken


def heading(changes: Mapping[str, str]) -> Break:
    """Other words in some headings."""
    return lambda file: file.with_grid([[changes.get(h, h) for h in file.headings], *file.grid[1:]])


def without(*fields: str) -> Break:
    """Some columns left out."""

    def broken(file: SentFile) -> SentFile:
        out = {file.position(field) for field in fields}
        return file.with_grid([[c for i, c in enumerate(row) if i not in out] for row in file.grid])

    return broken


def shorter_heading(field: str, *, empty_last: bool = False) -> Break:
    """A heading deleted, so that those behind it move to the left; the last column of the rows may be empty."""

    def broken(file: SentFile) -> SentFile:
        i = file.position(field)
        headings = [*file.headings[:i], *file.headings[i + 1 :]]
        rows = [[*row[:-1], ""] if empty_last else row for row in file.grid[1:]]
        as_text = "\n".join([",".join(headings), *(",".join(map(str, row)) for row in rows)])
        changed = file.with_grid([[*headings, ""], *rows])
        return replace(changed, text=as_text + "\n") if file.suffix == "csv" else changed

    return broken


def swapped(one: str, other: str) -> Break:
    """The values of two columns exchanged."""

    def exchanged(n: int, row: Sequence[Cell], i: int, j: int) -> list[Cell]:
        cells = list(row)
        cells[i], cells[j] = row[j], row[i]
        return cells

    return lambda file: _with_rows(file, lambda n, row: exchanged(n, row, file.position(one), file.position(other)))


def copied(source: str, onto: str) -> Break:
    """The values of one column copied over those of another."""

    def broken(file: SentFile) -> SentFile:
        i, j = file.position(source), file.position(onto)
        return _with_rows(file, lambda n, row: [row[i] if k == j else c for k, c in enumerate(row)])

    return broken


def moved(field: str, to_the: str, first: int = 0) -> Break:
    """The cells from a column on moved by one column, from one row on. The last cell moves out of the table."""

    def broken(file: SentFile) -> SentFile:
        k = file.position(field)

        def cells(n: int, row: Sequence[Cell]) -> list[Cell]:
            if n < first:
                return list(row)
            return [*row[:k], "", *row[k:]] if to_the == "right" else [*row[:k], *row[k + 1 :], ""]

        wide = _with_rows(file, cells)
        width = len(wide.grid[0])
        extra = any(len(row) > width and row[width] for row in wide.grid)
        return wide if extra else wide.with_grid([row[:width] for row in wide.grid])

    return broken


def merged(*fields: str, by: str) -> Break:
    """Some columns filled in only where their value changes, or on the first row of rows that share another value."""

    def broken(file: SentFile) -> SentFile:
        at, group = {file.position(f) for f in fields}, file.position(by)
        rows = file.grid[1:]

        def is_repeated(n: int, i: int) -> bool:
            return bool(n) and all(rows[n][k] == rows[n - 1][k] for k in (i, group))

        return _with_rows(file, lambda n, row: ["" if i in at and is_repeated(n, i) else c for i, c in enumerate(row)])

    return broken


def below(*rows: Sequence[Cell]) -> Break:
    """Further rows below the table."""
    return lambda file: file.with_grid([*file.grid, *([*row] for row in rows)])


def among(n: int, *rows: Sequence[Cell]) -> Break:
    """Further rows before the n-th row of data."""
    return lambda file: file.with_grid([*file.grid[: n + 1], *([*row] for row in rows), *file.grid[n + 1 :]])


def above(*rows: Sequence[Cell]) -> Break:
    """Further rows above the heading."""
    return lambda file: file.with_grid([*([*row] for row in rows), *file.grid])


def right_of_table(*rows: Sequence[Cell], gap: int = 1) -> Break:
    """Further cells to the right of the table, past some empty columns."""

    def broken(file: SentFile) -> SentFile:
        width, blank = max(map(len, rows)), [""] * gap
        cells = [*rows, *[()] * (len(file.grid) - len(rows))]
        return file.with_grid(
            [[*row, *blank, *more, *[""] * (width - len(more))] for row, more in zip(file.grid, cells, strict=True)]
        )

    return broken


def total_row(label: str, *summed: str) -> Break:
    """A row of totals below the table."""

    def broken(file: SentFile) -> SentFile:
        total: list[Cell] = [""] * len(file.headings)
        total[0] = label
        for field in summed:
            i = file.position(field)
            total[i] = str(sum(float(str(row[i]) or 0) for row in file.grid[1:]))
        return file.with_grid([*file.grid, total])

    return broken


def of_dataset(other: str) -> Break:
    """The rows of another dataset under this one's name."""
    return lambda file: replace(sound_file(other, file.suffix), dataset=file.dataset)


def named_after(period: str, received: datetime | None = None) -> Break:
    """Another month in the file's name; the file comes at another time, if one is given."""
    return lambda file: replace(file, period=period, received=received or file.received)


def of_site(site: str) -> Break:
    """Some rows of another site, after the site's own."""

    def broken(file: SentFile) -> SentFile:
        i = file.position("site_code")
        theirs = [[site if k == i else str(c).replace("BPL-", "XYZ-") for k, c in enumerate(r)] for r in file.grid[1:9]]
        return file.with_grid([*file.grid, *theirs])

    return broken


def sheet(name: str, of: Callable[[SentFile], Grid], *, moved_from_first: bool = False) -> Break:
    """A further sheet; the rows of the first may be moved to it."""

    def broken(file: SentFile) -> SentFile:
        first = next(iter(file.sheets))
        left = [file.grid[0]] if moved_from_first else file.grid
        return replace(file, sheets={first: left, name: of(file)})

    return broken


def as_text(how: Callable[[str], str]) -> Break:
    """The text of the CSV changed."""

    def broken(file: SentFile) -> SentFile:
        text = how(file.as_text)
        return replace(file.with_grid(list(csv.reader(io.StringIO(text)))), text=text)

    return broken


def heading_line(how: Callable[[str], str]) -> Break:
    """The heading line of the CSV changed."""

    def changed(text: str) -> str:
        first, _, rest = text.partition("\n")
        return f"{how(first)}\n{rest}"

    return as_text(changed)


def each_line(how: Callable[[str], str], *, heading_too: bool = True) -> Break:
    """Each line of the CSV changed."""

    def changed(text: str) -> str:
        first, *rest = text.splitlines()
        return "\n".join([how(first) if heading_too else first, *map(how, rest)]) + "\n"

    return as_text(changed)


def formulas(*fields: str) -> Break:
    """Formulas that were saved without their results."""
    return written(lambda text: Formula("=1+1", ""), *fields)


def _with_rows(file: SentFile, how: Callable[[int, Sequence[Cell]], list[Cell]]) -> SentFile:
    return file.with_grid([file.grid[0], *(how(n, row) for n, row in enumerate(file.grid[1:]))])


def day(text: str) -> date:
    """The day of a sound cell."""
    return date.fromisoformat(text)


def in_words(text: str) -> str:
    """A date such as 17th April 2016."""
    d = day(text)
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}.get(d.day, "th")
    return f"{d.day}{ending} {d:%B %Y}"


def half_converted(text: str) -> str:
    """A day/month/year date as Excel in the United States leaves it: swapped where it can be, else text."""
    d = day(text)
    return f"{d.year}-{d.day:02}-{d.month:02}" if d.day <= 12 else f"{d:%d/%m/%Y}"


def hours(text: str) -> str:
    """Minutes as hours with two decimals."""
    return f"{int(text) / 60:.2f}"


def in_millions(text: str) -> str:
    """An amount in words: £1.1m."""
    return f"£{float(text) / 1_000_000:g}m"


def with_commas(text: str) -> str:
    """An amount with marks for pounds and thousands."""
    return f"£{float(text):,.2f}"


def serial(text: str) -> str:
    """A date as the number that a spreadsheet stores."""
    return str((day(text) - date(1899, 12, 30)).days)
