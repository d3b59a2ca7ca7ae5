-- One row per day, source and holder that the usage answers of one observation name, of some days of use.
-- Answers: who used what, and when?
-- A use told by e-mail or by a key's name is theirs who bore it on that day: at its close or at its beginning, as the
-- snapshots say; where there is neither, as the nearest earlier one says; before all snapshots, as tonight's rosters
-- say of those who were there by then. A name that several bore is given to none of them.
-- reads: observation, raw_api_keys, raw_users, snapshots_then, uses_of_days
with

-- every known state: snapshots of days before the observation's, and tonight's rosters as the close of its own day
tonight as (
    select 'user' as holder_type, id as holder_id, lower(email) as subject, cast(added_at as date) as assigned_on
    from raw_users
    union all
    select 'api_key', id, name, cast(created_at as date)
    from raw_api_keys
),

states as (
    select
        snapshot_date as day,
        holder_type,
        holder_id,
        subject_of(holder_type, email, name) as subject
    from snapshots_then
    where holder_type in ('user', 'api_key')
        and not is_made_up(holder_id)
    union all
    select observation.day, tonight.holder_type, tonight.holder_id, tonight.subject
    from tonight, observation
    where coalesce(tonight.assigned_on <= observation.day, true)
),

days_known as (
    select distinct holder_type, day
    from states
),

wanted as (
    select distinct usage_date, holder_type, subject
    from uses_of_days as uses
    where holder_id is null
),

wanted_days as (
    select distinct usage_date, holder_type
    from wanted
),

around as (
    select wanted_days.usage_date, wanted_days.holder_type, days_known.day
    from wanted_days
    inner join days_known
        on days_known.holder_type = wanted_days.holder_type
        and days_known.day between wanted_days.usage_date - 1 and wanted_days.usage_date
),

earlier as (
    select wanted_days.usage_date, wanted_days.holder_type, max(days_known.day) as day
    from wanted_days
    inner join days_known
        on days_known.holder_type = wanted_days.holder_type
        and days_known.day < wanted_days.usage_date - 1
    anti join around
        on around.usage_date = wanted_days.usage_date
        and around.holder_type = wanted_days.holder_type
    group by wanted_days.usage_date, wanted_days.holder_type
),

told_by as (
    select * from around
    union all
    select * from earlier
),

borne as (
    select wanted.usage_date, wanted.holder_type, wanted.subject, states.holder_id
    from wanted
    inner join told_by
        on told_by.usage_date = wanted.usage_date
        and told_by.holder_type = wanted.holder_type
    inner join states
        on states.holder_type = told_by.holder_type
        and states.day = told_by.day
        and states.subject = wanted.subject
    union all
    select wanted.usage_date, wanted.holder_type, wanted.subject, tonight.holder_id
    from wanted
    inner join tonight
        on tonight.holder_type = wanted.holder_type
        and tonight.subject = wanted.subject
        and coalesce(tonight.assigned_on <= wanted.usage_date, true)
    anti join told_by
        on told_by.usage_date = wanted.usage_date
        and told_by.holder_type = wanted.holder_type
),

bearers as (
    select usage_date, holder_type, subject, min(holder_id) as holder_id, count(distinct holder_id) as bearers
    from borne
    group by usage_date, holder_type, subject
)

select
    uses.usage_date,
    uses.source,
    uses.holder_type,
    coalesce(uses.holder_id, case when bearers.bearers = 1 then bearers.holder_id end) as holder_id,
    uses.subject,
    case
        when uses.holder_id is not null then 'id'
        when bearers.bearers > 1 then 'ambiguous'
        when bearers.bearers is null then 'unmatched'
        when uses.holder_type = 'user' then 'email'
        else 'name'
    end as matched_by,
    uses.used_at
from uses_of_days as uses
left join bearers
    on bearers.usage_date = uses.usage_date
    and bearers.holder_type = uses.holder_type
    and bearers.subject = uses.subject
