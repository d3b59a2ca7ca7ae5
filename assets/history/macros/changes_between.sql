-- One row per event after the first day, up to and including the second: what leads from the state on the one to the
-- state on the other. Answers: who came, went or changed between two days, by name?
-- reads: license_events, license_history
create macro changes_between(from_day, to_day) as table
select
    events.event_date,
    events.previous_date,
    events.organization_id,
    events.holder_type,
    events.holder_id,
    history.name,
    history.email,
    events.event,
    events.attribute,
    events.before,
    events.after
from license_events as events
-- the state after the event; of who is gone, the last one
inner join license_history as history
    on history.organization_id = events.organization_id
    and history.holder_type = events.holder_type
    and history.holder_id = events.holder_id
    and case when events.event in ('left', 'accepted', 'invite_ended') then history.valid_to else history.valid_from end = events.event_date
where events.event_date > cast(from_day as date)
    and events.event_date <= cast(to_day as date)
