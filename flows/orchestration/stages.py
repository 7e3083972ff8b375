"""The stages of a run, each a named step, and the new warehouse that four of them make.

Their order is in `nightly.py`; what a stage is, in `stage.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import wraps
from time import perf_counter

from flows.deliveries.corrections import Corrections
from flows.deliveries.validated import ValidatedDelivery
from flows.orchestration.active_run import ActiveRun
from flows.orchestration.build_steps import cross_check_build, load_build, make_marts
from flows.orchestration.stage import EndState, Stage
from flows.reporting.result import ReportingResult
from flows.reporting.run_report import report_run
from flows.runtime.log import Entry, Event, log, row_counts
from flows.steps.promote import promote
from flows.steps.receive import Received, receive
from flows.steps.validate_delivery import ValidationResult, validate_delivery
from flows.store.build_identity import load_version
from flows.store.ledger.runs import now
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import Build
from schemas.audit.deliveries import Delivery, Result


def _name_of(delivery: Delivery) -> str:
    return f"validate {delivery.site_code} {delivery.dataset} {delivery.period} v{delivery.version}"


def _state_of(judgement: ValidationResult) -> EndState | None:
    """The name of a validation's state. Red are personal data and a fault of ours: a sender's slip is neither."""
    if judgement.result is None:
        return EndState("NotValidated", judgement.waits, f"{judgement.delivery_id} {judgement.problem}")
    if judgement.holds_personal_data:
        why = f"{judgement.delivery_id}: {judgement.result}, for it holds personal data"
        return EndState("PersonalData", is_good=False, message=why)
    if judgement.result.stops:
        return EndState("Refused", is_good=True, message=f"{judgement.delivery_id}: {judgement.result}")
    if judgement.result is Result.HELD_ROWS:
        return EndState("PartlyLoaded", is_good=True, message=f"{judgement.delivery_id}: some rows held back")
    return None


@wraps(validate_delivery)
def _validate_and_log(
    delivery: Delivery, places: DataPaths, judgements: ResultStore, corrections: Corrections
) -> ValidationResult:
    began = perf_counter()
    made = validate_delivery(delivery, places, judgements, corrections)
    event = Event.DELIVERY_NOT_VALIDATED if made.result is None else Event.DELIVERY_VALIDATED
    result, seconds = str(made.result or ""), perf_counter() - began
    log(Entry(event, "validate", made.delivery_id, row_counts(made.rows), seconds, result, fault=made.fault))
    return made


def _received(received: Received) -> Mapping[str, int]:
    new, unusable = len(received.new), len(received.unusable)
    return {"deliveries": len(received.deliveries), "new": new, "not_taken_in": unusable}


def _validated(made: ValidationResult) -> Mapping[str, int]:
    return {"not_validated": int(made.result is None), **row_counts(made.rows)}


def _counting(validated: Sequence[ValidatedDelivery]) -> Mapping[str, int]:
    return {"deliveries": len(validated), "counting": sum(j.counts for j in validated)}


def _tables(rows: Mapping[str, int]) -> Mapping[str, int]:
    return {"tables": len(rows), "rows": sum(rows.values())}


def _reported(reported: ReportingResult) -> Mapping[str, int]:
    return {"reports": len(reported.pages), "not_reported": len(reported.not_reported)}


receive_files = Stage(receive, "receive", try_again=True, counts_of=_received)
validate_each = Stage(
    _validate_and_log, "validate", name_of=_name_of, state_of=_state_of, try_again=True, counts_of=_validated
)
load_core = Stage(load_build, "load", counts_of=_tables)
cross_check_tables = Stage(cross_check_build, "cross_check", counts_of=_counting)
build_marts = Stage(make_marts, "build", counts_of=_tables)
promote_build = Stage(promote, "promote")
report_to_people = Stage(report_run, "report", counts_of=_reported)


def new_build(
    work: ActiveRun, validated: Sequence[ValidatedDelivery], wanted: str, keep: int
) -> tuple[Build, Exception | None]:
    """A new build of the warehouse, proved and promoted. What no delivery needs any more leaves the store.

    Gives the build, and why the load cache was not relied on, if it was not.
    """
    warehouse, ledger = work.warehouse, work.ledger
    new = warehouse.new_build(now(), work.id, wanted, load_version())

    def made() -> Build:
        load_core(new, validated, ledger.runs(), work.judgements, work.withdrawals)
        decided = cross_check_tables(new, validated, work.judgements, ledger.counted_before(work.moment))
        build_marts(new)
        return promote_build(warehouse, new, decided, keep)

    built = new.with_full_reload_fallback(made)
    work.judgements.sweep(set(ledger.result_keys().values()))
    return built
