-- One row: what was counted while an observation was made a snapshot, for `snapshot_log` and the run's metadata.
-- Answers: what of the answers did not come into the snapshot, and why?
-- reads: observation, raw_api_keys, raw_invites, raw_users, unattributed
select
    (select cast(coalesce(sum(told), 0) as integer) from unattributed) as uses_unattributed,
    (select count(distinct id) from raw_users, observation where added_at >= day_end)
    + (select count(distinct id) from raw_api_keys, observation where created_at >= day_end)
    + (select count(distinct id) from raw_invites, observation where status = 'pending' and invited_at >= day_end)
    as left_out
