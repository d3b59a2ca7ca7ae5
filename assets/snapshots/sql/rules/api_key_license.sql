-- The license type of API keys, which have no role: Python's API_KEY_LICENSE.
create or replace temp macro api_key_license() as getvariable('api_key_license');
