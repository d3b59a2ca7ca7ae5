-- One row per name that reports give, and era, of which more is told than before, or that somebody else bears; none of
-- them, where nothing is taken over. Answers: whose use must be asked for again by name?
-- reads: internal.roster_days, internal.usage_bearers, internal.usage_told, temp.changed_told, temp.changed_usage,
--     temp.known_usage_bearers
create or replace temp table changed_names as
with

bounds as (
    select
        organization_id, holder_type, subject, holder_id, assigned_at,
        unnest([(valid_from, true), (valid_to, false)]) as bound
    from internal.usage_bearers
    semi join temp.changed_told using (organization_id, holder_type, holder_id)
),

known_bounds as (
    select
        organization_id, holder_type, subject, holder_id, assigned_at,
        unnest([(valid_from, true), (valid_to, false)]) as bound
    from temp.known_usage_bearers
    semi join temp.changed_told using (organization_id, holder_type, holder_id)
),

borne as (
    (from bounds except from known_bounds)
    union all
    (from known_bounds except from bounds)
),

-- Who begins to bear a name may have borne it since the day that was observed before.
since as (
    select
        borne.organization_id,
        borne.holder_type,
        borne.subject,
        min(case when borne.bound[2] then coalesce(rosters.previous_date, date '0001-01-01') else borne.bound[1] end) as day
    from borne
    left join internal.roster_days as rosters
        on rosters.organization_id = borne.organization_id
        and rosters.holder_type = borne.holder_type
        and rosters.snapshot_date = borne.bound[1]
    group by borne.organization_id, borne.holder_type, borne.subject
),

found as (
    select organization_id, holder_type, subject, era
    from temp.changed_usage
    union
    select told.organization_id, told.holder_type, told.subject, told.era
    from internal.usage_told as told
    inner join since
        on since.organization_id = told.organization_id
        and since.holder_type = told.holder_type
        and since.subject = told.subject
        and since.day <= told.era + 127
)

select *
from found
where subject is not null
    and getvariable('amends')
