-- retention.old
-- How far each source is older than the time, where its rows begin, and where its counter stands.
SELECT counter.source, counter.last, old.id AS old, (
    SELECT id FROM kernel.events WHERE source = counter.source ORDER BY id LIMIT 1
) AS first
FROM kernel.counters AS counter
JOIN (SELECT source, max(id) AS id FROM kernel.events WHERE at < $1 GROUP BY source) AS old USING (source)
ORDER BY counter.source

-- retention.announce
INSERT INTO kernel.pruned (source, through, at, actor) VALUES ($1, $2, $3, $4)
ON CONFLICT (source) DO UPDATE
SET through = GREATEST(pruned.through, excluded.through), at = excluded.at, actor = excluded.actor

-- retention.remove
WITH gone AS (DELETE FROM kernel.events WHERE source = $1 AND id <= $2 RETURNING id)
SELECT count(*) FROM gone
