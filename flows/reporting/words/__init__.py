"""The words of a sender's report: every sentence and label that its page, lines, tables and workbook have.

What is true of a delivery is worked out elsewhere (`flows/reporting/report.py`); how a page looks is in its template;
numbers and days are put into words in `flows/runtime/wording.py`, and what a rule says stands in the rule.
"""
