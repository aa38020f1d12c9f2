-- waiting.line
-- Who waits in project $1, the first first.
SELECT * FROM intermute.waiting WHERE project = $1 ORDER BY place

-- waiting.join
INSERT INTO intermute.waiting (id, project, agent, patterns, exclusive, reason, ttl, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO NOTHING
RETURNING *

-- waiting.get
SELECT * FROM intermute.waiting WHERE id = $1

-- waiting.leave
DELETE FROM intermute.waiting WHERE id = ANY ($1::text[]) RETURNING *

-- waiting.leave_all
DELETE FROM intermute.waiting WHERE agent = $1 AND project = $2 RETURNING *

-- waiting.leave_gone
-- Those of the agents $3 of whom nothing was heard since $2 no longer wait in project $1.
DELETE FROM intermute.waiting
WHERE project = $1 AND agent = ANY ($3::text[])
    AND EXISTS (SELECT FROM intermute.agents WHERE id = waiting.agent AND last_seen < $2)
RETURNING *
