-- needs: make
-- Takes back what has been done since the savepoint.
ROLLBACK TO SAVEPOINT statement
