-- needs: make
-- Keeps this transaction open while statements run in another session.
SET LOCAL idle_in_transaction_session_timeout = 0
