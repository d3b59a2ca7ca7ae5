-- Whether a license type or a status is a word that our tables did not know; see `unmapped`.
create or replace temp macro is_unmapped(word) as word like 'Unmapped (%';
