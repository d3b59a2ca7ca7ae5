-- One row: how much a replaced snapshot changes, in rows and in active seats.
select
    (select count(*) from restated_rows where not was_there) as rows_added,
    (select count(*) from restated_rows where not is_there) as rows_removed,
    (select count(*) from restated_rows where was_there and is_there) as rows_changed,
    (
        select count(*)
        from published_snapshot
        left join license_types on license_types.role = published_snapshot.role
        where status = 'Active' and holder_type = 'user' and coalesce(takes_seat, true)
    ) as seats_before,
    (
        select count(*)
        from license_assignments
        left join license_types on license_types.role = license_assignments.role
        where status = 'Active' and holder_type = 'user' and coalesce(takes_seat, true)
    ) as seats_after
