"""The stages of a run, and the four of them that build and promote a new warehouse.

`nightly.py` has their order, `stage.py` the class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import wraps
from time import perf_counter

from flows.deliveries.corrections import Corrections
from flows.deliveries.validated import ValidatedDelivery
from flows.orchestration.active_run import ActiveRun
from flows.orchestration.build_steps import run_build, run_cross_check, run_load
from flows.orchestration.stage import EndState, Stage
from flows.reporting.result import ReportingResult
from flows.reporting.run_report import report_run
from flows.runtime.log import Entry, Event, log, row_counts
from flows.steps.promote import promote
from flows.steps.receive import Received, receive
from flows.steps.validate_delivery import ValidationAttempt, validate_delivery
from flows.store.build_fingerprint import load_version
from flows.store.ledger.runs import now
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import Build
from schemas.audit.deliveries import Delivery, Result


def _item_name(delivery: Delivery) -> str:
    return f"validate {delivery.site_code} {delivery.dataset} {delivery.period} v{delivery.version}"


def _outcome_state(validation: ValidationAttempt) -> EndState | None:
    """Final state of a validation, None for plain success.

    Only personal data and a failure of our code show as failed in Prefect. A refused file does not: the pipeline did
    its work, and it is the sender who has to act.
    """
    if validation.result is None:
        return EndState("NotValidated", validation.waits, f"{validation.delivery_id} {validation.problem}")
    if validation.holds_personal_data:
        why = f"{validation.delivery_id}: {validation.result}, because it holds personal data"
        return EndState("PersonalData", is_good=False, message=why)
    if validation.result.is_rejected:
        return EndState("Refused", is_good=True, message=f"{validation.delivery_id}: {validation.result}")
    if validation.result is Result.HELD_ROWS:
        return EndState("PartlyLoaded", is_good=True, message=f"{validation.delivery_id}: some rows held back")
    return None


@wraps(validate_delivery)
def _validate_and_log(
    delivery: Delivery, paths: DataPaths, results: ResultStore, corrections: Corrections
) -> ValidationAttempt:
    started = perf_counter()
    validation = validate_delivery(delivery, paths, results, corrections)
    event = Event.DELIVERY_NOT_VALIDATED if validation.result is None else Event.DELIVERY_VALIDATED
    result, seconds = str(validation.result or ""), perf_counter() - started
    counts, error = row_counts(validation.rows), validation.error
    log(Entry(event, "validate", validation.delivery_id, counts, seconds, result, error=error))
    return validation


def _receipt_counts(received: Received) -> Mapping[str, int]:
    new, unusable = len(received.new), len(received.unusable)
    return {"deliveries": len(received.deliveries), "new": new, "not_taken_in": unusable}


def _validation_counts(validation: ValidationAttempt) -> Mapping[str, int]:
    return {"not_validated": int(validation.result is None), **row_counts(validation.rows)}


def _standing_counts(validated: Sequence[ValidatedDelivery]) -> Mapping[str, int]:
    return {"deliveries": len(validated), "counting": sum(v.counts for v in validated)}


def _table_counts(rows: Mapping[str, int]) -> Mapping[str, int]:
    return {"tables": len(rows), "rows": sum(rows.values())}


def _report_counts(reported: ReportingResult) -> Mapping[str, int]:
    return {"reports": len(reported.pages), "not_reported": len(reported.not_reported)}


receive_stage = Stage(receive, "receive", retry=True, log_counts=_receipt_counts)
validate_stage = Stage(
    _validate_and_log,
    "validate",
    item_name=_item_name,
    outcome_state=_outcome_state,
    retry=True,
    log_counts=_validation_counts,
)
load_stage = Stage(run_load, "load", log_counts=_table_counts)
cross_check_stage = Stage(run_cross_check, "cross_check", log_counts=_standing_counts)
build_stage = Stage(run_build, "build", log_counts=_table_counts)
promote_stage = Stage(promote, "promote")
report_stage = Stage(report_run, "report", log_counts=_report_counts)


def build_and_promote(
    run: ActiveRun, validated: Sequence[ValidatedDelivery], fingerprint: str, keep: int
) -> tuple[Build, Exception | None]:
    """Build a new warehouse, prove it and promote it; keep the newest `keep` builds.

    `fingerprint` identifies what the build is made from. Returns the build, and the error for which the load cache was
    dropped and everything loaded again, None where the cache was good.
    """
    warehouse, ledger = run.warehouse, run.ledger
    new = warehouse.new_build(now(), run.id, fingerprint, load_version())

    def attempt() -> Build:
        load_stage(new, validated, ledger.runs(), run.results, run.withdrawals)
        final = cross_check_stage(new, validated, run.results, ledger.counted_before(run.moment), run.confirmations)
        build_stage(new)
        return promote_stage(warehouse, new, final, keep)

    # a damaged cache must not fail the run: all four stages are tried again with everything loaded afresh
    build, cache_error = new.with_full_reload_fallback(attempt)
    run.results.sweep(set(ledger.result_keys().values()))
    return build, cache_error
