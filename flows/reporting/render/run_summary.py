"""Render the run's summary for the duty engineer: the verdict in the first line, then what needs action."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from flows.reporting.render.causes import RULES_OF_FORM
from flows.runtime.summary_wording import personal_data_first, summary_in_words
from flows.runtime.wording import counted, day, deadline, listed, moment, month
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract, Severity
from schemas._contract.registry import OverdueReturn, sites
from schemas._rules.deletions import DELETED_RULE
from schemas._rules.explain import explain, explain_columns
from schemas.audit.deliveries import Delivery, ExtractType, Result, Verdict
from schemas.audit.findings import Outcome

RULES_SHOWN = 10
SITES_NAMED = 5
_RESULT = {
    Result.ACCEPTED: "accepted",
    Result.HELD_ROWS: "rows held back",
    Result.REFUSED: "refused",
    Result.UNREADABLE: "could not be read",
}
LAST_GOOD = "the figures of the last good night stand"
_RAW_FILES_MISSING = (
    "Their rows still count as last validated. No changed rule, code list or correction reaches them until the"
    " same files lie there again."
)


@dataclass(frozen=True)
class RunSummary:
    """Summary of one run, for the duty engineer.

    `result` is that of `audit.runs` (published, quiet or failed), or 'not reported' where new figures were promoted and
    reporting failed; `problem` says why. `findings` holds the counts of `count_findings`. `current` is the cut-off date
    of the current delivery of each (site_code, dataset).
    """

    result: str
    deliveries: Sequence[tuple[Delivery, Verdict]] = ()
    findings: pl.DataFrame | None = None
    current: Mapping[tuple[str, str], date] = field(default_factory=dict)
    overdue_returns: Sequence[OverdueReturn] = ()
    still_stopped: Sequence[Delivery] = ()  # refused, in this run or before, and not replaced since
    held_up: Sequence[Delivery] = ()  # of those: readable, but implausible beside the site's other deliveries
    replaced: Collection[str] = ()  # delivery_ids: a later file was accepted, so nobody has to act
    withdrawn: Mapping[str, str] = field(default_factory=dict)  # delivery_id -> notice of its withdrawal
    without_successor: Sequence[Delivery] = ()  # of those withdrawn: no file has come in their place since
    released: int = 0  # rows that were held back in an earlier run
    sudden_changes: Sequence[tuple[Delivery, str, str]] = ()  # delivery, rule_id and the value found
    not_reported: Sequence[str] = ()  # reports that could not be written, and why
    reports: Mapping[str, str] = field(default_factory=dict)  # delivery_id -> path of its page
    changes: Sequence[str] = ()  # what else changed, a line each
    not_taken_in: Sequence[str] = ()  # files under data/raw that are not a delivery, and why
    not_validated: Sequence[str] = ()  # deliveries that could not be checked, and why
    corrections_to_review: Sequence[str] = ()
    faulty_confirmations: Sequence[str] = ()
    missing_raw_files: Sequence[Delivery] = ()  # their rows count, but their files are gone
    files_to_purge: Sequence[str] = ()  # paths of files that were refused for personal data, in this run or before
    last_change: datetime | None = None  # when the current build was made
    money: str = ""  # path of the overview of money, if it was written
    problem: str = ""
    figures: str = LAST_GOOD  # which figures readers see after a failed run


def count_findings(delivery_id: str, findings: pl.DataFrame) -> pl.DataFrame:
    """Count findings: delivery_id, rule_id, severity, outcome, field, rows. The counts hold no value of any cell."""
    counts = findings.group_by("rule_id", "severity", "outcome", "field").len("rows")
    return counts.select(pl.lit(delivery_id).alias("delivery_id"), pl.all())


def render_run_summary(run: Mapping[str, Any], summary: RunSummary) -> str:
    """The summary of a run as markdown. Its first line is the verdict in one sentence."""
    return summary_in_words(verdict_of(summary), run, sections_of(summary))


def sections_of(summary: RunSummary) -> str:
    """The sections below the verdict, as markdown; what is empty is left out."""
    blocks = [
        _section("Personal data to delete", _bullets(_files_to_purge(summary))),
        _section("Reports that could not be written", _bullets(_not_reported(summary))),
        _section("Files that were not taken in", _bullets(summary.not_taken_in)),
        _section("Files that could not be checked", _bullets(summary.not_validated)),
        _section("What changed", _bullets(summary.changes)),
        _section("Files checked", _table_of_deliveries(summary)),
        _section("Refused, and why", _bullets(_refused(summary))),
        _section("Sudden changes", _bullets(_sudden_changes(summary))),
        _section("Withdrawn by the data team", _bullets(_withdrawn(summary))),
        _section("Corrections to look at", _bullets(summary.corrections_to_review)),
        _section("Confirmations to look at", _bullets(summary.faulty_confirmations)),
        _section("Raw files that are gone", _missing_raw_files(summary)),
        _section("Whose figures are old", _bullets(_old_figures(summary))),
        _section("Files that are late", _bullets(_overdue(summary))),
        _section("Rows held back, by rule", _held_by_rule(summary)),
        _section("Money", _bullets(_money(summary))),
    ]
    return "\n\n".join(b for b in blocks if b)


def verdict_of(summary: RunSummary) -> str:
    """The run in one line: files with personal data to delete, then how the run ended."""
    return " ".join(
        part for part in (personal_data_first(len(summary.files_to_purge)), _outcome_sentence(summary)) if part
    )


def _outcome_sentence(summary: RunSummary) -> str:
    # files held up have a part of their own, so they do not count as refused as well
    held_up = {d.delivery_id for d in summary.held_up}
    results = [v.result for d, v in _in_use(summary) if held_up.isdisjoint((d.delivery_id, d.same_as))]
    if summary.result == "quiet":
        since = f" since {moment(summary.last_change)}" if summary.last_change else ""
        return f"Nothing changed{since}: {'; '.join(['there was nothing new to check', *_other_counts(summary)])}."
    why = f": {summary.problem.rstrip('.')}" if summary.problem else ""
    if summary.result == "not reported":
        return f"Published, but not all was reported{why}. The new figures are out; the next run writes the reports."
    parts = [f"{counted(len(summary.deliveries), 'file')} checked"]
    if held := results.count(Result.HELD_ROWS):
        parts.append(f"{held} with rows held back")
    if refused := results.count(Result.REFUSED):
        parts.append(f"{refused} refused")
    if unread := results.count(Result.UNREADABLE):
        parts.append(f"{unread} could not be read")
    if replaced := len(_replaced(summary)):
        parts.append(f"{replaced} replaced by a later file")
    if withdrawn := len([d for d, _ in summary.deliveries if d.delivery_id in summary.withdrawn]):
        parts.append(f"{withdrawn} withdrawn")
    if summary.released:
        parts.append(f"{counted(summary.released, 'row')} released")
    parts += _other_counts(summary)
    if summary.result == "published":
        return f"Published: {', '.join(parts)}."
    return f"Not published{why}. {', '.join(parts)}; {summary.figures}."


def _other_counts(summary: RunSummary) -> list[str]:
    """Counts of what needs action besides the deliveries that were checked."""
    counts = (
        ("not taken in", summary.not_taken_in),
        ("not checked", summary.not_validated),
        ("gone from data/raw", {d.path for d in summary.missing_raw_files}),
    )
    return [f"{counted(len(files), 'file')} {what}" for what, files in counts if files] + _older_figures(summary)


def _older_figures(summary: RunSummary) -> list[str]:
    """Which sites' figures come from older files because a newer one is held up."""
    if not summary.held_up:
        return []
    names = list(dict.fromkeys(_name_of_site(d.site_code) for d in summary.held_up))
    whose = listed(names) if len(names) <= SITES_NAMED else counted(len(names), "site")
    return [f"{counted(len(summary.held_up), 'file')} held up: the figures of {whose} are older than what was sent"]


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table with numbers aligned right; '' without rows."""
    cells = [[str(c).replace("|", "\\|").replace("\n", " ") for c in row] for row in rows]
    if not cells:
        return ""
    rule = ["---:" if h in ("Read", "Accepted", "Held", "Left out", "Rows", "Files") else "---" for h in headings]
    return "\n".join(f"| {' | '.join(line)} |" for line in ([*headings], rule, *cells))


def _name_of_site(code: str) -> str:
    site = sites().get(code)
    return site.name if site else code


def _site(code: str) -> str:
    site = sites().get(code)
    return f"{site.name} ({code})" if site else code


def _dataset(name: str) -> str:
    contract = datasets().get(name)
    return contract.title if contract else name


def _name(d: Delivery) -> str:
    return f"{_site(d.site_code)}, {_dataset(d.dataset)}, {month(d.period)}, version {d.version}"


def _in_use(summary: RunSummary) -> list[tuple[Delivery, Verdict]]:
    """The files that are neither withdrawn nor replaced by a later one, in order of site, dataset and period."""
    out = {*summary.replaced, *summary.withdrawn}
    files = [(d, v) for d, v in summary.deliveries if d.delivery_id not in out]
    return sorted(files, key=lambda dv: (dv[0].site_code, dv[0].dataset, dv[0].period, dv[0].version))


def _replaced(summary: RunSummary) -> list[Delivery]:
    return [d for d, _ in summary.deliveries if d.delivery_id in summary.replaced]


def _table_of_deliveries(summary: RunSummary) -> str:
    files = [(d, v) for d, v in _in_use(summary) if v.result is not Result.ACCEPTED]
    rows = [
        (
            _site(d.site_code),
            _dataset(d.dataset),
            f"{month(d.period)} v{d.version}",
            _RESULT[v.result],
            f"{v.rows.read:,}",
            f"{v.rows.accepted:,}",
            f"{v.rows.held:,}",
            f"{v.rows.repeats + v.rows.not_data:,}",
            summary.reports.get(d.delivery_id, ""),
        )
        for d, v in files
    ]
    table = _table(("Site", "Dataset", "Period", "Result", "Read", "Accepted", "Held", "Left out", "Report"), rows)
    return "\n\n".join(part for part in (table, _not_in_table(summary, len(files))) if part)


def _not_in_table(summary: RunSummary, in_table: int) -> str:
    """How many files the table leaves out: those accepted as a whole, and those replaced."""
    other, in_use = "other file" if in_table else "file", len(_in_use(summary))
    whole = f"{counted(in_use - in_table, other)} accepted whole." if in_use > in_table else ""
    replaced = len(_replaced(summary))
    others = f"{counted(replaced, 'file')} replaced by a later one: in no table here." if replaced else ""
    return " ".join(part for part in (whole, others) if part)


def _stopped(summary: RunSummary) -> list[Delivery]:
    return [d for d, v in _in_use(summary) if v.result.is_rejected]


def _rules(summary: RunSummary, delivery: Delivery) -> list[tuple[str, str]]:
    """The broken rules that refuse a delivery, as (rule_id, title)."""
    if summary.findings is None:
        return []
    broken = summary.findings.filter(
        pl.col("delivery_id") == delivery.delivery_id,
        pl.col("severity") == Severity.FILE,
        pl.col("outcome") == Outcome.BROKEN,
    ).sort("rule_id", "field")
    contract = datasets().get(delivery.dataset)
    by_cause: dict[tuple[str, str], list[str]] = {}
    for rule_id, name in broken.select("rule_id", "field").unique(maintain_order=True).iter_rows():
        by_cause.setdefault((rule_id, "" if rule_id in RULES_OF_FORM else name), []).append(name)
    return list(dict.fromkeys((rule_id, _title(contract, rule_id, names)) for (rule_id, _), names in by_cause.items()))


def _title(contract: Contract | None, rule_id: str, names: Sequence[str]) -> str:
    """The title of what refuses a delivery, of one field or of several with the same cause."""
    if len(names) == 1:
        return explain(contract, rule_id, names[0], Severity.FILE).title
    return explain_columns(contract, rule_id, Severity.FILE, [(name, "") for name in names]).title


def _refused(summary: RunSummary) -> list[str]:
    return [
        f"{_name(d)}: {listed([f'{title} ({rule})' for rule, title in _rules(summary, d)]) or 'no reason recorded'}"
        for d in _stopped(summary)
    ]


def _not_reported(summary: RunSummary) -> list[str]:
    return [f"{failed}. The next night tries again." for failed in summary.not_reported]


def _money(summary: RunSummary) -> list[str]:
    return (
        [f"`{summary.money}`: what was promised, signed, claimed, paid and spent, by programme"]
        if summary.money
        else []
    )


def _sudden_changes(summary: RunSummary) -> list[str]:
    return [
        f"{_name(d)}: {found} ({rule_id}: {explain(datasets().get(d.dataset), rule_id, '', Severity.WARNING).title})"
        for d, rule_id, found in summary.sudden_changes
    ]


def _files_to_purge(summary: RunSummary) -> list[str]:
    return [
        f"`{path}`: delete it under the incident process. Nothing of it was stored." for path in summary.files_to_purge
    ]


def _missing_raw_files(summary: RunSummary) -> str:
    """The missing raw files, a line for each site."""
    missing: dict[str, set[str]] = {}
    for d in summary.missing_raw_files:
        missing.setdefault(d.site_code, set()).add(f"`{d.path}`")
    lines = [f"{_site(code)}: {listed(sorted(paths))}" for code, paths in sorted(missing.items())]
    return f"{_RAW_FILES_MISSING}\n\n{_bullets(lines)}" if lines else ""


def _withdrawn(summary: RunSummary) -> list[str]:
    return [
        f"{_name(d)}: {summary.withdrawn[d.delivery_id]} No other file has come in its place."
        for d in sorted(summary.without_successor, key=lambda d: (d.site_code, d.dataset, d.period, d.version))
    ]


def _old_figures(summary: RunSummary) -> list[str]:
    """Sites and datasets with a stopped file that nothing has replaced, and the date to which their figures go."""
    stopped: dict[tuple[str, str], list[Delivery]] = {}
    for d in sorted(summary.still_stopped, key=lambda d: (d.site_code, d.dataset, d.period)):
        stopped.setdefault((d.site_code, d.dataset), []).append(d)
    return [
        _current_to(site, dataset, files, summary.current.get((site, dataset)))
        for (site, dataset), files in stopped.items()
    ]


def _current_to(site: str, dataset: str, stopped: Sequence[Delivery], cut_off: date | None) -> str:
    whose = f"{_site(site)}, {_dataset(dataset)}"
    if cut_off is None:
        return f"{whose}: no file accepted yet, so no figures"
    # files of one month add up, so an older one that was stopped leaves a gap
    gaps = (d for d in stopped if d.extract_type == ExtractType.PERIOD and d.data_cut_date < cut_off)
    missing = listed(list(dict.fromkeys(month(d.period) for d in gaps)))
    without = f", without the file for {missing}" if missing else ""
    return f"{whose}: figures to {day(cut_off)} stay current{without}"


def _overdue(summary: RunSummary) -> list[str]:
    """Overdue returns: one line for the sites that owe the same datasets for the same month."""
    datasets_owed: dict[tuple[str, str], list[str]] = {}
    for o in sorted(summary.overdue_returns, key=lambda o: (o.due.isoformat(), o.site_code, o.dataset)):
        datasets_owed.setdefault((o.site_code, f"{month(o.period)}, due by {deadline(o.due)}"), []).append(
            _dataset(o.dataset)
        )
    sites_owing: dict[tuple[str, str], list[str]] = {}
    for (site, when), names in datasets_owed.items():
        sites_owing.setdefault((listed(names), when), []).append(site)
    return [
        f"{listed([_site(s) for s in codes[:SITES_NAMED]] + _and_more(codes))} {'owes' if len(codes) == 1 else 'owe'}"
        f" {names} for {when}"
        for (names, when), codes in sites_owing.items()
    ]


def _and_more(codes: Sequence[str]) -> list[str]:
    more = len(codes) - SITES_NAMED
    return [counted(more, "other site")] if more > 0 else []


def _held_by_rule(summary: RunSummary) -> str:
    if summary.findings is None:
        return ""
    dataset_of = {d.delivery_id: d.dataset for d, _ in _in_use(summary)}
    held = (
        summary.findings.filter(pl.col("severity") == Severity.ROW, pl.col("outcome") == Outcome.BROKEN)
        .filter(pl.col("delivery_id").is_in(list(dataset_of)), pl.col("rule_id") != DELETED_RULE)
        .with_columns(pl.col("delivery_id").replace_strict(dataset_of, return_dtype=pl.String).alias("dataset"))
        .group_by("rule_id", "dataset", "field")
        .agg(pl.col("rows").sum(), pl.col("delivery_id").n_unique().alias("files"))
        .sort(["rows", "rule_id", "dataset", "field"], descending=[True, False, False, False])
    )
    rows = [
        (
            h["rule_id"],
            explain(datasets().get(h["dataset"]), h["rule_id"], h["field"], Severity.ROW).title,
            _dataset(h["dataset"]),
            f"{h['rows']:,}",
            f"{h['files']:,}",
        )
        for h in held.head(RULES_SHOWN).iter_rows(named=True)
    ]
    table = _table(("Rule", "What is wrong", "Dataset", "Rows", "Files"), rows)
    rest = f"These are the {RULES_SHOWN} largest of {len(held)}: `audit.findings` has them all."
    return f"{table}\n\n{rest}" if len(held) > RULES_SHOWN else table
