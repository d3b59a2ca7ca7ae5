-- One row per day, source and holder that the usage answers of one observation name, of some days of use; with whether a
-- file of an earlier night tells it, and the first night whose file does.
-- Answers: who used what, and when, and what of it was known?
-- A use told by e-mail or by a key's name is theirs who bore it on that day: at its close or at its beginning, as the
-- snapshots say; where there is neither, as the nearest earlier one says; before all snapshots, as tonight's rosters
-- say of those who were there by then. A name that several bore is given to none of them.
-- Of a key's last use by the list of keys, what was carried forward stands for the earlier nights, without a night.
-- reads: last_use_before, observation, raw_api_keys, raw_users, snapshots_then, told_before, uses
with

wanted as (
    select distinct usage_date, holder_type, subject
    from uses
    where usage_date between $first and $last
        and holder_id is null
),

wanted_days as (
    select distinct usage_date, holder_type
    from wanted
),

-- every known state: snapshots of days before the observation's, and tonight's rosters as the close of its own day; of
-- the kinds of holders of whom any is named so
tonight as (
    select 'user' as holder_type, id as holder_id, lower(email) as subject, cast(added_at as date) as assigned_on
    from raw_users
    where 'user' in (select holder_type from wanted)
    union all
    select 'api_key', id, name, cast(created_at as date)
    from raw_api_keys
    where 'api_key' in (select holder_type from wanted)
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
),

matched as (
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
    from (select distinct * from uses where usage_date between $first and $last) as uses
    left join bearers
        on bearers.usage_date = uses.usage_date
        and bearers.holder_type = uses.holder_type
        and bearers.subject = uses.subject
),

known as (
    select usage_date, source, holder_type, holder_id, subject, matched_by, used_at, min(observed_day) as observed_day
    from (
        select usage_date, source, holder_type, holder_id, subject, matched_by, used_at, observed_day
        from told_before
        union all
        select usage_date, source, holder_type, holder_id, null, 'id', used_at, null
        from last_use_before
        where source = 'api_key'
    )
    where usage_date between $first and $last
    group by usage_date, source, holder_type, holder_id, subject, matched_by, used_at
)

select
    matched.*,
    known.usage_date is not null as is_known,
    known.observed_day as known_since
from matched
left join known
    on known.usage_date = matched.usage_date
    and known.source = matched.source
    and known.holder_type = matched.holder_type
    and known.holder_id is not distinct from matched.holder_id
    and known.subject is not distinct from matched.subject
    and known.matched_by = matched.matched_by
    and known.used_at is not distinct from matched.used_at
