-- standings.of
-- What is to be known of the agents $1 before somebody speaks for them or writes to them.
SELECT id, guarded, contact_policy, live_contact_policy FROM intermute.agents WHERE id = ANY ($1::text[])

-- standings.touch
-- A sign of life of the agents $1 at $2.
UPDATE intermute.agents SET last_seen = $2 WHERE id = ANY ($1::text[])

-- standings.owner
-- The agent whose token has the digest $1.
SELECT id FROM intermute.agents WHERE token_hash = $1
