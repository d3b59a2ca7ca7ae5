-- One row per organization, kind of holder and unbroken run of days that usage reports reached: `all` where some source saw
-- all use of that kind on each of them, `some` where any source told anything. Answers: on which days is silence evidence?
-- reads: inputs.watched
select organization_id, holder_type, sees, since, until
from inputs.watched
order by organization_id, holder_type, sees, since
