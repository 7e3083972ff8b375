"""Declarations: data contracts, code lists, the registry of programmes and sites, and the SQL of the marts.

A folder here is a schema in the warehouse and a file in it is a table: `core/referrals.py` is `core.referrals`,
`outcomes/kpi.sql` is `outcomes.kpi`. Nothing here runs the
pipeline: no Prefect, no DuckDB, and no file is read but those in this folder.
"""
