"""The blank return workbook that sites fill in, and the styles it shares with the marked workbook.

All content is derived from the contracts and rules in `schemas/`.
"""
