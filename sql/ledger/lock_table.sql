-- needs: destroy
-- Takes the lock that a change of a table's columns takes, before the statements that need others.
LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE
