-- needs: look
-- How many rows a table has, counted to a limit.
SELECT count(*) FROM (SELECT FROM {table} LIMIT {limit}) AS found
