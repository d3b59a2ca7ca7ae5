-- Assumes: finance's lines of a day sum to the seats that seat_counts_daily counts, where all rosters of that day are known.
with

lines as (
    select organization_id, snapshot_date, cast(sum(seats) as bigint) as seats
    from finance_daily
    group by organization_id, snapshot_date
),

counts as (
    select counts.organization_id, counts.snapshot_date, cast(sum(counts.seats) as bigint) as seats
    from seat_counts_daily as counts
    inner join internal.finance_organizations as organizations
        on organizations.organization_id = counts.organization_id
    where counts.takes_seat
        or (organizations.bills_keys and counts.holder_type = 'api_key' and counts.status = 'Active')
    group by counts.organization_id, counts.snapshot_date
)

select
    format(
        '{} on {}: {} seats in the lines of finance, {} in the counts',
        days.organization_id, days.day, coalesce(lines.seats, 0), coalesce(counts.seats, 0)
    ) as finding
from finance_days as days
left join lines
    on lines.organization_id = days.organization_id
    and lines.snapshot_date = days.day
left join counts
    on counts.organization_id = days.organization_id
    and counts.snapshot_date = days.day
where days.is_counted
    and days.state in ('final', 'provisional')
    and coalesce(lines.seats, 0) <> coalesce(counts.seats, 0)
