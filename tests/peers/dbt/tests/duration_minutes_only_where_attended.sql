select *
from {{ ref("contacts") }}
where (attended in ('{{ var("came") | join("', '") }}')) <> (try_cast(duration_minutes as integer) > 0)
