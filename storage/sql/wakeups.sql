-- wakeups.notify
SELECT pg_notify($1, $2)

-- wakeups.heartbeat
SELECT 1
