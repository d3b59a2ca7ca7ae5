-- One row per stretch as it was told, cut where something else may be derived from it: a piece.
-- Answers: of which days is one look-up enough, and on which is it done? On the piece's first.
-- reads: internal.roster_days, internal.stretch_cuts, internal.told_keys, internal.told_stretches, temp.changed_holders
with

told as (
    from (select * from internal.told_stretches where holder_type <> 'api_key')
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
    union all by name
    from internal.told_keys
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
),

-- Stretches as they were told, cut where something else may be derived from them.
starts as (
    select organization_id, holder_type, holder_id, first_number, first_number as piece_number
    from told
    semi join internal.stretch_cuts using (organization_id, holder_type, holder_id, first_number)
    union
    select organization_id, holder_type, holder_id, first_number, cut_number
    from internal.stretch_cuts
),

ends as (
    select
        *,
        lead(piece_number) over (
            partition by organization_id, holder_type, holder_id, first_number order by piece_number
        ) - 1 as last_piece_number
    from starts
),

pieces as (
    select
        told.* replace (
            coalesce(ends.piece_number, told.first_number) as first_number,
            coalesce(ends.last_piece_number, told.last_number) as last_number
        )
    from told
    left join ends using (organization_id, holder_type, holder_id, first_number)
)

select
    pieces.* exclude (valid_from, valid_to),
    days.snapshot_date as day,
    days.owner_as_of
from pieces
inner join internal.roster_days as days
    on days.organization_id = pieces.organization_id
    and days.holder_type = pieces.holder_type
    and days.day_number = pieces.first_number
