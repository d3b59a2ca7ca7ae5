-- The license type of API keys, which have no role.
create or replace temp macro api_key_license() as 'API Key';
