-- One row per organization, source, holder or name as a report gave it, era, and how late it was reported.
-- Answers: which days of use did reports tell of, by whatever they name people and keys? The days are bits
-- (internal.usage_dates): one more day sets some, and copies neither other days nor other eras. What the last warehouse
-- knew is taken as it is.
-- reads: inputs.known_usage, inputs.usage, internal.usage_dates, temp.changed_usage
with

-- Reports are as late each night, so few rows tell all of a holder's days: a week at most is counted from the day of use.
-- The columns of a report stand here and in `instants`: one part that both read would be set aside, row by row, and of
-- a first night that is gigabytes.
new_days as (
    select
        usage.organization_id,
        usage.source,
        usage.holder_type,
        case when usage.subject is null then usage.holder_id end as holder_id,
        subject_of(usage.holder_type, usage.subject, usage.subject) as subject,
        dates.era,
        cast(
            case when usage.observed_day - usage.usage_date <= 7 then usage.observed_day - usage.usage_date end as integer
        ) as lag,
        case when usage.observed_day - usage.usage_date > 7 then usage.observed_day end as reported_on,
        bitstring_agg(dates.bit, 0, 127) as days
    from inputs.usage as usage
    inner join internal.usage_dates as dates on dates.usage_date = usage.usage_date
    where usage.used_at is null
    group by all
),

known as (
    select *
    from inputs.known_usage as known
    semi join temp.changed_usage as changed
        on changed.organization_id = known.organization_id
        and changed.source = known.source
        and changed.holder_type = known.holder_type
        and changed.holder_id is not distinct from known.holder_id
        and changed.subject is not distinct from known.subject
        and changed.era = known.era
),

days_told as (
    select
        coalesce(known.organization_id, new_days.organization_id) as organization_id,
        coalesce(known.source, new_days.source) as source,
        coalesce(known.holder_type, new_days.holder_type) as holder_type,
        coalesce(known.holder_id, new_days.holder_id) as holder_id,
        coalesce(known.subject, new_days.subject) as subject,
        coalesce(known.era, new_days.era) as era,
        coalesce(known.lag, new_days.lag) as lag,
        coalesce(known.reported_on, new_days.reported_on) as reported_on,
        case
            when known.days is not null and new_days.days is not null then known.days | new_days.days
            else coalesce(known.days, new_days.days)
        end as days
    from (select * from known where days is not null) as known
    full join new_days
        on new_days.organization_id = known.organization_id
        and new_days.source = known.source
        and new_days.holder_type = known.holder_type
        and new_days.holder_id is not distinct from known.holder_id
        and new_days.subject is not distinct from known.subject
        and new_days.era = known.era
        and new_days.lag is not distinct from known.lag
        and new_days.reported_on is not distinct from known.reported_on
),

-- A day that several observations told of stands with the first of them. Only what is new can have made it several.
told_twice as (
    select told.organization_id, told.source, told.holder_type, told.holder_id, told.subject, told.era
    from days_told as told
    semi join new_days
        on new_days.organization_id = told.organization_id
        and new_days.source = told.source
        and new_days.holder_type = told.holder_type
        and new_days.holder_id is not distinct from told.holder_id
        and new_days.subject is not distinct from told.subject
        and new_days.era = told.era
    group by told.organization_id, told.source, told.holder_type, told.holder_id, told.subject, told.era
    having sum(bit_count(told.days)) > bit_count(bit_or(told.days))
),

told_once as (
    select told.* replace (
        told.days & coalesce(
            ~ bit_or(told.days) over (
                partition by told.organization_id, told.source, told.holder_type, told.holder_id, told.subject, told.era
                order by told.lag nulls last, told.reported_on
                rows between unbounded preceding and 1 preceding
            ),
            told.days
        ) as days
    )
    from days_told as told
    semi join told_twice
        on told_twice.organization_id = told.organization_id
        and told_twice.source = told.source
        and told_twice.holder_type = told.holder_type
        and told_twice.holder_id is not distinct from told.holder_id
        and told_twice.subject is not distinct from told.subject
        and told_twice.era = told.era
),

instants as (
    select
        usage.organization_id,
        usage.source,
        usage.holder_type,
        case when usage.subject is null then usage.holder_id end as holder_id,
        subject_of(usage.holder_type, usage.subject, usage.subject) as subject,
        dates.era,
        usage.usage_date,
        usage.used_at,
        usage.observed_day as first_reported
    from inputs.usage as usage
    inner join internal.usage_dates as dates on dates.usage_date = usage.usage_date
    where usage.used_at is not null
),

new_moments as (
    select organization_id, source, holder_type, holder_id, subject, era, min(usage_date) as first_day
    from instants
    group by organization_id, source, holder_type, holder_id, subject, era
),

-- Only what is not older than the new ones can be of the same day.
moments as (
    from instants
    union all
    select
        organization_id,
        source,
        holder_type,
        holder_id,
        subject,
        era,
        moment.usage_date,
        moment.used_at,
        moment.first_reported
    from (
        select
            known.*,
            unnest(list_filter(known.moments, lambda one: one.usage_date >= new_moments.first_day)) as moment
        from known
        inner join new_moments
            on new_moments.organization_id = known.organization_id
            and new_moments.source = known.source
            and new_moments.holder_type = known.holder_type
            and new_moments.holder_id is not distinct from known.holder_id
            and new_moments.subject is not distinct from known.subject
            and new_moments.era = known.era
    )
),

moments_of_days as (
    select
        organization_id,
        source,
        holder_type,
        holder_id,
        subject,
        era,
        {usage_date: usage_date, used_at: max(used_at), first_reported: min(first_reported)} as moment
    from moments
    group by organization_id, source, holder_type, holder_id, subject, era, usage_date
),

moments_anew as (
    select organization_id, source, holder_type, holder_id, subject, era, list(moment order by moment.usage_date) as moments
    from moments_of_days
    group by organization_id, source, holder_type, holder_id, subject, era
),

moments_told as (
    select
        coalesce(known.organization_id, anew.organization_id) as organization_id,
        coalesce(known.source, anew.source) as source,
        coalesce(known.holder_type, anew.holder_type) as holder_type,
        coalesce(known.holder_id, anew.holder_id) as holder_id,
        coalesce(known.subject, anew.subject) as subject,
        coalesce(known.era, anew.era) as era,
        case
            when anew.moments is null then known.moments
            else list_concat(
                list_filter(known.moments, lambda one: one.usage_date < anew.moments[1].usage_date),
                anew.moments
            )
        end as moments
    from (select * from known where moments is not null) as known
    full join moments_anew as anew
        on anew.organization_id = known.organization_id
        and anew.source = known.source
        and anew.holder_type = known.holder_type
        and anew.holder_id is not distinct from known.holder_id
        and anew.subject is not distinct from known.subject
        and anew.era = known.era
)

select told.*, null as moments
from days_told as told
anti join told_twice
    on told_twice.organization_id = told.organization_id
    and told_twice.source = told.source
    and told_twice.holder_type = told.holder_type
    and told_twice.holder_id is not distinct from told.holder_id
    and told_twice.subject is not distinct from told.subject
    and told_twice.era = told.era
union all by name
select *
from told_once
where bit_count(days) > 0
union all by name
from moments_told
order by era, organization_id, holder_type, holder_id, subject, source, lag, reported_on
