-- One row per fault. Assumes: a holder has one row at a time, and a stretch ends only where something changes or the
-- holder is gone.
-- reads: internal.license_stretches
with

-- Of two that overlap, each is beside the other: one of them, with what begins later, is enough. Rows that are equal
-- are two all the same.
overlapping as (
    select one.*, other.valid_from as next_from
    from internal.license_stretches as one
    inner join internal.license_stretches as other
        on other.organization_id = one.organization_id
        and other.holder_type = one.holder_type
        and other.holder_id = one.holder_id
        and (other.valid_from, other.rowid) > (one.valid_from, one.rowid)
        and other.valid_from < coalesce(one.valid_to, date '9999-12-31')
),

empty as (
    select *, null as next_from
    from internal.license_stretches
    where valid_to <= valid_from
),

faults as (
    from overlapping
    union all by name
    from empty
)

select
    format(
        '{}, {} {}: a stretch from {} to {}{}', organization_id, holder_type, holder_id, valid_from,
        coalesce(cast(valid_to as varchar), 'now'), coalesce(', the next from ' || next_from, '')
    ) as finding
from faults
