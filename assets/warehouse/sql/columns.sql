-- One row per column of the tables and views that analysts ask, in their order.
-- Answers: what does the file hold, of which types, what does it mean, and how many rows has a table? Of a view: null.
select
    columns.table_name,
    columns.column_name,
    columns.data_type,
    columns.comment,
    tables.estimated_size
from duckdb_columns() as columns
left join duckdb_tables() as tables
    on tables.database_name = columns.database_name
    and tables.schema_name = columns.schema_name
    and tables.table_name = columns.table_name
where columns.database_name = current_database()
    and columns.schema_name = 'main'
order by columns.table_name, columns.column_index
