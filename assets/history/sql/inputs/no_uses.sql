-- One row per row of internal.holder_uses that is known: none. Answers: what are its columns, where no warehouse knows any?
select
    cast(null as varchar) as organization_id,
    cast(null as varchar) as holder_type,
    cast(null as varchar) as holder_id,
    cast(null as date) as era,
    cast(null as bit) as days,
    cast(null as bit) as days_told,
    cast(null as varchar) as source,
    cast(null as struct(source varchar, days bit)[]) as sources,
    cast(null as struct(usage_date date, used_at timestamptz, source varchar)[]) as moments,
    cast(null as struct(usage_date date, source varchar)) as told_before,
    cast(null as struct(usage_date date, used_at timestamptz, source varchar)) as moment_before,
    cast(null as bit) as days_before
where false
