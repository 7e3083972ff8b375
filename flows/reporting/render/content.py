"""Turn findings into a report: one item for each cause, in the order in which to fix them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

import polars as pl

from flows.cells.date_orders import MONTHS
from flows.deliveries.formats import Format, format_named
from flows.reporting.render.causes import RULES_OF_FORM, in_order, place, without_explained
from flows.reporting.render.spreadsheet_rows import spreadsheet_rows
from flows.reporting.report import Progress, Report, other_dataset
from flows.reporting.report_item import Change, Found, Item, Nearest, Ranges
from flows.reporting.words.items import ABOUT_HEADINGS, groups
from flows.reporting.words.sending import fix_of_other_dataset
from flows.runtime.wording import ranges
from flows.store.ledger.report_snapshots import ReportSnapshot, comparable
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import Code, fold
from schemas._contract.expected import LONGEST_LIST_IN_FULL, expected
from schemas._contract.model import Contract, Field, Kind, Severity
from schemas._contract.registry import sites
from schemas._rules.cells import MONTH_FIRST_RULE
from schemas._rules.deletions import DELETED_RULE
from schemas._rules.explain import explain, explain_columns, explain_headings, rule
from schemas._rules.files import WAITING_RULE
from schemas._rules.headings import RENAMED_RULE
from schemas._rules.misplaced import GROUPED_RULE
from schemas.audit.deliveries import Delivery, LineShift, Verdict
from schemas.audit.findings import Outcome

ITEM_KEY = ["rule_id", "severity", "sheet", "field", "column_letter", "column_name"]
MAX_VALUES = 50  # distinct values of one item; findings.csv has them all
MAX_CHANGES = 20  # suggested changes of one item that are all shown; of more, the first few are examples
MAX_CHANGES_MADE = 5  # likewise, of those that were made already
CHANGES_AS_EXAMPLES = 3
MAX_NEAREST = 5  # values of one item for which entries of a long list are proposed
MISSING_RULE, UNKNOWN_RULE = "F09", "F11"
LEAST_LIKENESS = 0.55  # of a value and an entry that is proposed for it


def delivery_report(  # parameters: a report is made from the store, the ledger and the run
    delivery: Delivery,
    verdict: Verdict,
    findings: pl.DataFrame,
    earlier: Sequence[ReportSnapshot] = (),
    last_findings: pl.DataFrame | None = None,
    deadline: datetime | None = None,
    run: dict[str, Any] | None = None,
    contract: Contract | None = None,
) -> Report:
    """Build the report on one delivery from its findings (columns of `audit.findings`).

    `earlier` holds the snapshots of the reports on the site's earlier files of this dataset, oldest first, and
    `last_findings` the findings of the last of them whose rows were validated. `deadline` is when the next return is
    due. `contract` is looked up by the delivery's dataset unless given.
    """
    contract = contract or datasets().get(delivery.dataset)
    broken = findings.filter(pl.col("outcome") == Outcome.BROKEN)
    site = sites().get(delivery.site_code)
    found = [_in_this_file(item, delivery, verdict) for item in _items(contract, broken, verdict)]
    items, explained = without_explained(found)
    report = Report(
        report_id="-".join(part for part in (delivery.delivery_id, verdict.contract_version) if part),
        site=delivery.site_code,
        site_name=site.name if site else delivery.site_code,
        dataset=delivery.dataset,
        dataset_title=contract.title if contract else delivery.dataset,
        period=delivery.period,
        version=delivery.version,
        file_name=delivery.file_name,
        sha256=delivery.sha256,
        sheet=verdict.sheet or delivery.sheet,
        encoding=verdict.encoding,
        received_at=delivery.received_at,
        contract_version=verdict.contract_version,
        result=verdict.result,
        rows=verdict.rows,
        rows_judged=verdict.rows_judged,
        items=items,
        explained=explained,
        not_validated=_items(contract, findings.filter(pl.col("outcome") == Outcome.NOT_CHECKED), verdict),
        confirmed=findings.filter(pl.col("outcome") == Outcome.CONFIRMED).height,
        shares_its_file=bool(delivery.sheet),
        due=deadline,
        line_shifts=verdict.line_shifts,
        sign_off=verdict.sign_off,
        is_of_money=bool(contract and contract.control_total),
        run=run or {},
    )
    return with_history(report, findings, earlier, last_findings)


def with_history(
    report: Report, findings: pl.DataFrame, earlier: Sequence[ReportSnapshot], last_findings: pl.DataFrame | None
) -> Report:
    """The report, made from `findings`, with what `delivery_report` says of the site's earlier files."""
    previous = None
    # where the rows of this file were not validated, all faults of the last one would seem to be fixed
    if report.rows_judged and last_findings is not None and (validated := comparable(earlier)):
        contract, broken = datasets().get(report.dataset), findings.filter(pl.col("outcome") == Outcome.BROKEN)
        previous = _progress(contract, broken, report.items, last_findings, validated[-1])
    return replace(report, previous=previous, earlier=tuple(earlier))


def _items(contract: Contract | None, findings: pl.DataFrame, verdict: Verdict) -> tuple[Item, ...]:
    by_cause: dict[tuple[str, ...], list[pl.DataFrame]] = {}
    for group in findings.partition_by(ITEM_KEY, maintain_order=False):
        by_cause.setdefault(_cause(group.row(0, named=True)), []).append(group)
    items = [_item_of_cause(contract, groups, verdict) for groups in by_cause.values()]
    return tuple(sorted(_with_headings_together(items), key=in_order))


def _in_this_file(item: Item, delivery: Delivery, verdict: Verdict) -> Item:
    """The item with what it says of this file alone: which cells to fill down (F53), which dataset it is (F42), grants.

    Rows that are no data may lie within a group, whose cells are then not named.
    """
    if format_named(delivery.file_name) is Format.JSON:
        return _in_json(item)
    if other := other_dataset(item):
        return replace(item, fix=fix_of_other_dataset(delivery, datasets()[delivery.dataset], other))
    rows = item.rows if item.spreadsheet_rows is None else item.spreadsheet_rows
    if item.rule_id != GROUPED_RULE or not rows or verdict.rows.not_data or verdict.rows.repeats:
        return item
    return replace(item, fix=f"{item.fix} {groups(rows, item.column_letter)}")


def _in_json(item: Item) -> Item:
    """The item without the addresses of cells: a JSON file has grants and paths."""
    changes = tuple(replace(change, cell="") for change in item.changes)
    parts = tuple(map(_in_json, item.parts))
    return replace(item, in_json=True, heading_row=None, changes=changes, parts=parts)


def _cause(finding: Mapping[str, Any]) -> tuple[str, ...]:
    """What findings of one cause share: their column too, unless the rule is one of form."""
    is_of_form = finding["rule_id"] in RULES_OF_FORM and finding["column_letter"]
    return tuple(finding[name] or "" for name in (ITEM_KEY[:3] if is_of_form else ITEM_KEY))


def _with_headings_together(items: Sequence[Item]) -> list[Item]:
    """One item in place of several about columns that are missing or may be renamed, with unknown columns if any is."""
    renamed = sorted((part for i in items if i.rule_id == RENAMED_RULE for part in i.by_column), key=place)
    missing = sorted((i for i in items if i.rule_id == MISSING_RULE), key=place)
    if len(renamed) + len(missing) < 2:
        return list(items)
    is_left_out = [i for i in items if i.rule_id == UNKNOWN_RULE and i.severity is Severity.WARNING] if missing else []
    unknown = sorted((part for i in is_left_out for part in i.by_column), key=place)
    text = explain_headings(
        len(renamed), [(i.field, i.field_title) for i in missing], [part.column_letter for part in unknown]
    )
    together = Item(
        RENAMED_RULE if renamed else MISSING_RULE,
        Severity.FILE if missing or any(i.severity is Severity.FILE for i in renamed) else Severity.WARNING,
        text.title,
        text.expected,
        text.fix,
        sheet=(renamed or missing)[0].sheet,
        parts=(*renamed, *missing, *unknown),
    )
    return [together, *(i for i in items if i.rule_id != RENAMED_RULE and i not in (*missing, *is_left_out))]


def _item_of_cause(contract: Contract | None, groups: Sequence[pl.DataFrame], verdict: Verdict) -> Item:
    """The item for the findings of one cause, given by column."""
    if len(groups) == 1:
        return _item(contract, groups[0], verdict)
    parts = sorted((_item(contract, group, verdict) for group in groups), key=place)
    together = _item(contract, pl.concat(groups), verdict)
    if together.rule_id in ABOUT_HEADINGS:  # in the order of what is expected
        together = replace(together, found=tuple(dict.fromkeys(found for part in parts for found in part.found)))
    columns = [(part.field, part.column_letter) for part in parts]
    text = explain_columns(contract, together.rule_id, str(together.severity), columns, _row_of_headings(verdict))
    return replace(
        together,
        title=text.title,
        expected=text.expected,
        fix=text.fix,
        field="",
        field_title="",
        column="",
        column_letter="",
        nearest=(),
        parts=tuple(parts),
    )


def _row_of_headings(verdict: Verdict) -> int | None:
    """The row of the headings in a spreadsheet; None where it is not known."""
    row = spreadsheet_rows(pl.Series([verdict.header_row], dtype=pl.Int64), verdict.line_shifts)[0]
    return row or None


def _item(contract: Contract | None, group: pl.DataFrame, verdict: Verdict) -> Item:
    first, shifts = group.row(0, named=True), verdict.line_shifts
    rule_and_field = (contract, first["rule_id"], first["field"], first["severity"])
    text = explain(*rule_and_field, first["column_letter"] or "", _row_of_headings(verdict))
    rows, hidden = _rows(group), _rows(group.filter("hidden"))
    found = _found(group)
    field = contract.by_name.get(first["field"]) if contract else None
    changes = _changes(group, shifts)
    most = MAX_CHANGES_MADE if first["severity"] == Severity.WARNING else MAX_CHANGES
    most = most if len(changes) <= most else CHANGES_AS_EXAMPLES
    return Item(
        rule_id=first["rule_id"],
        severity=Severity(first["severity"]),
        title=text.title,
        expected=text.expected,
        fix=text.fix,
        field=first["field"],
        field_title=field.title if field else "",
        confirmable=first["severity"] == Severity.WARNING and _can_be_confirmed(contract, first),
        needs=_titles(rule(*rule_and_field).needs or _awaited_parents(contract, first["rule_id"])),
        column=first["column_name"] or first["field"],
        column_letter=first["column_letter"] or "",
        heading_row=_row_of_headings(verdict),
        sheet=first["sheet"],
        rows_affected=len(rows),
        rows=ranges(rows),
        spreadsheet_rows=_in_spreadsheet(rows, shifts),
        found=found[:MAX_VALUES],
        values_left_out=len(found[MAX_VALUES:]),
        hidden_rows=_in_spreadsheet(hidden, shifts) or ranges(hidden),
        changes=changes[:most],
        changes_left_out=len(changes[most:]),
        cells_suggested=group.filter(~pl.col("hidden") & pl.col("suggestion").is_not_null()).height,
        cells_as_suggested=group.filter(~pl.col("hidden") & (pl.col("suggestion") == pl.col("found"))).height,
        only_month_first=_only_month_first(group) if first["rule_id"] == MONTH_FIRST_RULE else 0,
        holds=_holds(field) if field and first["rule_id"] == RENAMED_RULE else "",
        nearest=_nearest(field, first["rule_id"], found),
    )


def _only_month_first(group: pl.DataFrame) -> int:
    """How many of the dates have a number over 12 in second place."""
    second = group["found"].str.extract(r"^\D*\d{1,2}\D(\d{1,2})\D").cast(pl.Int64, strict=False)
    return int((second > MONTHS).sum())


def _holds(field: Field) -> str:
    """What cells below the heading of a coded field hold; '' of any other."""
    return expected(field.replace(required=True)) if field.kind in (Kind.CODE, Kind.YES_NO) else ""


def _can_be_confirmed(contract: Contract | None, finding: Mapping[str, Any]) -> bool:
    return bool(contract and contract.confirmable_rule(finding["rule_id"], finding["field"]))


def _awaited_parents(contract: Contract | None, rule_id: str) -> tuple[str, ...]:
    """The parent datasets, where the finding is that the file waits for one of them (rule L04)."""
    return tuple(r.parent for r in contract.parent_rules) if contract and rule_id == WAITING_RULE else ()


def _titles(needed: tuple[str, ...]) -> tuple[str, ...]:
    known = datasets() if needed else {}
    return tuple(known[name].title.lower() if name in known else name for name in needed)


def _rows(group: pl.DataFrame) -> list[int]:
    rows = group["source_row"].drop_nulls()
    return [] if rows.is_empty() else rows.unique().sort().to_list()


def _in_spreadsheet(lines: list[int], shifts: Sequence[LineShift]) -> Ranges | None:
    """Ranges of the rows in a spreadsheet: None if their numbers are those of the lines, () if any is not known."""
    rows = spreadsheet_rows(pl.Series(lines, dtype=pl.Int64), shifts).to_list()
    return None if rows == lines else () if None in rows else ranges(rows)


def _found(group: pl.DataFrame) -> tuple[Found, ...]:
    """The values found, commonest first. A finding about a whole row or file has none."""
    # of a cell without a value it is worth saying that it was empty
    is_cell = pl.col("source_row").is_not_null() & pl.col("column_letter").is_not_null()
    cells = group.filter(pl.col("hidden") | pl.col("found").is_not_null() | is_cell)
    if cells.is_empty():
        return ()
    value = pl.when("hidden").then(None).otherwise(pl.col("found").fill_null("")).alias("value")
    # ties are broken by value, so that the same findings give the same report
    counts = cells.group_by(value).len("count").sort(["count", "value"], descending=[True, False])
    return tuple(Found(value, count) for value, count in counts.iter_rows())


def _changes(group: pl.DataFrame, shifts: Sequence[LineShift]) -> tuple[Change, ...]:
    """The values found with what is suggested instead, commonest first; hidden cells are left out."""
    changed = group.filter(~pl.col("hidden") & (pl.col("found") != pl.col("suggestion")))
    if changed.is_empty():
        return ()
    row = spreadsheet_rows(changed["source_row"], shifts).cast(pl.String).alias("row")
    pairs = (
        changed.with_columns(row)
        .group_by("found", "suggestion")
        .agg(pl.len().alias("count"), (pl.col("column_letter") + pl.col("row")).first().fill_null("").alias("cell"))
        .sort(["count", "found", "suggestion"], descending=[True, False, False])
    )
    return tuple(Change(f, to, n, cell if n == 1 else "") for f, to, n, cell in pairs.iter_rows())


def _nearest(field: Field | None, rule_id: str, found: Sequence[Found]) -> tuple[Nearest, ...]:
    """For values that are not on a long list, the entries most like them. Never worked out from a hidden value."""
    if field is None or not field.codes or rule_id not in (field.not_listed_rule, "V02"):
        return ()
    entries = field.code_list.entries
    if len(entries) <= LONGEST_LIST_IN_FULL:
        return ()
    values = [f.value for f in found if f.value][:MAX_NEAREST]
    near = ((value, _most_like(value, entries)) for value in values)
    return tuple(Nearest(value, found_entries) for value, found_entries in near if found_entries)


def _most_like(value: str, entries: Sequence[Code]) -> tuple[str, ...]:
    """The three entries whose code or label is most like a value, with their labels; those too unlike are left out."""
    wanted, shares = fold(value), {}
    for entry in entries:
        texts = (fold(text) for text in (entry.code, entry.label, *entry.aliases))
        shares[entry] = max(SequenceMatcher(None, wanted, text).ratio() for text in texts)
    best = sorted((e for e in entries if shares[e] >= LEAST_LIKENESS), key=lambda e: -shares[e])[:3]
    return tuple(e.code if e.code == e.label else f"{e.code} ({e.label})" for e in best)


def _progress(
    contract: Contract | None, now: pl.DataFrame, items: Sequence[Item], then: pl.DataFrame, last: ReportSnapshot
) -> Progress:
    """How many faults of the last file (`then`) are fixed, remain, and are new. Warnings do not count.

    Rules between tables skip a file that was replaced, so their findings on the last file are gone from the warehouse.
    For these rules the counts in the snapshot of its report are compared instead.
    """
    between = {r.rule_id for r in contract.cross_check_rules} if contract else set()
    apart = ~pl.col("rule_id").is_in(between)
    old, new, remaining = _paired(_faults(then.filter(apart)), _faults(now.filter(apart)))
    rows_then = Counter({i.key: i.rows for i in last.items if i.must_fix and i.rule_id in between})
    snapshots = [snapshot for item in items for snapshot in item.snapshots]
    rows_now = Counter({i.key: i.rows for i in snapshots if i.must_fix and i.rule_id in between})
    old, new = old + rows_then.total(), new + rows_now.total()
    remaining += (rows_then & rows_now).total()
    return Progress(last.report_id, fixed=old - remaining, remaining=remaining, new=new - remaining)


def _paired(old: pl.DataFrame, new: pl.DataFrame) -> tuple[int, int, int]:
    """How many faults there were, how many there are, and how many remain.

    A fault remains if rule, field and row are the same. Extracts also grow and are re-sorted, so the others are
    paired by rule, field and value; hidden values count as one value.
    """
    by_row, by_value = ["rule_id", "place", "source_row"], ["rule_id", "place", "found"]
    gone = old.join(new, on=by_row, how="anti", nulls_equal=True).group_by(by_value).len("old")
    come = new.join(old, on=by_row, how="anti", nulls_equal=True).group_by(by_value).len("new")
    pairs = gone.join(come, on=by_value, how="inner", nulls_equal=True)
    moved = pairs.select(pl.min_horizontal("old", "new")).sum().item()
    return old.height, new.height, old.height - int(gone["old"].sum()) + int(moved or 0)


def _faults(findings: pl.DataFrame) -> pl.DataFrame:
    """One row for each broken rule, field (or heading) and source row that must be fixed."""
    holding = (pl.col("outcome") == Outcome.BROKEN) & (pl.col("severity") != Severity.WARNING)
    must_fix = holding & (pl.col("rule_id") != DELETED_RULE)
    place = pl.when(pl.col("field") == "").then(pl.col("column_name").fill_null("")).otherwise("field").alias("place")
    found = pl.when("hidden").then(None).otherwise("found").alias("found")
    return (
        findings.filter(must_fix)
        .select("rule_id", place, "source_row", found)
        .sort("found", nulls_last=True)
        .unique(["rule_id", "place", "source_row"], keep="first", maintain_order=True)
    )
