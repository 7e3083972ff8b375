{% test is_a_day(model, column_name) %}
select *
from {{ model }}
where {{ column_name }} is not null
    and not coalesce(try_strptime({{ column_name }}, '%Y-%m-%d') <= date '{{ var("last_day") }}', false)
{% endtest %}
