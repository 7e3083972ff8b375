"""The wording of reports: every sentence and label of the page, the terminal lines, the tables and the workbook.

Facts about a delivery are worked out in `flows/reporting/report.py`, layout is in the templates, numbers and dates are
formatted in `flows/runtime/wording.py`, and the texts of a rule are in the rule.
"""
