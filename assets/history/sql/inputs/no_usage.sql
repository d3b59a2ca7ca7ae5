-- One row per row of internal.usage_told that is known: none. Answers: what are its columns, where no warehouse knows any?
select
    cast(null as varchar) as organization_id,
    cast(null as varchar) as source,
    cast(null as varchar) as holder_type,
    cast(null as varchar) as holder_id,
    cast(null as varchar) as subject,
    cast(null as date) as era,
    cast(null as integer) as lag,
    cast(null as date) as reported_on,
    cast(null as bit) as days,
    cast(null as struct(usage_date date, used_at timestamptz, first_reported date)[]) as moments
where false
