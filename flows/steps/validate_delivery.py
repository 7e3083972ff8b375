"""Validate one delivery: read, correct, conform and validate it in one stream, then check rules about the whole file.

The result is a pure function of the file's bytes, its contract, its context and the code, and all of these are in its
key (`flows/store/result_key.py`). Rows pass through in batches, so a file may be larger than memory.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.cells.redact import in_agreed_form, name_of_stray_sheet, redact_sheet_name
from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import DeliveryContext, FileKnowledge, context_of
from flows.deliveries.corrections import NO_CORRECTIONS, Corrections
from flows.deliveries.extract import Extract, TextBatch, UnreadableFile
from flows.deliveries.file_names import about_name
from flows.deliveries.findings import Finding, findings_frame, findings_of_rows
from flows.deliveries.months import received_in_words
from flows.runtime.parallel import parallel_map, prefetch
from flows.runtime.safe_errors import LoggedError
from flows.steps.confirm.sheet import confirmed_in
from flows.steps.conform import (
    conform,
    filled_in_on_examples,
    group_columns_beside,
    heading_line_findings,
    headings_of_any_dataset,
    known_headings,
    layout_of_form,
    layout_of_nothing,
    layout_of_other,
    link_renamed,
    match_headings,
    other_dataset,
    personal_on_other_sheets,
)
from flows.steps.correct import Corrector
from flows.steps.read import nil_boxes, read
from flows.steps.read.several_values import join_numbered_columns
from flows.steps.validate import (
    NilBox,
    WholeFile,
    about_declared_sign_off,
    combined_sign_off,
    declared_sign_off,
    findings_about_misplaced,
    grouped_findings,
    read_nil_box,
    repair_rows,
    sign_off_on_sheet,
    validate_rows,
    with_nil_box,
    withhold_misplaced,
    without_repeated_placeholders,
)
from flows.store.paths import DataPaths
from flows.store.raw_files import FileStat, file_digest
from flows.store.result_key import result_key
from flows.store.result_sink import ACCEPTED, HELD, ResultSink, RowsLost
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Severity
from schemas._contract.polars_types import polars_type
from schemas._contract.version import contract_version
from schemas._contract.workbook_names import CONFIRM, EXAMPLES, SIGN_OFF
from schemas._rules.privacy import PERSONAL_DATA_RULE_IDS
from schemas.audit.deliveries import Counts, Delivery, Result, Verdict

if TYPE_CHECKING:
    from flows.store.results import ResultStore  # imports pyarrow.parquet, which `pilots check` does without

CHANGED = "changed while it was read: the next run reads it again"


def row_types(contract: Contract) -> dict[str, pl.DataType]:
    """The columns of a validated row and their types: `source_row`, then the fields of the contract."""
    return {"source_row": pl.Int64(), **{f.name: polars_type(f) for f in contract.fields}}


@dataclass(frozen=True)
class ValidationAttempt:
    """The outcome of validating a delivery, and its key in the store. Without a result, `problem` says why."""

    delivery_id: str
    result: Result | None
    key: str
    problem: str = ""
    holds_personal_data: bool = False
    rows: Counts = Counts()
    error: LoggedError | None = None  # set where an error in our code is the reason

    @property
    def waits(self) -> bool:
        """Whether the file was still being written: nothing is wrong, and the next run takes it."""
        return self.problem == CHANGED


def validate_delivery(
    delivery: Delivery, paths: DataPaths, results: ResultStore, corrections: Corrections = NO_CORRECTIONS
) -> ValidationAttempt:
    """Validate a delivery from `data/raw` and store the result.

    If the file has changed since it was received, nothing is stored and the next run takes it. An error in our code
    affects this delivery alone: its last validation result stays in use. Raises OSError where a disk fails.
    """
    contract = datasets()[delivery.dataset]
    key, path = result_key(delivery, contract, corrections), paths.raw / delivery.path
    before = FileStat.of(path)
    unlike = ("source_row", *contract.key)
    try:
        # the checksum is computed in a second thread while the file is validated
        with ThreadPoolExecutor(1) as hasher, results.open(key, row_types(contract), unlike) as out:
            sha256 = hasher.submit(file_digest, path)
            verdict = validate_file(path, delivery, contract, out, corrections)
            if sha256.result() != delivery.sha256 or FileStat.of(path) != before:
                return ValidationAttempt(delivery.delivery_id, None, key, CHANGED)
            out.finish(verdict)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - one file never stops the others
        # a file that is written while it is read can fail in any way, which is not an internal error
        if FileStat.of(path) != before:
            return ValidationAttempt(delivery.delivery_id, None, key, CHANGED)
        logged = LoggedError.of(error)
        problem = f"could not be checked, by a fault of ours: {logged.message}"
        return ValidationAttempt(delivery.delivery_id, None, key, problem, error=logged)
    return ValidationAttempt(delivery.delivery_id, verdict.result, key, "", verdict.holds_personal_data, verdict.rows)


def validate_file(
    path: Path,
    delivery: Delivery,
    contract: Contract,
    out: ResultSink,
    corrections: Corrections = NO_CORRECTIONS,
) -> Verdict:
    """Validate one file, writing its rows and findings to `out`. Bad data never raises: the verdict reports it.

    Some of it may be clear only from the whole file: the order of day and month, or that columns are swapped. The file
    is then validated a second time in that knowledge.
    """
    context = context_of(delivery, corrections)
    verdict, known = _validate_with(path, delivery, contract, context, out)
    if known:
        out.start_over()
        verdict, _ = _validate_with(path, delivery, contract, replace(context, known=known), out)
    return verdict


def _validate_with(
    path: Path, delivery: Delivery, contract: Contract, context: DeliveryContext, out: ResultSink
) -> tuple[Verdict, FileKnowledge]:
    """Validate one file in a context. Also returns what it shows as a whole, if it should be read in another way."""
    version = contract_version(contract)
    wrong_sender = _wrong_sender(delivery, context)
    try:
        if wrong_sender:
            raise UnreadableFile(wrong_sender)
        extract = _open(path, delivery, contract, context)
    except UnreadableFile as unreadable:
        is_nil_return = unreadable.rule_id == "F01" and _is_nil_return(path, delivery)  # empty, and declared so
        found = [] if is_nil_return else [Finding(unreadable.rule_id, Severity.FILE, found=unreadable.found or None)]
        if is_nil_return and context.refuses_future_month:
            found = [Finding("F25", Severity.FILE, found=received_in_words(delivery))]
        out.add_findings(
            findings_frame([*found, *about_name(delivery), *about_declared_sign_off(delivery)], delivery.sheet)
        )
        refused = wrong_sender or (is_nil_return and found)
        result = Result.REFUSED if refused else Result.ACCEPTED if is_nil_return else Result.UNREADABLE
        signed = declared_sign_off(delivery)
        return Verdict(result, Counts(), contract_version=version, rows_judged=False, sign_off=signed), FileKnowledge()
    extract.sheet = redact_sheet_name(extract.sheet, extract.sheet_number, contract, context.data_cut_date)
    extract, layout = _match(extract, contract, context)
    layout = group_columns_beside(layout_of_form(layout, contract, extract.form_version))
    context = replace(context, orders_in_hints=tuple(sorted(layout.date_orders.items())))
    about = [*about_name(delivery), *about_declared_sign_off(delivery), *extract.findings, *layout.findings]
    out.add_findings(findings_frame(about, extract.sheet))
    return _validate_rows(extract, layout, contract, context, delivery, out)


def _open(path: Path, delivery: Delivery, contract: Contract, context: DeliveryContext) -> Extract:
    """Open a file; if it has no heading of its dataset, by the heading of another dataset. Raises UnreadableFile."""
    name_sheet = partial(name_of_stray_sheet, contract=contract)
    opened = partial(
        read, path, sheet=delivery.sheet, delimiter=context.delimiter, quote=context.quote, name_sheet=name_sheet
    )
    known = known_headings(contract, context)
    try:
        extract = opened(known)
        return join_numbered_columns(extract, known)
    except UnreadableFile as unreadable:
        if unreadable.rule_id != "U03":
            raise
        # its traceback would keep the file open, which Windows does not delete then (a copy from a zip)
        no_heading = unreadable.with_traceback(None)
    with suppress(UnreadableFile):
        extract = opened(headings_of_any_dataset(context))
        if other_dataset(extract.headings, contract, context):
            return extract
        del extract  # likewise
    raise no_heading


def _is_nil_return(path: Path, delivery: Delivery) -> bool:
    """Whether a file in which no table was found says that there is nothing to send."""
    with suppress(UnreadableFile):
        return delivery.nil_return or read_nil_box(nil_boxes(path).get(delivery.dataset)) is NilBox.TICKED
    return False


def _match(extract: Extract, contract: Contract, context: DeliveryContext) -> tuple[Extract, Layout]:
    """Match the headings of a file with its dataset. Where fields are missing, the first rows help to say why."""
    layout = match_headings(extract.headings, contract, context, is_marked=extract.is_marked)
    if extract.headings_are_fixed or extract.joined_columns:
        joined = {layout.columns[i] for i in extract.joined_columns}
        needless = "F10" if extract.headings_are_fixed else ""
        findings = [f for f in layout.findings if f.rule_id != needless and f.column not in joined]
        layout = replace(layout, findings=findings)
    missing = [f.field for f in layout.findings if f.rule_id == "F09"]
    at_fault = [f for f in extract.findings if f.severity is Severity.FILE or (missing and f.rule_id == "F32")]
    if at_fault:
        extract = replace(extract, findings=[f for f in extract.findings if f not in at_fault])
        # under a complete heading, longer lines may be rows whose cells have moved: the whole file shows it
        may_have_moved = not missing and all(f.rule_id == "F43" for f in at_fault)
        if may_have_moved and not context.known.heading_is_at_fault:
            return extract, replace(layout, is_too_short=True)
        return extract, layout_of_nothing(layout, contract, heading_line_findings(at_fault, missing, layout, contract))
    if extract.headings_are_fixed or all(f.rule_id not in ("F09", "F11") for f in layout.findings):
        return extract, layout
    if other := other_dataset(extract.headings, contract, context):
        return extract, layout_of_other(layout, contract, other)
    first = next(extract.batches, None)
    if first is None:
        return extract, layout
    return replace(extract, batches=chain([first], extract.batches)), link_renamed(layout, first, contract)


def _wrong_sender(delivery: Delivery, context: DeliveryContext) -> str:
    """The rule that refuses a dataset its sender does not send: T09 for trial data, else L02; '' where none does."""
    if context.need != "none":
        return ""
    return "T09" if delivery.dataset == "randomisation" else "L02"


def _validate_rows(
    extract: Extract, layout: Layout, contract: Contract, context: DeliveryContext, delivery: Delivery, out: ResultSink
) -> tuple[Verdict, FileKnowledge]:
    """Validate the rows of a file batch by batch, then the file as a whole. Returns as `_validate_with`."""
    file = WholeFile(contract, layout, extract.sheet)
    corrector = Corrector(layout, contract, context, extract.sheet)
    other_sheets = _other_sheets(extract, contract, context)
    out.add_findings(other_sheets)
    file.refused = not other_sheets.is_empty()
    file.personal = other_sheets["rule_id"].is_in(PERSONAL_DATA_RULE_IDS).any()

    def validate_batch(sent: TextBatch, corrections: pl.DataFrame) -> tuple[TypedBatch, pl.DataFrame]:
        typed = conform(sent, layout, contract, context, extract.sheet)
        if layout.reads_nothing:  # what refuses the file is all that is said of it, but for personal data
            return typed, _of_personal_data(typed.findings)
        withhold_misplaced(typed, context.known)
        violations = validate_rows(typed, layout, contract, context, extract.sheet)
        repair_rows(typed, violations, contract, context)
        violations = grouped_findings(typed, violations, layout, contract, context, extract.sheet)
        findings = pl.concat([corrections, typed.findings, violations])
        if len(typed.unfilled):
            findings = without_repeated_placeholders(findings)
        return typed, _only_personal(findings)

    # batches are read ahead in one thread and validated in several, and come back in the order of the file
    for typed, findings in parallel_map(validate_batch, prefetch(map(corrector.correct, extract.batches))):
        at_fault = findings.filter(pl.col("severity") == Severity.ROW)["source_row"].unique()
        held = typed.rows["source_row"].is_in(at_fault.implode())
        out.accept(typed.rows.filter(~held))
        out.hold(in_agreed_form(typed.rows.filter(held), contract, context.data_cut_date))
        out.add_findings(file.add(typed, findings))
    out.add_findings(file.rows_left_out())
    row = "line" if extract.line_shifts() else "row"  # where the two differ, texts name the one that is known
    repeats = _resolve_repeats(file, layout, extract.sheet, row, out)
    line = extract.sign_off_lines().get(contract.dataset) if contract.control_total else None
    signed, about_sign_off = sign_off_on_sheet(line, delivery)
    out.add_findings(findings_frame(about_sign_off, SIGN_OFF))
    about_file = [*findings_about_misplaced(context.known, layout, row), *file.findings(delivery, context, signed)]
    box, has_rows = read_nil_box(extract.nil_boxes().get(contract.dataset)), file.rows + file.malformed > 0
    about_file = with_nil_box(about_file, box, has_rows=has_rows)
    is_nil_return = delivery.nil_return or box is NilBox.TICKED
    on_examples = filled_in_on_examples(
        extract.rows_on_examples(), contract, has_rows=file.rows > 0, is_nil_return=is_nil_return
    )
    out.add_findings(findings_frame(on_examples, EXAMPLES))
    if on_examples:  # in place of 'no rows'
        about_file = [f for f in about_file if f.rule_id != "F01"]
    if file.month_is_wrong:  # one finding says so in place of one for every date that is measured by the month
        out.remove_findings(file.cut_off_rules, file.n_cut_off_faults)
    out.add_findings(findings_frame([*extract.row_findings(), *about_file, *corrector.not_applied()], extract.sheet))
    confirmed, not_taken = confirmed_in(extract.confirm_lines, delivery)
    out.add_findings(findings_frame(not_taken, CONFIRM))
    refused = layout.refused or file.refused or any(f.severity == Severity.FILE for f in [*about_file, *on_examples])
    is_personal = file.personal or layout.may_be_personal
    if refused:
        out.refuse(keep_rows=not is_personal)
    read = file.rows + file.malformed + file.not_data
    accepted = 0 if refused else out.counts[ACCEPTED]
    counts = Counts(read, accepted, read - accepted - repeats - file.not_data, repeats, file.not_data)
    if not refused and counts.held != out.counts[HELD] + file.malformed:
        raise RowsLost(f"{delivery.delivery_id}: rows were lost or gained: {counts}, {out.counts}")
    result = Result.REFUSED if refused else Result.ACCEPTED.with_held(counts.held)
    newest, lately = file.month.reach(delivery.data_cut_date)
    verdict = Verdict(
        result,
        counts,
        encoding=extract.encoding,
        sheet=extract.sheet,
        header_row=extract.header_row,
        columns=layout.columns,
        contract_version=contract_version(contract),
        rows_judged=not layout.reads_nothing,
        holds_personal_data=file.personal or layout.may_be_personal,
        newest_event=newest,
        events_lately=0 if file.month_is_wrong else lately,
        content="" if is_personal else file.content,
        line_shifts=extract.line_shifts(),
        confirmed=confirmed,
        sign_off=combined_sign_off(declared_sign_off(delivery), signed),
    )
    return verdict, FileKnowledge() if is_personal or context.known else file.knowledge(context)


def _other_sheets(extract: Extract, contract: Contract, context: DeliveryContext) -> pl.DataFrame:
    """Findings that refuse the file for its other sheets: personal data, or a sheet that cannot be searched for it."""
    try:
        return personal_on_other_sheets(extract.other_sheets, contract, context)
    except UnreadableFile as unreadable:
        finding = Finding(unreadable.rule_id, Severity.FILE, found=unreadable.found or None)
        return findings_frame([finding], extract.sheet)


def _of_personal_data(findings: pl.DataFrame) -> pl.DataFrame:
    return findings.filter(pl.col("rule_id").is_in(PERSONAL_DATA_RULE_IDS))


def _only_personal(findings: pl.DataFrame) -> pl.DataFrame:
    """Leave out other findings of cells that hold personal data: they would show what is in the cell."""
    personal = pl.col("rule_id").is_in(PERSONAL_DATA_RULE_IDS)
    if findings.is_empty():
        return findings
    cell = ["source_row", "column_letter"]
    others = findings.filter(~personal).join(findings.filter(personal), on=cell, how="anti")
    return pl.concat([findings.filter(personal), others])


def _resolve_repeats(file: WholeFile, layout: Layout, sheet: str, row: str, out: ResultSink) -> int:
    """Hold rows that share a key but differ, and drop exact copies (rule P04). Returns the number of copies."""
    copies, conflicting = file.repeated_keys()
    if copies.is_empty() and conflicting.is_empty():
        return 0
    field = file.contract.key[0]
    for severity, rows in ((Severity.WARNING, copies), (Severity.ROW, conflicting)):
        found = rows.with_columns(pl.format(f"the same reference as in {row} {{}}", "other").alias("found"))
        out.add_findings(findings_of_rows(found, Finding("P04", severity, None, field, layout.column_of(field)), sheet))
    out.move(to_held=file.add_held(conflicting["source_row"]), dropped=copies["source_row"])
    return len(copies)
