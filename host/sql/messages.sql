-- messages.insert
INSERT INTO host.messages (id, folder, lane, address, source, person, person_name, text, ref, reply_to,
    triggers, tainted, sent_at, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- messages.release
-- An aside that turned out to be for the agent.
UPDATE host.messages SET source = 'person' WHERE id = $1 AND source = 'aside' RETURNING lane, triggers
