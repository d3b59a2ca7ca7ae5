-- One row per license type. Answers: how many active holders have no known use in the last 30 days, and how sure is that?
-- reads: unused_licenses
select
    license_type,
    count(*) filter (where days_unused_proven >= 30) as unused,
    count(*) filter (where last_used_state = 'never_seen' and days_unused_proven < 30) as watched_for_less,
    count(*) filter (where last_used_state = 'used' and coalesce(days_unused_proven, 0) < 30) as used_before,
    count(*) filter (where last_used_state = 'not_seen') as not_seen,
    count(*) filter (where last_used_state = 'unknown') as unknown
from unused_licenses
where coalesce(days_since_last_use >= 30, true)
group by license_type
order by license_type
