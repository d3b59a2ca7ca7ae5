-- One row per organization, kind of holder and unbroken run of days that usage reports covered: `sees` is `all` for runs
-- of days on which a source that sees all use of such holders watched, `some` for runs on which any source did.
-- Answers: on which days is silence evidence, and on which did we listen at all?
-- The spans of `coverage` overlap and repeat.
-- reads: coverage, usage_sources
with

days as (
    select distinct
        coverage.organization_id,
        coverage.holder_type,
        coverage.endpoint,
        -- coverage of older versions does not say what it saw: then what the source can see
        coalesce(coverage.sees, usage_sources.sees, 'some') as sees,
        cast(unnest(generate_series(coverage.covered_from, coverage.covered_to, interval 1 day)) as date) as day
    from coverage
    left join usage_sources
        on usage_sources.endpoint = coverage.endpoint
        and usage_sources.holder_type = coverage.holder_type
),

-- a report that has told of a day that it does not know everybody's use sees some of it, whatever it told before
of_reports as (
    select organization_id, holder_type, day, endpoint, min(sees) = 'all' and max(sees) = 'all' as sees_all
    from days
    group by organization_id, holder_type, day, endpoint
),

watched_days as (
    select organization_id, holder_type, 'all' as sees, day
    from of_reports
    where sees_all
    group by organization_id, holder_type, day
    union all
    select organization_id, holder_type, 'some', day
    from of_reports
    group by organization_id, holder_type, day
),

runs as (
    select
        *,
        day - cast(row_number() over (partition by organization_id, holder_type, sees order by day) as integer) as run
    from watched_days
)

select organization_id, holder_type, sees, min(day) as since, max(day) as until
from runs
group by organization_id, holder_type, sees, run
