-- One row per relation that analysts can ask, with the question that it answers.
select view_name as relation, 'view' as kind, comment as answers
from duckdb_views()
where schema_name = 'main' and not internal
union all
select table_name, 'table', comment
from duckdb_tables()
where schema_name = 'main'
union all
select distinct function_name || '(' || array_to_string(parameters, ', ') || ')', 'macro', comment
from duckdb_functions()
where function_type = 'table_macro' and schema_name = 'main' and not internal
order by kind desc, relation
