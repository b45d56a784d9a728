-- needs: make
-- Begins a part that can be rolled back without ending the transaction.
SAVEPOINT statement
