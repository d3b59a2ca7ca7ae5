-- One row per use that either of two files of a night tells.
-- Answers: what did a night tell, when more of it is to be told again?
-- reads: told_anew, told_then
select * from told_then
union
select * from told_anew
order by usage_date, source, holder_type, holder_id, subject, used_at
