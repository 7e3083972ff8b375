{# The built-in accepted_values returns each wrong value and its count; this returns the rows. #}
{% test on_list(model, column_name) %}
select * from {{ model }} where {{ column_name }} not in ('{{ var("lists")[column_name] | join("', '") }}')
{% endtest %}
