-- agents.claimed
-- The rows that a registration with id $1 and session $2 is about, held until the end of the transaction.
SELECT *, EXISTS (
    SELECT FROM intermute.reservations AS held
    WHERE held.holder = agents.id AND held.held_until > $3
) AS holding
FROM intermute.agents
WHERE id = $1 OR (session_id = $2 AND session_id <> '')
ORDER BY id FOR UPDATE

-- agents.leave_session
UPDATE intermute.agents SET session_id = '' WHERE id = $1

-- agents.insert
INSERT INTO intermute.agents
    (id, project, session_id, name, token_hash, guarded, capabilities, metadata, status, created_at, last_seen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
RETURNING *

-- agents.replace
-- Everything a client says about itself; policies stay as its owner set them.
UPDATE intermute.agents SET
    project = $2, session_id = $3, name = $4, token_hash = $5, guarded = guarded OR $6, capabilities = $7,
    metadata = $8, status = $9, focus_state = '', focus_at = NULL, last_seen = $10
WHERE id = $1
RETURNING *

-- agents.get
SELECT * FROM intermute.agents WHERE id = $1 AND ($2::text IS NULL OR project = $2)

-- agents.list
-- Of project $1 (NULL: all), with one of the capabilities $2 (NULL: any), seen after $3, behind the place
-- ($4, $5) in the list, $6 at most.
SELECT * FROM intermute.agents
WHERE ($1::text IS NULL OR project = $1)
    AND ($2::text[] IS NULL OR capabilities && $2)
    AND ($3::timestamptz IS NULL OR last_seen > $3)
    AND ($4::timestamptz IS NULL OR (last_seen, id) < ($4, $5))
    AND ($7 = '' OR btrim(metadata ->> 'repo', E' \t\n\r\f\v') = $7)
    AND ($8 = '' OR btrim(metadata ->> 'active_bead_id', E' \t\n\r\f\v') = $8)
ORDER BY last_seen DESC, id DESC LIMIT $6

-- agents.beat
-- A sign of life; $4 is what it looks at, empty when it does not say.
UPDATE intermute.agents SET
    last_seen = $3,
    focus_state = CASE WHEN $4 = '' THEN focus_state ELSE $4 END,
    focus_at = CASE WHEN $4 = '' THEN focus_at ELSE $3 END
WHERE id = $1 AND ($2::text IS NULL OR project = $2)

-- agents.merge
UPDATE intermute.agents SET metadata = coalesce(metadata, '{}'::jsonb) || $3::jsonb, last_seen = $4
WHERE id = $1 AND ($2::text IS NULL OR project = $2)
RETURNING *

-- agents.policy
UPDATE intermute.agents SET
    contact_policy = coalesce($3, contact_policy),
    live_contact_policy = coalesce($4, live_contact_policy)
WHERE id = $1 AND ($2::text IS NULL OR project = $2)
RETURNING *

-- agents.delete
DELETE FROM intermute.agents WHERE id = $1 AND ($2::text IS NULL OR project = $2) RETURNING project

-- agents.forget_contacts
DELETE FROM intermute.contacts WHERE agent = $1

-- agents.forget_windows
DELETE FROM intermute.windows WHERE agent = $1

-- agents.forget_pokes
DELETE FROM intermute.pokes WHERE agent = $1 AND project = $2
