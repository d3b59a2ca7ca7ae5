-- One row per organization, month, license type and day that is billed: whose seats (as_of), at which day's price, and
-- by what the sum is divided. Answers: what does the organization's convention count? So all four are one formula.
-- reads: finance_daily, finance_days, internal.counted_days, internal.finance_months
with

months as (
    select organization_id, month, as_of, days_counted, days_in_month, is_final, convention
    from internal.finance_months
),

seats as (
    select
        organization_id,
        cast(date_trunc('month', snapshot_date) as date) as month,
        license_type,
        snapshot_date,
        sum(seats) as seats
    from finance_daily
    group by organization_id, license_type, snapshot_date
),

license_types as (
    select distinct organization_id, month, license_type
    from seats
),

-- The peak is the organization's, for each license type: so the lines of its cost centres sum to what is billed.
peaks as (
    select
        organization_id,
        month,
        license_type,
        arg_max(snapshot_date, first_of_peaks(seats, snapshot_date)) as peak_date
    from seats
    group by organization_id, month, license_type
)

select
    months.organization_id,
    months.month,
    license_types.license_type,
    case when months.convention = 'peak' then peaks.peak_date else months.as_of end as as_of,
    case when months.convention = 'peak' then peaks.peak_date else months.as_of end as price_day,
    1 as divisor
from months
inner join license_types
    on license_types.organization_id = months.organization_id
    and license_types.month = months.month
inner join peaks
    on peaks.organization_id = months.organization_id
    and peaks.month = months.month
    and peaks.license_type = license_types.license_type
where months.convention in ('month-end', 'peak')
union all
select
    months.organization_id,
    months.month,
    license_types.license_type,
    days.snapshot_date,
    days.snapshot_date,
    months.days_counted
from months
inner join internal.counted_days as days
    on days.organization_id = months.organization_id
    and days.month = months.month
inner join license_types
    on license_types.organization_id = months.organization_id
    and license_types.month = months.month
where months.convention = 'average'
union all
-- Seat-days are billed for every calendar day: on one that does not count, the seats last known.
select
    months.organization_id,
    months.month,
    license_types.license_type,
    known.snapshot_date,
    days.day,
    months.days_in_month
from months
inner join finance_days as days
    on days.organization_id = months.organization_id
    and days.month = months.month
asof inner join internal.counted_days as known
    on known.organization_id = days.organization_id
    and known.snapshot_date <= days.day
inner join license_types
    on license_types.organization_id = months.organization_id
    and license_types.month = months.month
where months.convention = 'seat-days'
    and (days.day <= months.as_of or months.is_final or known.next_date is not null)
order by all
