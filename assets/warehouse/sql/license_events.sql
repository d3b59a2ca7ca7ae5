-- One row per holder, observed day and thing that changed. Answers: who came, went, came back, or changed, and how?
-- An event after a gap lies between previous_date and event_date. joined, returned and left name the license type, so
-- that the events with attribute = 'license_type' explain every difference of two seat counts.
with

stretches as (
    select
        stretches.*,
        min(valid_from) over (partition by organization_id, holder_type, holder_id) as first_seen
    from license_history as stretches
),

changes as (
    select
        later.valid_from as event_date,
        later.organization_id,
        later.holder_type,
        later.holder_id,
        unnest([
            {event: 'license_changed', attribute: 'license_type', before: earlier.license_type, after: later.license_type},
            {event: 'role_changed', attribute: 'role', before: earlier.role, after: later.role},
            {event: 'status_changed', attribute: 'status', before: earlier.status, after: later.status},
            {event: 'status_word_changed', attribute: 'status_raw', before: earlier.status_raw, after: later.status_raw},
            {event: 'renamed', attribute: 'name', before: earlier.name, after: later.name},
            {event: 'email_changed', attribute: 'email', before: earlier.email, after: later.email},
            {event: 'workspace_moved', attribute: 'workspace_id', before: earlier.workspace_id, after: later.workspace_id},
            {
                event: 'workspace_renamed',
                attribute: 'workspace_name',
                before: case when earlier.workspace_id is not distinct from later.workspace_id then earlier.workspace_name end,
                after: case when earlier.workspace_id is not distinct from later.workspace_id then later.workspace_name end
            },
            {event: 'owner_changed', attribute: 'owner_user_id', before: earlier.owner_user_id, after: later.owner_user_id},
            {
                event: case when later.owner_status = 'left' then 'owner_left' else 'owner_status_changed' end,
                attribute: 'owner_status',
                before: earlier.owner_status,
                after: later.owner_status
            },
            {
                event: 'owner_email_changed',
                attribute: 'owner_email',
                before: case when earlier.owner_user_id is not distinct from later.owner_user_id then earlier.owner_email end,
                after: case when earlier.owner_user_id is not distinct from later.owner_user_id then later.owner_email end
            },
            {
                event: 'owner_type_changed',
                attribute: 'owner_type',
                before: case when earlier.owner_user_id is not distinct from later.owner_user_id then earlier.owner_type end,
                after: case when earlier.owner_user_id is not distinct from later.owner_user_id then later.owner_type end
            },
            {event: 'key_hint_changed', attribute: 'key_hint', before: earlier.key_hint, after: later.key_hint},
            {
                event: 'expiry_changed',
                attribute: 'expires_at',
                before: cast(make_timestamp(epoch_us(earlier.expires_at)) as varchar),
                after: cast(make_timestamp(epoch_us(later.expires_at)) as varchar)
            },
            -- left and added again between two observed days
            {
                event: 'assigned_again',
                attribute: 'assigned_at',
                before: cast(make_timestamp(epoch_us(earlier.assigned_at)) as varchar),
                after: cast(make_timestamp(epoch_us(later.assigned_at)) as varchar)
            }
        ], recursive := true)
    from stretches as earlier
    inner join stretches as later
        on later.organization_id = earlier.organization_id
        and later.holder_type = earlier.holder_type
        and later.holder_id = earlier.holder_id
        and later.valid_from = earlier.valid_to
),

arrivals as (
    select
        stretches.valid_from as event_date,
        stretches.organization_id,
        stretches.holder_type,
        stretches.holder_id,
        case when stretches.valid_from = stretches.first_seen then 'joined' else 'returned' end as event,
        'license_type' as attribute,
        null as before,
        stretches.license_type as after
    from stretches
    anti join stretches as earlier
        on earlier.organization_id = stretches.organization_id
        and earlier.holder_type = stretches.holder_type
        and earlier.holder_id = stretches.holder_id
        and earlier.valid_to = stretches.valid_from
),

departures as (
    select
        stretches.valid_to as event_date,
        stretches.organization_id,
        stretches.holder_type,
        stretches.holder_id,
        'left' as event,
        'license_type' as attribute,
        stretches.license_type as before,
        null as after
    from stretches
    anti join stretches as later
        on later.organization_id = stretches.organization_id
        and later.holder_type = stretches.holder_type
        and later.holder_id = stretches.holder_id
        and later.valid_from = stretches.valid_to
    where stretches.valid_to is not null
),

events as (
    from arrivals
    union all by name
    from departures
    union all by name
    from changes
    where before is distinct from after
)

select
    events.event_date,
    days.previous_date,
    events.organization_id,
    events.holder_type,
    events.holder_id,
    events.event,
    events.attribute,
    events.before,
    events.after
from events
inner join internal.roster_days as days
    on days.organization_id = events.organization_id
    and days.holder_type = events.holder_type
    and days.snapshot_date = events.event_date
order by events.organization_id, events.event_date, events.holder_type, events.holder_id, events.event
