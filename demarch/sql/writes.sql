-- writes.claim
-- Nothing comes back when the key has been executed; a second caller waits here for the first to end.
INSERT INTO kernel.writes (key, actor, at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING key

-- writes.claim_all
-- From here on nothing waits long for a lock: the others of the batch wait with it.
WITH hurry AS MATERIALIZED (SELECT set_config('lock_timeout', '250ms', true))
INSERT INTO kernel.writes (key, actor, at)
SELECT entry.key, entry.actor, $3 FROM hurry, unnest($1::text[], $2::text[]) AS entry (key, actor)
ON CONFLICT (key) DO NOTHING RETURNING key

-- writes.finish
UPDATE kernel.writes SET outcome = $2 WHERE key = $1

-- writes.finish_all
-- The work is done; what comes now may wait.
WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '0', true))
UPDATE kernel.writes SET outcome = $2::jsonb -> key FROM patience WHERE key = ANY($1::text[])

-- writes.unclaim
DELETE FROM kernel.writes WHERE key = ANY($1::text[])

-- writes.outcome
SELECT outcome FROM kernel.writes WHERE key = $1

-- writes.outcomes
SELECT key, outcome FROM kernel.writes WHERE key = ANY($1::text[])

-- writes.savepoint
SAVEPOINT entry

-- writes.keep
RELEASE SAVEPOINT entry

-- writes.undo
ROLLBACK TO SAVEPOINT entry; RELEASE SAVEPOINT entry

-- writes.patience
SELECT set_config('lock_timeout', $1, true)
