-- lease.take
SELECT pg_try_advisory_lock($1)

-- lease.holder
SELECT activity.application_name AS application, coalesce(host(activity.client_addr), 'this machine') AS address
FROM pg_locks AS locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
  AND (locks.classid::bigint << 32 | locks.objid::bigint) = $1::bigint
  AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- lease.forget
-- Ends our own former connections; waits a moment until they are gone.
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
WHERE application_name = $1 AND pid <> pg_backend_pid()

-- lease.heartbeat
SELECT 1
