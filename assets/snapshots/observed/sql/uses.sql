-- One row per day, source and holder that a part of a usage report names, by id or by a subject: a member's e-mail
-- address, in lower case so that one use never stands twice, or a key's name.
-- Answers: whom or what do the reports name, day by day?
-- reads: raw_analytics_usage, raw_analytics_users, raw_claude_code, raw_messages_usage
with

analytics as (
    select
        cast(starting_at as date) as usage_date,
        "group".actor.user_id as user_id,
        "group".actor.email_address as email_address,
        -- whoever the actor is, the key that authenticated was used
        coalesce("group".api_key_id, "group".actor.api_key_id) as api_key_id
    from raw_analytics_usage
),

messages as (
    select
        cast(starting_at as date) as usage_date,
        unnest(results) as result
    from raw_messages_usage
),

named as (
    select
        usage_date,
        'analytics' as source,
        'user' as holder_type,
        user_id as holder_id,
        email_address as subject,
        cast(null as timestamptz) as used_at
    from analytics
    where user_id is not null or email_address is not null
    union all
    select usage_date, 'analytics', 'api_key', api_key_id, null, null
    from analytics
    where api_key_id is not null
    union all
    select usage_date, 'messages_usage', 'api_key', result.api_key_id, null, null
    from messages
    where result.api_key_id is not null
    union all
    select usage_date, 'messages_usage', 'user', result.account_id, null, null
    from messages
    where result.account_id is not null
    union all
    select cast(date as date), 'claude_code', 'user', actor.user_id, actor.email_address, null
    from raw_claude_code
    where actor.user_id is not null or actor.email_address is not null
    union all
    select cast(date as date), 'claude_code', 'api_key', actor.api_key_id, actor.api_key_name, null
    from raw_claude_code
    where actor.api_key_id is not null or actor.api_key_name is not null
    union all
    select last_activity_date, 'enterprise_analytics', 'user', "user".id, "user".email_address, null
    from raw_analytics_users
    where last_activity_date is not null and ("user".id is not null or "user".email_address is not null)
)

select distinct
    usage_date,
    source,
    holder_type,
    holder_id,
    case when holder_id is null then subject_of(holder_type, subject, subject) end as subject,
    used_at
from named
