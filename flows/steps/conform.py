"""conform: text becomes typed columns as the contract says; every repair and every unreadable cell is a finding.

A cell in its canonical form is taken a column at a time. What is odd is read by `schemas.cells.read_cell`, once for
each distinct text, so one bad cell never hides another and a clean file costs no Python per cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from schemas.audit.deliveries import Column
from schemas.audit.findings import Outcome
from schemas.cells import PLACEHOLDER_DATES, canonical, read_cell
from schemas.codes import fold
from schemas.contract import Contract, Field, Kind, PersonalWhen, Severity
from schemas.derive import polars_type
from schemas.personal_data import (
    MAY_BE_A_DATE,
    REFERENCE_WORTH_A_LOOK,
    TEN_DIGITS_AT_THE_END,
    WORTH_A_LOOK,
    heading_is_personal,
    personal_rule,
    rule_of_tails,
    shown,
)
from schemas.shapes import (
    FINDING_TYPES,
    Context,
    Finding,
    Layout,
    TextBatch,
    TypedBatch,
    column_letter,
    findings_frame,
)

BLANK_ROWS_LISTED = 100
_PIECES = re.compile(r'[,;\t|"\r\n]')
HIDDEN_HEADING = "hidden"  # stands for a heading that is itself personal data
_TOTAL = r"(?i)^\s*(?:grand\s*|sub[\s-]*)?totals?(?:[\s:]|$)"


def known_headings(contract: Contract, context: Context) -> frozenset[str]:
    """Every heading, folded, by which a column of this dataset is known from this site."""
    return frozenset(_fields_by_heading(contract, context))


def _fields_by_heading(contract: Contract, context: Context) -> dict[str, str]:
    known = {fold(alias): f.name for f in contract.fields for alias in f.aliases}
    known |= {fold(f.name): f.name for f in contract.fields}
    return known | dict(context.headings)


def lay_out(headings: Sequence[str], contract: Contract, context: Context) -> Layout:
    """Match the headings of a file with the contract's fields (rules F09-F12)."""
    known = _fields_by_heading(contract, context)
    tell_tale = {h for h in headings if contract.participant_level and personal_rule(h)}
    columns = tuple(
        Column(HIDDEN_HEADING if h in tell_tale else h, column_letter(i), known.get(fold(h), ""))
        for i, h in enumerate(headings)
    )
    positions: dict[str, int] = {}
    findings: list[Finding] = []
    seen: set[str] = set()
    for i, (heading, column) in enumerate(zip(headings, columns, strict=True)):
        same_heading = fold(heading) in seen and heading != ""
        seen.add(fold(heading))
        if same_heading or column.field in positions:
            findings.append(Finding("F12", Severity.FILE, field=column.field, column=column))
            continue
        if column.field:
            positions[column.field] = i
            if column.heading != column.field:
                findings.append(
                    Finding("F10", Severity.WARNING, field=column.field, column=column, found=column.heading)
                )
        elif heading in tell_tale or (contract.participant_level and heading_is_personal(heading)):
            findings.append(Finding("F11", Severity.FILE, column=column))
        elif column.heading:
            findings.append(Finding("F11", Severity.WARNING, column=column))
    missing = [f.name for f in contract.fields if f.column_is_required and f.name not in positions]
    findings += [Finding("F09", Severity.FILE, field=name) for name in missing]
    return Layout(columns, positions, findings)


def conform(batch: TextBatch, layout: Layout, contract: Contract, context: Context, sheet: str) -> TypedBatch:
    """Give one batch its types.

    Never raises for bad data: a cell that has no reading is empty in `rows`, and named in `findings` and `unreadable`.
    Personal data (P01-P03) is reported with its address and never with its value.
    """
    texts, not_data, totals = _data_rows(batch.rows, layout, contract)
    found = [findings_frame([*not_data, *_without_heading(texts, layout)], sheet)]
    found.append(findings_frame([Finding("F13", Severity.ROW, source_row=r) for r in batch.torn], sheet))
    typed: dict[str, pl.Series] = {"source_row": texts["source_row"]}
    unreadable, orders = [], set()
    told_by_status = {
        f.status_of: [text for text, _ in f.status_words]
        for f in contract.fields
        if f.status_of and f.name not in layout.positions
    }
    if contract.participant_level:
        found.append(findings_frame(_personal_beside([*batch.beside, *totals]), sheet))
        unknown = [i for i in range(len(layout.columns)) if i not in layout.positions.values()]
        found += [_personal_data(texts, None, None, layout.columns[i], str(i), sheet) for i in unknown]
    for field in contract.fields:
        column = layout.column_of(field.name)
        if column is None:
            typed[field.name] = _absent_column(field, texts, layout)
            continue
        position = str(layout.positions[field.name])
        read = _read_column(texts[position], field, context)
        typed[field.name] = read.values
        if contract.participant_level:
            found.append(_personal_data(texts, read.odd, field, column, position, sheet))
        if read.odd is None:
            continue
        odd = read.odd.filter(~pl.col("text").is_in(told_by_status.get(field.name, [])))
        faults = _cell_findings(texts, position, odd, field, column, contract, sheet)
        found.append(faults)
        unreadable.append(faults.filter(pl.col("severity") != Severity.WARNING).select("source_row", "field"))
        orders |= {(field.name, o) for o in _day_month_orders(read.odd, field)}
    counted = {f.source_row for f in not_data if f.source_row is not None}
    return TypedBatch(
        rows=pl.DataFrame(typed),
        texts=texts,
        findings=pl.concat(found),
        unreadable=pl.concat(unreadable)
        if unreadable
        else pl.DataFrame(schema={"source_row": pl.Int64, "field": pl.String}),
        torn=batch.torn,
        not_data=len(counted),
        date_orders=orders,
    )


def _data_rows(
    rows: pl.DataFrame, layout: Layout, contract: Contract
) -> tuple[pl.DataFrame, list[Finding], list[tuple[int, str]]]:
    """The rows that are data, and a finding for each that is blank (F07), a heading (F05) or a total (F06).

    What stands on total rows is given too: (row, text).
    """
    names = [c for c in rows.columns if c != "source_row"]
    cells = [pl.col(c).fill_null("") for c in names]
    key = str(layout.positions.get(contract.key[0], 0))
    any_total = pl.any_horizontal([c.str.contains(_TOTAL) for c in cells])
    headings = [
        c.str.strip_chars() == column.heading for c, column in zip(cells, layout.columns, strict=True) if column.heading
    ]
    marked = rows.with_columns(
        *cells,
        pl.when(pl.all_horizontal([c.str.strip_chars() == "" for c in cells]))
        .then(pl.lit("F07"))
        .when(pl.all_horizontal(headings))
        .then(pl.lit("F05"))
        .when(
            pl.col(key).fill_null("").str.contains(_TOTAL)
            | ((pl.col(key).fill_null("").str.strip_chars() == "") & any_total)
        )
        .then(pl.lit("F06"))
        .alias("not_data"),
    )
    left_out = marked.filter(pl.col("not_data").is_not_null())
    findings = [
        Finding(rule, Severity.WARNING, source_row=row)
        for row, rule in left_out.select("source_row", "not_data").iter_rows()
    ]
    totals = left_out.filter(pl.col("not_data") == "F06").select("source_row", *names)
    cells_of_totals = [(row, text) for row, *texts in totals.iter_rows() for text in texts if text]
    return marked.filter(pl.col("not_data").is_null()).drop("not_data"), findings, cells_of_totals


def _without_heading(texts: pl.DataFrame, layout: Layout) -> list[Finding]:
    """A finding for each column that has values and no heading (F11)."""
    return [
        Finding("F11", Severity.WARNING, column=column, found="a column without a heading")
        for i, column in enumerate(layout.columns)
        if not column.heading and (texts[str(i)].str.strip_chars() != "").any()
    ]


def _absent_column(field: Field, texts: pl.DataFrame, layout: Layout) -> pl.Series:
    """The values of a field that the file has no column for: its default, or the status of another field's text."""
    if field.status_of and field.status_of in layout.positions:
        source = texts[str(layout.positions[field.status_of])].str.strip_chars()
        codes = dict(field.status_words)
        return source.replace_strict(codes, default=field.default, return_dtype=pl.String).alias(field.name)
    value = read_cell(field.default, field).value if field.default else None
    return pl.Series(field.name, [value] * len(texts), dtype=polars_type(field))


class _Read:
    """One column read: its typed values, and what was odd in it (text, rule_id, severity, suggestion), if anything."""

    def __init__(self, values: pl.Series, odd: pl.DataFrame | None) -> None:
        self.values, self.odd = values, odd


def _read_column(texts: pl.Series, field: Field, context: Context) -> _Read:
    kind = polars_type(field)
    frame = pl.DataFrame({"text": texts})
    plain, typed = _canonical_cells(field)
    frame = frame.with_columns(pl.when(plain).then(typed).otherwise(None).alias("value"))
    odd = frame.filter((pl.col("text") != "") & pl.col("value").is_null())["text"].unique().sort()
    if odd.is_empty():
        return _Read(frame["value"].alias(field.name), None)
    readings = [read_cell(t, field, context.date_order) for t in odd]
    looked_up = pl.DataFrame(
        {
            "text": odd,
            "read": pl.Series([r.value for r in readings], dtype=kind, strict=False),
            "rule_id": pl.Series([r.rule_id for r in readings], dtype=pl.String),
            "severity": pl.Series([str(r.severity) for r in readings], dtype=pl.String),
            "suggestion": pl.Series([r.suggestion or None for r in readings], dtype=pl.String),
        }
    )
    values = frame.join(looked_up, on="text", how="left", maintain_order="left").select(
        pl.coalesce("value", "read").alias(field.name)
    )
    return _Read(values.to_series(), looked_up)


def _canonical_cells(field: Field) -> tuple[pl.Expr, pl.Expr]:
    """Which texts are in canonical form, and their typed value."""
    text = pl.col("text")
    if field.kind is Kind.CODE:
        retired = [e.code for e in field.code_list.entries if e.active_code and e.active_code != e.code]
        return text.is_in([c for c in field.code_list.codes if c not in retired]), text
    plain = text.str.contains(canonical(field))
    if field.kind is Kind.DATE:
        day = text.str.to_date("%Y-%m-%d", strict=False)
        return plain & ~day.is_in(list(PLACEHOLDER_DATES)), day
    if field.kind is Kind.YES_NO:
        return plain, text == "Y"
    if field.kind is Kind.FINANCIAL_YEAR:
        start, end = (text.str.slice(i, 2).cast(pl.Int8, strict=False) for i in (2, 5))
        return plain & ((start + 1) % 100 == end), text
    if field.kind in (Kind.WHOLE, Kind.DECIMAL, Kind.MONEY):
        return plain & ~text.is_in(list(field.sentinels)), text.cast(polars_type(field), strict=False)
    return plain, text


def _cell_findings(
    texts: pl.DataFrame, position: str, odd: pl.DataFrame, field: Field, column: Column, contract: Contract, sheet: str
) -> pl.DataFrame:
    """One finding for each row whose cell was repaired or could not be read."""
    told = odd.filter(pl.col("rule_id") != "")
    if told.is_empty():
        return pl.DataFrame(schema=FINDING_TYPES)
    hits = texts.select("source_row", pl.col(position).alias("text")).join(told, on="text", how="inner")
    found, hidden = shown(pl.col("text"), field, contract)
    quotes_the_cell = hidden if field.personal or field.kind in (Kind.TEXT, Kind.REFERENCE) else pl.lit(False)
    return hits.sort("source_row").select(
        "rule_id",
        "severity",
        pl.lit(str(Outcome.BROKEN)).alias("outcome"),
        pl.lit(sheet).alias("sheet"),
        "source_row",
        pl.lit(column.letter).alias("column_letter"),
        pl.lit(column.heading).alias("column_name"),
        pl.lit(field.name).alias("field"),
        found,
        hidden,
        pl.when(~quotes_the_cell).then("suggestion").alias("suggestion"),
    )


def _personal_data(
    texts: pl.DataFrame, odd: pl.DataFrame | None, field: Field | None, column: Column, position: str, sheet: str
) -> pl.DataFrame:
    """File-severity findings for the cells of a column that hold personal data: the address only."""
    name = field.name if field else ""
    column_texts = texts[position].alias("text")
    candidates = column_texts.filter(_worth_a_look(column_texts, field))
    if odd is not None:
        candidates = pl.concat([candidates, odd["text"].filter(odd["text"].str.contains(WORTH_A_LOOK))])
    rules = {t: r for t in candidates.unique() if t and (r := personal_rule(t, field))}
    if field is None or field.kind is Kind.REFERENCE:
        tails = column_texts.filter(column_texts.str.contains(TEN_DIGITS_AT_THE_END)).unique().sort()
        if rule := rule_of_tails(tails.to_list(), field):
            rules |= dict.fromkeys(tails, rule)
    if not rules:
        return pl.DataFrame(schema=FINDING_TYPES)
    hits = texts.select("source_row", pl.col(position).alias("text")).filter(pl.col("text").is_in(list(rules)))
    return findings_frame(
        [Finding(rules[t], Severity.FILE, row, name, column, hidden=True) for row, t in hits.iter_rows()], sheet
    )


def _worth_a_look(texts: pl.Series, field: Field | None) -> pl.Series:
    """Which well-formed texts of a column may yet hold personal data: in a typed column none may."""
    if field is not None and field.personal_when is PersonalWhen.FULL_DATE:
        return texts.str.contains(MAY_BE_A_DATE)
    if field is None or field.kind in (Kind.TEXT, Kind.REFERENCE):
        return texts.str.contains(REFERENCE_WORTH_A_LOOK if field is not None and field.pattern else WORTH_A_LOOK)
    return pl.Series("text", [False]).new_from_index(0, len(texts))


def _personal_beside(beside: list[tuple[int, str]]) -> list[Finding]:
    """File-severity findings for text that is on no row of data, piece by piece: the row only."""
    pieces = pl.DataFrame(
        [(row, piece) for row, text in beside for piece in _PIECES.split(text)],
        schema={"row": pl.Int64, "text": pl.String},
        orient="row",
    ).filter(pl.col("text").str.contains(WORTH_A_LOOK))
    found = {(row, rule) for row, text in pieces.iter_rows() if (rule := personal_rule(text))}
    return [Finding(rule, Severity.FILE, row, hidden=True) for row, rule in sorted(found)]


def _day_month_orders(odd: pl.DataFrame, field: Field) -> set[str]:
    """In which orders the odd dates of a column are written: 'dmy', 'mdy' or both.

    Where the site's profile read one as day-month, that is its order, whatever else it might have meant.
    """
    if field.kind is not Kind.DATE:
        return set()
    read = odd.filter((pl.col("rule_id") == "C02") & (pl.col("severity") == Severity.WARNING))
    return {o for t in odd["text"] if (o := _day_month_order(t))} | ({"dmy"} if len(read) else set())


def _day_month_order(text: str) -> str:
    """'dmy' or 'mdy' where a date with slashes can only be the one or the other."""
    parts = re.match(r"\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{4}", text)
    if not parts:
        return ""
    first, second = int(parts[1]), int(parts[2])
    return "dmy" if first > 12 >= second else "mdy" if second > 12 >= first else ""
