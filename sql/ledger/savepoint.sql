-- needs: make
-- Begins what can be taken back without ending the transaction.
SAVEPOINT statement
