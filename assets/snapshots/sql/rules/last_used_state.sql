-- What is known of a holder's use: where `is_watched`, a source would have seen it all; where `is_looked_at`, some.
create or replace temp macro last_used_state(is_used, is_watched, is_looked_at) as case
    when is_used then 'used'
    when is_watched then 'never_seen'
    when is_looked_at then 'not_seen'
    else 'unknown'
end;
