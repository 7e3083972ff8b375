-- Malformed lines are skipped; DuckDB's table of rejects, with their line numbers, is stored as torn_lines.
{{ config(
    materialized="table",
    post_hook="create or replace table torn_lines as select * from reject_errors" if var("keep_rejects") else []
) }}

select *
from read_csv(
    '{{ var("file") }}', header = true, delim = ',', quote = '"', escape = '"', all_varchar = true,
    store_rejects = {{ var("keep_rejects") | lower }}
)
