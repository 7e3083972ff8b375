-- The work of judging contacts, by hand: what a good SQL engineer would write for this one dataset and nothing else.
-- Structure is proved by DuckDB's own strict reader; the line of a row is its number among all lines, the rejected
-- ones counted in. Parameters are set by reference.py: the file, the cut-off date and where to write.

create temp table sent as
select row_number() over () as position, *
from read_csv(
    getvariable('file'), header = true, all_varchar = true, auto_detect = false, delim = ',', quote = '"', escape = '"',
    strict_mode = true, null_padding = false, store_rejects = true, rejects_limit = 0,
    columns = {
        'contact_id': 'VARCHAR', 'episode_id': 'VARCHAR', 'contact_date': 'VARCHAR', 'contact_type': 'VARCHAR',
        'contact_medium': 'VARCHAR', 'attended': 'VARCHAR', 'duration_minutes': 'VARCHAR', 'staff_role': 'VARCHAR',
        'staff_ref': 'VARCHAR', 'with_employer': 'VARCHAR'
    });

create temp table torn as select distinct line::bigint as source_row from reject_errors;

-- the k-th torn line (from 0) pushes every row from its own place on by one line more
create temp table pushed as
select source_row - 1 - row_number() over (order by source_row) + 1 as from_position,
    row_number() over (order by source_row) as lines
from torn;

create temp table judged as
with placed as (
    select s.position + 1 + coalesce(p.lines, 0) as source_row, s.* exclude (position)
    from sent s asof left join pushed p on s.position >= p.from_position
),
read as (
    select source_row,
        contact_id as contact_id_text, nullif(contact_id, '') as contact_id, nullif(episode_id, '') as episode_id,
        contact_date as contact_date_text,
        case when regexp_full_match(contact_date, '(19|20)\d{2}-\d{2}-\d{2}') then try_cast(contact_date as date) end
            as contact_date,
        contact_type as contact_type_text, nullif(trim(contact_type), '') as contact_type,
        contact_medium as contact_medium_text,
        nullif(case when contact_medium in ('1', '2', '3', '4') then '0' || contact_medium else contact_medium end, '')
            as contact_medium,
        nullif(attended, '') as attended,
        duration_minutes as duration_text,
        case when regexp_full_match(duration_minutes, '0|[1-9]\d{0,8}') then duration_minutes::bigint end
            as duration_minutes,
        nullif(staff_role, '') as staff_role, nullif(staff_ref, '') as staff_ref,
        with_employer as with_employer_text,
        case lower(with_employer) when 'y' then true when 'yes' then true when 'n' then false when 'no' then false end
            as with_employer,
        hash(contact_id, episode_id, contact_date, contact_type, contact_medium, attended, duration_minutes, staff_role,
            staff_ref, with_employer) as whole_row
    from placed
)
select *,
    contact_id is null as f08,
    contact_id is not null and not regexp_full_match(contact_id, '[A-Z]{2,8}-[A-Z0-9]{6,16}') as v04_contact_id,
    episode_id is null or not regexp_full_match(episode_id, '[A-Z]{2,8}-[A-Z0-9]{6,16}') as v04_episode_id,
    contact_date is null as c05,
    contact_date > getvariable('cut')::date as c06,
    contact_type is null or contact_type not in ('first', 'vocational_profile', 'action_plan', 'job_search',
        'employer_contact', 'benefits_advice', 'in_work_support', 'clinical_liaison', 'review', 'therapy') as v02_type,
    contact_type <> contact_type_text as c17,
    contact_medium not in ('01', '02', '03', '04', '11', '98') or contact_medium is null as v02_medium,
    contact_medium <> contact_medium_text as c14,
    attended is null as v01_attended,
    attended not in ('2', '3', '4', '5', '6', '7') as v02_attended,
    duration_text <> '' and duration_minutes is null as v05,
    duration_minutes > 480 as k03_range,
    attended not in ('5', '6') and duration_minutes between 1 and 480 as k02,
    attended in ('5', '6') and coalesce(duration_minutes, 0) = 0 and duration_text = '' as k03,
    staff_role not in ('key_worker', 'employment_specialist', 'employment_adviser', 'therapist', 'gp', 'other')
        or staff_role is null as v02_role,
    with_employer_text not in ('Y', 'N', '') as c18
from read;

create table findings as
select rule_id, severity, source_row, field from (
    from judged select unnest([
        {'rule_id': 'F08', 'severity': 'row', 'field': 'contact_id', 'broken': f08},
        {'rule_id': 'V04', 'severity': 'row', 'field': 'contact_id', 'broken': v04_contact_id},
        {'rule_id': 'V04', 'severity': 'row', 'field': 'episode_id', 'broken': v04_episode_id},
        {'rule_id': 'C05', 'severity': 'row', 'field': 'contact_date', 'broken': c05},
        {'rule_id': 'C06', 'severity': 'row', 'field': 'contact_date', 'broken': c06},
        {'rule_id': 'V02', 'severity': 'row', 'field': 'contact_type', 'broken': v02_type},
        {'rule_id': 'C17', 'severity': 'warning', 'field': 'contact_type', 'broken': c17},
        {'rule_id': 'V02', 'severity': 'row', 'field': 'contact_medium', 'broken': v02_medium},
        {'rule_id': 'C14', 'severity': 'warning', 'field': 'contact_medium', 'broken': c14},
        {'rule_id': 'V01', 'severity': 'row', 'field': 'attended', 'broken': v01_attended},
        {'rule_id': 'V02', 'severity': 'row', 'field': 'attended', 'broken': v02_attended},
        {'rule_id': 'V05', 'severity': 'row', 'field': 'duration_minutes', 'broken': v05},
        {'rule_id': 'K03', 'severity': 'row', 'field': 'duration_minutes', 'broken': k03_range or k03},
        {'rule_id': 'K02', 'severity': 'row', 'field': 'duration_minutes', 'broken': k02},
        {'rule_id': 'V02', 'severity': 'row', 'field': 'staff_role', 'broken': v02_role},
        {'rule_id': 'C18', 'severity': 'warning', 'field': 'with_employer', 'broken': c18}
    ], recursive := true), source_row
    where f08 or v04_contact_id or v04_episode_id or c05 or c06 or v02_type or c17 or v02_medium or c14 or v01_attended
        or v02_attended or v05 or k03_range or k03 or k02 or v02_role or c18
) where broken
union all
select 'F13', 'row', source_row, '' from torn;

-- a reference on several rows: exact copies of a good row are left out, rows that differ are all held
create temp table shared as
select source_row, contact_id, whole_row from judged
where contact_id in (select contact_id from judged where contact_id is not null group by 1 having count(*) > 1);

create temp table repeats as
with ranked as (
    select source_row,
        row_number() over (partition by contact_id, whole_row order by source_row) as copy,
        count(distinct whole_row) over (partition by contact_id) as versions
    from shared
)
select source_row, case when versions > 1 then 'row' else 'warning' end as severity
from ranked
where versions > 1 or (copy > 1 and source_row not in (select source_row from findings where severity = 'row'));

insert into findings select 'P04', severity, source_row, 'contact_id' from repeats;

create temp table at_fault as select distinct source_row from findings where severity = 'row';

create table core_contacts as
select source_row, contact_id, episode_id, contact_date, contact_type, contact_medium, attended, duration_minutes,
    staff_role, staff_ref, with_employer
from judged
where source_row not in (from at_fault)
    and source_row not in (select source_row from repeats where severity = 'warning');
