-- Whether an id was made up from an e-mail address: it is nobody's in the API.
create or replace temp macro is_made_up(holder_id) as holder_id like 'email:%';
