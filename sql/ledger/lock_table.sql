-- needs: destroy
-- Takes the lock for a change of a table's columns, before statements that need other locks.
LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE
