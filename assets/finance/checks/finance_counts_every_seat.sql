-- One row per fault. Assumes: finance's lines of a day sum to the seats that seat_counts_daily counts, and to the
-- pending invites among them, where all rosters of that day are known; and where it is carried forward from such a day.
-- reads: finance_daily, finance_days, internal.counted_days, internal.finance_organizations, seat_counts_daily
with

lines as (
    select
        organization_id,
        snapshot_date,
        cast(sum(seats) as bigint) as seats,
        cast(sum(invites) as bigint) as invites
    from finance_daily
    group by organization_id, snapshot_date
),

counts as (
    select
        counts.organization_id,
        counts.snapshot_date,
        cast(sum(counts.seats) as bigint) as seats,
        cast(sum(case when counts.holder_type = 'invite' then counts.seats else 0 end) as bigint) as invites
    from seat_counts_daily as counts
    inner join internal.finance_organizations as organizations
        on organizations.organization_id = counts.organization_id
    where counts.takes_seat
        or (organizations.bills_keys and counts.holder_type = 'api_key' and counts.status = 'Active')
    group by counts.organization_id, counts.snapshot_date
),

whole as (
    select organization_id, day
    from finance_days
    where is_counted
        and state in ('final', 'provisional')
),

observed as (
    select organization_id, snapshot_date
    from internal.counted_days
    where is_observed
),

days as (
    select organization_id, day
    from whole
    union all
    select carried.organization_id, carried.snapshot_date
    from internal.counted_days as carried
    asof inner join observed
        on observed.organization_id = carried.organization_id
        and observed.snapshot_date < carried.snapshot_date
    semi join whole
        on whole.organization_id = observed.organization_id
        and whole.day = observed.snapshot_date
    where not carried.is_observed
)

select
    format(
        '{} on {}: {} seats in the lines of finance ({} invites), {} in the counts ({} invites)',
        days.organization_id, days.day, coalesce(lines.seats, 0), coalesce(lines.invites, 0),
        coalesce(counts.seats, 0), coalesce(counts.invites, 0)
    ) as finding
from days
left join lines
    on lines.organization_id = days.organization_id
    and lines.snapshot_date = days.day
left join counts
    on counts.organization_id = days.organization_id
    and counts.snapshot_date = days.day
where coalesce(lines.seats, 0) <> coalesce(counts.seats, 0)
    or coalesce(lines.invites, 0) <> coalesce(counts.invites, 0)
