-- attempts.find
SELECT key, operation, about, params, actor, seen, outcome, begun_at
FROM kernel.attempts WHERE project = $1 AND key = $2

-- attempts.open_about
SELECT key, operation, about, params, actor, seen, outcome, begun_at
FROM kernel.attempts WHERE project = $1 AND about = $2 AND outcome IS NULL ORDER BY begun_at, key

-- attempts.begin
-- Nothing comes back when another process has begun with this key.
INSERT INTO kernel.attempts (project, key, operation, about, params, actor, seen, begun_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (project, key) DO NOTHING RETURNING key

-- attempts.finish
UPDATE kernel.attempts SET outcome = $3, ended_at = $4 WHERE project = $1 AND key = $2 AND outcome IS NULL

-- attempts.drop
DELETE FROM kernel.attempts WHERE project = $1 AND key = $2 AND outcome IS NULL
