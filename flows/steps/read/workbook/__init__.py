"""Readers of workbooks (.xlsx, .xls, .ods), sheet by sheet."""
