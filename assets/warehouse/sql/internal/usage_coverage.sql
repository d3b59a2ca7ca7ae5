-- One row per organization, source, endpoint, kind of holder and span asked for. Answers: what could usage reports see?
select distinct organization_id, source, endpoint, holder_type, covered_from, covered_to
from (
    select organization_id, source, endpoint, holder_type, covered_from, covered_to
    from inputs.coverage
    union all
    select organization_id, source, endpoint, holder_type, covered_from, covered_to
    from inputs.known_coverage
)
order by organization_id, source, endpoint, holder_type, covered_from, covered_to
