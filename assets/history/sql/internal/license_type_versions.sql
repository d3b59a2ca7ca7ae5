-- One row per table of license types that a warehouse was built with, role and span. Answers: what did a role mean to
-- the warehouse then? `known_from` and `known_to` are when it was built.
-- reads: inputs.mappings
with

tables as (
    select known_from, lead(known_from) over (order by known_from) as known_to
    from (select distinct known_from from inputs.mappings)
)

select
    mappings.role,
    mappings.license_type,
    mappings.valid_from,
    mappings.valid_to,
    -- what is not on record was built with the first table that is
    case when mappings.known_from = (select min(known_from) from tables) then timestamptz '-infinity' else mappings.known_from end
        as known_from,
    tables.known_to
from inputs.mappings as mappings
inner join tables on tables.known_from = mappings.known_from
order by known_from, mappings.role, mappings.valid_from
