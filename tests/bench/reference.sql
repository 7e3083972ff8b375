-- Validation of contacts written by hand, as a good SQL engineer would for this one dataset and nothing else.
-- DuckDB's strict reader reads the file once and checks its structure: a line with too many or too few cells is
-- rejected, and is no row. Each row is validated as it is read, and its faults are stored as the bits of one number.
-- Nearly all numbers are 0, so later steps look at few rows, until the accepted ones are written.
-- reference.py sets the variables `file` and `cut`, and writes the results.

create temp table rules as
select *, 1 << nth as flag
from (values
    (0, 'F08', 'row', 'contact_id'),
    (1, 'V04', 'row', 'contact_id'),
    (2, 'V04', 'row', 'episode_id'),
    (3, 'C05', 'row', 'contact_date'),
    (4, 'C06', 'row', 'contact_date'),
    (5, 'V02', 'row', 'contact_type'),
    (6, 'V02', 'row', 'contact_medium'),
    (7, 'V01', 'row', 'attended'),
    (8, 'V02', 'row', 'attended'),
    (9, 'V05', 'row', 'duration_minutes'),
    (10, 'K03', 'row', 'duration_minutes'),
    (11, 'K02', 'row', 'duration_minutes'),
    (12, 'V02', 'row', 'staff_role'),
    (13, 'V04', 'row', 'staff_ref'),
    (14, 'C17', 'warning', 'contact_type'),
    (15, 'C14', 'warning', 'contact_medium'),
    (16, 'C18', 'warning', 'with_employer')
) as t(nth, rule_id, severity, field);

-- enums: a code is looked up once, and is a small number from then on
create type contact_types as enum ('first', 'vocational_profile', 'action_plan', 'job_search', 'employer_contact',
    'benefits_advice', 'in_work_support', 'clinical_liaison', 'review', 'therapy');
create type media as enum ('01', '02', '03', '04', '11', '98');
create type attendances as enum ('2', '3', '4', '5', '6', '7');
create type roles as enum ('key_worker', 'employment_specialist', 'employment_adviser', 'therapist', 'gp', 'other');
create temp macro flag(nth, broken) as case when broken then 1 << nth else 0 end;

-- The position of a row is its rowid, because a table keeps the order of the file; `row_number()` would put all of the
-- reading on one core. `as_sent` is the hash of a faulty row's text, to tell copies from rows that differ. Rows without
-- faults are compared by their typed cells.
create temp table sent as
with read as (
    select contact_id, episode_id, staff_ref,
        contact_date as date_text, try_cast(contact_date as date) as contact_date,
        contact_type as type_text, try_cast(trim(contact_type) as contact_types) as contact_type,
        contact_medium as medium_text,
        try_cast(case when length(contact_medium) = 1 then '0' || contact_medium else contact_medium end as media)
            as contact_medium,
        attended as attended_text, try_cast(attended as attendances) as attended,
        duration_minutes as duration_text, try_cast(duration_minutes as integer) as duration_minutes,
        staff_role as role_text, try_cast(staff_role as roles) as staff_role,
        with_employer as employer_text,
        case lower(with_employer) when 'y' then true when 'yes' then true when 'n' then false when 'no' then false end
            as with_employer
    from read_csv(
        getvariable('file'), header = true, all_varchar = true, auto_detect = false, delim = ',', quote = '"',
        escape = '"', strict_mode = true, null_padding = false, store_rejects = true, rejects_limit = 0,
        columns = {
            'contact_id': 'VARCHAR', 'episode_id': 'VARCHAR', 'contact_date': 'VARCHAR', 'contact_type': 'VARCHAR',
            'contact_medium': 'VARCHAR', 'attended': 'VARCHAR', 'duration_minutes': 'VARCHAR', 'staff_role': 'VARCHAR',
            'staff_ref': 'VARCHAR', 'with_employer': 'VARCHAR'
        })
),
formed as ( -- a cast is more lenient than the contract, which does not allow ' 45', '1e2' and '2016-1-5'
    select * replace (
        case when date_text like '____-__-__' and contact_date between '1900-01-01' and '2099-12-31' then contact_date
            end as contact_date,
        case when duration_minutes::varchar = duration_text and duration_minutes between 0 and 999999999
            then duration_minutes end as duration_minutes)
    from read
)
select contact_id, episode_id, contact_date, contact_type, contact_medium, attended, duration_minutes, staff_role,
    staff_ref, with_employer,
    flag(0, contact_id is null)
        | flag(1, not regexp_full_match(contact_id, '[A-Z]{2,8}-[A-Z0-9]{6,16}'))
        | flag(2, episode_id is null or not regexp_full_match(episode_id, '[A-Z]{2,8}-[A-Z0-9]{6,16}'))
        | flag(3, contact_date is null)
        | flag(4, contact_date > getvariable('cut')::date)
        | flag(5, contact_type is null)
        | flag(6, contact_medium is null)
        | flag(7, attended_text is null)
        | flag(8, attended is null and attended_text is not null)
        | flag(9, duration_minutes is null and duration_text is not null)
        | flag(10, duration_minutes > 480
            or (attended in ('5', '6') and case when duration_text is null then true else duration_minutes = 0 end))
        | flag(11, attended not in ('5', '6') and duration_minutes between 1 and 480)
        | flag(12, staff_role is null)
        | flag(13, not regexp_full_match(staff_ref, '[A-Z0-9][A-Z0-9-]{2,15}'))
        | flag(14, contact_type is not null and type_text <> contact_type::varchar)
        | flag(15, contact_medium is not null and medium_text <> contact_medium::varchar)
        | flag(16, employer_text not in ('Y', 'N')) as faults,
    case when faults > 0 then hash(contact_id, episode_id, date_text, type_text, medium_text, attended_text,
        duration_text, role_text, staff_ref, employer_text) end as as_sent
from formed;

-- Each malformed line moves all later rows down by one line. The number of such lines before a block of rows is counted
-- once per block; for a single row only those within its block are counted.
create temp table malformed as select distinct line::bigint as source_row from reject_errors;
create temp table blocks as
with pushed as (select source_row - 1 - row_number() over (order by source_row) as first from malformed),
within_block as (select first // 1024 as block, list(first) as pushed from pushed group by 1)
select block, coalesce(pushed, []) as pushed,
    2 + coalesce(sum(len(pushed)) over (order by block rows between unbounded preceding and 1 preceding), 0)::bigint
        as first_line
from range((select count(*) // 1024 + 1 from sent)) as r(block) left join within_block using (block);

create temp macro line_of(place, first_line, pushed) as
    first_line + place + len(list_filter(pushed, lambda p: p <= place));

-- Rows with a fault, or whose key may be duplicated. Hashes of keys are cheaper to count than the keys; where a hash
-- occurs more than once, `found` compares the keys themselves.
create temp table suspects as
select rowid as position, sent.*
from sent
where faults > 0 or hash(contact_id) in (
    select hash(contact_id) from sent where contact_id is not null group by 1 having count(*) > 1);

-- Several rows with one key: of exact copies the first is kept, rows that differ are all held.
create temp table found as
with rows_with_key as (
    select position, contact_id, faults,
        hash(episode_id, contact_date, contact_type, contact_medium, attended, duration_minutes, staff_role, staff_ref,
            with_employer, as_sent) as whole_row
    from suspects
    where contact_id is not null
),
compared as (
    select position, faults, count(distinct whole_row) over (partition by contact_id) as versions,
        row_number() over (partition by contact_id, whole_row order by position) as copy
    from rows_with_key
)
select position, rule_id, severity, field from suspects join rules on faults & flag > 0
union all
select position, 'P04', case when versions > 1 then 'row' else 'warning' end, 'contact_id'
from compared
where versions > 1 or (copy > 1 and faults & (select bit_or(flag) from rules where severity = 'row') = 0);

create temp table held as select distinct position from found where severity = 'row';
create temp table left_out as
from held union all select position from found where (rule_id, severity) = ('P04', 'warning');

set disabled_compression_methods = 'fsst'; -- analysing for it takes longer than writing the space that it saves
create schema core;
create table core.contacts (
    contact_id varchar not null,
    episode_id varchar not null,
    contact_date date not null,
    contact_type varchar not null,
    contact_medium varchar not null,
    attended varchar not null,
    duration_minutes bigint,
    staff_role varchar not null,
    staff_ref varchar,
    with_employer boolean,
    programme_code varchar not null,
    site_code varchar not null,
    delivery_id varchar not null,
    source_row bigint not null
);

-- codes are text again, as in the warehouse; of a held row only cells in their agreed form are stored
create temp view accepted as
select line_of(sent.rowid, first_line, pushed) as source_row, contact_id, episode_id, contact_date,
    contact_type::varchar as contact_type, contact_medium::varchar as contact_medium, attended::varchar as attended,
    duration_minutes::bigint as duration_minutes, staff_role::varchar as staff_role, staff_ref, with_employer
from sent join blocks on block = sent.rowid // 1024
where sent.rowid not in (from left_out);
create temp view held_rows as
select line_of(position, first_line, pushed) as source_row, contact_id, episode_id, contact_date,
    contact_type::varchar as contact_type, contact_medium::varchar as contact_medium, attended::varchar as attended,
    case when duration_minutes <= 480 then duration_minutes::bigint end as duration_minutes,
    staff_role::varchar as staff_role, staff_ref, with_employer
from suspects join blocks on block = position // 1024
where position in (from held);

insert into core.contacts by name
select *, 'MHT' as programme_code, 'MHT-BPL' as site_code, 'MHT-BPL_contacts_201611_v1' as delivery_id from accepted;

create schema audit;
create table audit.findings as
select rule_id, severity, line_of(position, first_line, pushed) as source_row, field
from found join blocks on block = position // 1024
union all
select 'F13', 'row', source_row, '' from malformed
order by source_row, field, rule_id;
