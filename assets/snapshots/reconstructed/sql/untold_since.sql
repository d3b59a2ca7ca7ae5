-- One row per addition since a moment of which the feed says nothing, the latest first.
-- Answers: why can the feed not lead back to that moment?
-- reads: feed_untold
select holder_type, holder_id, added_at
from feed_untold
where added_at >= $since
order by added_at desc
