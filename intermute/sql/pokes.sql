-- pokes.stage
-- One for each of the agents $2. A poke that was looked at already does not come back.
INSERT INTO intermute.pokes (project, agent, message_id, sender, thread_id, body, created_at)
SELECT $1, agent, $3, $4, $5, $6, $7 FROM unnest($2::text[]) AS given (agent)
ON CONFLICT DO NOTHING

-- pokes.list
-- Of agent $2 in project $1, not looked at yet, behind the place ($3, $4) in the list, $5 at most.
SELECT * FROM intermute.pokes
WHERE project = $1 AND agent = $2 AND surfaced_at IS NULL
    AND ($3::timestamptz IS NULL OR (created_at, message_id) > ($3, $4))
ORDER BY created_at, message_id LIMIT $5

-- pokes.surface
UPDATE intermute.pokes SET surfaced_at = $4
WHERE project = $1 AND agent = $2 AND message_id = $3 AND surfaced_at IS NULL
