"""The judgement of one delivery: read, conform and judge in one stream, then the rules about the whole file.

The result is a pure function of the file's bytes, its contract, its context and this code: its key says so. Batches
stream through, so a file may be larger than memory.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from flows.faults import told
from flows.steps.conform import BLANK_ROWS_LISTED, conform, known_headings, lay_out
from flows.steps.judge import judge
from flows.steps.read import read
from flows.store.judgements import ACCEPTED, HELD, Judgements, JudgementWriter
from flows.store.places import Places
from flows.store.raw import FileStat, fingerprint
from flows.versions import library_versions, source_digest
from schemas.audit.deliveries import Counts, Delivery, Result, Verdict
from schemas.catalogue import datasets
from schemas.codes import fold
from schemas.contract import Contract, Severity
from schemas.derive import contract_version, polars_type
from schemas.personal_data import PERSONAL_RULES
from schemas.registry import profile, returns_for
from schemas.shapes import Context, Extract, Finding, Layout, TypedBatch, Unreadable, findings_frame

LEAST_ROWS_AT_FAULT = 10  # DOMAIN.md amendment 6
LEAST_ROWS_FOR_BAD_SHARE = 20
_CODE = (
    *(
        f"schemas/{m}.py"
        for m in ("cell_rules", "cells", "contract", "derive", "file_rules", "personal_data", "shapes")
    ),
    "schemas/codes/__init__.py",
    "schemas/audit/deliveries.py",
    "schemas/audit/findings.py",
    "flows/judgement.py",
    "flows/steps/read/*.py",
    "flows/steps/conform.py",
    "flows/steps/judge.py",
    "flows/store/judgements.py",
)
_LIBRARIES = ("pandera", "polars", "pyarrow", "python-calamine")


CHANGED = "changed while it was read: the next night takes it as it then is"


class RowsLost(Exception):  # noqa: N818 - it says what happened
    """Judging lost or gained a row: a fault of ours, and no judgement."""


def context_of(delivery: Delivery) -> Context:
    """What is known of a delivery besides its bytes."""
    own = profile(delivery.site_code)
    return Context(
        site_code=delivery.site_code,
        programme_code=delivery.programme_code,
        data_cut_date=delivery.data_cut_date,
        need=returns_for(delivery.site_code).get(delivery.dataset, "none"),
        date_order=own.date_order,
        headings=tuple(sorted((fold(h), f) for h, f in own.headings.get(delivery.dataset, {}).items())),
    )


def judgement_key(delivery: Delivery, contract: Contract) -> str:
    """The address of a delivery's judgement: it changes exactly when the judgement might."""
    declared = (delivery.rows_declared, delivery.gbp_declared, delivery.sha256_declared, delivery.nil_return)
    parts = (delivery.sha256, delivery.path.rsplit(".", 1)[-1], delivery.sheet, declared, context_of(delivery))
    said = repr((parts, contract_version(contract), source_digest(_CODE), library_versions(_LIBRARIES)))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def row_types(contract: Contract) -> dict[str, pl.DataType]:
    """The columns of a judged row."""
    return {"source_row": pl.Int64(), **{f.name: polars_type(f) for f in contract.fields}}


@dataclass(frozen=True)
class Judgement:
    """What came of judging a delivery, and where in the store it lies. Without a result, `problem` says why."""

    delivery_id: str
    result: Result | None
    key: str
    problem: str = ""


def judge_delivery(delivery: Delivery, places: Places, judgements: Judgements) -> Judgement:
    """Judge a delivery from data/raw into the store.

    A file that is not the one received is left to the next night. A fault of ours costs this delivery alone: its last
    judgement stands. Raises OSError where a disk is away.
    """
    contract = datasets()[delivery.dataset]
    key, path = judgement_key(delivery, contract), places.raw / delivery.path
    before = FileStat.of(path)
    if fingerprint(path) != delivery.sha256:
        return Judgement(delivery.delivery_id, None, key, CHANGED)
    try:
        with judgements.open(key, row_types(contract)) as out:
            verdict = judge_file(path, delivery, contract, out)
            if FileStat.of(path) != before:
                return Judgement(delivery.delivery_id, None, key, CHANGED)
            out.finish(verdict)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - one file never stops the others
        return Judgement(delivery.delivery_id, None, key, f"could not be judged, by a fault of ours: {told(error)}")
    return Judgement(delivery.delivery_id, verdict.result, key)


def judge_file(path: Path, delivery: Delivery, contract: Contract, out: JudgementWriter) -> Verdict:
    """Judge one file, writing its rows and findings to `out`. Bad data never raises: the verdict is about it."""
    context = context_of(delivery)
    version = contract_version(contract)
    wrong_sender = _wrong_sender(delivery, context)
    try:
        if wrong_sender:
            raise Unreadable(wrong_sender)
        extract = read(path, known_headings(contract, context), delivery.sheet)
    except Unreadable as stopped:
        nothing_due = stopped.rule_id == "F01" and delivery.nil_return
        said = [] if nothing_due else [Finding(stopped.rule_id, Severity.FILE, found=stopped.found or None)]
        out.find(findings_frame(said, delivery.sheet))
        result = Result.ACCEPTED if nothing_due else Result.REFUSED if wrong_sender else Result.UNREADABLE
        verdict = Verdict(result, Counts(), contract_version=version, rows_judged=False)
    else:
        layout = lay_out(extract.headings, contract, context)
        out.find(findings_frame([*extract.findings, *layout.findings], extract.sheet))
        verdict = _judge_rows(extract, layout, contract, context, delivery, out)
    return verdict


def _wrong_sender(delivery: Delivery, context: Context) -> str:
    if context.need != "none":
        return ""
    return "T09" if delivery.dataset == "randomisation" else "F24"


def _judge_rows(
    extract: Extract, layout: Layout, contract: Contract, context: Context, delivery: Delivery, out: JudgementWriter
) -> Verdict:
    file = _WholeFile(contract, layout, extract.sheet)
    for text in extract.batches:
        if layout.refused:  # the heading is wrong: the rows are counted, and searched for nothing else
            file.count_unjudged(len(text.rows) + len(text.torn))
            continue
        typed = conform(text, layout, contract, context, extract.sheet)
        findings = _only_personal(pl.concat([typed.findings, judge(typed, layout, contract, context, extract.sheet)]))
        at_fault = findings.filter(pl.col("severity") == Severity.ROW)["source_row"].unique()
        held = typed.rows["source_row"].is_in(at_fault.implode())
        out.accept(typed.rows.filter(~held))
        out.hold(typed.rows.filter(held))
        out.find(file.add(typed, findings))
    repeats = _settle_repeats(file, layout, extract.sheet, out)
    refusals = [] if layout.refused else file.refusals(delivery)
    out.find(findings_frame(refusals, extract.sheet))
    refused = layout.refused or file.refused or any(f.severity == Severity.FILE for f in refusals)
    if refused:
        out.refuse(keep_rows=not file.personal)
    read = file.rows + file.torn + file.not_data
    accepted = 0 if refused else out.counts[ACCEPTED]
    counts = Counts(read, accepted, read - accepted - repeats - file.not_data, repeats, file.not_data)
    if not refused and counts.held != out.counts[HELD] + file.torn:
        raise RowsLost(f"{delivery.delivery_id}: rows were lost or gained: {counts}, {out.counts}")
    result = Result.REFUSED if refused else Result.HELD_ROWS if counts.held else Result.ACCEPTED
    return Verdict(
        result,
        counts,
        encoding=extract.encoding,
        sheet=extract.sheet,
        header_row=extract.header_row,
        columns=layout.columns,
        contract_version=contract_version(contract),
        rows_judged=not layout.refused,
        holds_personal_data=file.personal,
    )


def _only_personal(findings: pl.DataFrame) -> pl.DataFrame:
    """A cell that holds personal data is told as that alone: another finding would show what stands there."""
    personal = pl.col("rule_id").is_in(PERSONAL_RULES)
    cell = ["source_row", "column_letter"]
    others = findings.filter(~personal).join(findings.filter(personal), on=cell, how="anti")
    return pl.concat([findings.filter(personal), others])


def _settle_repeats(file: _WholeFile, layout: Layout, sheet: str, out: JudgementWriter) -> int:
    """Hold rows whose key is on several different rows; leave out exact copies (rule P04). Gives the copies' number."""
    copies, conflicting = file.repeated_keys()
    if copies.is_empty() and conflicting.is_empty():
        return 0
    field = file.contract.key[0]
    column = layout.column_of(field)
    out.find(
        findings_frame(
            [Finding("P04", Severity.WARNING, r, field, column, hidden=True) for r in copies]
            + [Finding("P04", Severity.ROW, r, field, column, hidden=True) for r in conflicting],
            sheet,
        )
    )
    out.move(to_held=conflicting, dropped=copies)
    file.count_held(conflicting)
    return len(copies)


class _WholeFile:
    """What must be remembered of a file to judge it as a whole: counts, keys, and sums; never its rows."""

    def __init__(self, contract: Contract, layout: Layout, sheet: str) -> None:
        self.contract, self.layout, self.sheet = contract, layout, sheet
        self.rows = self.torn = self.not_data = self.blank = 0
        self.personal = self.refused = False
        self.total = Decimal(0)
        self._rules: Counter[str] = Counter()
        self._by_field: Counter[tuple[str, str]] = Counter()
        self._orders: set[tuple[str, str]] = set()
        self._keys: list[pl.DataFrame] = []
        self._at_fault: list[pl.Series] = []
        self._said: set[tuple[object, ...]] = set()

    def count_unjudged(self, rows: int) -> None:
        """Count rows of a file that its heading already stopped."""
        self.rows += rows

    def count_held(self, source_rows: pl.Series) -> None:
        """Count rows that only the whole file shows to be at fault."""
        self._at_fault.append(source_rows)

    def add(self, typed: TypedBatch, findings: pl.DataFrame) -> pl.DataFrame:
        """Remember a batch. Gives the findings to keep: a long tail of blank rows is told once, by its number."""
        self.rows += len(typed.rows)
        self.torn += len(typed.torn)
        self.not_data += typed.not_data
        self._orders |= typed.date_orders
        self.personal |= findings["rule_id"].is_in(PERSONAL_RULES).any()
        self.refused |= (findings["severity"] == Severity.FILE).any()
        row_faults = findings.filter(pl.col("severity") == Severity.ROW)
        self._at_fault.append(row_faults["source_row"].unique())
        for rule, field, n in row_faults.group_by("rule_id", "field").len().iter_rows():
            self._rules[rule] += n
            self._by_field[rule, field] += n
        self._keys.append(_keys_of(typed, self.contract))
        if self.contract.control_total:
            self.total += Decimal(typed.rows[self.contract.control_total].sum() or 0)
        blank = findings["rule_id"] == "F07"
        self.blank += int(blank.sum())
        kept = findings if self.blank <= BLANK_ROWS_LISTED else findings.filter(~blank)
        return self._told_once(kept)

    def _told_once(self, findings: pl.DataFrame) -> pl.DataFrame:
        """The findings without those about the whole file that an earlier batch made already."""
        about_file = findings.filter(pl.col("source_row").is_null())
        new = [r for r in about_file.rows() if r not in self._said]
        self._said |= set(new)
        told = pl.DataFrame(new, schema=findings.schema, orient="row")
        return pl.concat([findings.filter(pl.col("source_row").is_not_null()), told])

    def repeated_keys(self) -> tuple[pl.Series, pl.Series]:
        """Source rows that are exact copies of an earlier good row, and rows that share a key but differ."""
        if not self._keys:
            return (pl.Series("source_row", [], dtype=pl.Int64),) * 2
        shared = pl.concat(self._keys).filter(pl.struct("key", "key2").is_duplicated()).sort("source_row")
        first = pl.struct("key", "key2", "row").is_first_distinct()
        conflicting = shared.filter(first).filter(pl.struct("key", "key2").is_duplicated())
        copies = shared.filter(~first).join(conflicting, on=["key", "key2"], how="anti")
        conflicting = shared.join(conflicting, on=["key", "key2"], how="semi")
        at_fault = pl.concat(self._at_fault).unique().implode()
        return copies.filter(~pl.col("source_row").is_in(at_fault))["source_row"], conflicting["source_row"]

    def refusals(self, delivery: Delivery) -> list[Finding]:
        """Why the file is refused whole, if it is (DOMAIN.md amendments 6, 7 and 11)."""
        found: list[Finding] = []
        rows = self.rows + self.torn
        if self.blank > BLANK_ROWS_LISTED:
            found.append(Finding("F07", Severity.WARNING, found=f"{self.blank} blank rows"))
        if rows == 0 and not delivery.nil_return:
            found.append(Finding("F01", Severity.FILE))
        many = [r for r in ("F13", "C10") if self._rules[r] >= LEAST_ROWS_AT_FAULT and self._rules[r] > rows / 100]
        found += [Finding(r, Severity.FILE, found=f"{self._rules[r]} of {rows} rows") for r in many]
        suppressed = {f: n for (rule, f), n in self._by_field.items() if rule == "C07" and n >= LEAST_ROWS_AT_FAULT}
        found += [self._of_column("C07", field, f"{n} rows") for field, n in suppressed.items()]
        mixed = {f for f, order in self._orders if (f, "dmy") in self._orders and order == "mdy"}
        found += [self._of_column("C02", field) for field in sorted(mixed)]
        found += self._disagreements(rows, delivery)
        at_fault = pl.concat(self._at_fault).n_unique() if self._at_fault else 0
        if at_fault >= LEAST_ROWS_FOR_BAD_SHARE and at_fault > rows * self.contract.bad_share_limit:
            found.append(Finding("L01", Severity.FILE, found=f"{at_fault} of {rows} rows"))
        return found

    def _of_column(self, rule_id: str, field: str, found: str | None = None) -> Finding:
        column = self.layout.column_of(field)
        return Finding(rule_id, Severity.FILE, field=field, column=column, found=found)

    def _disagreements(self, rows: int, delivery: Delivery) -> list[Finding]:
        """Where the manifest states something else than the file holds (rule F16)."""
        said = ["rows found in a nil return"] if delivery.nil_return and rows else []
        if delivery.sha256_declared and delivery.sha256_declared != delivery.sha256:
            said.append("the checksum differs")
        if delivery.rows_declared is not None and delivery.rows_declared != rows:
            said.append(f"{rows} rows found, {delivery.rows_declared} stated")
        if delivery.gbp_declared is not None and Decimal(delivery.gbp_declared) != self.total:
            said.append(f"GBP {self.total} found, GBP {Decimal(delivery.gbp_declared)} stated")
        return [Finding("F16", Severity.FILE, found="; ".join(said))] if said else []


def _keys_of(typed: TypedBatch, contract: Contract) -> pl.DataFrame:
    """Two independent 64-bit digests of each row's key and one of its whole text. Rows without a key are left out."""
    key = typed.rows.select(
        "source_row", pl.struct(contract.key).alias("k"), pl.col(contract.key[0]).is_null().alias("no")
    )
    text = typed.texts.select(pl.struct(pl.exclude("source_row")).hash(seed=3).alias("row"))
    return (
        pl.concat([key, text], how="horizontal")
        .filter(~pl.col("no"))
        .select("source_row", pl.col("k").hash(seed=1).alias("key"), pl.col("k").hash(seed=2).alias("key2"), "row")
    )
