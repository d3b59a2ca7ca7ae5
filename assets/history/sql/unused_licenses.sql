-- One row per active holder, as of the last day on which its roster is known.
-- Answers: who has not used the license, for how long, and how sure is that?
-- reads: license_assignments
create view unused_licenses as
with

holders as (
    select
        *,
        cast(make_timestamp(epoch_us(assigned_at)) as date) as assigned_date,
        cast(make_timestamp(epoch_us(last_used_at)) as date) as last_used_date
    from license_assignments
    where status = 'Active'
)

select
    organization_id,
    organization_name,
    holder_type,
    holder_id,
    license_type,
    takes_seat,
    name,
    email,
    owner_user_id,
    owner_email,
    workspace_name,
    assigned_at,
    -- last use
    as_of,
    last_used_date,
    last_used_at,
    last_used_precision,
    last_used_source,
    cast(as_of - last_used_date as integer) as days_since_last_use,
    -- how sure
    last_used_state,
    usage_observed_since,
    usage_observed_until,
    -- what is proven: a source that sees all of the holder's use watched on all these days and saw nothing
    cast(case
        when usage_observed_until is not null
            then greatest(0, usage_observed_until - greatest(usage_observed_since - 1, assigned_date - 1, last_used_date))
    end as integer) as days_unused_proven,
    case
        when last_used_date is null and usage_observed_until is not null then 'at least'
        when last_used_date is null then 'unknown'
        when usage_observed_until is null then 'at most'
        when last_used_date >= usage_observed_since - 1 and usage_observed_until = as_of then 'exact'
        else 'at least'
    end as certainty
from holders
order by
    organization_id,
    days_since_last_use desc nulls first,
    holder_type,
    holder_id
