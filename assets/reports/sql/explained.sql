-- One row per column of a relation, or of finance_monthly where the relation has none of that name.
-- Answers: what does the column mean?
select
    column_name,
    arg_max(comment, table_name = $source) as comment
from duckdb_columns()
where schema_name = 'main'
    and table_name in ($source, 'finance_monthly')
    and comment is not null
group by column_name
