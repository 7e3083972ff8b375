"""Make the tables of a programme's page: rows of a mart with their labels, as cells of text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from flows.reporting.render.funding.figures import MoneyFigures, Row
from flows.reporting.words.funding import page as words
from flows.reporting.words.funding.tables import (
    AWARDS,
    CHECKS,
    CLAIMS,
    CONTRIBUTIONS,
    DASH,
    LINES,
    MATCH,
    NONE,
    NOT_KNOWN,
    OUTCOMES,
    QUARTERS,
    READINGS,
    SOURCES,
    UNIT_COSTS,
    YEARS,
    MoneyColumn,
    Shown,
    TableText,
)
from flows.runtime.wording import day

_STAGES_SHOWN = {
    "applied_for_gbp": "applied_for",
    "prospective_gbp": "prospective",
    "cap_gbp": "indicative_cap",
    "announced_gbp": "announced",
    "awarded_gbp": "awarded",
    "varied_gbp": "varied",
    "closed_gbp": "closed",
}


@dataclass(frozen=True)
class TableCell:
    """One cell: its text, whether it says why there is no value, and small print below."""

    text: str
    is_empty: bool = False
    below: str = ""

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to know: a phone leaves such cells out."""
        return self.is_empty and self.text in (NONE, DASH)


@dataclass(frozen=True)
class RowGroup:
    """Rows under one heading; '' for none."""

    heading: str
    rows: Sequence[Sequence[TableCell]]


@dataclass(frozen=True)
class MoneyTable:
    """One table of a page, with the CSV beside it that has every column."""

    text: TableText
    columns: Sequence[MoneyColumn]
    groups: Sequence[RowGroup]
    n_rows: int
    csv: str

    @property
    def is_wide(self) -> bool:
        """Whether it does not fit a phone: there, each row becomes a list."""
        return len(self.columns) > 3

    def cut(self, limit: int) -> MoneyTable:
        """The table with at most so many rows."""
        left, groups = limit, []
        for group in self.groups:
            if left > 0:
                groups.append(RowGroup(group.heading, group.rows[:left]))
                left -= len(group.rows)
        return MoneyTable(self.text, self.columns, groups, self.n_rows, self.csv)

    @property
    def n_left_out(self) -> int:
        """How many rows a cut has left out."""
        return self.n_rows - sum(len(g.rows) for g in self.groups)


@dataclass(frozen=True)
class ProgrammeTables:
    """Makes the tables of one programme."""

    figures: MoneyFigures
    programme: str

    def awards(self) -> list[MoneyTable]:
        """What was promised and signed, and where it is printed."""
        stages = self._rows("award_stages")
        on_record = {(r["award_key"], r["award_stage"]) for r in stages}
        awards = []
        for row in self._rows("award_position"):
            why = {
                field: NOT_KNOWN if (row["award_key"], stage) in on_record else NONE
                for field, stage in _STAGES_SHOWN.items()
            }
            why["current_gbp"] = NOT_KNOWN if row["has_award"] else NONE
            awards.append(self._labelled(row) | {"why": why})
        sources = [
            self._labelled(r)
            | {
                "stage": self.figures.label("award_stage", r["award_stage"]),
                "dated": words.dated(r),
                "recipient": words.recipient(r),
                "quoted": words.quoted(r["source_wording"], r["source_date"]),
            }
            for r in stages
        ]
        return self._tables((AWARDS, awards), (SOURCES, sources))

    def match(self) -> list[MoneyTable]:
        """Who matched it, with what, and on what evidence."""
        by_source = [
            r | {"area": self.figures.site(r["site_code"]), "kind_of_match": self._kind_of_match(r)}
            for r in self._rows("match_position")
        ]
        return self._tables((MATCH, by_source), (CONTRIBUTIONS, self.contributions()))

    def contributions(self) -> list[Row]:
        """Each contribution that counts, or is part of one that does."""
        return [
            r
            | {
                "contributor": r["match_source_org_name"]
                or self.figures.label("match_source_type", r["match_source_type"]),
                "kind_of_match": self._kind_of_match(r),
                "area": self.figures.site(r["area_site_code"]),
                "stage": self.figures.label("match_stage", r["match_stage"]),
                "quoted": words.quoted(r["source_wording"]) or r["evidence_ref"] or "",
            }
            for r in self._rows("match_records")
            if r["is_counted"] or r["is_part"]
        ]

    def claims(self) -> list[MoneyTable]:
        """How far the claims have come."""
        rows = [
            self._labelled(r) | {"claims_in_words": words.claims(r), "corrections": words.corrections(r)}
            for r in self._rows("claims_position")
        ]
        return self._tables((CLAIMS, rows))

    def quarters(self) -> list[MoneyTable]:
        """Profile and spending by quarter."""
        rows = []
        for r in self._rows("profile_vs_actual"):
            in_cash, in_kind = r["match_cash_gbp"], r["match_in_kind_gbp"]
            none = in_cash is None and in_kind is None
            labelled = self._labelled(r)
            rows.append(
                labelled
                | {
                    "award_and_outturn": words.outturn(
                        labelled["award_and_id"], r, self._by_key[r["award_key"]]["current_gbp"]
                    ),
                    "quarter_in_words": words.quarter(r),
                    "state": words.state_of_quarter(r),
                    "match_spent_gbp": None if none else (in_cash or 0) + (in_kind or 0),
                }
            )
        return self._tables((QUARTERS, rows))

    def budget(self) -> list[MoneyTable]:
        """The budget by year, and by line."""
        years = [self._labelled(r) for r in self._rows("budget_years")]
        lines = [
            self._labelled(r) | {"line": f"{r['financial_year']} {self._budget_line(r['cost_category'])}"}
            for r in self._rows("budget_lines")
        ]
        return self._tables((YEARS, years), (LINES, lines))

    def _budget_line(self, category: str) -> str:
        return words.NO_LINE if category == "not_stated" else self.figures.label("cost_category", category)

    def outcomes(self) -> list[MoneyTable]:
        """Payments by results."""
        rows = [
            r
            | {
                "site_and_award": f"{self.figures.site(r['site_code'])} ({r['award_id']})",
                "price_in_words": words.price(r),
            }
            for r in self._rows("outcome_payments")
        ]
        return self._tables((OUTCOMES, rows))

    def costs(self) -> list[MoneyTable]:
        """What a start, a job and a lasting job cost."""
        rows = [
            r
            | {
                "unit": words.UNITS[r["unit_code"]],
                "whose": words.cohort(r, self.figures.site(r["site_code"])),
                "why_no_cost": words.why_no_cost(r),
                "why": {} if r["reason"] == "no_spending" else {"grant_gbp": DASH, "match_gbp": DASH},
            }
            for r in self._rows("unit_costs")
            if r["grant_gbp"] is not None or r["reason"] not in (None, "no_spending")
        ]
        return self._tables((UNIT_COSTS, rows))

    def checks(self) -> list[MoneyTable]:
        """Sums that should agree."""
        awards = {
            r["award_key"]: label for r in self._rows("award_position") if (label := self._labelled(r)["award_and_id"])
        }
        ids = {r["award_id"]: awards[r["award_key"]] for r in self._rows("award_position")}
        rows = [
            r
            | {
                "result": words.RESULTS[r["status"]],
                "about": awards.get(r["subject"]) or ids.get(r["subject"]) or self._subject(r["subject"], awards),
            }
            for r in self._rows("reconciliation")
        ]
        return self._tables((CHECKS, rows))

    def readings(self) -> list[MoneyTable]:
        """What the printed sums may mean."""
        rows = [
            r
            | {
                "area": self.figures.site(r["site_code"]),
                "reading": r["title"],
                "match_in_words": ", ".join(filter(None, (r["match_qualifier"], words.MATCH_BASES[r["match_basis"]]))),
                "supported": words.SUPPORT[r["support"]],
            }
            for r in self._rows("readings")
        ]
        return self._tables((READINGS, rows))

    def _subject(self, subject: str, awards: dict[str, str]) -> str:
        """What a check is about, where it is not an award alone."""
        if subject == self.programme:
            return self.figures.site(None)
        award, found, year = subject.rpartition(" in ")
        return f"{awards[award]}, {year}" if found and award in awards else subject

    def _rows(self, mart: str) -> Sequence[Row]:
        return self.figures.of(mart, self.programme)

    def _kind_of_match(self, row: Row) -> str:
        source = self.figures.label("match_source_type", row["match_source_type"])
        kind = self.figures.label("match_kind", row["match_kind"])
        if row["match_kind"] == "unknown":
            return "source and kind not known" if row["match_source_type"] == "unknown" else f"{source}, kind not known"
        return f"{source}, {kind[0].lower()}{kind[1:]}"

    def _labelled(self, row: Row) -> Row:
        """A row about an award, with the award's name and reference."""
        award = self._by_key[row["award_key"]]
        name = award["area_name"] or self.figures.site(award["site_code"])
        return row | {
            "award": name,
            "award_id": award["award_id"],
            "award_and_id": f"{name} ({award['award_id']})",
        }

    @cached_property
    def _by_key(self) -> Mapping[str, Row]:
        return {r["award_key"]: r for r in self._rows("award_position")}

    def _tables(self, *texts_and_rows: tuple[TableText, Sequence[Row]]) -> list[MoneyTable]:
        return [_table(text, rows, f"{self.programme}_{text.mart}.csv") for text, rows in texts_and_rows if rows]


def _table(text: TableText, rows: Sequence[Row], csv: str) -> MoneyTable:
    columns = [c for c in text.columns if not c.if_any or any(_has_something(row, c) for row in rows)]
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[text.grouped_by] if text.grouped_by else ""].append(row)
    groups = [RowGroup(heading, [_cells(row, columns) for row in of]) for heading, of in grouped.items()]
    return MoneyTable(text, columns, groups, len(rows), csv)


def _has_something(row: Row, column: MoneyColumn) -> bool:
    return bool(row[column.field]) or row.get("why", {}).get(column.field) == NOT_KNOWN


def _cells(row: Row, columns: Iterable[MoneyColumn]) -> list[TableCell]:
    return [_cell(row, column) for column in columns]


def _cell(row: Row, column: MoneyColumn) -> TableCell:
    value, below = row[column.field], str(row.get(column.below) or "") if column.below else ""
    if value is None or value == "":
        return TableCell(row.get("why", {}).get(column.field, column.why_empty), is_empty=True, below=below)
    return TableCell(in_cell(value, column.shown), below=below)


def in_cell(value: object, shown: Shown) -> str:
    """A value as text."""
    if isinstance(value, Decimal | int) and shown is Shown.POUNDS:
        return words.pounds(Decimal(value))
    if shown is Shown.NUMBER:
        return f"{value:,}"
    return day(value) if shown is Shown.DAY else str(value)  # type: ignore[arg-type]


def contributors(rows: Sequence[Row]) -> tuple[str, ...]:
    """Who matched, by name, each once: the first few."""
    names = list(dict.fromkeys(r["contributor"] for r in rows))
    return (*names[:4], f"{len(names) - 4} others") if len(names) > 5 else tuple(names)
