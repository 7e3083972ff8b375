"""What is true: contracts, code lists, the registry of programmes and sites, and the marts' SQL.

A folder here is a schema in the warehouse and a file in it is a table: `core/referrals.py` is `core.referrals`,
`outcomes/kpi.sql` is `outcomes.kpi`. Nothing here acts: no Prefect, no DuckDB, no disk beyond these files.
"""
