-- One row per row of the file and reason why it cannot be imported, in the spreadsheet's order.
-- Answers: why was the file refused, row by row?
-- reads: import_holders, import_ragged, import_target
with

firsts as (
    select
        row_number,
        first_value(row_number) over (partition by holder_type, holder_id order by row_number) as first_row
    from import_holders
    where holder_id is not null
),

judged as (
    select
        holders.*,
        firsts.first_row,
        case holders.holder_type when 'api_key' then 'an API key' when 'invite' then 'an invite' else 'a member' end as noun,
        case holders.holder_type when 'api_key' then 'apikey_' when 'invite' then 'invite_' else 'user_' end as id_begins,
        import_target.day,
        import_target.organization_id as organization
    from import_holders as holders
    cross join import_target
    left join firsts on firsts.row_number = holders.row_number
),

reasons as (
    -- who
    select row_number, 1 as rank, 'the holder type “' || type_word || '” is none of user, api_key and invite' as reason
    from judged
    where type_word is not null and not type_understood
    union all
    select row_number, 2, case holder_type when 'api_key' then 'an API key needs its id (apikey_…)' else 'no id and no e-mail address' end
    from judged
    where holder_id is null and ids_of_address is null and (email is null or holder_type = 'api_key')
    union all
    select row_number, 2, '“' || email || '” is no e-mail address'
    from judged
    where holder_id is null and ids_of_address is null and email is not null and holder_type <> 'api_key'
    union all
    select row_number, 2, email || ' belongs to several ids in the snapshots (' || array_to_string(ids_of_address, ', ') || '): give the id'
    from judged
    where holder_id is null and length(ids_of_address) > 1
    union all
    select row_number, 2, 'the id “' || given_id || '” is not one of ' || noun || ' (' || id_begins || '…)'
    from judged
    where not is_made_up(given_id) and not starts_with(given_id, id_begins)
    union all
    select row_number, 9, 'the same holder as row ' || first_row || ' (' || holder_id || ')'
    from judged
    where first_row < row_number
    -- license
    union all
    select row_number, 3, 'no role and no license type'
    from judged
    where holder_type <> 'api_key' and role_told is null
    union all
    select row_number, 3, 'the role “' || role_told || '” is not in license_types.csv; [roles] in a mapping file can say which one it means'
    from judged
    where holder_type <> 'api_key' and role_told is not null and role_understood is null
        and license_displayed is null and not coalesce(is_unmapped(license_type), false)
    -- status
    union all
    select row_number, 4, 'the status “' || status_told || '” is not known; [statuses] in a mapping file can say what it means'
    from judged
    where status_told is not null and status is null
    union all
    select row_number, 4, 'no status, and an API key may be Active or Disabled'
    from judged
    where holder_type = 'api_key' and status_told is null
    union all
    select row_number, 4, noun || ' cannot be ' || status
    from judged
    where case holder_type when 'invite' then status in ('Active', 'Disabled') else status = 'Pending' end
    -- when
    union all
    select row_number, 5, column_name || ' “' || word || '” is no certain date or time: write it as 2026-05-31 or 2026-05-31T08:00:00Z'
    from (
        select
            row_number,
            unnest(['assigned_at', 'expires_at', 'last_used_at']) as column_name,
            unnest([assigned_told, expires_told, used_told]) as word,
            unnest([assigned_at, expires_at, used_at]) as instant
        from judged
    )
    where word is not null and instant is null
    -- what it says itself of its day and organization
    union all
    select row_number, 6, 'it says itself that it is of ' || snapshot_date || ', not of ' || day
    from judged
    where coalesce(try_cast(snapshot_date as timestamp), timestamp 'infinity') <> day and snapshot_date is not null
    union all
    select row_number, 7, 'it says itself that it is of the organization ' || organization_id || ', not of ' || organization
    from judged
    where organization_id <> organization
    union all
    select row_number, 8, reason
    from import_ragged
)

select row_number, string_agg(reason, '; ' order by rank, reason) as reason
from reasons
group by row_number
order by row_number
