-- One row per month and active holder with a seat at its end, of whom no use is known in the 30 days before.
-- Answers: which seats are paid and not used, for how long, and how sure is that? is_unused: a source that sees
-- all of the holder's use watched on 30 days or more and saw nothing; else it is not known. Who was added in these 30 days is too new to tell, and stands in no row.
-- reads: internal.finance_months, internal.holder_uses, internal.prices_by_day, internal.roster_days,
--     internal.seat_stretches, internal.usage_dates
create view finance_unused as
with

months as (
    select organization_id, month, as_of
    from internal.finance_months
),

stretches as materialized (
    select
        *,
        cast(make_timestamp(epoch_us(assigned_at)) as date) as assigned_date
    from internal.seat_stretches
    where is_billed
        and status = 'Active'
),

-- The bits of the 30 days up to a month's last: of its era and, where they begin in it, of the one before.
last_days as (
    select
        months.organization_id,
        months.month,
        months.as_of,
        last.era,
        last.bit,
        last.up_to,
        bit_or(dates.alone) filter (dates.era = last.era) as last_30,
        bit_or(dates.alone) filter (dates.era < last.era) as last_30_before
    from months
    inner join internal.usage_dates as last on last.usage_date = months.as_of
    inner join internal.usage_dates as dates on dates.usage_date between months.as_of - 29 and months.as_of
    group by months.organization_id, months.month, months.as_of, last.era, last.bit, last.up_to
),

-- Who has used it in these 30 days, or has had it for less, is no question. The bits say so of all at once; what else is
-- looked up is looked up for the others only. Use of before the license was assigned lies before these days.
holders as (
    select
        months.month,
        months.as_of,
        stretches.*,
        -- the latest day of use: its bit is the first of those that are left
        case
            when bit_position('1'::bit, uses.days & months.up_to) > 0
                then months.as_of - (bit_position('1'::bit, uses.days & months.up_to) - 1 - months.bit)
            else greatest(uses.told_before.usage_date, uses.moment_before.usage_date)
        end as any_last_used_date
    from stretches
    inner join last_days as months
        on months.organization_id = stretches.organization_id
        and months.as_of >= stretches.from_day
        and months.as_of < coalesce(stretches.to_day, date '9999-12-31')
    left join (
        -- with the month, so that who asks for some looks at their eras only
        select last_days.month, uses.*
        from last_days
        inner join internal.holder_uses as uses
            on uses.organization_id = last_days.organization_id
            and uses.era = last_days.era
    ) as uses
        on uses.organization_id = stretches.organization_id
        and uses.holder_type = stretches.holder_type
        and uses.holder_id = stretches.holder_id
        and uses.month = months.month
    where coalesce(months.as_of - stretches.assigned_date >= 29, true)
        and coalesce(bit_count(uses.days & months.last_30) = 0, true)
        and coalesce(bit_count(uses.days_before & months.last_30_before) = 0, true)
),

watched as (
    select
        months.organization_id,
        months.month,
        rosters.holder_type,
        arg_max_null(rosters.usage_observed_since, rosters.snapshot_date) as since,
        arg_max_null(rosters.usage_observed_until, rosters.snapshot_date) as until,
        arg_max(rosters.is_looked_at, rosters.snapshot_date) as is_looked_at
    from months
    inner join internal.roster_days as rosters
        on rosters.organization_id = months.organization_id
        and rosters.snapshot_date <= months.as_of
    group by months.organization_id, months.month, rosters.holder_type
),

-- Use from before the license was assigned was by an earlier holder of the same id.
known as (
    select
        holders.*,
        case
            when holders.any_last_used_date >= coalesce(holders.assigned_date, holders.any_last_used_date)
                then holders.any_last_used_date
        end as last_used_date,
        -- who was assigned after what the sources have reached was watched by none
        coalesce(holders.assigned_date <= watched.until, watched.until is not null) as is_watched,
        case when is_watched then watched.since end as since,
        case when is_watched then watched.until end as until,
        coalesce(watched.is_looked_at, false) as is_looked_at
    from holders
    left join watched
        on watched.organization_id = holders.organization_id
        and watched.month = holders.month
        and watched.holder_type = holders.holder_type
),

proven as (
    select
        *,
        cast(as_of - last_used_date as integer) as days_since_last_use,
        cast(case
            when until is not null then greatest(0, until - greatest(since - 1, assigned_date - 1, last_used_date))
        end as integer) as days_unused_proven
    from known
)

select
    proven.month,
    proven.organization_id,
    proven.cost_centre,
    proven.license_type,
    proven.holder_type,
    proven.holder_id,
    proven.name,
    proven.email,
    proven.assigned_date,
    -- last use
    proven.as_of,
    proven.last_used_date,
    proven.days_since_last_use,
    -- how sure
    case
        when proven.last_used_date is not null then 'used'
        when proven.is_watched then 'never_seen'
        when proven.is_looked_at then 'not_seen'
        else 'unknown'
    end as last_used_state,
    proven.days_unused_proven,
    case
        when proven.last_used_date is null and proven.until is not null then 'at least'
        when proven.last_used_date is null then 'unknown'
        when proven.until is null then 'at most'
        when proven.last_used_date >= proven.since - 1 and proven.until = proven.as_of then 'exact'
        else 'at least'
    end as certainty,
    coalesce(proven.days_unused_proven >= 30, false) as is_unused,
    prices.price
from proven
left join internal.prices_by_day as prices
    on prices.organization_id = proven.organization_id
    and prices.license_type = proven.license_type
    and prices.day = proven.as_of
