{% test is_whole_number(model, column_name) %}
select * from {{ model }} where not regexp_matches({{ column_name }}, '^\d+$')
{% endtest %}
