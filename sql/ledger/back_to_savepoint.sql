-- needs: make
-- Rolls back to the savepoint.
ROLLBACK TO SAVEPOINT statement
