-- One row: what was counted while an observation was made a snapshot, for `snapshot_log` and the run's metadata.
-- Answers: what of the answers did not come into the snapshot, and why?
-- reads: license_assignments, observation, raw_api_keys, raw_invites, raw_users, unattributed, usage, usage_now
with

too_early as (
    select distinct usage.usage_date, usage.source, usage.holder_type, usage.holder_id, usage.used_at
    from usage
    inner join license_assignments as holders
        on holders.holder_type = usage.holder_type
        and holders.holder_id = usage.holder_id
    where not used_since_assigned(usage.used_at, usage.usage_date, holders.assigned_at)
),

named as (
    select
        count(*) filter (where matched_by = 'ambiguous') as uses_ambiguous,
        count(*) filter (where matched_by = 'unmatched') as uses_unmatched
    from usage_now
),

after_closing as (
    select
        (select count(distinct id) from raw_users, observation where added_at >= day_end)
        + (select count(distinct id) from raw_api_keys, observation where created_at >= day_end)
        + (select count(distinct id) from raw_invites, observation where status = 'pending' and invited_at >= day_end)
        as left_out
)

select
    (select count(*) from too_early) as uses_before_assignment,
    named.uses_ambiguous,
    named.uses_unmatched,
    (select cast(coalesce(sum(told), 0) as integer) from unattributed) as uses_unattributed,
    after_closing.left_out
from named, after_closing
