"""Read unfilled choices, such as '< Select >' in a form's drop-down list, as empty cells (rule F39)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from flows.cells.distinct_column import DistinctColumn, evaluate_distinct
from flows.cells.redact import redact
from flows.deliveries.conformed import Layout
from flows.deliveries.findings import NO_FINDINGS, Finding, findings_of_rows
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind, Severity

_OBJECT = (
    "(?:an?|one|from|the|your|items?|options?|values?|answers?|date|codes?|category|list|drop-?down|below|here|menu|type"
    "|status|yes or no|y/n)"
)
_CHOOSE = rf"(?:please\s+)?(?:select|choose|pick)(?:\s+{_OBJECT})*"
_ENTER = (
    r"(?:click (?:or tap )?(?:here )?to |please )?enter (?:a |the |your )?(?:text|date|value|number|data)(?: here)?"
)
_DATE_FORM = r"(?:dd[/. -]mm[/. -]yy(?:yy)?|yyyy[/. -]mm[/. -]dd)"
# In a column of any text a bare 'Select' may be a name: there it must be in brackets, or be a sentence.
_MARKS = r"[^\p{L}\p{N}]*"
PLACEHOLDER = rf"(?i)^{_MARKS}(?:{_CHOOSE}|{_ENTER}|{_DATE_FORM}){_MARKS}$"
_CERTAIN = rf"(?i)^{_MARKS}(?:please\s.*|{_CHOOSE}\s+{_OBJECT}|{_ENTER}){_MARKS}$|^[<\[({{-].*[>\])}}-]$|(?:\.\.\.|…)$"


def without_placeholders(
    cells: Mapping[str, DistinctColumn], layout: Layout, contract: Contract
) -> tuple[dict[str, DistinctColumn], dict[str, pl.Series]]:
    """The columns with an empty text for each placeholder, and by column with any, which rows had one."""
    fields = {str(i): contract.by_name[name] for name, i in layout.positions.items()}
    flags = evaluate_distinct(cells, pl.col("text").str.contains(PLACEHOLDER))
    changed: dict[str, DistinctColumn] = {}
    in_rows: dict[str, pl.Series] = {}
    for name, is_like_one in flags.items():
        if not is_like_one.any():
            continue
        column, field = cells[name], fields.get(name)
        is_one = is_like_one & pl.Series([not _is_value(text, field) for text in column.distinct], dtype=pl.Boolean)
        if is_one.any():
            texts = column.distinct.to_frame("text").select(pl.when(~is_one).then("text").otherwise(pl.lit("")))
            changed[name] = DistinctColumn.of(column.expand(texts.to_series()))
            in_rows[name] = column.expand(is_one)
    return {**cells, **changed}, in_rows


def placeholder_findings(
    unfilled: pl.DataFrame, layout: Layout, contract: Contract, cut_off: date, sheet: str
) -> pl.DataFrame:
    """A warning for each cell of a row of data that was a placeholder and is read as empty.

    `unfilled` has the columns source_row, field and text. Where that leaves a required cell empty, another finding
    takes the place of these (`without_repeated_placeholders`).
    """
    parts = [NO_FINDINGS]
    for (name,), cells in unfilled.group_by("field", maintain_order=True):
        field = contract.by_name[str(name)]
        rows = cells.select("source_row").hstack(redact(cells["text"], field, contract, cut_off))
        finding = Finding("F39", Severity.WARNING, field=field.name, column=layout.column_of(field.name))
        parts.append(findings_of_rows(rows, finding, sheet))
    return pl.concat(parts)


def _is_value(text: str, field: Field | None) -> bool:
    """Whether a text that reads like a placeholder may be meant as a value of its column."""
    if field is not None and field.codes:
        return fold(text) in field.code_list.spellings
    if field is not None and field.kind not in (Kind.TEXT, Kind.REFERENCE):
        return False
    return not pl.Series([text.strip()]).str.contains(_CERTAIN).item()
