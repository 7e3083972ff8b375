"""Recognise rows that are not records: notes (F33), program footers (F34), other tables (F35), lines of dashes (F38).

A row that holds most of what a record needs is never one of them, nor is one with a reference in it: such a row is
held for what is wrong with it, because leaving it out would lose a record. Only rows with few cells, or without a digit
in their reference, are examined.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from operator import add

import polars as pl

from flows.cells.distinct_column import DistinctColumn
from flows.cells.parse import read_cell
from flows.deliveries.conformed import Layout
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind

NOTE, FOOTER, OTHER_TABLE, RULED_LINE = "F33", "F34", "F35", "F38"
MAX_NOTES, MAX_NOTES_SHARE = 20, 0.05  # more than both in a batch are lines that could not be split, not notes
MAX_SIGNATURE_CELLS = 4  # 'Signed:', a name, 'Date:', a day
MAX_HEADING_LENGTH = 60
MIN_COLUMN_NAMES = 3  # names such as episode_id in a row: so many make it a heading, even without a blank row above
RECORD_SHARE, CERTAIN_RECORD_SHARE = 0.5, 0.75  # of the columns that a record must have: filled as agreed
MAX_DOUBTFUL_SHARE = 0.2  # of the rows of another table may look like records
MAX_CODE_PARTS = 4
MIN_WORDS_OF_SENTENCE = 4  # a reference without a pattern may be of several words
_FEW_CELLS = 2
_FOOTER = re.compile(
    r"\(?\d[\d,]* (?:rows?|records?)(?:\(s\))?"
    r"(?: (?:affected|selected|returned|exported|fetched|retrieved|found))?\.?\)?"
    r"|completion time:? ?[\d\-t:.,+z /]+|time:? [\d.,:]+ ?(?:ms|s|sec|seconds)?|page \d+(?: of \d+)?"
    r"|(?:commands?|query|export|script) (?:\(s\) )?(?:completed|executed|finished|ended|ok)\b[^,;|]{0,80}"
    r"|pl/sql procedure successfully completed\.?|sql> ?\w*|disconnected from .{0,80}"
    r"|warning: null value is eliminated by an aggregate or other set operation\.?"
    r"|\W*end of (?:report|file|extract|data|list|export|table|query)\W*|\W*report (?:ends|complete|completed)\W*"
    r"|(?:report|extract|file|data)?\s*(?:generated|exported|printed|extracted|created|run) (?:on|at|by):?"
    r" [\w /:.,-]{0,60}",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\W{0,3}(?:(?:notes?|n\.?b\.?|sources?|key|legend|comments?|caveats?|footnotes?)\s*(?:[:.–-]|$)|(?:disclaimer|"
    r"(?:prepared|produced|compiled|completed|approved|authori[sz]ed|checked|reviewed|submitted|signed)"
    r"(?: off)?(?: by)?|"
    r"signatures?|print name|printed name|job title|position|designation|dated|official(?:[- ]sensitive)?|confidential|"
    r"data as at|as at|last updated)(?:\W|$))",
    re.IGNORECASE,
)
_NUMBERED_NOTE = re.compile(r"(?:\(?\d{1,2}[.)]|\(?[a-z][.)]|[*†‡•^]+)\s*(?:\S+\s+){2}", re.IGNORECASE)
_DASHES = re.compile(r"[-–—=_*~#+.|\s]*")
_MIN_DASHES = 3
_WORD = re.compile(r"[^\W\d_]{2,}")
_TOKENS = re.compile(r"[\s,;|\t\"'()\[\]]+")
_CODE_PART = re.compile(r"(?=(?:\D*\d){4})(?:[^\W_]*[^\W\d_][^\W_]*|\d{5,})(?:[-/][^\W_]+)*")
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")


def stray_rows(
    cells: Mapping[str, DistinctColumn],
    empty: Mapping[str, pl.Series],
    blank: pl.Series,
    left_out: pl.Series,
    layout: Layout,
    contract: Contract,
) -> pl.Series | None:
    """The rule that explains why each row is not a record, '' for records; None if all rows are records.

    Rows in `left_out`, blank ones included, are already known not to be records, but may be part of another table.
    """
    key = cells[str(layout.positions.get(contract.key[0], 0))]
    filled = reduce(add, [(~flags).cast(pl.UInt16) for flags in empty.values()])
    without_digit = key.expand(~key.distinct.str.contains(r"\d"))
    doubtful = ((filled <= _FEW_CELLS) | without_digit) & ~left_out
    at = doubtful.arg_true().to_list()
    if not at:
        return None
    rows = [_Row(texts) for texts in _texts(cells, doubtful)]
    return _Strays(cells, blank, layout, contract).rules(dict(zip(at, rows, strict=True)))


def stray_lines(
    lines: Mapping[int, str], blank_lines: Collection[int], delimiters: str, layout: Layout, contract: Contract
) -> dict[int, str]:
    """By line number: the rule for each line that could not be split into columns and is not a record.

    A line next to one that may be part of a record is not a note. `blank_lines` are line numbers.
    """
    found = {n: rule for n, text in lines.items() if (rule := _of_line(text, layout, contract))}
    found |= _tables_of_lines(lines, blank_lines, found, delimiters, layout, contract)
    others = lines.keys() - found.keys()
    return {n: rule for n, rule in found.items() if rule != NOTE or not {n - 1, n + 1} & others}


def _of_line(text: str, layout: Layout, contract: Contract) -> str:
    """The rule for a line by itself; '' if it may be a record, or a part of one."""
    line = text.strip()
    parts = _split(line, ",")
    if _DASHES.fullmatch(line) and len(line) >= _MIN_DASHES:
        return RULED_LINE
    if _FOOTER.fullmatch(line) or (len(parts) == 1 and _FOOTER.fullmatch(parts[0])):
        return FOOTER
    if not parts or _holds_reference(parts, contract) or len(parts) > max(_FEW_CELLS, len(layout.positions) / 2):
        return ""
    is_sentence = len(parts) == 1 and len(_WORD.findall(line)) > 1 and not re.search(r"[;|\t]", line)
    is_note = _LABEL.match(parts[0]) or _NUMBERED_NOTE.match(line) or (is_sentence and _has_pattern(contract))
    return NOTE if is_note else ""


def _tables_of_lines(
    lines: Mapping[int, str],
    blank_lines: Collection[int],
    strays: Mapping[int, str],
    delimiters: str,
    layout: Layout,
    contract: Contract,
) -> dict[int, str]:
    """The lines of other tables, each with its heading below a blank line or a note, and without a record in it."""
    tables: dict[int, str] = {}
    batch = _Strays({}, pl.Series([], dtype=pl.Boolean), layout, contract)
    for first in sorted(lines):
        is_apart = first - 1 in blank_lines or first - 1 in strays
        if first in tables or first in strays or not is_apart:
            continue
        last = first
        while last + 1 in lines:
            last += 1
        rows = [
            max((_Row(_split(lines[n], d)) for d in delimiters), key=lambda r: len(r.texts))
            for n in range(first, last + 1)
        ]
        if (
            last > first
            and batch.is_heading(rows[0])
            and not _holds_records([batch.share_of_record(row) for row in rows])
        ):
            tables |= dict.fromkeys(range(first, last + 1), OTHER_TABLE)
    return tables


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of a line; the line itself if it is not valid CSV."""
    try:
        return [part.strip() for part in next(csv.reader([line.strip()], delimiter=delimiter), [])]
    except csv.Error:
        return [line.strip()]


class _Row:
    """The filled cells of one row: (position, text)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.filled = [(i, text.strip()) for i, text in enumerate(texts) if text.strip()]
        self.texts = [text for _, text in self.filled]


class _Strays:
    """Decides on the doubtful rows of one batch."""

    def __init__(
        self, cells: Mapping[str, DistinctColumn], blank: pl.Series, layout: Layout, contract: Contract
    ) -> None:
        self.cells, self.blank, self.layout, self.contract = cells, blank, layout, contract
        self.key = layout.positions.get(contract.key[0], 0)
        self.by_position = {i: contract.by_name[name] for name, i in layout.positions.items()}
        self.distinguishing = distinguishing_columns(layout, contract)

    def rules(self, rows: Mapping[int, _Row]) -> pl.Series | None:
        """The rule for each row of the batch, '' for those that may be records; `rows` are the doubtful ones."""
        found = {i: rule for i, row in rows.items() if (rule := self._of_single_row(row))}
        notes = [i for i, rule in found.items() if rule == NOTE]
        if len(notes) > max(MAX_NOTES, MAX_NOTES_SHARE * len(self.blank)):
            found = {i: rule for i, rule in found.items() if rule != NOTE}
        headings = [i for i, row in rows.items() if i not in found and self.is_heading(row)]
        if headings:
            found |= self._tables(headings, rows, found)
        if not found:
            return None
        return pl.Series([found.get(i, "") for i in range(len(self.blank))], dtype=pl.String)

    def _of_single_row(self, row: _Row) -> str:
        """The rule for a row by itself."""
        joined = "".join(row.texts)
        if _DASHES.fullmatch(joined):
            is_ruled = any(len(text) >= _MIN_DASHES for text in row.texts) or 2 * len(row.texts) >= len(self.cells)
            return RULED_LINE if is_ruled else ""
        position, first = row.filled[0]
        if len(row.texts) == 1 and _FOOTER.fullmatch(first):
            return FOOTER
        if _holds_reference(row.texts, self.contract) or len(row.texts) > MAX_SIGNATURE_CELLS:
            return ""
        is_label = _LABEL.match(first) is not None
        if len(row.texts) > 1:
            values = sum(self._fits(i, text) for i, text in row.filled)
            return (
                NOTE if (is_label or first.endswith(":")) and values <= 1 and len(first) <= MAX_HEADING_LENGTH else ""
            )
        if is_label or _NUMBERED_NOTE.match(first):
            return NOTE
        # A title or a sentence stands at the left. Elsewhere a text may be the rest of the record above.
        is_sentence = len(first.split()) >= MIN_WORDS_OF_SENTENCE
        is_at_left = position in (0, self.key) and (_has_pattern(self.contract) or is_sentence)
        return NOTE if is_at_left and _WORD.search(first) and not _is_like_code(first) else ""

    def is_heading(self, row: _Row) -> bool:
        """Whether a row may be the heading of another table: different short texts, none of them a value."""
        texts = row.texts
        return (
            len(texts) > 1
            and len({fold(text) for text in texts}) == len(texts)
            and all(_WORD.search(text) and len(text) <= MAX_HEADING_LENGTH for text in texts)
            and 4 * sum(any(c.isdigit() for c in text) for text in texts) <= len(texts)
            and not _holds_reference(texts, self.contract)
            and not any(self._fits(i, text) for i, text in row.filled)
        )

    def _tables(self, headings: Sequence[int], rows: Mapping[int, _Row], found: Mapping[int, str]) -> dict[int, str]:
        """The rows of other tables: each runs from its heading to the next blank row, and holds no record."""
        shares = self._shares_of_record()
        ends = [*self.blank.arg_true().to_list(), len(self.blank)]
        tables: dict[int, str] = {}
        for first in headings:
            names = sum(_COLUMN_NAME.fullmatch(text) is not None for text in rows[first].texts)
            is_apart = first == 0 or self.blank[first - 1] or first - 1 in found
            if first in tables or not (is_apart or names >= MIN_COLUMN_NAMES):
                continue
            end = next(i for i in ends if i > first)
            if end > first + 1 and not _holds_records(shares[first:end].to_list()):
                tables |= dict.fromkeys(range(first, end), OTHER_TABLE)
        return tables

    def _shares_of_record(self) -> pl.Series:
        """For each row, the share of its distinguishing columns that hold a value of the agreed form."""
        flags = [self._column_fits(i, f).cast(pl.Float64) for i, f in self.distinguishing.items()]
        # without such a column nothing distinguishes a record from other rows
        return reduce(add, flags) / len(flags) if flags else pl.repeat(1.0, len(self.blank), eager=True)

    def share_of_record(self, row: _Row) -> float:
        """The same for a row that could not be split into the columns."""
        right = sum(i in self.distinguishing and fits(text, self.distinguishing[i]) for i, text in row.filled)
        return right / len(self.distinguishing) if self.distinguishing else 1.0

    def _column_fits(self, position: int, field: Field) -> pl.Series:
        column = self.cells[str(position)]
        return column.expand(pl.Series([fits(text, field) for text in column.distinct], dtype=pl.Boolean))

    def _fits(self, position: int, text: str) -> bool:
        """Whether a text is a value of the agreed form for its column. In a column of any text, nothing is."""
        field = self.by_position.get(position)
        return field is not None and has_form(field) and fits(text, field)


def _is_like_code(text: str) -> bool:
    """Whether a short text may be a reference that is written in another way, such as 'BPL C000012'."""
    tokens = text.split()
    if len(tokens) == 1:
        return any(c.isdigit() for c in text)
    return len(tokens) <= MAX_CODE_PARTS and any(_CODE_PART.fullmatch(token) for token in tokens)


def _holds_records(shares: Sequence[float]) -> bool:
    """Whether a row of a possible other table is surely a record, or many may be. Some of its values fit by chance."""
    doubtful = sum(share >= RECORD_SHARE for share in shares)
    return max(shares) >= CERTAIN_RECORD_SHARE or doubtful > MAX_DOUBTFUL_SHARE * len(shares)


def _texts(cells: Mapping[str, DistinctColumn], chosen: pl.Series) -> list[tuple[str, ...]]:
    """The texts of some rows."""
    return pl.DataFrame({name: column.where(chosen).column for name, column in cells.items()}).rows()


def distinguishing_columns(layout: Layout, contract: Contract) -> dict[int, Field]:
    """The columns that distinguish a record from other rows: the required ones, or else any with a form."""
    with_form = {i: f for name, i in layout.positions.items() if has_form(f := contract.by_name[name])}
    return {i: f for i, f in with_form.items() if f.required} or with_form


def fits(text: str, field: Field) -> bool:
    """Whether a text can be read as a value of the field, or one can be suggested for it."""
    text = text.strip()
    if field.kind is Kind.CODE:
        return text in field.code_list.codes or fold(text) in field.code_list.spellings
    if field.pattern:
        return re.search(field.pattern, text.upper()) is not None
    reading = read_cell(text, field)
    return reading.value is not None or bool(reading.suggestion)


def _has_pattern(contract: Contract) -> bool:
    """Whether the dataset's reference has a pattern, which distinguishes a record from a note."""
    return bool(contract.by_name[contract.key[0]].pattern)


def has_form(field: Field) -> bool:
    """Whether the values of a field have a form of their own, unlike those of free text."""
    return field.kind not in (Kind.TEXT, Kind.REFERENCE) or (field.kind is Kind.REFERENCE and bool(field.pattern))


def _holds_reference(texts: Sequence[str], contract: Contract) -> bool:
    """Whether one of the texts holds a reference that a record must have: then the row may be one."""
    patterns = [re.compile(f.pattern) for f in contract.fields if f.kind is Kind.REFERENCE and f.required and f.pattern]
    tokens = {token.upper() for text in texts for token in _TOKENS.split(text) if any(c.isdigit() for c in token)}
    return any(pattern.search(token) for token in tokens for pattern in patterns)
