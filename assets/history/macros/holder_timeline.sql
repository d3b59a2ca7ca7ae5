-- One row per event of the holders with this id, or who ever had this e-mail (upper or lower case), oldest first.
-- Answers: what is one person's or key's story?
-- reads: license_events, license_history
create macro holder_timeline(who) as table
with

meant as (
    select distinct organization_id, holder_type, holder_id
    from license_history
    where holder_id = who
        or lower(email) = lower(who)
)

select
    events.event_date,
    events.previous_date,
    events.organization_id,
    events.holder_type,
    events.holder_id,
    events.event,
    events.attribute,
    events.before,
    events.after,
    -- the state after the event; of who is gone, the last one
    history.license_type,
    history.status,
    history.name,
    history.email
from license_events as events
inner join meant
    on meant.organization_id = events.organization_id
    and meant.holder_type = events.holder_type
    and meant.holder_id = events.holder_id
inner join license_history as history
    on history.organization_id = events.organization_id
    and history.holder_type = events.holder_type
    and history.holder_id = events.holder_id
    and case when events.event in ('left', 'accepted', 'invite_ended') then history.valid_to else history.valid_from end = events.event_date
order by events.event_date, events.organization_id, events.holder_type, events.holder_id, events.event, events.attribute
