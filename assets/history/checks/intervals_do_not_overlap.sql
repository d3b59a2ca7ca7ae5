-- One row per fault. Assumes: a holder has one row at a time, and a stretch ends only where something changes or the
-- holder is gone.
-- reads: internal.license_stretches
with

-- One number for three texts: all stretches are looked at, every night.
stretches as (
    select
        *,
        rowid as row_id,
        hash(organization_id, holder_type, holder_id) as holder,
        coalesce(valid_to, date '9999-12-31') as until
    from internal.license_stretches
),

-- Rows that are equal are two all the same.
overlapping as (
    select one.*, other.valid_from as next_from
    from stretches as one
    inner join stretches as other
        on other.holder = one.holder
        and (other.valid_from, other.row_id) > (one.valid_from, one.row_id)
        and other.valid_from < one.until
        -- holders whose numbers are the same by chance; as a case, because texts that are joined by are hashed first
        and case
            when other.organization_id = one.organization_id and other.holder_type = one.holder_type
                then other.holder_id = one.holder_id
        end
),

empty as (
    select *, null as next_from
    from stretches
    where until <= valid_from
)

select
    format(
        '{}, {} {}: a stretch from {} to {}{}', organization_id, holder_type, holder_id, valid_from,
        coalesce(cast(valid_to as varchar), 'now'), coalesce(', the next from ' || next_from, '')
    ) as finding
from (
    from overlapping
    union all by name
    from empty
)
