-- followups.waiting
-- What people wrote in a lane and its agent has not read, by chat, with the last of it.
SELECT address, count(*)::int AS number, (array_agg(ref ORDER BY id DESC))[1] AS ref
FROM host.messages
WHERE lane = $1 AND turn IS NULL AND source = 'person' AND triggers
GROUP BY address
