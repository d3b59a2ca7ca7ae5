-- One row per holder whose seats may be counted otherwise than before; nobody, where nothing is taken over.
-- Answers: whose stretches of counted days must be made again?
-- reads: internal.cost_centre_rules, internal.counted_days, internal.finance_organizations, license_history,
--     temp.changed_holders, temp.known_cost_centre_rules, temp.known_counted_days, temp.known_finance_organizations
create or replace temp table changed_seats as
with

counted_before as (
    select organization_id, max(snapshot_date) as last_day
    from temp.known_counted_days
    group by organization_id
),

new_days as (
    select min(counted_before.last_day) + 1 as first_day, max(days.snapshot_date) as last_day
    from counted_before
    inner join internal.counted_days as days on days.organization_id = counted_before.organization_id
),

-- Days that were carried forward are none any more once the month is observed.
recounted as (
    (
        select organization_id, snapshot_date
        from internal.counted_days
        semi join counted_before
            on counted_before.organization_id = counted_days.organization_id
            and counted_before.last_day >= counted_days.snapshot_date
        except
        select organization_id, snapshot_date
        from temp.known_counted_days
    )
    union all
    (
        select organization_id, snapshot_date
        from temp.known_counted_days
        except
        select organization_id, snapshot_date
        from internal.counted_days
    )
),

billed_otherwise as (
    from internal.finance_organizations
    except
    from temp.known_finance_organizations
),

rules as (
    (from internal.cost_centre_rules except from temp.known_cost_centre_rules)
    union all
    (from temp.known_cost_centre_rules except from internal.cost_centre_rules)
    union all
    -- begins or ends only now
    select distinct rules.*
    from internal.cost_centre_rules as rules
    cross join new_days
    where rules.valid_from between new_days.first_day and new_days.last_day
        or rules.valid_to between new_days.first_day and new_days.last_day
),

organizations as (
    select organization_id
    from internal.finance_organizations
    where exists (from rules)
    union
    select organization_id
    from recounted
    union
    select organization_id
    from billed_otherwise
),

found as (
    from temp.changed_holders
    union
    select organization_id, holder_type, holder_id
    from license_history
    semi join organizations using (organization_id)
    union
    -- what began or ended after the last counted day
    select history.organization_id, history.holder_type, history.holder_id
    from license_history as history
    inner join counted_before
        on counted_before.organization_id = history.organization_id
        and counted_before.last_day < greatest(history.valid_from, history.valid_to)
)

select *
from found
where getvariable('amends')
