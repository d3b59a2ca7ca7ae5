-- One row per calendar day of those eras of which anything is kept or asked. Answers: which bit is a day's in its era, and
-- which bits are of days up to it? Eras are 128 days, counted from 0001-01-01, and later days' bits stand before earlier
-- ones. From the era before the first snapshot's to the last one's there are all of them, and those of odd days of use.
-- reads: inputs.days, inputs.known_usage, inputs.usage
with

days as (
    select unnest(generate_series(min(snapshot_date) - 128, max(snapshot_date), interval 128 day)) as day
    from inputs.days
    union all
    select max(snapshot_date)
    from inputs.days
    union all
    (select distinct usage_date from inputs.usage)
    union all
    (select distinct era from inputs.known_usage)
),

eras as (
    select distinct cast(day as date) - cast((cast(day as date) - date '0001-01-01') % 128 as integer) as era
    from days
)

select
    eras.era + offsets.day as usage_date,
    eras.era,
    127 - offsets.day as bit,
    bitstring('1' || repeat('0', offsets.day), 128) as alone,
    bitstring(repeat('1', offsets.day + 1), 128) as up_to
from eras
cross join (select cast(unnest(range(128)) as integer) as day) as offsets
order by usage_date
