-- waits.add
INSERT INTO host.coordination_waits (id, agent, project, lane, paths, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO NOTHING

-- waits.join
UPDATE host.coordination_waits SET joined = true WHERE id = $1

-- waits.drop
DELETE FROM host.coordination_waits WHERE id = $1 RETURNING id

-- waits.all
-- Those that stand in line, and those whose asking was cut off before $1.
SELECT id, agent, project, lane, paths
FROM host.coordination_waits
WHERE joined OR created_at < $1
ORDER BY created_at
LIMIT 1000

-- waits.address
-- Where the lane was last spoken to.
SELECT address FROM host.turns WHERE lane = $1 ORDER BY started_at DESC LIMIT 1
