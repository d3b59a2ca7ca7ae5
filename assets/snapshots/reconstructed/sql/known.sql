-- One row per holder of whom the feed tells a change, and day of which an observed snapshot has them.
-- Answers: what is known of those who changed, beside what the feed says?
-- reads: feed_timeline, snapshots_beside
select holder_type, holder_id, snapshot_date, name, email, role, assigned_at
from snapshots_beside
where provenance = 'observed'
    and (holder_type, holder_id) in (select (holder_type, holder_id) from feed_timeline)
