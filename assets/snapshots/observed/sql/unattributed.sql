-- One row per report and day on which rows of a part of it name nobody: on such a day its silence about a member tells
-- nothing.
-- An identity of another kind (a cloud platform's) is somebody, though no member and no key.
-- Answers: on which days may anybody have used something that the report does not name?
-- reads: raw_analytics_usage, raw_claude_code
with

actors as (
    select 'analytics_usage' as endpoint, cast(starting_at as date) as usage_date, "group".actor as actor
    from raw_analytics_usage
    union all
    select 'claude_code', cast(date as date), actor
    from raw_claude_code
)

select endpoint, usage_date, cast(count(*) as integer) as told
from actors
where coalesce(
        actor.user_id, actor.email_address, actor.service_account_id, actor.api_key_id, actor.api_key_name
    ) is null
    and coalesce(actor.type, 'user_actor') in ('user_actor', 'api_actor', 'service_account_actor')
group by endpoint, usage_date
