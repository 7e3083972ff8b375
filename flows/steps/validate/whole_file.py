"""Rules that need the whole file: shares of bad rows, repeated keys, day-month order, the manifest's totals, its month,
and the version of its form.

They work from counts, digests of keys and sums that are gathered batch by batch. No row is kept, so memory stays small.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import polars as pl

from flows.cells.date_orders import DateEvidence, DateReading, infer_date_readings
from flows.cells.reading.column_forms import USUAL_FORM, ColumnForm, FormEvidence, infer_form
from flows.deliveries.conformed import Layout, TypedBatch
from flows.deliveries.context import DeliveryContext, FileKnowledge
from flows.deliveries.findings import NO_FINDINGS, Finding
from flows.runtime.wording import counted
from flows.steps.validate.keys import Keys
from flows.steps.validate.misplaced import MisplacedEvidence
from flows.steps.validate.month import MIN_ROWS_AT_FAULT, MonthShown
from schemas._contract.model import CONSENT_RULE, Contract, Rule, Severity
from schemas._contract.workbook_names import SIGN_OFF
from schemas._rules.files import BLANK_ROWS_LISTED, FORM_VERSIONS
from schemas._rules.months import OUTSIDE_PERIOD_RULE
from schemas._rules.privacy import PERSONAL_DATA_RULE_IDS
from schemas.audit.deliveries import NOT_SIGNED_OFF, Delivery, SignOff

_LEFT_OUT = {  # rules about rows without data
    "F05": "repeated headings",
    "F06": "total rows",
    "F07": "blank rows",
    "F38": "lines of dashes",
    "F39": "rows with cells such as '< Select >'",
}
_VERSION_NUMBER = re.compile(r"[vV]?\d{1,4}(\.\d{1,4}){0,2}")


class WholeFile:
    """Gathers what the rules about a whole file need: `add` each batch, then ask for `findings`."""

    def __init__(self, contract: Contract, layout: Layout, sheet: str) -> None:
        self.contract, self.layout, self.sheet = contract, layout, sheet
        self.rows = self.malformed = self.not_data = 0
        self.personal = self.refused = False
        self.total = Decimal(0)
        self._rules: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._by_field: Counter[tuple[str, str]] = Counter()
        self._dates: dict[str, DateEvidence] = {}
        self._misplaced = MisplacedEvidence(contract, layout)
        self._forms: dict[str, FormEvidence] = {}
        self.month = MonthShown(contract, layout)
        self.month_is_wrong = False  # set by `findings`
        self._form_versions: set[str] = set()
        self._keys = Keys(contract)
        self._at_fault: list[pl.Series] = [NO_FINDINGS["source_row"]]
        self._faults_by_cut_off: list[pl.Series] = []  # rows at fault if the month in the name is right
        self.cut_off_rules = sorted(
            {"C06", OUTSIDE_PERIOD_RULE, *(r.rule_id for r in contract.row_rules if _reads_cut_off(r))}
        )
        self._without_consent = 0  # rows held for that alone: many withdrawals of consent must not refuse a file
        self._found_before: set[tuple[object, ...]] = set()  # findings about the whole file
        self._rows_left_out = [NO_FINDINGS]

    def add_held(self, source_rows: pl.Series) -> pl.Series:
        """Count rows that only the whole file shows to be at fault. Returns those that no other rule holds."""
        before = pl.concat([*self._at_fault, *self._faults_by_cut_off]).implode()
        self._at_fault.append(source_rows)
        return source_rows.filter(~source_rows.is_in(before))

    def add(self, typed: TypedBatch, findings: pl.DataFrame) -> pl.DataFrame:
        """Add a batch. Returns the findings to store now; those about rows without data come from `rows_left_out`."""
        self.rows += len(typed.rows)
        self.malformed += len(typed.malformed)
        self.not_data += typed.not_data
        for name, seen in typed.dates.items():
            self._dates.setdefault(name, DateEvidence()).add(seen)
        for name, form in typed.forms.items():
            self._forms.setdefault(name, FormEvidence()).add(form)
        self._form_versions |= typed.form_versions
        if self.layout.unread.isdisjoint(self.contract.key):
            self._keys.add(typed)  # without a key column no row has a key, and the heading's finding says so
        if self.contract.control_total:
            self.total += Decimal(typed.rows[self.contract.control_total].sum() or 0)
        self.month.add(typed)
        self._misplaced.add(typed, findings)
        return findings if findings.is_empty() else self._add_findings(findings)

    def _add_findings(self, findings: pl.DataFrame) -> pl.DataFrame:
        refused = findings.filter(pl.col("severity") == Severity.FILE)
        self.personal |= refused["rule_id"].is_in(PERSONAL_DATA_RULE_IDS).any()
        self.refused |= not refused.is_empty()
        row_faults = findings.filter(pl.col("severity") == Severity.ROW)
        by_cut_off = pl.col("rule_id").is_in(self.cut_off_rules)
        self._at_fault.append(row_faults.filter(~by_cut_off)["source_row"].unique())
        self._faults_by_cut_off.append(row_faults.filter(by_cut_off)["source_row"].unique())
        consent_alone = row_faults.group_by("source_row").agg((pl.col("rule_id") == CONSENT_RULE).all())
        self._without_consent += int(consent_alone["rule_id"].sum())
        for rule, field, n in row_faults.group_by("rule_id", "field").len().iter_rows():
            self._rules[rule] += n
            self._by_field[rule, field] += n
        self._rules[OUTSIDE_PERIOD_RULE] += findings.filter(pl.col("rule_id") == OUTSIDE_PERIOD_RULE).height
        left_out = pl.col("rule_id").is_in(list(_LEFT_OUT)) & (pl.col("severity") == Severity.WARNING)
        self._left_out.update(findings.filter(left_out)["rule_id"].to_list())
        self._rows_left_out.append(findings.filter(left_out & ~pl.col("rule_id").is_in(self._too_many())))
        return self._without_repeats(findings.filter(~left_out))

    def rows_left_out(self) -> pl.DataFrame:
        """The findings about rows without data. Where one rule has very many, `findings` has their number instead."""
        return pl.concat(self._rows_left_out).filter(~pl.col("rule_id").is_in(self._too_many()))

    @property
    def content(self) -> str:
        """A digest of the rows, which is the same for two files with the same rows (rule F54)."""
        return self._keys.content

    def _too_many(self) -> list[str]:
        """The rules by which more rows were left out than are reported one by one."""
        return [rule for rule in _LEFT_OUT if self._left_out[rule] > BLANK_ROWS_LISTED]

    def _without_repeats(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Leave out findings about the whole file that an earlier batch gave already."""
        about_file = findings.filter(pl.col("source_row").is_null())
        new = [r for r in about_file.rows() if r not in self._found_before]
        self._found_before |= set(new)
        new_frame = pl.DataFrame(new, schema=findings.schema, orient="row")
        return pl.concat([findings.filter(pl.col("source_row").is_not_null()), new_frame])

    def repeated_keys(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows that are exact copies of an earlier sound row, and rows that share a key but differ.

        Both with columns `source_row` and `other`, the first other row with the same key. Where rows of a key differ,
        all of them are in the second, copies included: which of them is right is not known.
        """
        shared = self._keys.shared()
        if shared.is_empty():
            return (pl.DataFrame(schema={"source_row": pl.Int64, "other": pl.Int64}),) * 2
        first = pl.struct("key", "key2", "row").is_first_distinct()
        conflicting = shared.filter(first).filter(pl.struct("key", "key2").is_duplicated())
        copies = shared.filter(~first).join(conflicting, on=["key", "key2"], how="anti")
        conflicting = shared.join(conflicting, on=["key", "key2"], how="semi")
        at_fault = pl.concat([*self._at_fault, *self._faults_by_cut_off]).unique().implode()
        others = shared.group_by("key", "key2").agg(pl.col("source_row").head(2).alias("first_two"))
        pair = pl.col("first_two").list
        other = pl.when(pl.col("source_row") == pair.get(0)).then(pair.get(1)).otherwise(pair.get(0)).alias("other")
        copies, conflicting = (
            rows.join(others, on=["key", "key2"], maintain_order="left").select("source_row", other)
            for rows in (copies.filter(~pl.col("source_row").is_in(at_fault)), conflicting)
        )
        return copies, conflicting

    def knowledge(self, context: DeliveryContext) -> FileKnowledge:
        """What only the whole file shows about how to read it: misplaced values, the order of its dates, and forms."""
        misplaced = self._misplaced.decide(self.rows)
        dates = ((name, how) for name, how in self.dates(context).items() if name not in misplaced.unread)
        forms = ((name, form) for name, form in self.forms().items() if name not in misplaced.unread)
        known = replace(misplaced, dates=tuple(dates), forms=tuple(forms))
        have_moved = any(cells.rule_id == "F52" for cells in known.misplaced)
        return FileKnowledge(heading_is_at_fault=True) if self.layout.is_too_short and not have_moved else known

    def dates(self, context: DeliveryContext) -> dict[str, DateReading]:
        """How to read the date columns whose day-month order only the whole file shows, by field name."""
        planned = {f.name for f in self.contract.fields if f.may_be_future}
        agreed = {name: context.agreed_order(name) for name in self._dates}
        many = (self.rows + self.malformed) * self.contract.bad_share_limit
        return infer_date_readings(self._dates, agreed, context.data_cut_date, planned, many)

    def forms(self) -> dict[str, ColumnForm]:
        """The forms of those columns that are not written as agreed, by field name, where only the file shows it."""
        many = (self.rows + self.malformed) * self.contract.bad_share_limit
        forms = {name: infer_form(evidence, many) for name, evidence in self._forms.items()}
        return {name: form for name, form in forms.items() if form != USUAL_FORM}

    def findings(
        self, delivery: Delivery, context: DeliveryContext, on_sheet: SignOff = NOT_SIGNED_OFF
    ) -> list[Finding]:
        """The findings about the file as a whole. Sets `month_is_wrong`. Source: docs/domain.md 6.0 and 7.

        `on_sheet` is the sign-off on our own sheet of the workbook.
        """
        contradiction = self.month.contradicts(delivery, context)
        self.month_is_wrong = contradiction is not None
        doubt = contradiction or self.month.doubt(delivery, context)
        found: list[Finding] = [doubt] if doubt else []
        rows = self.rows + self.malformed
        found += [
            Finding(rule, Severity.WARNING, found=f"{self._left_out[rule]} {_LEFT_OUT[rule]}")
            for rule in self._too_many()
        ]
        if rows == 0 and not delivery.nil_return:
            found.append(Finding("F01", Severity.FILE))
        # malformed lines, spreadsheet errors and formulas without results refuse the file if over 1% of rows have one
        least = max(MIN_ROWS_AT_FAULT, rows / 100 + 1e-9)
        many = [rule for rule in ("F13", "C10", "F37") if self._rules[rule] >= least]
        in_cells = f"in a file of {counted(rows, 'row')}"  # a row may have several such cells
        found += [
            Finding(r, Severity.FILE, found=f"{n} of {rows} rows" if r == "F13" else f"{counted(n, 'cell')} {in_cells}")
            for r, n in ((r, self._rules[r]) for r in many)
        ]
        # a column with many suppressed figures: they were suppressed before sending, and the real ones are needed
        suppressed = {f: n for (rule, f), n in self._by_field.items() if rule == "C07" and n >= MIN_ROWS_AT_FAULT}
        found += [self._of_column("C07", field, f"{n} rows") for field, n in suppressed.items()]
        found += self._births(rows)
        found += [self._of_column("C02", field) for field, how in sorted(context.known.dates) if how.is_mixed]
        found += [*self._disagreements(rows, delivery, context, on_sheet), *self._other_forms()]
        # where the month in the name is wrong, rows at fault by that month do not count as bad
        rows_at_fault = [*self._at_fault, *(self._faults_by_cut_off if not self.month_is_wrong else [])]
        at_fault = pl.concat(rows_at_fault).n_unique() - self._without_consent if rows_at_fault else 0
        explained = self._rules["F37"] if "F37" in many else 0  # that finding refuses the file, and says why
        if self.contract.exceeds_bad_share(at_fault - explained, rows):
            found.append(Finding("L01", Severity.FILE, found=f"{at_fault} of {rows} rows"))
        if all(f.severity != Severity.FILE for f in found):  # a question about a file that is refused can wait
            found += self._misplaced.same_columns(context.known)
        return found

    @property
    def n_cut_off_faults(self) -> int:
        """The number of findings that a wrong month in the name explains: of the rules in `cut_off_rules`."""
        return sum(self._rules[rule_id] for rule_id in self.cut_off_rules)

    def _of_column(
        self, rule_id: str, field: str, found: str | None = None, severity: Severity = Severity.FILE
    ) -> Finding:
        return Finding(rule_id, severity, field=field, column=self.layout.column_of(field), found=found)

    def _births(self, rows: int) -> list[Finding]:
        """A finding for each column with so many dates of long ago that they are likely dates of birth (rule P03)."""
        long_ago = {f: n for (rule, f), n in self._by_field.items() if rule == "P03"}
        births = [f for f, n in long_ago.items() if n >= MIN_ROWS_AT_FAULT and n > rows / 100]
        self.personal |= bool(births)
        return [self._of_column("P03", field, f"{long_ago[field]} rows") for field in births]

    def _other_forms(self) -> list[Finding]:
        """A finding where rows state several versions of the form, or one that we do not know (rule F24)."""
        if not self._form_versions or (len(self._form_versions) == 1 and self._form_versions <= FORM_VERSIONS):
            return []
        # a text that is not a version number may hold anything, and is not repeated
        found = sorted(
            {v if _VERSION_NUMBER.fullmatch(v) else "a text that is not a number" for v in self._form_versions}
        )
        column = None if self.layout.version_column is None else self.layout.columns[self.layout.version_column]
        return [Finding("F24", Severity.FILE, column=column, found=", ".join(found))]

    def _disagreements(
        self, rows: int, delivery: Delivery, context: DeliveryContext, on_sheet: SignOff
    ) -> list[Finding]:
        """A finding with everything that the manifest or the sign-off states differently from the file (rule F16)."""
        found = ["rows found in a nil return"] if delivery.nil_return and rows else []
        if delivery.sha256_declared and delivery.sha256_declared != delivery.sha256:
            found.append("the checksum differs")
        if delivery.rows_declared is not None and delivery.rows_declared != rows:
            found.append(f"{rows} rows found, {delivery.rows_declared} stated")
        has_total = self.contract.control_total not in self.layout.unread | context.known.unread
        totals = {"": delivery.gbp_declared, f" on the sheet '{SIGN_OFF}'": on_sheet.gbp_total}
        found += [
            f"GBP {self.total} found, GBP {Decimal(stated)} stated{where}"
            for where, stated in totals.items()
            if has_total and stated and Decimal(stated) != self.total
        ]
        return [Finding("F16", Severity.FILE, found="; ".join(found))] if found else []


def _reads_cut_off(rule: Rule) -> bool:
    """Whether a rule compares a date with the extract's cut-off."""
    return (
        rule.severity is Severity.ROW and rule.check is not None and "data_cut_date" in rule.check().meta.root_names()
    )
