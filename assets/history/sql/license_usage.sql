-- One row per organization, day, source and holder with use. Answers: who used what on which day, by which source?
-- reads: internal.usage_dates, internal.usage_days
create view license_usage as
select
    usage.organization_id,
    dates.usage_date,
    usage.source,
    usage.holder_type,
    usage.holder_id,
    usage.subject,
    usage.matched_by,
    cast(null as timestamptz) as used_at,
    coalesce(usage.reported_on, dates.usage_date + usage.lag) as first_reported
from internal.usage_days as usage
inner join internal.usage_dates as dates
    on dates.era = usage.era
    and get_bit(usage.days, dates.bit) = 1
union all
select
    organization_id,
    moment.usage_date,
    source,
    holder_type,
    holder_id,
    subject,
    matched_by,
    moment.used_at,
    moment.first_reported
from (select *, unnest(moments) as moment from internal.usage_days)
