-- The e-mail address that an id was made up from; null for every other id.
create or replace temp macro made_up_from(holder_id) as
    case when holder_id like 'email:%' then substr(holder_id, 7) end;
