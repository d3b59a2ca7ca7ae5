-- One row per organization, source, endpoint, kind of holder and span of days that the source's data has reached.
-- Answers: what could usage reports see, and is their silence there evidence? A record of an older version of this
-- program does not say: there the table of sources decides.
-- reads: inputs.coverage, usage_sources
select distinct
    coverage.organization_id,
    coverage.source,
    coverage.endpoint,
    coverage.holder_type,
    coalesce(coverage.sees, sources.sees, 'some') as sees,
    coverage.covered_from,
    coverage.covered_to
from inputs.coverage as coverage
left join usage_sources as sources
    on sources.endpoint = coverage.endpoint
    and sources.holder_type = coverage.holder_type
where coverage.covered_from <= coverage.covered_to
order by all
