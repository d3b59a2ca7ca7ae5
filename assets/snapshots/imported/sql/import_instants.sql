-- One row per distinct time that the file writes: the instant that it means, null where it cannot be told for certain.
-- Without a time zone it is UTC, as all days here. «3/4/2025» is two days in the world, so it is none.
-- Answers: which instants does the file mean?
-- reads: import_cells
with

words as (
    select distinct unnest([assigned_at, last_used_at, expires_at]) as word
    from import_cells
),

read as (
    select
        word,
        regexp_replace(
            regexp_replace(replace(word, '/', '-'), ' ?(Z|z|GMT)$', ' UTC'),
            '(:\d{2}) ?([+-]\d{2})(\d{2})$', '\1\2:\3'
        ) as written,
        regexp_matches(word, '^\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ]|$)') as year_first,
        regexp_matches(word, '\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)? ?(Z|z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$') as has_zone
    from words
    where word is not null
)

select
    word,
    has_zone,
    case
        when year_first then try_cast(written as timestamptz)
        when regexp_matches(word, '\d{4}') then try_strptime(
            word,
            [
                '%d.%m.%Y', '%d.%m.%Y %H:%M', '%d.%m.%Y %H:%M:%S',
                '%b %d, %Y', '%B %d, %Y', '%d %b %Y', '%d %B %Y',
                '%b %d, %Y %H:%M', '%B %d, %Y %H:%M', '%d %b %Y %H:%M', '%d %B %Y %H:%M',
                '%b %d, %Y %I:%M %p', '%B %d, %Y %I:%M %p'
            ]
        ) at time zone 'UTC'
    end as instant
from read
