-- A torn line is left out, and kept in a table of its own: DuckDB knows which it was.
{{ config(
    materialized="table",
    post_hook="create or replace table torn_lines as select * from reject_errors" if var("keep_rejects") else []
) }}

select *
from read_csv(
    '{{ var("file") }}', header = true, delim = ',', quote = '"', escape = '"', all_varchar = true,
    store_rejects = {{ var("keep_rejects") | lower }}
)
