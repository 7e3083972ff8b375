"""The search for personal data in the cells of people's extracts (rules P01-P03): an address is told, never a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import polars as pl

from flows.cells.distinct_column import DistinctColumn, ask_all
from flows.cells.identifiers import (
    A_DAY_IN_DIGITS,
    JUST_DIGITS,
    MAY_BE_A_DATE,
    REFERENCE_WORTH_A_LOOK,
    WORTH_A_LOOK,
    may_be_a_persons,
    may_be_named,
    personal_rule,
    rare_nhs_numbers,
    rules_by_share,
    rules_of_births,
)
from flows.cells.redact import last_birth_of, redact_sheet_name
from flows.deliveries.context import DeliveryContext
from flows.deliveries.extract import TextOnOtherSheet
from flows.deliveries.findings import NO_FINDINGS, Finding, findings_frame, findings_of_rows
from flows.steps.conform.cells import Place
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind, PersonalWhen, Severity

CELLS_AT_ONCE = 200_000  # of other sheets
MOST_TOLD = 100  # rows of other sheets: more say no more
_BETWEEN_PIECES = r'[,;\t|"\r]'


def may_hold_names(cells: Mapping[str, DistinctColumn]) -> dict[str, pl.Series]:
    """Which distinct texts of each column may hold a person's name.

    All columns are searched at once: to prepare the search for hundreds of names costs more than a small file's search.
    """
    return ask_all(cells, may_be_named(pl.col("text")))


def personal_data(
    cells: DistinctColumn, named: pl.Series, source_rows: pl.Series, odd: pl.DataFrame | None, place: Place
) -> pl.DataFrame:
    """Findings for cells that hold personal data (of file severity) or may hold a name: their addresses only.

    `named` are those of the distinct texts that may hold a name.
    """
    texts, field = cells.distinct, place.field
    rules: dict[str, tuple[str, Severity]] = {}
    by_share = field is None or field.kind in (Kind.TEXT, Kind.REFERENCE)
    if by_share and odd is None and not (named.any() or texts.str.contains(_first_look(field)).any()):
        return NO_FINDINGS
    if by_share:
        digits = texts.filter(texts.str.contains(JUST_DIGITS)).sort()
        rules |= {t: (r, Severity.FILE) for t, r in rules_by_share(digits.to_list(), field).items()}
        if field is not None:
            odd_digits = rare_nhs_numbers(digits.to_list(), len(texts)) if len(digits) else []
            rules |= {t: ("P01", Severity.ROW) for t in odd_digits if t not in rules}
            rules |= rules_of_births(texts.filter(texts.str.contains(A_DAY_IN_DIGITS)).sort().to_list())
    candidates = texts.filter(_worth_a_look(texts, named, field))
    if odd is not None:
        own = field.code_list.spellings if field is not None and field.codes else {}
        may_be = odd["text"].str.contains(WORTH_A_LOOK) | odd["text"].is_in(texts.filter(named).implode())
        strange = odd["text"].filter(may_be)
        candidates = pl.concat(
            [candidates, strange.filter(pl.Series([fold(t) not in own for t in strange], dtype=pl.Boolean))]
        )
    for text in candidates.filter(~candidates.str.contains(JUST_DIGITS)) if by_share else candidates:
        if rule := personal_rule(text, field):
            rules[text] = (rule, Severity.FILE)
        elif field is not None and by_share and may_be_a_persons(text):
            rules[text] = ("P01", Severity.ROW)
    if not rules:
        return NO_FINDINGS
    told = pl.DataFrame([(t, *r) for t, r in rules.items()], schema=["text", "rule_id", "severity"], orient="row")
    hits = cells.rows_with(told["text"], source_rows).join(told, on="text", maintain_order="left")
    return _addresses(hits, place)


def _addresses(hits: pl.DataFrame, place: Place) -> pl.DataFrame:
    """Findings without what was found, for rows with a `rule_id` and a `severity`."""
    return findings_of_rows(hits.select("source_row", "rule_id", "severity"), place.finding(hidden=True), place.sheet)


def long_ago(values: pl.Series, source_rows: pl.Series, place: Place, context: DeliveryContext) -> pl.DataFrame:
    """A finding for each date that is so long ago that it may be a birth (rule P03)."""
    if place.field is None or place.field.kind is not Kind.DATE:
        return NO_FINDINGS
    last = last_birth_of(context.programme_code, context.data_cut_date)
    first: Any = values.min()
    if first is None or first > last:
        return NO_FINDINGS
    rows = pl.DataFrame([source_rows.alias("source_row"), values.alias("day")])
    hits = rows.filter(pl.col("day") <= last)
    said = hits.with_columns(pl.lit("P03").alias("rule_id"), pl.lit(str(Severity.ROW)).alias("severity"))
    return _addresses(said, place)


def without(values: pl.Series, source_rows: pl.Series, personal: Sequence[pl.DataFrame]) -> pl.Series:
    """A column's values, none where findings say that the cell may be personal: such a value is stored nowhere."""
    if not personal:
        return values
    at_fault = pl.concat(personal).filter(pl.col("severity") == Severity.ROW)
    gone = source_rows.is_in(at_fault["source_row"].implode())
    return values.to_frame().select(pl.when(~gone).then(values.name)).to_series()


def _worth_a_look(texts: pl.Series, named: pl.Series, field: Field | None) -> pl.Series:
    """Which well-formed texts of a column may yet hold personal data: in a typed column none may."""
    if field is not None and field.personal_when is PersonalWhen.FULL_DATE:
        return texts.str.contains(_pattern_worth_a_look(field))
    if field is None or field.kind in (Kind.TEXT, Kind.REFERENCE):
        return texts.str.contains(_pattern_worth_a_look(field)) | named
    return pl.Series([False]).new_from_index(0, len(texts))


def _pattern_worth_a_look(field: Field | None) -> str:
    if field is not None and field.personal_when is PersonalWhen.FULL_DATE:
        return MAY_BE_A_DATE
    return REFERENCE_WORTH_A_LOOK if field is not None and field.pattern else WORTH_A_LOOK


def _first_look(field: Field | None) -> str:
    """All that is looked for in the texts of a column without names, as one pattern: clean columns pass once."""
    return "|".join((JUST_DIGITS, A_DAY_IN_DIGITS, _pattern_worth_a_look(field)))


def personal_in_stray_text(stray_text: list[tuple[int, str]], sheet: str) -> pl.DataFrame:
    """File-severity findings for text that is on no row of data, piece by piece: the row only."""
    broken = _broken_by(stray_text)
    return findings_frame([Finding(rule, Severity.FILE, row, hidden=True) for row, rule in broken], sheet)


def personal_on_other_sheets(
    other_sheets: Iterable[TextOnOtherSheet], contract: Contract, context: DeliveryContext
) -> pl.DataFrame:
    """File-severity findings for the other sheets of a workbook of a participant-level dataset: sheet and row only."""
    told: list[pl.DataFrame] = []
    for part in _in_parts(other_sheets if contract.participant_level else ()):
        by_sheet: dict[tuple[str, int], list[tuple[int, str]]] = {}
        for cell in part:
            by_sheet.setdefault((cell.sheet, cell.number), []).append((cell.row, cell.text))
        for sheet, texts in by_sheet.items():
            told.append(personal_in_stray_text(texts, redact_sheet_name(*sheet, contract, context.data_cut_date)))
        if sum(map(len, told)) > MOST_TOLD:
            break
    return pl.concat(told).head(MOST_TOLD) if told else NO_FINDINGS


def _in_parts(cells: Iterable[TextOnOtherSheet]) -> Iterator[list[TextOnOtherSheet]]:
    rest = iter(cells)
    while part := list(islice(rest, CELLS_AT_ONCE)):
        yield part


def _broken_by(texts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The rows of texts that hold personal data, with the rule that it breaks. A text is looked at once."""
    if not texts:
        return []
    whole = pl.DataFrame(texts, schema={"row": pl.Int64, "text": pl.String}, orient="row")
    parted = pl.col("text").str.replace_all(_BETWEEN_PIECES, "\n").str.split("\n")
    pieces = whole.select("row", parted).explode("text")
    pieces = pieces.filter(pl.col("text").str.contains(WORTH_A_LOOK) | may_be_named(pl.col("text")))
    rules = {text: personal_rule(text) for text in pieces["text"].unique()}
    return sorted({(row, rule) for row, text in pieces.iter_rows() if (rule := rules[text])})
