-- One row per organization and day on which its members are known (or, where they never are, anything is).
-- Answers: on which days does finance count? A roster that is unknown on such a day counts as last known.
select
    log.organization_id,
    log.snapshot_date,
    cast(date_trunc('month', log.snapshot_date) as date) as month,
    lead(log.snapshot_date) over (partition by log.organization_id order by log.snapshot_date) as next_date
from snapshot_log as log
inner join internal.finance_organizations as organizations
    on organizations.organization_id = log.organization_id
where log.users is not null
    or not organizations.has_members
order by log.organization_id, log.snapshot_date
