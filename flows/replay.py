"""Judging again: what it changed for a delivery since its last report, and which corrections no longer fit."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from flows.store.judgements import Judgements
from schemas.audit.deliveries import Standing, Verdict
from schemas.audit.findings import Outcome
from schemas.catalogue import datasets
from schemas.codes import fold
from schemas.contract import Severity
from schemas.corrections import MADE, Correction, Corrections
from schemas.data_folder import CORRECTIONS
from schemas.replay import HeldThen, JudgedAgain, Rows, why_held, why_released
from schemas.shapes import Judged
from schemas.told import Told
from schemas.wording import day

_REPLACED = (Standing.SUPERSEDED, Standing.STALE, Standing.SAME)


def rows_held(findings: pl.DataFrame) -> Rows:
    """The rows that are held, by the rules and fields that hold them: between tables too."""
    at_fault = findings.filter(pl.col("severity") == Severity.ROW, pl.col("outcome") == Outcome.BROKEN)
    grouped = at_fault.drop_nulls("source_row").group_by("rule_id", "field").agg(pl.col("source_row"))
    return {(rule_id, field): frozenset(rows) for rule_id, field, rows in grouped.iter_rows()}


def since_told(
    db: duckdb.DuckDBPyConnection,
    judged: Judged,
    settled: Verdict,
    findings: pl.DataFrame,
    told: Told | None,
    then: HeldThen | None,
) -> JudgedAgain | None:
    """What changed for a delivery since its last report; None where there was none. `settled` counts after relate."""
    if told is None or then is None:
        return None
    held = settled.rows.held
    if settled.result.stops:
        lost = 0 if told.result.stops else told.rows.accepted
        return JudgedAgain(judged.delivery, then.on, 0, lost, held - lost, why_held="the file is refused now")
    if told.result.stops:
        freed = settled.rows.accepted
        return JudgedAgain(judged.delivery, then.on, freed, 0, held, why_released="the file is no longer refused")
    now = rows_held(findings)
    before, after = frozenset[int]().union(*then.rows.values()), frozenset[int]().union(*now.values())
    released, newly = _in_core(db, judged, before - after), after - before
    # a copy of a row that was left out may be held now: it was never accepted
    lost = max(0, min(len(newly), told.rows.accepted + len(released) - settled.rows.accepted))
    corrected = frozenset(findings.filter(pl.col("rule_id") == MADE)["source_row"])
    contract = datasets()[judged.delivery.dataset]
    return JudgedAgain(
        judged.delivery,
        then.on,
        len(released),
        lost,
        held - lost,
        why_released(contract, then.rows, released, corrected),
        why_held(now, newly),
    )


def _in_core(db: duckdb.DuckDBPyConnection, judged: Judged, rows: frozenset[int]) -> frozenset[int]:
    """Which rows of a delivery are in the figures. What left quarantine as an exact copy is not."""
    d = judged.delivery
    asked = f'select source_row from core."{d.dataset}" where delivery_id = ? and list_contains(?, source_row)'
    return frozenset(row for (row,) in db.execute(asked, [d.delivery_id, sorted(rows)]).fetchall())


def corrections_to_mend(corrections: Corrections, judged: Sequence[Judged], judgements: Judgements) -> list[str]:
    """What somebody has to look at in `corrections.csv`: lines at fault, and corrections that were not made."""
    said = [(c.line, why) for c in corrections.lines if (why := _why_not_made(c, corrections, judged, judgements))]
    return [*corrections.faults, *(f"`{CORRECTIONS}`, line {line}: {why}" for line, why in said)]


def _why_not_made(c: Correction, corrections: Corrections, judged: Sequence[Judged], judgements: Judgements) -> str:
    own = [j for j in judged if c.is_of(j.delivery)]
    newest = [j for j in own if j.standing not in _REPLACED]
    if not own:
        return "no file of this name was received from the site; mend the line, or delete it"
    if c.until < corrections.day:
        return f"it was agreed until {day(c.until)}, and is not made any more; agree on it anew, or delete the line"
    if not newest:
        return "a later file counts now; delete the line, or name the later file if it has the same error"
    if any(_is_made(c, judgements.findings(j.key)) for j in newest):
        return ""
    return f"it does not fit row {c.row} of {c.file} any more, and was not made; see the report, then delete the line"


def _is_made(c: Correction, findings: pl.DataFrame) -> bool:
    made = findings.filter(pl.col("rule_id") == MADE, pl.col("source_row") == c.row)
    columns = made.select("column_letter", "column_name").iter_rows()
    return any(letter == c.column.upper() or fold(name) == fold(c.column) for letter, name in columns)
