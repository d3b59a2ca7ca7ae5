-- One row per holder, attribute and stretch between two changes that the feed tells, up to the base snapshot: the value
-- that stood there. A null `valid_from` reaches back as far as the feed does, a null `valid_to` up to the base.
-- Answers: what stood when, by the feed?
-- reads: base_values, feed_transitions
with

ordered as (
    select
        *,
        row_number() over changes as number,
        lead(happened_at) over changes as next_at,
        lead(before) over changes as next_before,
        lead(before_known) over changes as next_before_known
    from feed_transitions
    window changes as (partition by holder_type, holder_id, attribute order by happened_at, id)
),

first_stretches as (
    select
        holder_type,
        holder_id,
        attribute,
        cast(null as timestamptz) as valid_from,
        happened_at as valid_to,
        before as value,
        before_known as known
    from ordered
    where number = 1
),

later_stretches as (
    select
        ordered.holder_type,
        ordered.holder_id,
        ordered.attribute,
        ordered.happened_at as valid_from,
        ordered.next_at as valid_to,
        case
            when ordered.next_at is null and base_values.holder_id is not null then base_values.value
            when ordered.next_before_known then ordered.next_before
            else ordered.after
        end as value,
        case
            when ordered.next_at is null and base_values.holder_id is not null then true
            else coalesce(ordered.next_before_known, false) or ordered.after_known
        end as known
    from ordered
    left join base_values
        on base_values.holder_type = ordered.holder_type
        and base_values.holder_id = ordered.holder_id
        and base_values.attribute = ordered.attribute
)

select * from first_stretches
union all
select * from later_stretches
