-- One row, a variable: the first month of which unused seats may be counted otherwise than before; the first of all,
-- where nothing is taken over. Answers: of which months must they be counted again? What is learnt of a day, be it use,
-- seats, or that a source has reached it, tells of the months that end after it.
-- reads: internal.finance_months, internal.roster_days, internal.seat_stretches, temp.changed_seats,
--     temp.known_finance_months, temp.known_roster_days, temp.known_seat_stretches, temp.used_since
set variable unused_since = (
with

bounds as (
    select
        organization_id, holder_type, holder_id, license_type, status, cost_centre, is_billed, assigned_at,
        unnest([(from_day, true), (to_day, false)]) as bound
    from internal.seat_stretches
    semi join temp.changed_seats using (organization_id, holder_type, holder_id)
    where getvariable('amends')
),

known_bounds as (
    select
        organization_id, holder_type, holder_id, license_type, status, cost_centre, is_billed, assigned_at,
        unnest([(from_day, true), (to_day, false)]) as bound
    from temp.known_seat_stretches
    semi join temp.changed_seats using (organization_id, holder_type, holder_id)
    where getvariable('amends')
),

seats as (
    (from bounds except from known_bounds)
    union all
    (from known_bounds except from bounds)
),

-- A day on which a list was read stays one; what reports have reached of it may be more.
watched as (
    select organization_id, holder_type, snapshot_date, usage_observed_since, usage_observed_until, is_looked_at
    from internal.roster_days
    except
    select organization_id, holder_type, snapshot_date, usage_observed_since, usage_observed_until, is_looked_at
    from temp.known_roster_days
),

-- Of a month that is none any more, the seats say so.
months as (
    select organization_id, month, as_of
    from internal.finance_months
    except
    select organization_id, month, as_of
    from temp.known_finance_months
)

select cast(date_trunc('month', case when getvariable('amends') then min(day) else date '0001-01-01' end) as date)
from (
    select getvariable('used_since') as day
    union all
    select bound[1] from seats
    union all
    select snapshot_date from watched
    union all
    select month from months
)
)
