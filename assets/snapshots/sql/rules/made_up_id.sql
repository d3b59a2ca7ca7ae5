-- The id that is made up from an e-mail address, where a kept file gives none.
create or replace temp macro made_up_id(address) as 'email:' || lower(address);
