-- writes.claim
-- Nothing comes back when the key has been executed; a second caller waits here for the first to end.
INSERT INTO kernel.writes (key, actor, at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING key

-- writes.claim_all
INSERT INTO kernel.writes (key, actor, at)
SELECT entry.key, entry.actor, $3 FROM unnest($1::text[], $2::text[]) AS entry (key, actor)
ON CONFLICT (key) DO NOTHING RETURNING key

-- writes.finish
UPDATE kernel.writes SET outcome = $2 WHERE key = $1

-- writes.finish_all
UPDATE kernel.writes SET outcome = done.outcome
FROM jsonb_to_recordset($1) AS done (key text, outcome jsonb) WHERE writes.key = done.key

-- writes.unclaim
DELETE FROM kernel.writes WHERE key = ANY($1::text[])

-- writes.outcome
SELECT outcome FROM kernel.writes WHERE key = $1

-- writes.outcomes
SELECT key, outcome FROM kernel.writes WHERE key = ANY($1::text[])

-- writes.hurry
-- A write of a batch does not wait long for locks: the others of the batch wait with it.
SET LOCAL lock_timeout = '250ms'

-- writes.savepoint
SAVEPOINT entry

-- writes.keep
RELEASE SAVEPOINT entry

-- writes.undo
ROLLBACK TO SAVEPOINT entry; RELEASE SAVEPOINT entry

-- writes.unhurry
SET LOCAL lock_timeout = 0

-- writes.patience
SELECT set_config('lock_timeout', $1, true)
