"""Separate rows of data from blank rows, repeated headings and totals (rules F05-F07), and find shifted rows (F13)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, and_, or_

import polars as pl

from flows.cells.distinct_column import DistinctColumn, evaluate_distinct
from flows.deliveries.conformed import NO_CELLS, Layout
from flows.deliveries.extract import TextBatch
from flows.deliveries.findings import NO_HEADING, ROW_BY_ROW, Finding, findings_of_rows
from flows.steps.conform.placeholders import without_placeholders
from flows.steps.conform.stray_rows import stray_rows
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Kind, Severity

MAX_FORM_VERSIONS = 5  # different form versions reported for a batch (rule F24)
MAX_SHIFTED_SHARE = 0.1  # up to this share of a batch's rows counts as shifted; if more fill the column, it is one
MIN_REPEATED_HEADINGS = 3  # known headings in a row, and half of its cells, that make it a repeated heading
_TOTAL = (
    r"(?i)^\s*(?:(?:grand\s*|sub[\s-]*)?totals?(?:[\s:]|$)|(?:averages?|avg\.?|mean|median)(?:[\s:]|$)"
    r"|(?:sum|count|min(?:imum)?|max(?:imum)?|percentage)(?:\s*:|\s+of\s|\s*$))"
)
# One search of every text shows whether any row may be a total or hold a placeholder. In most files none does.
_UNUSUAL = (
    r"(?i)^[^\p{L}]{0,9}(?:grand|sub|total|average|avg|mean|median|sum|count|min|max|percentage"
    r"|please|select|choose|pick|click|enter|dd|yyyy)"
)
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)
_NO_HEADING = r"\d{5}|^\P{L}*$"  # no ordinary heading has five digits in a row, or no letter at all
_NO_ROWS = pl.Series("source_row", [], pl.Int64)
_NOT_DATA_TYPES = {"source_row": pl.Int64, "rule_id": pl.String, "severity": pl.String}
_NO_ROWS_LEFT_OUT = pl.DataFrame(schema=_NOT_DATA_TYPES)


@dataclass(frozen=True)
class DataRows:
    """The rows of a batch, separated into data and the rest."""

    cells: dict[str, DistinctColumn]  # the rows of data, by position of the column
    source_rows: pl.Series  # their row numbers
    not_data: pl.DataFrame  # the other rows: source_row, rule_id, severity
    stray_text: list[tuple[int, str]]  # texts on rows without a record, to be searched for personal data: (row, text)
    total_like: pl.Series  # row numbers of data whose reference reads like a total's
    unfilled: pl.DataFrame  # the cells of fields that were placeholders, on rows of data: source_row, field, text

    def findings(self, sheet: str) -> pl.DataFrame:
        """A finding for each row that is not data."""
        return findings_of_rows(self.not_data, Finding(ROW_BY_ROW, ROW_BY_ROW), sheet)


def data_rows(batch: TextBatch, layout: Layout, contract: Contract, fields: Mapping[str, str]) -> DataRows:
    """Separate a batch's rows of data from blank rows (F07), repeated headings (F05), totals (F06) and stray rows.

    Rows with nothing but placeholders are blank too, and counted by themselves (F39). `fields` maps folded headings to
    fields. A repeated heading with the columns in another order refuses the file, because the rows below it would be
    read into the wrong fields.
    """
    cells, unchosen = batch.cells, dict[str, pl.Series]()
    is_usual = not any(f.any() for f in evaluate_distinct(cells, pl.col("text").str.contains(_UNUSUAL)).values())
    if not is_usual:
        cells, unchosen = without_placeholders(cells, layout, contract)
    is_empty_text = evaluate_distinct(cells, pl.col("text").str.strip_chars() == "")
    empty = {name: cells[name].expand(flags) for name, flags in is_empty_text.items()}
    blank = reduce(and_, empty.values())  # blank in every column
    repeated, other_order = _headings_among(cells, empty, layout, fields)
    no_total = _all_false(batch.source_rows)
    total, total_like = (no_total, no_total) if is_usual else _totals(cells, empty, layout, contract)
    known = blank | repeated | other_order
    strays = stray_rows(cells, empty, blank, known | total, layout, contract)
    stray = no_total if strays is None else (strays != "") & ~known
    left_out = known | total | stray
    no_choice = reduce(or_, unchosen.values(), no_total)
    unfilled = _unfilled(batch, unchosen, left_out, layout)
    doubtful = batch.source_rows.filter(total_like & ~left_out) if _may_be_any_text(contract) else _NO_ROWS
    if not left_out.any():
        return DataRows(
            cells=cells,
            source_rows=batch.source_rows,
            not_data=_NO_ROWS_LEFT_OUT,
            stray_text=[],
            total_like=doubtful,
            unfilled=unfilled,
        )
    marked = pl.DataFrame({"source_row": batch.source_rows}).select(
        "source_row",
        pl.when(blank & no_choice)
        .then(pl.lit("F39"))
        .when(blank)
        .then(pl.lit("F07"))
        .when(repeated | other_order)
        .then(pl.lit("F05"))
        .when(stray)
        .then(strays)
        .otherwise(pl.lit("F06"))
        .alias("rule_id"),
        pl.when(other_order & ~repeated)
        .then(pl.lit(str(Severity.FILE)))
        .otherwise(pl.lit(str(Severity.WARNING)))
        .alias("severity"),
    )
    searched = batch.rows.select("source_row", *cells).filter((total | stray) & ~known)
    return DataRows(
        cells={name: column.where(~left_out) for name, column in cells.items()},
        source_rows=batch.source_rows.filter(~left_out),
        not_data=marked.filter(left_out),
        stray_text=[(row, text) for row, *texts in searched.iter_rows() for text in texts if text],
        total_like=doubtful,
        unfilled=unfilled,
    )


def _unfilled(batch: TextBatch, unchosen: Mapping[str, pl.Series], left_out: pl.Series, layout: Layout) -> pl.DataFrame:
    """The cells of fields that held a placeholder, with its text, on the rows that are data."""
    parts = [NO_CELLS]
    for name, position in layout.positions.items():
        if (is_one := unchosen.get(str(position))) is not None:
            here = is_one & ~left_out
            text = batch.cells[str(position)].where(here).column
            rows = pl.DataFrame({"source_row": batch.source_rows.filter(here), "text": text})
            parts.append(rows.select("source_row", pl.lit(name).alias("field"), "text"))
    return pl.concat(parts)


def _may_be_any_text(contract: Contract) -> bool:
    """Whether the dataset's reference has no required pattern. With one, 'Total' is already an invalid reference."""
    return not contract.by_name[contract.key[0]].pattern


def _totals(
    cells: Mapping[str, DistinctColumn], empty: Mapping[str, pl.Series], layout: Layout, contract: Contract
) -> tuple[pl.Series, pl.Series]:
    """Flags for the rows that are totals, and for records whose key reads like a total's.

    A total row says so in its key, or in another cell if its key is empty, and lacks most of a record's required cells.
    """
    key = str(layout.positions.get(contract.key[0], 0))
    texts = evaluate_distinct(cells, pl.col("text").str.contains(_TOTAL))
    for name, position in layout.positions.items():
        if contract.by_name[name].codes and texts[str(position)].any():  # a statistic may be 'mean'
            own = contract.by_name[name].code_list.spellings
            is_own = pl.Series([fold(text) in own for text in cells[str(position)].distinct], dtype=pl.Boolean)
            texts[str(position)] = texts[str(position)] & ~is_own
    if not any(flags.any() for flags in texts.values()):
        return _all_false(empty[key]), _all_false(empty[key])
    says_total = {name: cells[name].expand(flags) for name, flags in texts.items()}
    # What a record must have and a total lacks. Numbers do not count: they are what a total row adds up.
    needed = [f.name for f in contract.fields if f.required and f.kind not in _NUMBERS and f.name not in contract.key]
    columns = [str(layout.positions[name]) for name in needed if name in layout.positions]
    by_category = _totals_by_category(says_total, layout, contract)
    total = says_total[key] | (empty[key] & reduce(or_, says_total.values()))
    if not columns or not total.any():
        return total | by_category, _all_false(empty[key])
    filled = reduce(add, [(~empty[c] & ~says_total[c]).cast(pl.Int32) for c in columns])
    is_record = 2 * filled >= len(columns)
    return (total & ~is_record) | by_category, says_total[key] & is_record & ~by_category


def _totals_by_category(says_total: Mapping[str, pl.Series], layout: Layout, contract: Contract) -> pl.Series:
    """Flags for rows of money with 'Total' for the quarter, category or year that a record must have."""
    of_kinds = [f.name for f in contract.fields if f.required and f.kind in (Kind.CODE, Kind.FINANCIAL_YEAR, Kind.DATE)]
    if contract.participant_level or not contract.control_total:
        of_kinds = []
    columns = [says_total[c] for name in of_kinds if (c := str(layout.positions.get(name, ""))) in says_total]
    return reduce(or_, columns, _all_false(next(iter(says_total.values()))))


def _headings_among(
    cells: Mapping[str, DistinctColumn], empty: Mapping[str, pl.Series], layout: Layout, fields: Mapping[str, str]
) -> tuple[pl.Series, pl.Series]:
    """Flags for the rows that repeat the heading, and for all rows of headings, whatever their order and spelling."""
    own = [fold(heading) for heading in layout.as_written]
    ordinary = not any(re.search(r"\d{5}", h) or not re.search(r"[^\W\d_]", h) for h in (*own, *fields) if h)
    # Folding every text in Python is slow. This pattern rules out most cells, unless a real heading would match it too.
    may_be = evaluate_distinct(cells, ~pl.col("text").str.contains(_NO_HEADING)) if ordinary else {}
    again, known = [], []
    for i, heading in enumerate(own):
        column, field = cells[str(i)], layout.columns[i].field
        texts = column.distinct
        if ordinary:
            texts = texts.filter(may_be[str(i)])
        folded = {text: fold(text) for text in texts}
        # The heading itself, or another known heading of the same field: files joined together may differ in spelling.
        same = [t for t, f in folded.items() if f == heading or (field and fields.get(f) == field)]
        if layout.as_written[i]:
            again.append((column, same))
        if of_any := [t for t, f in folded.items() if f and (f in fields or f == heading)]:
            known.append((column, of_any))
    if len(known) < min(MIN_REPEATED_HEADINGS, len(again)):
        return _all_false(empty["0"]), _all_false(empty["0"])
    count = reduce(add, [column.expand(column.distinct.is_in(texts)).cast(pl.Int32) for column, texts in known])
    filled = reduce(add, [(~empty[str(i)]).cast(pl.Int32) for i in range(len(own))])
    is_again = reduce(and_, [column.expand(column.distinct.is_in(texts)) for column, texts in again])
    return is_again, (count >= MIN_REPEATED_HEADINGS) & (2 * count >= filled)


def unheaded_column_findings(
    cells: Mapping[str, DistinctColumn], layout: Layout, right_of_table: Sequence[int]
) -> list[Finding]:
    """A warning for each column without a heading that has values, or is between columns with headings (F11).

    Those of `right_of_table` have another finding.
    """
    headed = [i for i, column in enumerate(layout.columns[: layout.right_of_table]) if column.heading] or [0]
    linked = {f.column.letter for f in layout.findings if f.rule_id == "F41" and f.column}
    return [
        Finding("F11", Severity.WARNING, column=column, found=NO_HEADING)
        for i, column in enumerate(layout.columns)
        if i not in right_of_table
        and not column.heading
        and column.letter not in linked
        and (headed[0] < i < headed[-1] or _filled(cells[str(i)]).any())
    ]


def _filled(column: DistinctColumn) -> pl.Series:
    """Which cells of a column are not blank."""
    return column.expand(column.distinct.str.strip_chars() != "")


def form_versions(cells: Mapping[str, DistinctColumn], layout: Layout) -> set[str]:
    """The form versions that the rows state (rule F24)."""
    if layout.version_column is None:
        return set()
    stated = cells[str(layout.version_column)].distinct.str.strip_chars()
    return set(stated.filter(stated != "").unique().sort().head(MAX_FORM_VERSIONS))


def shifted_rows(rows: DataRows, layout: Layout, right_of_table: Sequence[int]) -> pl.Series:
    """Which rows have an extra cell to the right of the last heading (rule F13).

    If only a few rows have one, they were probably shifted, and none of their cells can be trusted to be in its column.
    If many rows do, it is a column without a heading. A marked workbook that is sent back holds malformed lines as they
    were sent, so there the extra cell may also be under an empty heading further left. The columns of `right_of_table`
    do not count.
    """
    headed = [i for i, heading in enumerate(layout.as_written[: layout.right_of_table]) if heading]
    first = 0 if layout.is_marked else max(headed, default=0)
    end = len(layout.as_written) if layout.right_of_table is None else layout.right_of_table
    surplus = [str(i) for i in range(first, end) if not layout.as_written[i] and i not in right_of_table]
    malformed = reduce(or_, [_filled(rows.cells[c]) for c in surplus]) if surplus else _all_false(rows.source_rows)
    return (
        malformed
        if layout.is_marked or malformed.sum() <= len(malformed) * MAX_SHIFTED_SHARE
        else _all_false(rows.source_rows)
    )


def _all_false(rows: pl.Series) -> pl.Series:
    """False for each row."""
    return pl.Series([False]).new_from_index(0, len(rows))
