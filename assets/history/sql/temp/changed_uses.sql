-- One row per holder and era of whose use more, or something else, is known than before; nobody, where nothing is taken
-- over. Answers: whose days of use must be put together again, over all sources and names? What was used in an era is
-- known of all later ones as used before; so everybody's are, where an era begins.
-- reads: inputs.known_uses, internal.usage_dates, internal.usage_named, temp.changed_names, temp.changed_usage,
--     temp.known_usage_dates, temp.known_usage_named
create or replace temp table changed_uses as
with

eras as (
    select distinct era
    from internal.usage_dates
),

known_eras as (
    select distinct era
    from temp.known_usage_dates
),

found as (
    select organization_id, holder_type, holder_id, era
    from temp.changed_usage
    where subject is null
    union
    select organization_id, holder_type, holder_id, era
    from internal.usage_named
    semi join temp.changed_names using (organization_id, holder_type, subject, era)
    where holder_id is not null
    union
    select organization_id, holder_type, holder_id, era
    from temp.known_usage_named
    semi join temp.changed_names using (organization_id, holder_type, subject, era)
    where holder_id is not null
    union
    select known.organization_id, known.holder_type, known.holder_id, eras.era
    from inputs.known_uses as known
    cross join (from eras anti join known_eras using (era)) as eras
    where known.era = (select max(era) from known_eras)
)

select distinct found.organization_id, found.holder_type, found.holder_id, eras.era
from found
inner join eras on eras.era >= found.era
where getvariable('amends')
