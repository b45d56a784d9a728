-- needs: destroy
-- Holds tables as a write does, so that a statement that waits for writers can be looked at.
LOCK TABLE {tables} IN ROW EXCLUSIVE MODE
