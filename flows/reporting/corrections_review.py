"""The corrections that were agreed with sites: which of them somebody has to look at."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from flows.deliveries.corrections import Correction, Corrections
from flows.deliveries.validated import ValidatedDelivery
from flows.runtime.data_folder import CORRECTIONS
from flows.runtime.wording import day
from flows.store.results import ResultStore
from schemas._contract.code_lists import fold
from schemas._rules.corrections import APPLIED
from schemas.audit.deliveries import Standing

_REPLACED = (Standing.SUPERSEDED, Standing.STALE, Standing.SAME)


def corrections_to_review(
    corrections: Corrections, validated: Sequence[ValidatedDelivery], judgements: ResultStore
) -> list[str]:
    """What somebody has to look at in `corrections.csv`: lines at fault, and corrections that were not made."""
    said = [
        (c.line, why) for c in corrections.lines if (why := _why_not_applied(c, corrections, validated, judgements))
    ]
    return [*corrections.faults, *(f"`{CORRECTIONS}`, line {line}: {why}" for line, why in said)]


def _why_not_applied(
    c: Correction, corrections: Corrections, validated: Sequence[ValidatedDelivery], judgements: ResultStore
) -> str:
    own = [j for j in validated if c.is_of(j.delivery)]
    if any(j.withdrawal for j in own):  # it may count again
        return ""
    newest = [j for j in own if j.standing not in _REPLACED]
    if not own:
        return "no file of this name was received from the site; fix the line, or delete it"
    if c.until < corrections.day:
        return f"it was agreed until {day(c.until)}, and is not made any more; agree on it anew, or delete the line"
    if not newest:
        return "a later file counts now; delete the line, or name the later file if it has the same error"
    if any(_is_applied(c, judgements.findings(j.key)) for j in newest):
        return ""
    return f"it does not fit row {c.row} of {c.file} any more, and was not made; see the report, then delete the line"


def _is_applied(c: Correction, findings: pl.DataFrame) -> bool:
    made = findings.filter(pl.col("rule_id") == APPLIED, pl.col("source_row") == c.row)
    columns = made.select("column_letter", "column_name").iter_rows()
    return any(letter == c.column.upper() or fold(name) == fold(c.column) for letter, name in columns)
