{% test is_within_range(model, column_name) %}
select * from {{ model }} where try_cast({{ column_name }} as integer) not between 0 and {{ var("most_minutes") }}
{% endtest %}
