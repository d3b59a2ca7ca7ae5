-- One row per name that reports give, and era, of which more is told than before, or that somebody else bears; none of
-- them, where nothing is taken over. Answers: whose use must be asked for again by name?
-- reads: internal.usage_bearers, internal.usage_told, temp.changed_told, temp.changed_usage, temp.known_usage_bearers
create or replace temp table changed_names as
with

bearers as (
    from internal.usage_bearers
    semi join temp.changed_told using (organization_id, holder_type, holder_id)
),

known_bearers as (
    from temp.known_usage_bearers
    semi join temp.changed_told using (organization_id, holder_type, holder_id)
),

found as (
    select organization_id, holder_type, subject, era
    from temp.changed_usage
    union
    select organization_id, holder_type, subject, era
    from internal.usage_told
    semi join (
        (from bearers except from known_bearers)
        union all
        (from known_bearers except from bearers)
    ) using (organization_id, holder_type, subject)
)

select *
from found
where subject is not null
    and getvariable('amends')
