"""The run's summary for the duty engineer: the verdict in the first line, then what needs a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from flows.runtime.summary_wording import personal_data_first, summary_in_words
from flows.runtime.wording import counted, day, deadline, listed, moment, month
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._contract.registry import OverdueReturn, sites
from schemas._rules.explain import explain
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
_OF_THE_GONE = (
    "Their rows still count as last validated. No changed rule, code list or correction reaches them until the"
    " same files lie there again."
)


@dataclass(frozen=True)
class RunSummary:
    """Summary of one run, for the duty engineer.

    `findings` counts findings by delivery_id, rule_id, severity, outcome and field (column `rows`): see
    `count_findings`. `current` is the cut-off of the last accepted delivery of each (site_code, dataset). `result` is
    that of `audit.runs` (published, quiet or failed), or 'not told' where new figures are out and the reports of them
    failed; `problem` says why.
    """

    result: str
    deliveries: Sequence[tuple[Delivery, Verdict]] = ()
    findings: pl.DataFrame | None = None
    current: Mapping[tuple[str, str], date] = field(default_factory=dict)
    overdue_returns: Sequence[OverdueReturn] = ()
    still_stopped: Sequence[Delivery] = ()  # refused, in this run or before, and not replaced since
    held_up: Sequence[Delivery] = ()  # of those: readable, and implausible beside what else was sent
    replaced: Collection[str] = ()  # delivery_ids: a later one is accepted, so nobody has to do anything
    withdrawn: Mapping[str, str] = field(default_factory=dict)  # delivery_id -> what is said of its withdrawal
    without_successor: Sequence[Delivery] = ()  # of those withdrawn: no file has come in their place since
    released: int = 0  # rows that were held back on an earlier run
    sudden_changes: Sequence[tuple[Delivery, str, str]] = ()  # delivery, rule, and what was found
    not_reported: Sequence[str] = ()  # reports that could not be written, and why
    reports: Mapping[str, str] = field(default_factory=dict)  # delivery_id -> path of its page
    changes: Sequence[str] = ()  # what else changed: 'code list provider_type: 12 rows left quarantine'
    not_taken_in: Sequence[str] = ()  # what lies under data/raw and is no delivery, and why
    not_validated: Sequence[str] = ()  # deliveries that could not be checked, and why
    corrections_to_review: Sequence[str] = ()
    missing_raw_files: Sequence[Delivery] = ()  # their rows count, and their files do not lie under data/raw any more
    files_to_purge: Sequence[str] = ()  # paths of files that were refused for personal data, in this run or before
    last_change: datetime | None = None  # of the figures: when the build that stands was made
    problem: str = ""
    figures: str = LAST_GOOD  # what readers see where the run failed


def count_findings(delivery_id: str, findings: pl.DataFrame) -> pl.DataFrame:
    """The findings of a delivery as counts, which hold nothing of any row."""
    counts = findings.group_by("rule_id", "severity", "outcome", "field").len("rows")
    return counts.select(pl.lit(delivery_id).alias("delivery_id"), pl.all())


def render_run_summary(run: Mapping[str, Any], night: RunSummary) -> str:
    """The summary of a run as markdown. Its first line is the verdict in one sentence."""
    return summary_in_words(verdict_of(night), run, sections_of(night))


def sections_of(night: RunSummary) -> str:
    """What the summary says below the verdict and the run."""
    blocks = [
        _section("Personal data to delete", _bullets(_to_delete(night))),
        _section("Reports that could not be written", _bullets(_not_told(night))),
        _section("Files that were not taken in", _bullets(night.not_taken_in)),
        _section("Files that could not be checked", _bullets(night.not_validated)),
        _section("What changed", _bullets(night.changes)),
        _section("Files checked", _table_of_deliveries(night)),
        _section("Refused, and why", _bullets(_refused(night))),
        _section("Sudden changes", _bullets(_sudden_changes(night))),
        _section("Withdrawn by the data team", _bullets(_withdrawn(night))),
        _section("Corrections to look at", _bullets(night.corrections_to_review)),
        _section("Raw files that are gone", _gone(night)),
        _section("Whose figures are old", _bullets(_old_figures(night))),
        _section("Files that are late", _bullets(_late(night))),
        _section("Rows held back, by rule", _held_by_rule(night)),
    ]
    return "\n\n".join(b for b in blocks if b)


def verdict_of(night: RunSummary) -> str:
    """The run in one line: what must be deleted before all else, then how it ended."""
    return " ".join(part for part in (personal_data_first(len(night.files_to_purge)), _how_it_ended(night)) if part)


def _how_it_ended(night: RunSummary) -> str:
    held_up = {d.delivery_id for d in night.held_up}
    results = [v.result for d, v in _in_use(night) if held_up.isdisjoint((d.delivery_id, d.same_as))]
    if night.result == "quiet":
        since = f" since {moment(night.last_change)}" if night.last_change else ""
        return f"Nothing changed{since}: {'; '.join(['there was nothing new to check', *_besides(night)])}."
    why = f": {night.problem.rstrip('.')}" if night.problem else ""
    if night.result == "not told":
        return f"Published, but not all was reported{why}. The new figures are out; the next run writes the reports."
    parts = [f"{counted(len(night.deliveries), 'file')} checked"]
    if held := results.count(Result.HELD_ROWS):
        parts.append(f"{held} with rows held back")
    if refused := results.count(Result.REFUSED):
        parts.append(f"{refused} refused")
    if unread := results.count(Result.UNREADABLE):
        parts.append(f"{unread} could not be read")
    if replaced := len(_replaced(night)):
        parts.append(f"{replaced} replaced by a later file")
    if withdrawn := len([d for d, _ in night.deliveries if d.delivery_id in night.withdrawn]):
        parts.append(f"{withdrawn} withdrawn")
    if night.released:
        parts.append(f"{counted(night.released, 'row')} released")
    parts += _besides(night)
    if night.result == "published":
        return f"Published: {', '.join(parts)}."
    return f"Not published{why}. {', '.join(parts)}; {night.figures}."


def _besides(night: RunSummary) -> list[str]:
    """What is no delivery that was checked, and needs somebody all the same."""
    counts = (
        ("not taken in", night.not_taken_in),
        ("not judged", night.not_validated),
        ("gone from data/raw", {d.path for d in night.missing_raw_files}),
    )
    return [f"{counted(len(files), 'file')} {what}" for what, files in counts if files] + _older_figures(night)


def _older_figures(night: RunSummary) -> list[str]:
    """Whose figures rest on older files because a newer one is held up."""
    if not night.held_up:
        return []
    names = list(dict.fromkeys(_name_of_site(d.site_code) for d in night.held_up))
    whose = listed(names) if len(names) <= SITES_NAMED else counted(len(names), "site")
    return [f"{counted(len(night.held_up), 'file')} held up: the figures of {whose} are older than what was sent"]


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table; numbers stand to the right."""
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


def _in_use(night: RunSummary) -> list[tuple[Delivery, Verdict]]:
    """The files that are neither withdrawn nor replaced by a later one, in order: what is counted and listed."""
    out = {*night.replaced, *night.withdrawn}
    told = [(d, v) for d, v in night.deliveries if d.delivery_id not in out]
    return sorted(told, key=lambda dv: (dv[0].site_code, dv[0].dataset, dv[0].period, dv[0].version))


def _replaced(night: RunSummary) -> list[Delivery]:
    return [d for d, _ in night.deliveries if d.delivery_id in night.replaced]


def _table_of_deliveries(night: RunSummary) -> str:
    told = [(d, v) for d, v in _in_use(night) if v.result is not Result.ACCEPTED]
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
            night.reports.get(d.delivery_id, ""),
        )
        for d, v in told
    ]
    table = _table(("Site", "Dataset", "Period", "Result", "Read", "Accepted", "Held", "Left out", "Report"), rows)
    return "\n\n".join(part for part in (table, _untold(night, len(told))) if part)


def _untold(night: RunSummary, told: int) -> str:
    """How many files the table does not name."""
    other, in_use = "other file" if told else "file", len(_in_use(night))
    whole = f"{counted(in_use - told, other)} accepted whole." if in_use > told else ""
    replaced = len(_replaced(night))
    others = f"{counted(replaced, 'file')} replaced by a later one: in no table here." if replaced else ""
    return " ".join(part for part in (whole, others) if part)


def _stopped(night: RunSummary) -> list[Delivery]:
    return [d for d, v in _in_use(night) if v.result.is_rejected]


def _rules(night: RunSummary, delivery: Delivery) -> list[tuple[str, str]]:
    """The broken file rules of a delivery: (rule id, title)."""
    if night.findings is None:
        return []
    broken = night.findings.filter(
        pl.col("delivery_id") == delivery.delivery_id,
        pl.col("severity") == Severity.FILE,
        pl.col("outcome") == Outcome.BROKEN,
    ).sort("rule_id", "field")
    contract = datasets().get(delivery.dataset)
    pairs = broken.select("rule_id", "field").unique(maintain_order=True).iter_rows()
    return list(dict.fromkeys((r, explain(contract, r, f, Severity.FILE).title) for r, f in pairs))


def _refused(night: RunSummary) -> list[str]:
    return [
        f"{_name(d)}: {listed([f'{title} ({rule_id})' for rule_id, title in _rules(night, d)]) or 'no reason recorded'}"
        for d in _stopped(night)
    ]


def _not_told(night: RunSummary) -> list[str]:
    return [f"{failed}. The next night tries again." for failed in night.not_reported]


def _sudden_changes(night: RunSummary) -> list[str]:
    return [
        f"{_name(d)}: {found} ({rule_id}: {explain(datasets().get(d.dataset), rule_id, '', Severity.WARNING).title})"
        for d, rule_id, found in night.sudden_changes
    ]


def _to_delete(night: RunSummary) -> list[str]:
    return [
        f"`{path}`: delete it under the incident process. Nothing of it was kept by the night."
        for path in night.files_to_purge
    ]


def _gone(night: RunSummary) -> str:
    """Whose raw files are missing: a line for each site."""
    missing: dict[str, set[str]] = {}
    for d in night.missing_raw_files:
        missing.setdefault(d.site_code, set()).add(f"`{d.path}`")
    lines = [f"{_site(code)}: {listed(sorted(paths))}" for code, paths in sorted(missing.items())]
    return f"{_OF_THE_GONE}\n\n{_bullets(lines)}" if lines else ""


def _withdrawn(night: RunSummary) -> list[str]:
    return [
        f"{_name(d)}: {night.withdrawn[d.delivery_id]} No other file has come in its place."
        for d in sorted(night.without_successor, key=lambda d: (d.site_code, d.dataset, d.period, d.version))
    ]


def _old_figures(night: RunSummary) -> list[str]:
    """Sites of whom a file that nothing has replaced does not count."""
    stopped: dict[tuple[str, str], list[Delivery]] = {}
    for d in sorted(night.still_stopped, key=lambda d: (d.site_code, d.dataset, d.period)):
        stopped.setdefault((d.site_code, d.dataset), []).append(d)
    return [
        _old(site, dataset, files, night.current.get((site, dataset))) for (site, dataset), files in stopped.items()
    ]


def _old(site: str, dataset: str, stopped: Sequence[Delivery], cut_off: date | None) -> str:
    whose = f"{_site(site)}, {_dataset(dataset)}"
    if cut_off is None:
        return f"{whose}: no file accepted yet, so no figures"
    alone = (d for d in stopped if d.extract_type == ExtractType.PERIOD and d.data_cut_date < cut_off)
    missing = listed(list(dict.fromkeys(month(d.period) for d in alone)))
    without = f", without the file for {missing}" if missing else ""
    return f"{whose}: figures to {day(cut_off)} stay current{without}"


def _late(night: RunSummary) -> list[str]:
    """Who owes what: one line for the sites that owe the same."""
    owed: dict[tuple[str, str], list[str]] = {}
    for o in sorted(night.overdue_returns, key=lambda o: (o.due.isoformat(), o.site_code, o.dataset)):
        owed.setdefault((o.site_code, f"{month(o.period)}, due by {deadline(o.due)}"), []).append(_dataset(o.dataset))
    alike: dict[tuple[str, str], list[str]] = {}
    for (site, when), names in owed.items():
        alike.setdefault((listed(names), when), []).append(site)
    return [
        f"{listed([_site(s) for s in codes[:SITES_NAMED]] + _and_more(codes))} {'owes' if len(codes) == 1 else 'owe'}"
        f" {names} for {when}"
        for (names, when), codes in alike.items()
    ]


def _and_more(sites_owing: Sequence[str]) -> list[str]:
    more = len(sites_owing) - SITES_NAMED
    return [counted(more, "other site")] if more > 0 else []


def _held_by_rule(night: RunSummary) -> str:
    if night.findings is None:
        return ""
    dataset_of = {d.delivery_id: d.dataset for d, _ in _in_use(night)}
    held = (
        night.findings.filter(pl.col("severity") == Severity.ROW, pl.col("outcome") == Outcome.BROKEN)
        .filter(pl.col("delivery_id").is_in(list(dataset_of)))
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
