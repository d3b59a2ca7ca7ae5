-- One row per row of the file, with the id that it is about: its own, else the one id that its e-mail address belongs to
-- in the snapshots, else the address itself; null where that cannot be told. Rows of holders who came only after the
-- day's end are marked.
-- Answers: who is each row about?
-- reads: import_known_ids, import_rows, observation
select
    rows.*,
    case
        when not is_made_up(rows.given_id) then rows.given_id
        when rows.holder_type = 'api_key' then null
        when length(known.ids) = 1 then known.ids[1]
        when known.ids is null and regexp_full_match(rows.email, '[^@\s]+@[^@\s]+') then made_up_id(rows.email)
    end as holder_id,
    case
        when not is_made_up(rows.given_id) then 'id'
        when length(known.ids) = 1 then 'email'
        else 'address'
    end as known_by,
    known.ids as ids_of_address,
    coalesce(rows.assigned_at >= observation.day_end, false) as is_later
from import_rows as rows
cross join observation
left join import_known_ids as known
    on known.holder_type = rows.holder_type
    and known.address = lower(rows.email)
