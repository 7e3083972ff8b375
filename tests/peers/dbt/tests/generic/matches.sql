{% test matches(model, column_name) %}
select * from {{ model }} where not regexp_matches({{ column_name }}, '{{ var("patterns")[column_name] }}')
{% endtest %}
