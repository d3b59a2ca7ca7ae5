-- One row per stretch of license_history of the holders with this id, or who ever had this e-mail, in any case.
-- Answers: what has become of them?
-- reads: license_history
select *
from license_history
where (organization_id, holder_type, holder_id) in (
    select (organization_id, holder_type, holder_id)
    from license_history
    where holder_id = $who or lower(email) = lower($who)
)
order by organization_id, holder_type, holder_id, valid_from
