-- One row per holder and source with its latest use up to the end of the day, and one for each use after it, which may be
-- the latest of another day; a time and a mere day stand apart.
-- Answers: when was each holder last used, by each report, as far as nights up to this one know?
-- reads: last_use_before, observation, told_since
with

told as (
    select holder_type, holder_id, source, usage_date, used_at
    from last_use_before
    union all
    select holder_type, holder_id, source, usage_date, used_at
    from told_since
    where holder_id is not null
),

placed as (
    select
        told.*,
        told.used_at is not null as is_timed,
        told.usage_date > observation.day or coalesce(told.used_at >= observation.day_end, false) as is_later
    from told, observation
)

select holder_type, holder_id, source, max(usage_date) as usage_date, max(used_at) as used_at
from placed
group by
    holder_type,
    holder_id,
    source,
    is_timed,
    case when is_later then usage_date end,
    case when is_later then used_at end
