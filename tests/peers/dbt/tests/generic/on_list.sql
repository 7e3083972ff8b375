{# The built-in accepted_values gives each wrong value with its number, and no rows; these are the rows. #}
{% test on_list(model, column_name) %}
select * from {{ model }} where {{ column_name }} not in ('{{ var("lists")[column_name] | join("', '") }}')
{% endtest %}
