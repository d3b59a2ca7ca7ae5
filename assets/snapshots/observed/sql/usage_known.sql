-- One row per use of some days that files of earlier nights tell, each with the first night that does; of a key's last use
-- by the list of keys, what was carried forward stands for them, without a night.
-- Answers: what need tonight's file not tell again?
-- reads: last_use_before, told_before
select usage_date, source, holder_type, holder_id, subject, matched_by, used_at, min(observed_day) as observed_day
from told_before
where usage_date between $first and $last
group by usage_date, source, holder_type, holder_id, subject, matched_by, used_at
union all
select usage_date, source, holder_type, holder_id, null, 'id', used_at, null
from last_use_before
where source = 'api_key'
    and usage_date between $first and $last
