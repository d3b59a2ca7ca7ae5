-- One row per row of the file: its number there, and each of our columns, trimmed, or as the mapping file fills it.
-- Answers: what does the file say, column by column?
-- reads: sheet, sheet_values
select
    sheet.row_number,
    coalesce(nullif(trim(cast(sheet.holder_id as varchar), $blank), ''), sheet_values.holder_id) as holder_id,
    coalesce(nullif(trim(cast(sheet.holder_type as varchar), $blank), ''), sheet_values.holder_type) as holder_type,
    coalesce(nullif(trim(cast(sheet.email as varchar), $blank), ''), sheet_values.email) as email,
    coalesce(nullif(trim(cast(sheet.name as varchar), $blank), ''), sheet_values.name) as name,
    coalesce(nullif(trim(cast(sheet.role as varchar), $blank), ''), sheet_values.role) as role,
    coalesce(nullif(trim(cast(sheet.license_type as varchar), $blank), ''), sheet_values.license_type) as license_type,
    coalesce(nullif(trim(cast(sheet.status as varchar), $blank), ''), sheet_values.status) as status,
    coalesce(nullif(trim(cast(sheet.status_raw as varchar), $blank), ''), sheet_values.status_raw) as status_raw,
    coalesce(nullif(trim(cast(sheet.assigned_at as varchar), $blank), ''), sheet_values.assigned_at) as assigned_at,
    coalesce(nullif(trim(cast(sheet.last_used_at as varchar), $blank), ''), sheet_values.last_used_at) as last_used_at,
    coalesce(nullif(trim(cast(sheet.last_used_precision as varchar), $blank), ''), sheet_values.last_used_precision) as last_used_precision,
    coalesce(nullif(trim(cast(sheet.owner_user_id as varchar), $blank), ''), sheet_values.owner_user_id) as owner_user_id,
    coalesce(nullif(trim(cast(sheet.owner_email as varchar), $blank), ''), sheet_values.owner_email) as owner_email,
    coalesce(nullif(trim(cast(sheet.owner_type as varchar), $blank), ''), sheet_values.owner_type) as owner_type,
    coalesce(nullif(trim(cast(sheet.owner_status as varchar), $blank), ''), sheet_values.owner_status) as owner_status,
    coalesce(nullif(trim(cast(sheet.workspace_id as varchar), $blank), ''), sheet_values.workspace_id) as workspace_id,
    coalesce(nullif(trim(cast(sheet.workspace_name as varchar), $blank), ''), sheet_values.workspace_name) as workspace_name,
    coalesce(nullif(trim(cast(sheet.key_scope as varchar), $blank), ''), sheet_values.key_scope) as key_scope,
    coalesce(nullif(trim(cast(sheet.key_hint as varchar), $blank), ''), sheet_values.key_hint) as key_hint,
    coalesce(nullif(trim(cast(sheet.expires_at as varchar), $blank), ''), sheet_values.expires_at) as expires_at,
    coalesce(nullif(trim(cast(sheet.snapshot_date as varchar), $blank), ''), sheet_values.snapshot_date) as snapshot_date,
    coalesce(nullif(trim(cast(sheet.organization_id as varchar), $blank), ''), sheet_values.organization_id) as organization_id
from sheet
cross join sheet_values
