"""Find the lines of `corrections.csv` that need review: faulty ones, and corrections that were not applied."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from flows.deliveries.corrections import Correction, Corrections
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.data_folder import CORRECTIONS
from flows.runtime.wording import day
from flows.store.results import ResultStore
from schemas._contract.code_lists import fold
from schemas._rules.agreements import APPLIED
from schemas.audit.deliveries import Standing

_REPLACED = (Standing.SUPERSEDED, Standing.STALE, Standing.SAME)


def corrections_to_review(
    corrections: Corrections, validated: Sequence[ValidatedDelivery], results: ResultStore
) -> list[str]:
    """Faults of the file, then a line for each correction that was not applied, with what to do about it."""
    not_applied = [
        (c.line, why) for c in corrections.lines if (why := _why_not_applied(c, corrections, validated, results))
    ]
    return [*corrections.faults, *(f"`{CORRECTIONS}`, line {line}: {why}" for line, why in not_applied)]


def _why_not_applied(
    c: Correction, corrections: Corrections, validated: Sequence[ValidatedDelivery], results: ResultStore
) -> str:
    own = [v for v in validated if c.is_of(v.delivery)]
    if any(v.withdrawal for v in own):  # the file may be let back, and then needs the correction
        return ""
    # a correction of a replaced file does no harm, but nobody needs it any more
    newest = [v for v in own if v.standing not in _REPLACED]
    if not own:
        return "no file of this name was received from the site; fix the line, or delete it"
    if c.until < corrections.day:
        return f"it was agreed until {day(c.until)}, and is not made any more; agree on it anew, or delete the line"
    if not newest:
        return "a later file counts now; delete the line, or name the later file if it has the same error"
    if any(_is_applied(c, results.findings(v.key)) for v in newest):
        return ""
    return f"it does not fit row {c.row} of {c.file} any more, and was not made; see the report, then delete the line"


def _is_applied(c: Correction, findings: pl.DataFrame) -> bool:
    applied = findings.filter(pl.col("rule_id") == APPLIED, pl.col("source_row") == c.row)
    columns = applied.select("column_letter", "column_name").iter_rows()
    return any(letter == c.column.upper() or fold(name) == fold(c.column) for letter, name in columns)
