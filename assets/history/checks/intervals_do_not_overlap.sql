-- One row per fault. Assumes: a holder has one row at a time, and a stretch ends only where something changes or the
-- holder is gone.
-- reads: license_history
select
    format(
        '{}, {} {}: a stretch from {} to {}{}', organization_id, holder_type, holder_id, valid_from,
        coalesce(cast(valid_to as varchar), 'now'), coalesce(', the next from ' || next_from, '')
    ) as finding
from (
    select
        organization_id,
        holder_type,
        holder_id,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by organization_id, holder_type, holder_id order by valid_from) as next_from
    from license_history
)
where next_from < coalesce(valid_to, date '9999-12-31')
    or valid_to <= valid_from
