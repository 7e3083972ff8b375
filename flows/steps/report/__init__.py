"""report: says what came of each delivery, and of the night, in words that its readers understand.

Takes what the other steps found; gives a `Report`, its page and files, and the night's summary. It judges nothing,
and no output of it holds a value that may be personal.
"""

from flows.steps.report.content import delivery_report
from flows.steps.report.files import findings_csv, render_html, report_json, write_reports
from flows.steps.report.lines import report_lines
from flows.steps.report.night import Late, Night, count_findings, night_summary, sections_of, verdict_of

__all__ = [
    "Late",
    "Night",
    "count_findings",
    "delivery_report",
    "findings_csv",
    "night_summary",
    "render_html",
    "report_json",
    "report_lines",
    "sections_of",
    "verdict_of",
    "write_reports",
]
