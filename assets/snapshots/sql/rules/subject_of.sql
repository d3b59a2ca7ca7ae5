-- What a report names a holder by, where it gives no id: a member's e-mail address, in lower case, or a key's name.
create or replace temp macro subject_of(holder_type, email, name) as
    case when holder_type = 'user' then lower(email) else name end;
