-- turns.waiting
-- The chat whose message is answered next, and what its lane waits for since when. What was written after a command
-- waits until that was dealt with: a stop ends what was asked before it and nothing after.
SELECT m.id, m.folder, m.address, coalesce(c.private, false) AS private
FROM host.messages m LEFT JOIN host.chats c ON c.address = m.address
WHERE m.lane = $1 AND m.turn IS NULL AND m.source <> 'aside' AND m.triggers AND EXISTS (SELECT FROM host.groups g WHERE g.folder = m.folder)
    AND NOT EXISTS (
        SELECT FROM host.updates u WHERE u.address = m.address AND u.handled_at IS NULL AND u.kind = 'message'
            AND (u.body->>'kept')::uuid < m.id AND u.received_at > $2
    )
ORDER BY m.id LIMIT 1

-- turns.waiting_lanes
SELECT DISTINCT m.lane FROM host.messages m JOIN host.groups g ON g.folder = m.folder
WHERE m.turn IS NULL AND m.source <> 'aside' AND m.triggers LIMIT $1

-- turns.begin
INSERT INTO host.turns (id, lane, folder, address, state, started_at, tainted)
VALUES ($1, $2, $3, $4, 'running', $5, $6)

-- turns.attach
-- Everything that waits in this chat, if something of it asks for an answer; the rest is context.
-- What was written after a command that is not dealt with yet goes on waiting, as in turns.waiting.
WITH barrier AS (
    SELECT coalesce(
        (
            SELECT (u.body->>'kept')::uuid FROM host.updates u
            WHERE u.address = $3 AND u.handled_at IS NULL AND u.kind = 'message' AND u.received_at > $4
            ORDER BY u.id LIMIT 1
        ),
        'ffffffff-ffff-ffff-ffff-ffffffffffff'
    ) AS id
)
UPDATE host.messages m SET turn = $1
WHERE m.lane = $2 AND m.address = $3 AND m.turn IS NULL AND m.source <> 'aside'
    AND m.id < (SELECT id FROM barrier)
    AND EXISTS (
        SELECT FROM host.messages w
        WHERE w.lane = $2 AND w.address = $3 AND w.turn IS NULL AND w.source <> 'aside' AND w.triggers
            AND w.id < (SELECT id FROM barrier)
    )
RETURNING id, source, person, person_name, text, ref, triggers, tainted, sent_at

-- turns.taint
UPDATE host.turns SET tainted = true WHERE id = $1

-- turns.messages
SELECT id, source, person, person_name, text, ref, triggers, tainted, sent_at
FROM host.messages WHERE turn = $1 ORDER BY id

-- turns.running
SELECT t.*, coalesce(c.private, false) AS private,
    coalesce((SELECT array_agg(DISTINCT m.person) FROM host.messages m WHERE m.turn = t.id AND m.person IS NOT NULL), '{}')
        AS asked_by
FROM host.turns t LEFT JOIN host.chats c ON c.address = t.address
WHERE t.state = 'running' ORDER BY t.id

-- turns.again
UPDATE host.turns SET attempt = attempt + 1 WHERE id = $1 AND state = 'running' RETURNING attempt

-- turns.end
UPDATE host.turns SET state = $2, error = $3, ended_at = $4 WHERE id = $1 AND state = 'running'

-- turns.said
-- What was posted in a turn besides its answers and decisions: messages the agent sent by a tool.
SELECT count(*) FROM host.posts
WHERE turn = $1 AND kind IN ('answer', 'notice') AND (slot IS NULL OR slot NOT LIKE ALL (ARRAY['answer:%', 'file:%', 'followup:%', 'refused:%']))

-- turns.recent_lanes
SELECT lane FROM host.turns WHERE started_at >= $1 GROUP BY lane ORDER BY max(started_at) DESC LIMIT $2
