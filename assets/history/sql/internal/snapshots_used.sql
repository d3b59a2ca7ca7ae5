-- One row per holder and snapshot day. Answers: what stood in that day's snapshot, and what is known now of its use?
-- reads: internal.holder_uses, internal.snapshot_rows, internal.usage_dates
create view internal.snapshots_used as
with

-- Use by whoever held the license then: use from before it was assigned was by an earlier holder of the same id.
looked_up as (
    select
        holders.*,
        dates.bit,
        uses.sources,
        -- the latest day up to this one: its bit is the first of those that are left
        bit_position('1'::bit, uses.days_told & dates.up_to) - 1 as last_bit,
        list_filter(
            uses.moments,
            lambda moment: moment.usage_date <= holders.snapshot_date
                and coalesce(
                    epoch_us(moment.used_at) >= epoch_us(holders.assigned_at),
                    moment.usage_date >= cast(make_timestamp(epoch_us(holders.assigned_at)) as date),
                    true
                )
        )[-1] as last_moment
    from internal.snapshot_rows as holders
    left join internal.usage_dates as dates on dates.usage_date = holders.snapshot_date
    left join internal.holder_uses as uses
        on uses.organization_id = holders.organization_id
        and uses.holder_type = holders.holder_type
        and uses.holder_id = holders.holder_id
),

dated as (
    select
        *,
        case
            when last_bit >= 0 and snapshot_date - (last_bit - bit) >= coalesce(
                cast(make_timestamp(epoch_us(assigned_at)) as date), date '0001-01-01'
            ) then snapshot_date - (last_bit - bit)
        end as last_day
    from looked_up
),

used as (
    select
        *,
        coalesce(last_moment.usage_date >= last_day, last_moment.usage_date is not null) as is_moment,
        coalesce(last_moment.usage_date, last_day) is not null as is_used
    from dated
)

select
    * exclude (bit, sources, last_bit, last_day, last_moment, is_moment, is_used),
    -- use; a day's use is shown as its 00:00 UTC, whatever the session's time zone
    case
        when is_moment then coalesce(last_moment.used_at, make_timestamptz(epoch_us(last_moment.usage_date)))
        else make_timestamptz(epoch_us(last_day))
    end as last_used_at,
    case when is_used then if(is_moment and last_moment.used_at is not null, 'second', 'day') end as last_used_precision,
    case
        when is_moment then last_moment.source
        when is_used then list_filter(sources, lambda told: get_bit(told.days, last_bit) = 1)[1].source
    end as last_used_source,
    case
        when is_used then 'used'
        when usage_observed_until is not null then 'never_seen'
        when is_looked_at then 'not_seen'
        else 'unknown'
    end as last_used_state
from used
