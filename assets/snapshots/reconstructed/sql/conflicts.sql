-- One row per conflict, the oldest first: when what contradicts something happened.
-- Answers: how often does the feed contradict itself on the way back to some moment?
-- reads: feed_conflicts
select happened_at
from feed_conflicts
order by happened_at
