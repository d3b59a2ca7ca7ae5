-- One row per activity (or missing activity) that contradicts the state it applies to: shown, counted, never hidden.
-- Answers: what contradicts what on the way back?
-- reads: base, base_day, base_values, default_workspace, feed_transitions
with

ordered as (
    select
        *,
        lag(after) over changes as after_before,
        lag(after_known) over changes as after_before_known,
        lead(happened_at) over changes as next_at
    from feed_transitions
    window changes as (partition by holder_type, holder_id, attribute order by happened_at, id)
),

broken_chains as (
    select
        holder_type,
        holder_id,
        attribute,
        happened_at,
        id as activity_id,
        'says that it was ' || coalesce(before, 'null') || ', but the activity before left it '
            || coalesce(after_before, 'null') as conflict
    from ordered
    where after_before_known and before_known and before is distinct from after_before and holder_type <> 'invite'
),

not_as_observed as (
    select
        ordered.holder_type,
        ordered.holder_id,
        ordered.attribute,
        ordered.happened_at,
        ordered.id,
        'says that it became ' || coalesce(ordered.after, 'null') || ', but the snapshot of ' || base_day.day || ' has '
            || case
                when base_values.holder_id is null then 'no such holder'
                else coalesce(base_values.value, 'null')
            end
    from ordered
    cross join base_day
    left join base_values
        on base_values.holder_type = ordered.holder_type
        and base_values.holder_id = ordered.holder_id
        and base_values.attribute = ordered.attribute
    where ordered.next_at is null
        and ordered.after_known
        and ordered.holder_type <> 'invite'
        and case
            -- came into being between the close of the day and the look at it, so the snapshot leaves it out
            when base_values.holder_id is null and ordered.happened_at >= base_day.day_end then false
            when base_values.holder_id is null then ordered.after is distinct from 'absent'
            when ordered.attribute = 'workspace' and ordered.after is null
                then base_values.value is distinct from (select id from default_workspace)
            else base_values.value is distinct from ordered.after
        end
),

untold_additions as (
    select
        base.holder_type,
        base.holder_id,
        'role' as attribute,
        base.assigned_at as happened_at,
        cast(null as varchar) as id,
        'was added then, as the snapshot of ' || base_day.day || ' says, but the feed tells no addition'
    from base
    cross join base_day
    anti join feed_transitions
        on feed_transitions.holder_type = base.holder_type
        and feed_transitions.holder_id = base.holder_id
        and feed_transitions.before = 'absent'
    where base.holder_type = 'user' and base.assigned_at >= base_day.proved_from
)

select conflicts.*
from (
    select * from broken_chains
    union all
    select * from not_as_observed
    union all
    select * from untold_additions
) as conflicts
cross join base_day
where conflicts.happened_at >= base_day.proved_from
order by conflicts.holder_type, conflicts.holder_id, conflicts.happened_at, conflicts.attribute
