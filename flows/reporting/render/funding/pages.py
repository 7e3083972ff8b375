"""Write the pages on money: `index.html`, a page for each programme with money, and a CSV beside each table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cells.parse import FORMULA_SIGNS
from flows.reporting.render.files import template, write_if_changed
from flows.reporting.render.funding.figures import POSITION, MoneyFigures, Row, read_figures
from flows.reporting.render.funding.tables import MoneyTable, ProgrammeTables, TableCell, contributors, in_cell
from flows.reporting.words.funding import page as words
from flows.reporting.words.funding.tables import NONE_SENT, NOT_KNOWN, NOT_SHOWN, Shown
from flows.runtime.wording import day

if TYPE_CHECKING:
    import duckdb

FOLDER, INDEX = "funding", "index.html"
PAGE_LIMIT = 200_000  # bytes
ROWS_SHOWN = (10_000, 150, 60, 25, 10)  # of each table: the first number that keeps the page below the limit
# The stages, of awards or of match, behind a column of funding.programme_position.
_AWARD_STAGES = {
    "cap_gbp": ("indicative_cap",),
    "announced_gbp": ("announced",),
    "awarded_gbp": ("awarded",),
    "current_gbp": ("awarded", "varied", "closed"),
}
_MATCH_STAGES = {"match_pledged_gbp": "pledged", "match_confirmed_gbp": "confirmed", "match_evidenced_gbp": "evidenced"}


@dataclass(frozen=True)
class PageSection:
    """One part of a programme's page. Where it has no table, the page says why."""

    anchor: str
    title: str
    tables: Sequence[MoneyTable]
    paragraphs: Sequence[str] = ()

    def cut(self, limit: int) -> PageSection:
        """The section with at most so many rows in a table."""
        return PageSection(self.anchor, self.title, [t.cut(limit) for t in self.tables], self.paragraphs)


def write_funding_pages(reports: Path, db: duckdb.DuckDBPyConnection) -> list[Path]:
    """Write the pages on the money of a build to `reports`/funding, and delete those that are no longer made.

    Returns the pages, the overview first. A build without marts of money has none.
    """
    figures = read_figures(db)
    if figures is None:
        return []
    folder = reports / FOLDER
    files = _files(figures)
    for name, text in files.items():
        write_if_changed(folder / name, text)
    for path in folder.iterdir():
        if path.suffix in (".html", ".csv") and path.name not in files:
            path.unlink()
    return [folder / name for name in files if name.endswith(".html")]


def _files(figures: MoneyFigures) -> dict[str, str]:
    files = {INDEX: _overview(figures)}
    if figures.programmes:
        files[f"{POSITION}.csv"] = csv_text(figures.columns[POSITION], figures.programmes)
    for position in figures.programmes:
        programme = position["programme_code"]
        sections = _sections(ProgrammeTables(figures, programme))
        files[f"{programme}.html"] = _programme_page(figures, position, sections)
        for mart in dict.fromkeys(t.text.mart for s in sections for t in s.tables):
            files[f"{programme}_{mart}.csv"] = csv_text(figures.columns[mart], figures.of(mart, programme))
    return files


def csv_text(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """Rows of a mart as CSV. No text in it can run as a formula when it is opened in a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_safe(row[c]) for c in columns] for row in rows)
    return file.getvalue()


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple(FORMULA_SIGNS)) else value


def _overview(figures: MoneyFigures) -> str:
    groups = [
        (
            title,
            [
                (label, meaning, [_amount(figures, p, field) for p in figures.programmes])
                for field, label, meaning in rows
            ],
        )
        for title, rows in words.KINDS
    ]
    _, label, meaning = words.CHECKS_ROW
    checks = [_checks_cell(figures, p["programme_code"]) for p in figures.programmes]
    groups.append((words.CHECKS_ROW[0], [(label, meaning, checks)]))
    return template("funding_overview").render(
        figures=figures,
        groups=groups,
        made_up=[p["programme_name"] for p in figures.programmes if _is_made_up(figures, p["programme_code"])],
        received=_received(figures),
        missing={p["programme_code"]: _missing_quarters(figures, p["programme_code"]) for p in figures.programmes},
        csv=f"{POSITION}.csv",
        money=words,
    )


def _programme_page(figures: MoneyFigures, position: Row, sections: Sequence[PageSection]) -> str:
    programme = position["programme_code"]
    text = ""
    for limit in ROWS_SHOWN:
        text = template("funding_programme").render(
            position=position,
            title=words.finding(position, _missing_quarters(figures, programme)),
            answers=words.answers(position, _why(figures, programme), _answer_parts(figures, programme)),
            sections=[s.cut(limit) for s in sections],
            made_up=[position["programme_name"]] if _is_made_up(figures, programme) else [],
            received=_received(figures),
            index=INDEX,
            money=words,
        )
        if len(text.encode()) <= PAGE_LIMIT:
            break
    return text


def _sections(tables: ProgrammeTables) -> list[PageSection]:
    made = {
        "awards": tables.awards(),
        "match": tables.match(),
        "claims": tables.claims(),
        "quarters": tables.quarters(),
        "budget": tables.budget(),
        "outcomes": tables.outcomes(),
        "costs": tables.costs(),
        "checks": tables.checks(),
        "readings": tables.readings(),
    }
    paragraphs = {
        "costs": [words.about_costs(r) for r in tables.figures.of("unit_costs", tables.programme)[:1]],
        "readings": list(
            dict.fromkeys(words.sources_of_reading(r) for r in tables.figures.of("readings", tables.programme))
        ),
    }
    return [
        PageSection(name, words.SECTIONS[name], made[name], paragraphs.get(name, []))
        for name in made
        if made[name] or name in words.NONE_YET
    ]


def _missing_quarters(figures: MoneyFigures, programme: str) -> int:
    """Quarters of the programme's awards that are over and have a budget, and of which no spending was sent."""
    return sum(r["is_missing"] for r in figures.of("profile_vs_actual", programme))


def _answer_parts(figures: MoneyFigures, programme: str) -> words.AnswerParts:
    tables = ProgrammeTables(figures, programme)
    status = [r["status"] for r in figures.of("reconciliation", programme)]
    unclaimed = [r["unclaimed_gbp"] for r in figures.of("claims_position", programme)]
    costs = figures.of("unit_costs", programme)
    job = next(
        (
            r
            for r in costs
            if (r["unit_code"], r["site_code"], r["financial_year"]) == ("person_into_work", "all", "all")
        ),
        None,
    )
    return words.AnswerParts(
        contributors=contributors(tables.contributions()),
        pays_for_outcomes=bool(figures.of("outcome_payments", programme)),
        unclaimed=sum(unclaimed) if unclaimed and None not in unclaimed else None,
        missing_quarters=_missing_quarters(figures, programme),
        job_cost=words.job_cost(job),
        breaches=status.count("breach"),
        open_checks=status.count("ambiguous"),
        checks=len(status),
    )


def _why(figures: MoneyFigures, programme: str) -> Mapping[str, str]:
    """Why amounts of a programme's position are empty, by column: nobody sent a record, or its amount is not known."""
    stages = {r["award_stage"] for r in figures.of("award_stages", programme) if r["is_promised"]}
    match = {r["match_stage"] for r in figures.of("match_records", programme) if r["is_counted"]}
    why = {field: NOT_KNOWN if stages.intersection(of) else NONE_SENT for field, of in _AWARD_STAGES.items()}
    why |= {field: NOT_KNOWN if stage in match else NONE_SENT for field, stage in _MATCH_STAGES.items()}
    return why | {
        "outcome_payments_gbp": NOT_SHOWN if figures.of("outcome_payments", programme) else NONE_SENT,
        # sums of two columns are empty unless both are known
        "headline_gbp": words.NO_HEADLINE,
        "unspent_gbp": words.NOT_SIGNED if _is_empty(figures, programme, "current_gbp") else words.NO_SPENDING,
    }


def _is_empty(figures: MoneyFigures, programme: str, field: str) -> bool:
    return all(p[field] is None for p in figures.of(POSITION, programme))


def _amount(figures: MoneyFigures, position: Row, field: str) -> TableCell:
    """One amount of the overview."""
    value = position[field]
    if value is None:
        return TableCell(_why(figures, position["programme_code"]).get(field, NONE_SENT), is_empty=True)
    unknown = _n_unknown(figures, position["programme_code"], field)
    text = in_cell(value, Shown.DAY if field == "spent_to" else Shown.POUNDS)
    return TableCell(text, below=words.not_known_too(unknown) if unknown else "")


def _n_unknown(figures: MoneyFigures, programme: str, field: str) -> int:
    """How many amounts are not in a total because they are not known."""
    awards = {
        r["award_key"]
        for r in figures.of("award_stages", programme)
        if r["award_stage"] in _AWARD_STAGES.get(field, ()) and r["amount_gbp"] is None and not r["is_replaced"]
    }
    match = [
        r
        for r in figures.of("match_records", programme)
        if r["match_stage"] == _MATCH_STAGES.get(field) and r["amount_gbp"] is None and r["is_counted"]
    ]
    return len(awards) + len(match)


def _checks_cell(figures: MoneyFigures, programme: str) -> TableCell:
    status = [r["status"] for r in figures.of("reconciliation", programme)]
    open_checks = status.count("ambiguous")
    if not status:
        return TableCell(words.NOTHING_TO_COMPARE, is_empty=True)
    return TableCell(f"{status.count('breach')} of {len(status)}", below=f"{open_checks} open" if open_checks else "")


def _is_made_up(figures: MoneyFigures, programme: str) -> bool:
    sources = (r["source_document"] for r in figures.of("award_stages", programme))
    return any(words.MADE_UP_MARK in source.casefold().replace(" ", "-") for source in sources)


def _received(figures: MoneyFigures) -> str:
    return words.RECEIVED.format(day=day(figures.received_to)) if figures.received_to else ""
