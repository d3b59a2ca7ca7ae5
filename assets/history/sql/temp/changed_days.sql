-- One row per day on which the history of somebody whose history was made again begins or ends anything, or did before;
-- none, where nothing is taken over. Answers: on which days may others have moved than before?
-- reads: internal.license_stretches, temp.changed_holders, temp.known_license_stretches
create or replace temp table changed_days as
with

bounds as (
    select unnest([valid_from, valid_to]) as event_date
    from internal.license_stretches
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
    union
    select unnest([valid_from, valid_to]) as event_date
    from temp.known_license_stretches
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
)

select *
from bounds
where event_date is not null
    and getvariable('amends')
