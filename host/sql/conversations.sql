-- conversations.opening
-- The session a program can load again, if it belongs to what is talked about now.
SELECT s.session FROM host.sessions s JOIN host.conversations c ON c.lane = s.lane AND c.id = s.conversation
WHERE s.lane = $1 AND s.runtime = $2

-- conversations.opened
WITH conversation AS (
    INSERT INTO host.conversations AS mine (lane, id, folder, began_at) VALUES ($1, $6, $2, $7)
    ON CONFLICT (lane) DO UPDATE SET folder = excluded.folder
    RETURNING id
)
INSERT INTO host.sessions (lane, runtime, session, model, conversation, opened_at, used_at)
SELECT $1, $3, $4, $5, id, $7, $7 FROM conversation
ON CONFLICT (lane, runtime) DO UPDATE SET
    session = excluded.session, model = excluded.model, conversation = excluded.conversation, last_turn = NULL,
    opened_at = excluded.opened_at, used_at = excluded.used_at

-- conversations.resumed
-- Whose conversation it is stays as it was: a reset may have come between asking and loading.
UPDATE host.sessions SET model = $4, used_at = $5 WHERE lane = $1 AND runtime = $2 AND session = $3

-- conversations.used
UPDATE host.sessions SET last_turn = $4, used_at = $5 WHERE lane = $1 AND runtime = $2 AND session = $3

-- conversations.standing
-- The lane's conversation, and how far a session has come in which one.
SELECT c.id, c.began_at, coalesce(c.summary, '') AS summary, c.summed_up, s.conversation, s.last_turn
FROM (VALUES ($1::text)) asked (lane)
LEFT JOIN host.conversations c USING (lane)
LEFT JOIN host.sessions s ON s.lane = asked.lane AND s.runtime = $2 AND s.session = $3

-- conversations.begin
INSERT INTO host.conversations (lane, id, folder, began_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (lane) DO UPDATE SET
    id = excluded.id, folder = excluded.folder, began_at = excluded.began_at, summary = '', summed_up = NULL

-- conversations.sum_up
-- Only what is still talked about: a reset in the meantime wants it forgotten.
INSERT INTO host.conversations AS mine (lane, id, folder, began_at, summary, summed_up)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (lane) DO UPDATE SET summary = excluded.summary, summed_up = excluded.summed_up
WHERE mine.id = excluded.id

-- conversations.forget
DELETE FROM host.sessions WHERE lane = $1 AND runtime = $2 AND session = $3
