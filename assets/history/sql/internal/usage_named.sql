-- One row per organization, source, name that a report gave, era, how late it did, and whose it was.
-- Answers: whose use is it that a report tells by an e-mail or a key's name? Theirs who bore it on that day, as far as the
-- history knows: at the day's beginning or end; where nobody did and that day was not observed, who bore it on the next
-- one that was, and was there already.
-- reads: internal.roster_days, internal.usage_bearers, internal.usage_told, temp.changed_names
with

told as (
    select *
    from internal.usage_told
    semi join temp.changed_names using (organization_id, holder_type, subject, era)
    where subject is not null
),

asked as (
    select distinct organization_id, holder_type, subject, era
    from told
),

-- The days on which each stretch makes its holder the bearer, as bits; `nearly`: if nobody else was.
stretches as (
    select
        bearers.organization_id,
        bearers.holder_type,
        bearers.subject,
        asked.era,
        bearers.holder_id,
        ~ bits_up_to(bearers.valid_from - 1, asked.era)
        & bits_up_to(coalesce(bearers.valid_to, date '9999-12-31'), asked.era) as days,
        -- between the roster's last observed day before it and its first one; before all of them, if it was there
        case
            when bearers.assigned_at is not null or rosters.previous_date is null
                then bits_up_to(bearers.valid_from - 1, asked.era)
                    & ~ bits_up_to(
                        greatest(rosters.previous_date, cast(make_timestamp(epoch_us(bearers.assigned_at)) as date) - 1, date '0001-01-01'),
                        asked.era
                    )
            else bits_up_to(date '0001-01-01', asked.era)
        end as nearly
    from internal.usage_bearers as bearers
    inner join asked
        on asked.organization_id = bearers.organization_id
        and asked.holder_type = bearers.holder_type
        and asked.subject = bearers.subject
    inner join internal.roster_days as rosters
        on rosters.organization_id = bearers.organization_id
        and rosters.holder_type = bearers.holder_type
        and rosters.snapshot_date = bearers.valid_from
),

holders as (
    select
        organization_id,
        holder_type,
        subject,
        era,
        holder_id,
        bit_or(days) as days,
        bit_or(nearly) as nearly
    from stretches
    group by organization_id, holder_type, subject, era, holder_id
),

-- What is another's, too.
others as (
    select
        *,
        bit_or(days) over earlier as days_before,
        bit_or(nearly) over earlier as nearly_before
    from holders
    window earlier as (
        partition by organization_id, holder_type, subject, era
        order by holder_id
        rows between unbounded preceding and 1 preceding
    )
),

subjects as (
    select
        organization_id,
        holder_type,
        subject,
        era,
        bit_or(days) as days,
        bit_or(days & days_before) as days_of_several,
        bit_or(nearly) as nearly,
        bit_or(nearly & nearly_before) as nearly_of_several
    from others
    group by organization_id, holder_type, subject, era
),

shares as (
    select
        holders.organization_id,
        holders.holder_type,
        holders.subject,
        holders.era,
        holders.holder_id,
        case when holders.holder_type = 'user' then 'email' else 'name' end as matched_by,
        (holders.days & coalesce(~ subjects.days_of_several, holders.days))
        | (holders.nearly & ~ subjects.days & coalesce(~ subjects.nearly_of_several, holders.nearly)) as days
    from holders
    inner join subjects
        on subjects.organization_id = holders.organization_id
        and subjects.holder_type = holders.holder_type
        and subjects.subject = holders.subject
        and subjects.era = holders.era
    union all
    select
        organization_id,
        holder_type,
        subject,
        era,
        null,
        'ambiguous',
        case
            when days_of_several is null then nearly_of_several & ~ days
            else days_of_several | coalesce(nearly_of_several & ~ days, days_of_several)
        end
    from subjects
    where days_of_several is not null
        or nearly_of_several is not null
    union all
    select organization_id, holder_type, subject, era, null, 'unmatched', ~ (days | nearly)
    from subjects
),

named as (
    select
        told.* exclude (holder_id, days, moments),
        shares.holder_id,
        coalesce(shares.matched_by, 'unmatched') as matched_by,
        told.days & coalesce(shares.days, told.days) as days,
        null as moments
    from told
    left join shares
        on shares.organization_id = told.organization_id
        and shares.holder_type = told.holder_type
        and shares.subject = told.subject
        and shares.era = told.era
    where told.days is not null
    union all by name
    select * exclude (holder_id, days), 'unmatched' as matched_by
    from told
    where moments is not null
)

select organization_id, source, holder_type, holder_id, subject, matched_by, era, lag, reported_on, days, moments
from named
where moments is not null
    or bit_count(days) > 0
order by era, organization_id, holder_type, holder_id, subject, source, matched_by, lag, reported_on
