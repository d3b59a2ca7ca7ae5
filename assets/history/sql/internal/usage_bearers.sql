-- One row per holder, e-mail (of members, lower-cased) or name (of keys), and observed stretch in which it was theirs.
-- Answers: who bore a name that a report may give, on which day?
-- reads: internal.told_stretches, temp.changed_told
select
    organization_id,
    holder_type,
    holder_id,
    subject_of(holder_type, email, name) as subject,
    min(assigned_at) as assigned_at,
    min(valid_from) as valid_from,
    nullif(max(coalesce(valid_to, date '9999-12-31')), date '9999-12-31') as valid_to
from (
    select
        *,
        count(*) filter (where begins) over holder as stretch
    from (
        select
            *,
            (subject_of(holder_type, email, name), valid_from)
            is distinct from lag((subject_of(holder_type, email, name), valid_to)) over holder as begins
        from internal.told_stretches
        semi join temp.changed_told using (organization_id, holder_type, holder_id)
        where holder_type in ('user', 'api_key')
        window holder as (partition by organization_id, holder_type, holder_id order by valid_from)
    )
    window holder as (partition by organization_id, holder_type, holder_id order by valid_from)
)
where subject_of(holder_type, email, name) is not null
group by organization_id, holder_type, holder_id, subject, stretch
order by organization_id, holder_type, subject, valid_from, holder_id
