-- writes.claim
-- Nothing comes back when the key has been executed; a second caller waits here for the first to end.
INSERT INTO kernel.writes (key, actor, at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING key

-- writes.finish
UPDATE kernel.writes SET outcome = $2 WHERE key = $1

-- writes.outcome
SELECT outcome FROM kernel.writes WHERE key = $1

-- writes.patience
SELECT set_config('lock_timeout', $1, true)
