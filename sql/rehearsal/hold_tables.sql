-- needs: destroy
-- Locks tables as a write does, to observe a statement that waits for writers.
LOCK TABLE {tables} IN ROW EXCLUSIVE MODE
