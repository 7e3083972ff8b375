"""Search participant-level files for personal data (rules P01-P03). Findings give the address, never the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import polars as pl

from flows.cells.distinct_column import DistinctColumn, evaluate_distinct
from flows.cells.identifiers import (
    DATE_AS_REFERENCE,
    JUST_DIGITS,
    LONG_ENOUGH_FOR_A_DATE,
    SUSPICIOUS,
    SUSPICIOUS_REFERENCE,
    TEN_ANSWERS,
    birth_date_rules,
    may_contain_name,
    may_identify_person,
    personal_rule,
    rare_nhs_numbers,
    rules_by_share,
)
from flows.cells.reading.numbers import is_part_of_hours
from flows.cells.redact import last_birth_of, redact_sheet_name
from flows.deliveries.context import DeliveryContext
from flows.deliveries.extract import TextOnOtherSheet
from flows.deliveries.findings import NO_FINDINGS, Finding, findings_frame, findings_of_rows
from flows.steps.conform.cells import FindingLocation
from schemas._contract.code_lists import fold
from schemas._contract.model import MINUTES, Contract, Field, Kind, PersonalWhen, Severity

OTHER_SHEET_BATCH = 200_000  # cells of other sheets that are searched together
MAX_OTHER_SHEET_FINDINGS = 100  # rows reported on other sheets: the file is refused anyway
_BETWEEN_PIECES = r'[,;\t|"\r]'  # where text outside the table, such as a malformed line, is split before the search


def may_hold_names(cells: Mapping[str, DistinctColumn]) -> dict[str, pl.Series]:
    """For each column, which distinct texts may hold a person's name.

    All columns are searched in one call, because preparing the search for hundreds of names takes longer than searching
    a small file.
    """
    return evaluate_distinct(cells, may_contain_name(pl.col("text")))


def personal_data_findings(
    cells: DistinctColumn, named: pl.Series, source_rows: pl.Series, odd: pl.DataFrame | None, location: FindingLocation
) -> pl.DataFrame:
    """Findings for one column's cells that hold personal data (file severity) or may do so (row severity).

    `named` marks the distinct texts that may hold a name, `odd` lists those that are not in canonical form. Without a
    field in `location` the column is outside the contract.
    """
    texts, field = cells.distinct, location.field
    rules: dict[str, tuple[str, Severity]] = {}
    # Bare numbers in a free-text or reference column may be the site's own references: how many of the column's numbers
    # look like a person's identifier decides.
    by_share = field is None or field.kind in (Kind.TEXT, Kind.REFERENCE)
    # Most columns are clean: one pass with a combined pattern shows that, and the precise checks are skipped.
    if by_share and odd is None and not (named.any() or texts.str.contains(_quick_pattern(field)).any()):
        return NO_FINDINGS
    if by_share:
        digits = texts.filter(texts.str.contains(JUST_DIGITS)).sort()
        if field is not None and field.joined_by is not None:
            digits = digits.filter(~digits.str.contains(f"^{TEN_ANSWERS.pattern}$"))
        rules |= {t: (r, Severity.FILE) for t, r in rules_by_share(digits.to_list(), field).items()}
        if field is not None:
            # Valid NHS numbers in a few rows of a column of references: the rows are held, the file is not refused.
            odd_digits = rare_nhs_numbers(digits.to_list(), len(texts)) if len(digits) else []
            rules |= {t: ("P01", Severity.ROW) for t in odd_digits if t not in rules}
            rules |= birth_date_rules(texts.filter(texts.str.contains(DATE_AS_REFERENCE)).sort().to_list())
    candidates = texts.filter(_needs_search(texts, named, field))
    if odd is not None:
        own = field.code_list.spellings if field is not None and field.codes else {}  # spellings of codes are safe
        may_be = odd["text"].str.contains(SUSPICIOUS) | odd["text"].is_in(texts.filter(named).implode())
        strange = odd["text"].filter(may_be)
        if field is not None and field.unit == MINUTES:
            strange = strange.filter(pl.Series([not is_part_of_hours(t) for t in strange], dtype=pl.Boolean))
        candidates = pl.concat(
            [candidates, strange.filter(pl.Series([fold(t) not in own for t in strange], dtype=pl.Boolean))]
        )
    for text in candidates.filter(~candidates.str.contains(JUST_DIGITS)) if by_share else candidates:
        if rule := personal_rule(text, field):
            rules[text] = (rule, Severity.FILE)
        elif field is not None and by_share and may_identify_person(text):
            rules[text] = ("P01", Severity.ROW)
    if not rules:
        return NO_FINDINGS
    broken = pl.DataFrame([(t, *r) for t, r in rules.items()], schema=["text", "rule_id", "severity"], orient="row")
    hits = cells.rows_with(broken["text"], source_rows).join(broken, on="text", maintain_order="left")
    return _findings_without_values(hits, location)


def _findings_without_values(hits: pl.DataFrame, location: FindingLocation) -> pl.DataFrame:
    """Findings without the cells' texts, for rows with a `rule_id` and a `severity`."""
    return findings_of_rows(
        hits.select("source_row", "rule_id", "severity"), location.finding(hidden=True), location.sheet
    )


def birth_date_findings(
    values: pl.Series, source_rows: pl.Series, location: FindingLocation, context: DeliveryContext
) -> pl.DataFrame:
    """A finding for each date that is long enough ago to be a participant's date of birth (rule P03)."""
    if location.field is None or location.field.kind is not Kind.DATE:
        return NO_FINDINGS
    last = last_birth_of(context.programme_code, context.data_cut_date)
    first: Any = values.min()  # in most columns the earliest date already shows that there is none
    if first is None or first > last:
        return NO_FINDINGS
    rows = pl.DataFrame([source_rows.alias("source_row"), values.alias("day")])
    hits = rows.filter(pl.col("day") <= last)
    hits = hits.with_columns(pl.lit("P03").alias("rule_id"), pl.lit(str(Severity.ROW)).alias("severity"))
    return _findings_without_values(hits, location)


def blank_personal_values(values: pl.Series, source_rows: pl.Series, personal: Sequence[pl.DataFrame]) -> pl.Series:
    """Set values to null where the cell may be personal (row-severity findings): such a value is never stored."""
    if not personal:
        return values
    at_fault = pl.concat(personal).filter(pl.col("severity") == Severity.ROW)
    personal_rows = source_rows.is_in(at_fault["source_row"].implode())
    return values.to_frame().select(pl.when(~personal_rows).then(values.name)).to_series()


def _needs_search(texts: pl.Series, named: pl.Series, field: Field | None) -> pl.Series:
    """Which canonical texts of a column may hold personal data. In a column of numbers, dates or codes none can."""
    if field is not None and field.personal_when is PersonalWhen.FULL_DATE:
        return texts.str.contains(_search_pattern(field))
    if field is None or field.kind in (Kind.TEXT, Kind.REFERENCE):
        return texts.str.contains(_search_pattern(field)) | named
    return pl.Series([False]).new_from_index(0, len(texts))


def _search_pattern(field: Field | None) -> str:
    """The pattern of texts that may be personal; narrower for references with a form of their own, and for dates."""
    if field is not None and field.personal_when is PersonalWhen.FULL_DATE:
        return LONG_ENOUGH_FOR_A_DATE
    return SUSPICIOUS_REFERENCE if field is not None and field.pattern else SUSPICIOUS


def _quick_pattern(field: Field | None) -> str:
    """One pattern for everything searched for in a column without names, so that a clean column is scanned once."""
    return "|".join((JUST_DIGITS, DATE_AS_REFERENCE, _search_pattern(field)))


def personal_in_stray_text(stray_text: list[tuple[int, str]], sheet: str) -> pl.DataFrame:
    """File-severity findings for text outside the table, with the row but no column."""
    broken = _rules_broken(stray_text)
    return findings_frame([Finding(rule, Severity.FILE, row, hidden=True) for row, rule in broken], sheet)


def personal_on_other_sheets(
    other_sheets: Iterable[TextOnOtherSheet], contract: Contract, context: DeliveryContext
) -> pl.DataFrame:
    """File-severity findings for a workbook's other sheets, with sheet and row; none for a dataset not about people."""
    frames: list[pl.DataFrame] = []
    for part in _batched(other_sheets if contract.participant_level else ()):  # lazily: the sheets are opened here
        by_sheet: dict[tuple[str, int], list[tuple[int, str]]] = {}
        for cell in part:
            by_sheet.setdefault((cell.sheet, cell.number), []).append((cell.row, cell.text))
        for sheet, texts in by_sheet.items():
            frames.append(personal_in_stray_text(texts, redact_sheet_name(*sheet, contract, context.data_cut_date)))
        if sum(map(len, frames)) > MAX_OTHER_SHEET_FINDINGS:
            break
    return pl.concat(frames).head(MAX_OTHER_SHEET_FINDINGS) if frames else NO_FINDINGS


def _batched(cells: Iterable[TextOnOtherSheet]) -> Iterator[list[TextOnOtherSheet]]:
    """Yield the cells in lists of OTHER_SHEET_BATCH, so that a large sheet is never in memory as a whole."""
    rest = iter(cells)
    while part := list(islice(rest, OTHER_SHEET_BATCH)):
        yield part


def _rules_broken(texts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The rows whose text holds personal data, with the rule it breaks. Each distinct piece is searched once."""
    if not texts:
        return []
    whole = pl.DataFrame(texts, schema={"row": pl.Int64, "text": pl.String}, orient="row")
    parted = pl.col("text").str.replace_all(_BETWEEN_PIECES, "\n").str.split("\n")
    pieces = whole.select("row", parted).explode("text")
    pieces = pieces.filter(pl.col("text").str.contains(SUSPICIOUS) | may_contain_name(pl.col("text")))
    rules = {text: personal_rule(text) for text in pieces["text"].unique()}
    return sorted({(row, rule) for row, text in pieces.iter_rows() if (rule := rules[text])})
