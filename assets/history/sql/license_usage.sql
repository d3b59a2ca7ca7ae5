-- One row per organization, day, source and holder with use. Answers: who used what on which day, by which source?
-- Use that a report names by an e-mail or a key's name is theirs who bore it on that day, as far as the history knows:
-- at the day's beginning or end; where nobody did and that day was not observed, who bore it on the next one that was, and
-- was there already. Known rows that nothing new speaks of are taken as they are.
-- reads: inputs.known_usage, inputs.usage, internal.roster_days, internal.usage_bearers
with

reported as (
    select
        organization_id,
        usage_date,
        source,
        holder_type,
        holder_id,
        subject_of(holder_type, subject, subject) as subject,
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

subjects as (
    select
        named.organization_id,
        named.usage_date,
        named.holder_type,
        named.subject,
        days.snapshot_date as next_day,
        days.day_number = 1 as is_before_the_first
    from (select distinct organization_id, usage_date, holder_type, subject from named) as named
    asof left join internal.roster_days as days
        on days.organization_id = named.organization_id
        and days.holder_type = named.holder_type
        and days.snapshot_date >= named.usage_date
),

candidates as (
    select
        subjects.organization_id,
        subjects.usage_date,
        subjects.holder_type,
        subjects.subject,
        bearers.holder_id,
        bearers.valid_from <= subjects.usage_date as bore_it
    from subjects
    inner join internal.usage_bearers as bearers
        on bearers.organization_id = subjects.organization_id
        and bearers.holder_type = subjects.holder_type
        and bearers.subject = subjects.subject
        and (
            -- at the day's end, or at its beginning
            (
                bearers.valid_from <= subjects.usage_date
                and coalesce(bearers.valid_to, date '9999-12-31') >= subjects.usage_date
            )
            or (
                bearers.valid_from = subjects.next_day
                and coalesce(
                    cast(make_timestamp(epoch_us(bearers.assigned_at)) as date) <= subjects.usage_date,
                    subjects.is_before_the_first
                )
            )
        )
),

bearers as (
    select
        organization_id,
        usage_date,
        holder_type,
        subject,
        min(holder_id) as holder_id,
        count(distinct holder_id) as bearers
    from candidates
    where bore_it
    group by organization_id, usage_date, holder_type, subject
    union all
    select organization_id, usage_date, holder_type, subject, min(holder_id), count(distinct holder_id)
    from candidates
    group by organization_id, usage_date, holder_type, subject
    having not bool_or(bore_it)
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
