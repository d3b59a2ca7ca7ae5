-- A word that our tables do not know, as it is shown: kept, and told apart from every word that they know.
create or replace temp macro unmapped(word) as 'Unmapped (' || word || ')';
