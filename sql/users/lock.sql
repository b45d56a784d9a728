-- needs: write
-- Two seeds at once take turns, so the second sees what the first added. Waits at most 10 seconds
-- for a lock of another session.
SET LOCAL lock_timeout = '10s';
LOCK TABLE public.users IN SHARE ROW EXCLUSIVE MODE
