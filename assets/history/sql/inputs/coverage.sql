-- One row per observation, organization, source, endpoint and kind of holder. Answers: what did usage reports reach, by
-- the files to read and by what the last warehouse knew? A night that leaves out what a lost night told of, because that
-- had told it, proves nothing of the days up to that one.
-- reads: inputs.coverage_to_read, inputs.known_coverage, inputs.uncounted
select
    heard.* exclude (observed_day)
    replace (coalesce(greatest(heard.covered_from, uncounted.until + 1), heard.covered_from) as covered_from)
from inputs.coverage_to_read as heard
left join inputs.uncounted as uncounted
    on uncounted.organization_id = heard.organization_id
    and uncounted.observed_day = heard.observed_day
where coalesce(heard.covered_to > uncounted.until, true)
union all by name
from inputs.known_coverage
