-- One row per fault. Assumes: from an organization's first month with a seat to the last that is known of any, each
-- month has its lines; where nobody looked, those known before. So no sum over organizations falls for want of a look.
-- reads: finance_monthly, snapshot_log
with

lines as (
    select distinct organization_id, month
    from finance_monthly
),

spans as (
    select organization_id, min(month) as first_month, (select max(snapshot_date) from snapshot_log) as known_until
    from lines
    group by organization_id
),

wanted as (
    select organization_id, cast(unnest(range(first_month, known_until + 1, interval 1 month)) as date) as month
    from spans
)

select
    format('{} has no line in {}', wanted.organization_id, strftime(wanted.month, '%Y-%m')) as finding
from wanted
anti join lines
    on lines.organization_id = wanted.organization_id
    and lines.month = wanted.month
