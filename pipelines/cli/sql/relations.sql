-- One row per relation that analysts can ask. Answers: what is there to ask, and which question does it answer?
select view_name as relation, 'view' as kind, comment as answers
from duckdb_views()
-- but for those by whose names macros read the schema internal (assets/warehouse/attached.py)
where schema_name = 'main' and not internal
    and view_name not in (select table_name from duckdb_tables() where schema_name = 'internal')
union all
select table_name, 'table', comment
from duckdb_tables()
where schema_name = 'main'
union all
select distinct function_name || '(' || array_to_string(parameters, ', ') || ')', 'macro', comment
from duckdb_functions()
where function_type = 'table_macro' and schema_name = 'main' and not internal
order by kind desc, relation
