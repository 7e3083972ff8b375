"""report: says the outcome of each delivery, and of the run, in words that its readers understand.

Takes what the other steps found; gives a `Report`, its page and files. It validates nothing, and no output of it holds
a value that may be personal. The run's summary is in `run_summary.py`, which a check has no need of.
"""

from flows.reporting.render.content import delivery_report
from flows.reporting.render.files import findings_csv, render_html, report_json, write_not_taken_in, write_reports
from flows.reporting.render.lines import report_lines

__all__ = [
    "delivery_report",
    "findings_csv",
    "render_html",
    "report_json",
    "report_lines",
    "write_not_taken_in",
    "write_reports",
]
