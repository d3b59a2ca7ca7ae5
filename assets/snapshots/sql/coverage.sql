-- One row per source, kind of holder and span that its data reached in one night's answers, of one organization.
-- Answers: on which days did which report listen, and to how much?
-- reads: coverage_told
select cast($organization_id as varchar) as organization_id, coverage_told.*
from coverage_told
