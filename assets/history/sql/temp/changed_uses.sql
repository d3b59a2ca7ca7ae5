-- One row per holder of whose use more, or something else, is known than before; nobody, where nothing is taken over.
-- Answers: whose days of use must be put together again, over all sources and names?
-- reads: internal.usage_named, temp.changed_usage, temp.known_usage_named
create or replace temp table changed_uses as
with

found as (
    select organization_id, holder_type, holder_id
    from temp.changed_usage
    where subject is null
    union
    select organization_id, holder_type, holder_id
    from (
        (from internal.usage_named except from temp.known_usage_named)
        union all
        (from temp.known_usage_named except from internal.usage_named)
    )
    where holder_id is not null
)

select *
from found
where getvariable('amends')
