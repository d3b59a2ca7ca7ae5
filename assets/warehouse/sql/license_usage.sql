-- One row per organization, day, source and holder with use. Answers: who used what on which day, by which source?
-- Use that a report names by an e-mail or a key's name is theirs who bore it on that day, as far as the history knows:
-- at the day's beginning or end; for days before it begins, who bore it first and was there. Known rows that nothing new
-- speaks of are taken as they are.
with

reported as (
    select
        organization_id,
        usage_date,
        source,
        holder_type,
        holder_id,
        case holder_type when 'user' then lower(subject) else subject end as subject,
        matched_by,
        used_at,
        observed_day
    from inputs.usage
),

known as (
    select organization_id, usage_date, source, holder_type, holder_id, subject, matched_by, used_at, first_reported
    from inputs.known_usage
),

-- Days of which reports speak anew, or whose bearers may be others since the history has changed.
touched as (
    select distinct organization_id, usage_date
    from reported
    union
    select distinct organization_id, usage_date
    from known
    where usage_date >= getvariable('renamed_from')
        and subject is not null
),

together as (
    select organization_id, usage_date, source, holder_type, holder_id, subject, matched_by, used_at, observed_day
    from reported
    union all
    select known.*
    from known
    semi join touched
        on touched.organization_id = known.organization_id
        and touched.usage_date = known.usage_date
),

by_id as (
    select
        organization_id,
        usage_date,
        source,
        holder_type,
        holder_id,
        min(matched_by) as matched_by,
        max(used_at) as used_at,
        min(observed_day) as first_reported
    from together
    where subject is null
    group by organization_id, usage_date, source, holder_type, holder_id
),

named as (
    select
        organization_id,
        usage_date,
        source,
        holder_type,
        subject,
        max(used_at) as used_at,
        min(observed_day) as first_reported
    from together
    where subject is not null
    group by organization_id, usage_date, source, holder_type, subject
),

first_days as (
    select organization_id, holder_type, min(snapshot_date) as first_day
    from internal.roster_days
    group by organization_id, holder_type
),

bearers as (
    select
        named.organization_id,
        named.usage_date,
        named.holder_type,
        named.subject,
        min(bearers.holder_id) as holder_id,
        count(distinct bearers.holder_id) as bearers
    from (select distinct organization_id, usage_date, holder_type, subject from named) as named
    inner join first_days
        on first_days.organization_id = named.organization_id
        and first_days.holder_type = named.holder_type
    inner join internal.usage_bearers as bearers
        on bearers.organization_id = named.organization_id
        and bearers.holder_type = named.holder_type
        and bearers.subject = named.subject
        and case
            when named.usage_date < first_days.first_day
                then bearers.valid_from = first_days.first_day
                    and coalesce(cast(make_timestamp(epoch_us(bearers.assigned_at)) as date) <= named.usage_date, true)
            -- at the day's end, or at its beginning
            else bearers.valid_from <= named.usage_date
                and coalesce(bearers.valid_to, date '9999-12-31') >= named.usage_date
        end
    group by named.organization_id, named.usage_date, named.holder_type, named.subject
)

select
    organization_id,
    usage_date,
    source,
    holder_type,
    holder_id,
    cast(null as varchar) as subject,
    matched_by,
    used_at,
    first_reported
from by_id
union all
select
    named.organization_id,
    named.usage_date,
    named.source,
    named.holder_type,
    case when bearers.bearers = 1 then bearers.holder_id end,
    named.subject,
    case
        when bearers.bearers is null then 'unmatched'
        when bearers.bearers > 1 then 'ambiguous'
        when named.holder_type = 'user' then 'email'
        else 'name'
    end,
    named.used_at,
    named.first_reported
from named
left join bearers
    on bearers.organization_id = named.organization_id
    and bearers.usage_date = named.usage_date
    and bearers.holder_type = named.holder_type
    and bearers.subject = named.subject
union all
select known.*
from known
anti join touched
    on touched.organization_id = known.organization_id
    and touched.usage_date = known.usage_date
order by organization_id, usage_date, source, holder_type, holder_id, subject
