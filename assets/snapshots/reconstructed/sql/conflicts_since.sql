-- One row: the conflicts in what the feed tells to have happened since a moment.
-- Answers: how often does the feed contradict itself on the way back to that moment?
-- reads: feed_conflicts
select count(*) as conflicts
from feed_conflicts
where happened_at >= $since
