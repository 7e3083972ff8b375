"""Render reports: the page, JSON, CSV and terminal lines of one delivery, and the page on files not taken in.

No output holds a value that may be personal. The run's summary (`run_summary.py`) and the marked workbook are not
imported here, because `pilots check` has to start quickly.
"""

from flows.reporting.render.content import delivery_report, with_history
from flows.reporting.render.files import (
    findings_csv,
    render_html,
    report_json,
    write_not_taken_in,
    write_reports,
    write_site_index,
)
from flows.reporting.render.lines import report_lines

__all__ = [
    "delivery_report",
    "findings_csv",
    "render_html",
    "report_json",
    "report_lines",
    "with_history",
    "write_not_taken_in",
    "write_reports",
    "write_site_index",
]
