-- One row per organization and name that it bore, from when to when (type 2). Answers: what was it called?
-- Being renamed is one fact about the organization, and no change of anybody's license.
-- reads: snapshot_log
with

named as (
    select
        organization_id,
        organization_name,
        snapshot_date,
        lag(organization_name) over (partition by organization_id order by snapshot_date) as name_before
    from snapshot_log
    where organization_name is not null
),

begun as (
    select organization_id, organization_name, snapshot_date as valid_from
    from named
    where organization_name is distinct from name_before
)

select
    organization_id,
    organization_name,
    valid_from,
    lead(valid_from) over (partition by organization_id order by valid_from) as valid_to,
    lead(valid_from) over (partition by organization_id order by valid_from) is null as is_current
from begun
order by organization_id, valid_from
