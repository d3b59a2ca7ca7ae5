-- One row per holder, observed day and thing that changed. Answers: who came, went, came back, or changed, and how?
-- An event after a gap lies between previous_date and event_date. joined, returned, left, and for invites invited,
-- accepted and invite_ended name the license type, so that the events with attribute = 'license_type' explain every
-- difference of two seat counts. Not knowing is no change: where one side is not known, there is no event.
-- reads: internal.invite_links, internal.roster_days, license_history, temp.changed_holders
with

stretches as (
    select
        stretches.*,
        min(valid_from) over (partition by organization_id, holder_type, holder_id) as first_seen
    from license_history as stretches
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
),

-- `knows`: nulls of this attribute are values (a key without an expiry); else null is what nobody told.
changes as (
    select
        later.valid_from as event_date,
        later.organization_id,
        later.holder_type,
        later.holder_id,
        unnest([
            {event: 'license_changed', attribute: 'license_type', knows: true, before: earlier.license_type, after: later.license_type},
            {
                event: 'seat_rule_changed',
                attribute: 'takes_seat',
                knows: true,
                before: cast(earlier.takes_seat as varchar),
                -- by the status or the role: those events say it
                after: case
                    when (earlier.status, earlier.role) is not distinct from (later.status, later.role)
                        then cast(later.takes_seat as varchar)
                    else cast(earlier.takes_seat as varchar)
                end
            },
            {event: 'role_changed', attribute: 'role', knows: false, before: earlier.role, after: later.role},
            {event: 'status_changed', attribute: 'status', knows: true, before: earlier.status, after: later.status},
            {event: 'status_word_changed', attribute: 'status_raw', knows: false, before: earlier.status_raw, after: later.status_raw},
            {event: 'renamed', attribute: 'name', knows: false, before: earlier.name, after: later.name},
            {event: 'email_changed', attribute: 'email', knows: false, before: earlier.email, after: later.email},
            {
                event: 'workspace_moved',
                attribute: 'workspace_id',
                knows: true,
                before: earlier.workspace_id,
                after: later.workspace_id
            },
            {
                event: 'workspace_renamed',
                attribute: 'workspace_name',
                knows: false,
                before: case when earlier.workspace_id is not distinct from later.workspace_id then earlier.workspace_name end,
                after: case when earlier.workspace_id is not distinct from later.workspace_id then later.workspace_name end
            },
            {
                event: 'owner_changed',
                attribute: 'owner_user_id',
                knows: true,
                before: earlier.owner_user_id,
                after: later.owner_user_id
            },
            {
                event: case when later.owner_status = 'left' then 'owner_left' else 'owner_status_changed' end,
                attribute: 'owner_status',
                knows: false,
                before: nullif(earlier.owner_status, 'unknown'),
                after: nullif(later.owner_status, 'unknown')
            },
            {
                event: 'owner_email_changed',
                attribute: 'owner_email',
                knows: earlier.owner_status <> 'unknown' and later.owner_status <> 'unknown',
                before: case when earlier.owner_user_id is not distinct from later.owner_user_id then earlier.owner_email end,
                after: case when earlier.owner_user_id is not distinct from later.owner_user_id then later.owner_email end
            },
            {
                event: 'owner_type_changed',
                attribute: 'owner_type',
                knows: false,
                before: case when earlier.owner_user_id is not distinct from later.owner_user_id then earlier.owner_type end,
                after: case when earlier.owner_user_id is not distinct from later.owner_user_id then later.owner_type end
            },
            {event: 'key_hint_changed', attribute: 'key_hint', knows: false, before: earlier.key_hint, after: later.key_hint},
            {
                event: 'expiry_changed',
                attribute: 'expires_at',
                knows: true,
                before: cast(make_timestamp(epoch_us(earlier.expires_at)) as varchar),
                after: cast(make_timestamp(epoch_us(later.expires_at)) as varchar)
            },
            -- left and added again between two observed days
            {
                event: 'assigned_again',
                attribute: 'assigned_at',
                knows: false,
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
        case
            when stretches.holder_type = 'invite' then 'invited'
            when stretches.valid_from = stretches.first_seen then 'joined'
            else 'returned'
        end as event,
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
        case
            when stretches.holder_type <> 'invite' then 'left'
            when links.invite_id is not null then 'accepted'
            else 'invite_ended'
        end as event,
        'license_type' as attribute,
        stretches.license_type as before,
        null as after
    from stretches
    anti join stretches as later
        on later.organization_id = stretches.organization_id
        and later.holder_type = stretches.holder_type
        and later.holder_id = stretches.holder_id
        and later.valid_from = stretches.valid_to
    left join internal.invite_links as links
        on stretches.holder_type = 'invite'
        and links.organization_id = stretches.organization_id
        and links.invite_id = stretches.holder_id
    where stretches.valid_to is not null
),

events as (
    select event_date, organization_id, holder_type, holder_id, event, attribute, before, after
    from arrivals
    union all by name
    select event_date, organization_id, holder_type, holder_id, event, attribute, before, after
    from departures
    union all by name
    select event_date, organization_id, holder_type, holder_id, event, attribute, before, after
    from changes
    where before is distinct from after
        and (knows or (before is not null and after is not null))
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
