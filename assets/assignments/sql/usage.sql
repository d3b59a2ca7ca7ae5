-- One row per day, source and holder that the usage answers of one observation name: who used what, and when.
-- Whom an answer names by e-mail or by a key's name is looked up in the same observation's rosters, without regard to
-- an e-mail's case; a name that several bear is given to none of them.
with

members_by_email as (
    select
        lower(email) as subject,
        min(id) as holder_id,
        count(distinct id) as bearers
    from raw_users
    where email is not null
    group by lower(email)
),

keys_by_name as (
    select
        name as subject,
        min(id) as holder_id,
        count(distinct id) as bearers
    from raw_api_keys
    where name is not null
    group by name
),

analytics as (
    select
        cast(starting_at as date) as usage_date,
        "group".actor as actor,
        "group".api_key_id as api_key_id
    from raw_analytics_usage
),

messages as (
    select
        cast(starting_at as date) as usage_date,
        unnest(results) as result
    from raw_messages_usage
),

named as (
    select usage_date, 'analytics' as source, 'user' as holder_type, actor.user_id as holder_id, actor.email_address as subject
    from analytics
    where actor.user_id is not null or actor.email_address is not null
    union all
    -- Whoever the actor is, the key that authenticated was used.
    select usage_date, 'analytics', 'api_key', coalesce(api_key_id, actor.api_key_id), null
    from analytics
    where coalesce(api_key_id, actor.api_key_id) is not null
    union all
    select usage_date, 'messages_usage', 'api_key', result.api_key_id, null
    from messages
    where result.api_key_id is not null
    union all
    select usage_date, 'messages_usage', 'user', result.account_id, null
    from messages
    where result.account_id is not null
    union all
    select cast(date as date), 'claude_code', 'user', actor.user_id, actor.email_address
    from raw_claude_code
    where actor.user_id is not null or actor.email_address is not null
    union all
    select cast(date as date), 'claude_code', 'api_key', actor.api_key_id, actor.api_key_name
    from raw_claude_code
    where actor.api_key_id is not null or actor.api_key_name is not null
    union all
    select last_activity_date, 'enterprise_analytics', 'user', "user".id, "user".email_address
    from raw_analytics_users
    where last_activity_date is not null and ("user".id is not null or "user".email_address is not null)
),

uses as (
    select
        usage_date,
        source,
        holder_type,
        holder_id,
        case when holder_id is null then subject end as subject,
        cast(null as timestamptz) as used_at
    from named
    union all
    select
        cast(last_used_at as date) as usage_date,
        'api_key' as source,
        'api_key' as holder_type,
        id as holder_id,
        null as subject,
        last_used_at as used_at
    from raw_api_keys
    where last_used_at is not null
),

bearers as (
    select 'user' as holder_type, subject, holder_id, bearers from members_by_email
    union all
    select 'api_key' as holder_type, subject, holder_id, bearers from keys_by_name
)

select distinct
    uses.usage_date,
    uses.source,
    uses.holder_type,
    coalesce(uses.holder_id, case when bearers.bearers = 1 then bearers.holder_id end) as holder_id,
    uses.subject,
    case
        when uses.holder_id is not null then 'id'
        when bearers.bearers > 1 then 'ambiguous'
        when bearers.bearers is null then 'unmatched'
        when uses.holder_type = 'user' then 'email'
        else 'name'
    end as matched_by,
    uses.used_at
from uses
left join bearers
    on bearers.holder_type = uses.holder_type
    and bearers.subject = case when uses.holder_type = 'user' then lower(uses.subject) else uses.subject end
order by usage_date, source, holder_type, holder_id, subject, used_at
