-- coordination.project
-- Where an agent of ours is known already.
SELECT project FROM intermute.agents WHERE id = $1 AND guarded

-- coordination.ours
SELECT id, name, project FROM intermute.agents WHERE starts_with(id, $1) ORDER BY id

-- coordination.own
-- What an agent holds in a project, the newest first.
SELECT
    id, project, agent, pattern, exclusive, reason, token, created_at, expires_at, released_at, ended,
    (SELECT name FROM intermute.agents WHERE agents.id = reservations.agent) AS held_by
FROM intermute.reservations
WHERE holder = $1 AND held_in = $2 AND held_until > $3
ORDER BY token DESC
