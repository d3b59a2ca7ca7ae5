-- One row per month of which unused seats were counted, and may be counted otherwise now; none, where nothing is taken over.
-- Answers: whose counts are taken out? Counted again are all months from the same one on (internal.unused_counts).
-- reads: temp.known_finance_months, temp.unused_since
select month
from temp.known_finance_months
where month >= getvariable('unused_since')
