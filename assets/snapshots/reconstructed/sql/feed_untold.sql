-- One row per member or key of the base snapshot whose addition, at a time that the feed covers, the feed does not tell.
-- Answers: does the feed tell less than happened? However it tells that somebody came, it counts; an addition of long
-- before is another one, of an earlier membership.
-- reads: activities, base, base_day
with

told as (
    select user_id as holder_id, lower(user_email) as email, created_at
    from activities
    where type = 'scim_user_created'
        or (type = 'claude_user_role_updated' and previous_role is null)
    union all
    select actor.user_id, lower(actor.email_address), created_at
    from activities
    where type = 'org_user_invite_accepted'
    union all
    select api_key_id, null, created_at
    from activities
    where type = 'platform_api_key_created'
)

select base.holder_type, base.holder_id, base.assigned_at as added_at
from base
cross join base_day
where base.holder_type in ('user', 'api_key')
    and base.assigned_at >= base_day.proved_from
    and base.assigned_at < base_day.day_end
    and not exists (
        select 1
        from told
        where (told.holder_id = base.holder_id or told.email = lower(base.email))
            and told.created_at >= base.assigned_at - interval 1 day
    )
