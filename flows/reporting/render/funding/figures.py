"""Read the money of a build: rows of marts by programme, with names of sites and labels of codes.

Counts of people come from the schema `published` alone, where they are treated for release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

# The mart of each table, and its order. Payments for outcomes are exact in funding.programme_position, so the sum of
# the treated ones takes their place.
POSITION = "programme_position"
MARTS = {
    POSITION: """
        select * replace (
            (select sum(paid_gbp) from published.outcome_payments o where o.programme_code = p.programme_code)
                ::decimal(14, 2) as outcome_payments_gbp)
        from funding.programme_position p order by programme_code""",
    "award_position": "from funding.award_position order by site_code nulls first, award_key",
    "award_stages": "from funding.award_stages order by site_code nulls first, award_key, stage_no",
    "claims_position": "from funding.claims_position order by site_code nulls first, award_key",
    "profile_vs_actual": "from funding.profile_vs_actual order by site_code nulls first, award_key, quarter_end",
    "budget_years": "from funding.budget_years order by award_key, financial_year",
    "budget_lines": "from funding.budget_lines order by award_key, financial_year, cost_category",
    "match_position": "from funding.match_position order by site_code, match_source_type, match_kind",
    "match_records": """
        from funding.match_records order by area_site_code nulls first, match_key, match_stage, sender_code""",
    "outcome_payments": """
        from published.outcome_payments
        order by site_code, award_key, definition_code, price_from, financial_year""",
    "unit_costs": """
        from published.unit_costs
        order by list_position(['person_into_work', 'person_started', 'person_13_weeks'], unit_code) nulls last,
            site_code <> 'all', financial_year <> 'all', site_code, financial_year""",
    # The exact sum of payments for outcomes would tell how many people there are behind it.
    "reconciliation": """
        from funding.reconciliation
        where check_code <> 'outcome_payments_within_award'
        order by list_position(['breach', 'ambiguous', 'reconciles'], status), check_code, subject""",
    "readings": "from funding.readings order by title, site_code nulls first, subject",
}
_ON_RECORD = ("award_position", "match_records", "claims_position", "profile_vs_actual")


@dataclass(frozen=True)
class MoneyFigures:
    """The money of a build. `columns` and `rows` are those of each mart, rows by programme."""

    columns: Mapping[str, Sequence[str]]
    rows: Mapping[str, Mapping[str, Sequence[Row]]]
    sites: Mapping[str, str]
    labels: Mapping[tuple[str, str], str]  # of a code, by its list
    received_to: date | None

    @property
    def programmes(self) -> list[Row]:
        """The position of each programme with money on record."""
        with_money = [p for p in self._positions if self._has_money(p["programme_code"])]
        return sorted(with_money, key=lambda p: p["n_amounts_known"] == 0)  # a column without any amount comes last

    @property
    def without_money(self) -> list[str]:
        """The names of the other programmes."""
        return [p["programme_name"] for p in self._positions if not self._has_money(p["programme_code"])]

    @property
    def _positions(self) -> list[Row]:
        return [row for rows in self.rows[POSITION].values() for row in rows]

    def of(self, mart: str, programme: str) -> Sequence[Row]:
        """The rows of a mart about a programme."""
        return self.rows[mart].get(programme, ())

    def label(self, code_list: str, code: str | None) -> str:
        """What a code means, in few words."""
        return self.labels.get((code_list, code or ""), code or "").partition(":")[0]

    def site(self, code: str | None) -> str:
        """The name of a site; a programme as a whole has none."""
        return self.sites.get(code or "", "Whole programme" if code in (None, "", "all") else code or "")

    def _has_money(self, programme: str) -> bool:
        return any(self.of(mart, programme) for mart in _ON_RECORD)


def read_figures(db: duckdb.DuckDBPyConnection) -> MoneyFigures | None:
    """The money of a build; None where it has no marts of money."""
    if not db.execute(
        "select 1 from duckdb_tables() where schema_name = 'published' and table_name = 'unit_costs'"
    ).fetchone():
        return None
    columns, rows = {}, {}
    for mart, query in MARTS.items():
        found = db.execute(query)
        columns[mart] = [name for name, *_ in found.description or ()]
        by_programme: dict[str, list[Row]] = defaultdict(list)
        for values in found.fetchall():
            row = dict(zip(columns[mart], values, strict=True))
            by_programme[row["programme_code"]].append(row)
        rows[mart] = by_programme
    received = db.execute("select max(received_at)::date from audit.deliveries where standing = 'current'").fetchone()
    return MoneyFigures(
        columns=columns,
        rows=rows,
        sites=dict(db.execute("select site_code, site_name from core.sites").fetchall()),
        labels={
            (name, code): label
            for name, code, label in db.execute("select list_name, code, label from core.codes").fetchall()
        },
        received_to=received[0] if received else None,
    )
