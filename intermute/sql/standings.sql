-- standings.of
-- What is to be known of the agents $1 before somebody speaks for them or writes to them.
SELECT id, project, guarded, contact_policy, live_contact_policy FROM intermute.agents WHERE id = ANY ($1::text[])

-- standings.touch
-- A sign of life at $3 of the agents $1, where they are of the projects $2 (NULL: of any). Whoever has a row of
-- them in hand at this moment writes it too, or will be asked again soon: nobody waits here.
WITH due AS (
    SELECT agents.id
    FROM unnest($1::text[], $2::text[]) AS given (id, project) JOIN intermute.agents USING (id)
    WHERE given.project IS NULL OR given.project = agents.project
    FOR NO KEY UPDATE OF agents SKIP LOCKED
)
UPDATE intermute.agents SET last_seen = $3 FROM due WHERE agents.id = due.id

-- standings.owner
-- The agent whose token has the digest $1.
SELECT id FROM intermute.agents WHERE token_hash = $1
