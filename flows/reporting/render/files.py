"""Write the files of a report: an HTML page for people, JSON and CSV for machines."""

from __future__ import annotations

import html
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.cells.parse import FORMULA_SIGNS
from flows.reporting.render.spreadsheet_rows import spreadsheet_rows
from flows.reporting.report import Report
from flows.reporting.words import confirming, not_taken_in, page, rows, site_index
from flows.reporting.words.items import (
    ABOUT_HEADINGS,
    AS_SUGGESTED,
    COULD_NOT_BE_CHECKED,
    HIDDEN,
    NOTHING_TO_FIX,
    SUGGESTED,
)
from flows.store.durable import write_whole
from schemas._contract.model import Severity
from schemas.audit.findings import Outcome

if TYPE_CHECKING:
    import jinja2

    from flows.reporting.words.not_taken_in import NotTakenIn
    from flows.reporting.words.site_index import SiteIndex

TEMPLATES = Path(__file__).parent / "templates"
PAGE_LIMIT = 300_000  # bytes: a page must be small enough to e-mail
_STYLESHEETS = ("report", "funding", "dictionary")
ITEMS_SHOWN = (60, 20, 5)  # of each kind: the first number that keeps the page below the limit
_CELL_ORDER = ("column_letter", "column_name", "rule_id", "severity", "field", "found", "sheet")


@lru_cache
def template(name: str) -> jinja2.Template:
    """A page's template, with the words and the stylesheet that pages share."""
    import jinja2  # imported late: a check that writes no page starts faster without it
    from markupsafe import Markup

    loader = jinja2.FileSystemLoader(TEMPLATES)
    pages = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    css = {name: Markup((TEMPLATES / f"{name}.css").read_text(encoding="utf-8")) for name in _STYLESHEETS}
    # between tags, quotation marks need no escape
    pages.filters["in_text"] = lambda text: Markup(html.escape(text, quote=False))
    pages.globals |= {
        "words": page,
        "confirming": confirming,
        "counting": rows,
        "naming": not_taken_in,
        "indexing": site_index,
        "css": css["report"],
        "money_css": css["funding"],
        "dictionary_css": css["dictionary"],
    }
    return pages.get_template(f"{name}.html.j2")


def render_html(report: Report) -> str:
    """The report as one self-contained page, without scripts, fonts or other files."""
    page = ""
    for shown in ITEMS_SHOWN:
        page = template("report").render(report=report, shown=shown)
        if len(page.encode()) <= PAGE_LIMIT:
            break
    return page


def report_json(report: Report) -> str:
    """The report as JSON. The same input gives the same bytes, apart from `run` and `received_at`."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"


def findings_csv(report: Report, findings: pl.DataFrame) -> str:
    """Every finding that is not confirmed as CSV: its cell, the value found, what was expected and how to fix it.

    A cell's address is the one in a spreadsheet, and empty where its row there is not known. Of a finding about a
    heading it is the heading's.
    No text in it can run as a formula when it is opened in a spreadsheet.
    """
    in_spreadsheet = spreadsheet_rows(findings["source_row"], report.line_shifts).alias("spreadsheet_row")
    heading_row = next((i.heading_row for item in report.items for i in item.by_column if i.heading_row), None)
    heading_cell = pl.when(pl.col("rule_id").is_in(ABOUT_HEADINGS)).then(_address(pl.lit(heading_row)))
    is_checked = pl.col("outcome") != Outcome.NOT_CHECKED
    lines = (
        findings.with_columns(in_spreadsheet)
        .filter(pl.col("outcome") != Outcome.CONFIRMED)
        .join(_rule_texts(report), on=["rule_id", "severity", "field"], how="left")
        # by length first, so that column AA comes after Z
        .sort(pl.col("column_letter").str.len_chars(), *_CELL_ORDER, nulls_last=False)
        .sort("source_row", nulls_last=False, maintain_order=True)
        .sort(~is_checked, maintain_order=True)  # what could not be checked comes last
        .select(
            pl.lit(report.report_id).alias("report_id"),
            "rule_id",
            "severity",
            "sheet",
            pl.coalesce(_address(pl.col("spreadsheet_row")), heading_cell).fill_null("").alias("cell"),
            "source_row",
            "spreadsheet_row",
            pl.coalesce("column_name", "field").alias("column"),
            _found_or_hidden().alias("found_or_hidden"),
            "expected",
            pl.when(is_checked).then(_fix()).otherwise(pl.lit(NOTHING_TO_FIX)).alias("fix"),
        )
        .with_columns(_not_a_formula(c) for c in ("sheet", "column", "found_or_hidden", "expected", "fix"))
    )
    return lines.write_csv()


def _address(row: pl.Expr) -> pl.Expr:
    """The address of the cell of a column in a row; null where either is not known."""
    return pl.col("column_letter") + row.cast(pl.String)


def _rule_texts(report: Report) -> pl.DataFrame:
    """The expected value and the fix of each rule, severity and field in the report."""
    columns = ["rule_id", "severity", "field", "expected", "rule_fix"]
    items = [part for item in (*report.items, *report.not_validated) for part in item.by_column]
    texts = dict.fromkeys((i.rule_id, str(i.severity), i.field, i.expected, i.fix) for i in items)
    return pl.DataFrame(list(texts), schema=dict.fromkeys(columns, pl.String), orient="row")


def _found_or_hidden() -> pl.Expr:
    not_validated = pl.col("outcome") == Outcome.NOT_CHECKED
    shown = pl.when("hidden").then(pl.lit(HIDDEN)).otherwise(pl.col("found").fill_null(""))
    return pl.when(not_validated).then(pl.lit(COULD_NOT_BE_CHECKED)).otherwise(shown)


def _fix() -> pl.Expr:
    """The rule's fix; before it the suggested value, where the sender still has to make the change."""
    suggested = pl.col("suggestion").is_not_null() & ~pl.col("hidden") & (pl.col("severity") != Severity.WARNING)
    is_there = suggested & (pl.col("found") == pl.col("suggestion"))
    return (
        pl.when(is_there)
        .then(pl.format(AS_SUGGESTED, "rule_fix"))
        .when(suggested)
        .then(pl.format(SUGGESTED, "suggestion", "rule_fix"))
        .otherwise("rule_fix")
    )


def _not_a_formula(column: str) -> pl.Expr:
    # after an apostrophe, a spreadsheet reads text
    risky = pl.any_horizontal(pl.col(column).str.starts_with(sign) for sign in FORMULA_SIGNS)
    return pl.when(risky).then("'" + pl.col(column)).otherwise(column).alias(column)


def write_reports(folder: Path, report: Report, findings: pl.DataFrame) -> dict[str, Path]:
    """Write the page, `report.json` and `findings.csv` of one delivery to `folder`/<site>, each whole or not at all.

    Returns their paths, by 'html', 'json' and 'csv'.
    """
    site_folder, stem = folder / report.site, report.stem
    site_folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "html": (site_folder / f"{stem}.html", render_html(report)),
        "json": (site_folder / f"{stem}.report.json", report_json(report)),
        "csv": (site_folder / f"{stem}.findings.csv", findings_csv(report, findings)),
    }
    for path, text in texts.values():
        write_whole(path, text)
    return {kind: path for kind, (path, _) in texts.items()}


def write_not_taken_in(folder: Path, page: NotTakenIn) -> Path:
    """Write the page on the files of a site that were not taken in to `folder`/<site>, if its text changed."""
    return write_if_changed(folder / page.site / page.file_name, template("not_taken_in").render(page=page))


def write_site_index(folder: Path, index: SiteIndex) -> Path:
    """Write the index page of a site to `folder`/<site>, if its text changed."""
    return write_if_changed(folder / index.site / site_index.INDEX, template("site_index").render(index=index))


def write_if_changed(path: Path, text: str) -> Path:
    """Write a text file, whole or not at all, unless it has that text already. Returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text)
    return path
