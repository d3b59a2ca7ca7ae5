-- One row per holder whose history may be another than before; nobody, where nothing is taken over.
-- Answers: whose history must be made again? Theirs of whom something else is told, or looked up.
-- reads: inputs.days_to_read, internal.default_workspaces, internal.invite_links, internal.roster_days,
--     internal.stretch_cuts, internal.told_keys, internal.told_stretches, internal.workspace_names, temp.changed_told,
--     temp.known_default_workspaces, temp.known_invite_links, temp.known_stretch_cuts, temp.known_workspace_names
create or replace temp table changed_holders as
with

links as (
    (from internal.invite_links except from temp.known_invite_links)
    union all
    (from temp.known_invite_links except from internal.invite_links)
),

-- What was told of a day stays: there may be more of these than before, but never fewer.
cuts as (
    from internal.stretch_cuts
    except
    from temp.known_stretch_cuts
),

workspaces as (
    from internal.workspace_names
    except
    from temp.known_workspace_names
),

defaults as (
    from internal.default_workspaces
    except
    from temp.known_default_workspaces
),

-- Before there was a list of members, owners are looked up in the first one.
first_lists as (
    select days.organization_id
    from internal.roster_days as days
    semi join inputs.days_to_read as again
        on again.organization_id = days.organization_id
        and again.snapshot_date = days.snapshot_date
    where days.holder_type = 'user'
        and days.previous_date is null
),

found as (
    from temp.changed_told
    union
    -- an invite's seat is its member's to tell, and invites are few
    select organization_id, holder_type, holder_id
    from internal.told_stretches
    where holder_type = 'invite'
    union
    select organization_id, 'user', holder_id
    from links
    union
    select organization_id, holder_type, holder_id
    from cuts
    union
    select keys.organization_id, keys.holder_type, keys.holder_id
    from internal.told_keys as keys
    semi join workspaces using (organization_id, workspace_id)
    where keys.workspace_name is null
    union
    select organization_id, holder_type, holder_id
    from internal.told_stretches
    semi join (
        select organization_id from defaults
        union all
        select organization_id from first_lists
    ) using (organization_id)
    where holder_type = 'api_key'
)

select *
from found
where getvariable('amends')
