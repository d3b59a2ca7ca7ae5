-- One row per line of cost_centres.csv. Answers: who pays for whom, since when?
-- reads: inputs.cost_centre_rules
select match, holder, cost_centre, valid_from, valid_to
from inputs.cost_centre_rules
order by match, holder, valid_from
