-- needs: write
-- Two seeds at once take turns: the second then sees what the first added. A lock that another
-- session holds is not waited for long.
SET LOCAL lock_timeout = '10s';
LOCK TABLE public.users IN SHARE ROW EXCLUSIVE MODE
