-- needs: look
-- Rows with a time that Python cannot represent: infinity, before the year 1, after 9999. Other
-- programs wrote them.
SELECT 'users' AS "table", uuid::text AS uuid, 'created_at' AS "column", created_at::text AS value
FROM public.users
WHERE created_at NOT BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'
UNION ALL
SELECT 'activities', uuid::text, 'created_at', created_at::text
FROM public.activities
WHERE created_at NOT BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'
UNION ALL
SELECT 'activities', uuid::text, 'expires_at', expires_at::text
FROM public.activities
WHERE expires_at NOT BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'
LIMIT %(limit)s
