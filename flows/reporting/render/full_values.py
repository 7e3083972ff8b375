"""Show hidden values in full, on the terminal of the person who holds the file and nowhere else (`pilots check`).

Pages, data files and pipes get about: they keep to what `redact.py` shows. Even here, what a privacy rule found stays
hidden, and so does every value of a file with personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from flows.cells.column_letters import index_of
from flows.cells.identifiers import may_identify_person, personal_rule
from flows.cells.person_names import holds_listed_name
from flows.deliveries.context import context_of
from flows.deliveries.extract import SheetCells, UnreadableFile
from flows.reporting.render.marked.redacted_sheet import sheet_of, text_of
from flows.reporting.report import DatasetReport
from flows.steps.conform import known_headings
from flows.steps.read.raw_sheets import read_raw_sheets
from schemas._contract.model import Contract, Kind, Severity
from schemas._rules.privacy import PERSONAL_DATA_RULE_IDS, REFUSING_RULE_IDS
from schemas.audit.deliveries import Delivery

MOST_ROWS = 50_000  # of a larger file too many cells would be read again to show a few
Cell = tuple[int, str]  # row and column letter


def findings_in_full(raw: Path, delivery: Delivery, parts: Sequence[DatasetReport]) -> list[pl.DataFrame]:
    """The findings of each dataset of a file, with the hidden values of its cells as the file `raw` has them.

    They are for the terminal alone: nothing that is written may be made from them.
    """
    findings = [p.findings for p in parts]
    if max(p.verdict.rows.read for p in parts) > MOST_ROWS or _holds_personal_data(parts):
        return findings
    if not any(_hidden(f).height for f in findings):
        return findings
    contract, context = parts[0].contract, context_of(delivery)
    try:
        known = known_headings(contract, context)
        sheets = read_raw_sheets(raw, known, contract.dataset, context.delimiter, context.quote)
    except (UnreadableFile, FileNotFoundError):
        return findings
    return [_in_full(p, sheets) for p in parts]


def _holds_personal_data(parts: Sequence[DatasetReport]) -> bool:
    """Whether a file is refused for personal data, or may hold some because its rows were not checked."""
    refused = pl.col("rule_id").is_in(REFUSING_RULE_IDS) & (pl.col("severity") == Severity.FILE)
    return any(
        p.verdict.holds_personal_data or not p.verdict.rows_judged or p.findings.filter(refused).height for p in parts
    )


def _hidden(findings: pl.DataFrame) -> pl.DataFrame:
    return findings.filter(
        "hidden", pl.col("source_row").is_not_null(), pl.col("column_letter").is_not_null(), pl.col("field") != ""
    )


def _in_full(part: DatasetReport, sheets: Sequence[SheetCells]) -> pl.DataFrame:
    """The findings of one dataset, with each hidden value that may be shown."""
    values = _values(part, sheets)
    cells = part.findings.select("source_row", "column_letter", "hidden").iter_rows()
    full = [values.get((row, letter)) if hidden else None for row, letter, hidden in cells]
    shown = pl.Series("full", full, dtype=pl.String)
    return part.findings.with_columns(
        pl.when(shown.is_not_null()).then(shown).otherwise("found").alias("found"),
        (pl.col("hidden") & shown.is_null()).alias("hidden"),
    )


def _values(part: DatasetReport, sheets: Sequence[SheetCells]) -> Mapping[Cell, str]:
    """The values of hidden cells that no privacy rule found and that hold nothing of a person's name."""
    own = sheet_of(part, sheets)
    rows = next((s.rows for s in sheets if s.name == own), [])
    of_privacy = part.findings.filter(pl.col("rule_id").is_in(PERSONAL_DATA_RULE_IDS)).select(
        "source_row", "column_letter"
    )
    found_by_privacy = set(of_privacy.iter_rows())
    values: dict[Cell, str] = {}
    for row, letter, field in _hidden(part.findings).select("source_row", "column_letter", "field").iter_rows():
        cells = rows[row - 1] if row <= len(rows) else []
        value = text_of(cells[index_of(letter)]) if index_of(letter) < len(cells) else ""
        if (row, letter) not in found_by_privacy and _may_be_shown(value, part.contract, field):
            values[row, letter] = value
    return values


def _may_be_shown(value: str, contract: Contract, field: str) -> bool:
    """Whether the holder of the file may see a value on the terminal: a reference, but no attribute of a person."""
    stated = contract.by_name.get(field)
    if stated is None or (stated.personal and stated.kind is not Kind.REFERENCE):
        return False
    return not (personal_rule(value, stated) or may_identify_person(value) or holds_listed_name(value))
