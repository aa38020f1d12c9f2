-- intents.hold_turn
-- Calls of one turn are numbered one after the other; a turn that ended, or is run again, takes no more
-- from the agent that began it.
SELECT id FROM host.turns WHERE id = $1 AND attempt = $2 AND state = 'running' FOR UPDATE

-- intents.names
SELECT asked.person, people.name FROM unnest($1::text[]) WITH ORDINALITY AS asked (person, place)
LEFT JOIN host.people people USING (person) ORDER BY asked.place

-- intents.insert
INSERT INTO host.intents (id, turn, ordinal, operation, arguments, arguments_hash, state, created_at, project)
SELECT $1, $2, 1 + coalesce(max(ordinal), 0), $3, $4, $5, 'recorded', $6, $7
FROM host.intents WHERE turn = $2
RETURNING *

-- intents.refused
-- A call that was turned down, for the record of the turn.
INSERT INTO host.intents (id, turn, ordinal, operation, arguments, arguments_hash, state, result, created_at, ended_at)
SELECT $1, $2, 1 + coalesce(max(ordinal), 0), $3, $4, $5, 'refused', $6, $7, $7
FROM host.intents WHERE turn = $2

-- intents.waiting
-- The same call of the same turn that already waits for a person.
SELECT i.* FROM host.intents i JOIN host.approvals a ON a.id = i.approval
WHERE i.turn = $1 AND i.arguments_hash = $2 AND i.state = 'pending'
    AND a.state IN ('pending', 'executing', 'deferred')
ORDER BY i.ordinal LIMIT 1

-- intents.ask
UPDATE host.intents SET state = 'pending', approval = $2 WHERE id = $1

-- intents.end
-- Executed, refused or failed, once.
UPDATE host.intents SET state = $2, result = $3, ended_at = $4
WHERE id = $1 AND state IN ('recorded', 'pending')

-- intents.of_turn
SELECT i.*, a.code FROM host.intents i LEFT JOIN host.approvals a ON a.id = i.approval
WHERE i.turn = $1 ORDER BY i.ordinal

-- intents.slot_taken
SELECT EXISTS (SELECT FROM host.posts WHERE slot = $1)
