-- One row per kind of license, role and status in the history. Answers: does it take a seat?
-- The role decides, as in license_types.csv today; where it is not known, the license type; where that is not known
-- either, it counts as taking a seat, so that no cost is hidden. API keys and disabled holders take none.
with

by_type as (
    select license_type, bool_or(takes_seat) as takes_seat
    from internal.license_types
    group by license_type
),

met as (
    select distinct holder_type, license_type, role, status
    from license_history
)

select
    met.holder_type,
    met.license_type,
    met.role,
    met.status,
    case
        when met.holder_type = 'api_key' or met.status = 'Disabled' then false
        else coalesce(by_role.takes_seat, by_type.takes_seat, true)
    end as takes_seat
from met
left join internal.license_types as by_role on by_role.role = met.role
left join by_type on by_type.license_type = met.license_type
order by met.holder_type, met.license_type, met.role, met.status
