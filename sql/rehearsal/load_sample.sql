-- needs: destroy
-- Loads the rows of a sample into a table.
INSERT INTO {table} ({columns})
SELECT {columns} FROM json_populate_recordset(NULL::{table}, %(rows)s::json)
