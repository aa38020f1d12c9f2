-- claims.new
-- One code at a time: a new one makes the unused ones before it worthless.
WITH old AS (DELETE FROM host.claims WHERE used_at IS NULL)
INSERT INTO host.claims (code_hash, made_at) VALUES ($1, $2)

-- claims.use
UPDATE host.claims SET used_by = $2, used_at = $3 WHERE code_hash = $1 AND used_at IS NULL RETURNING code_hash

-- claims.burn
UPDATE host.claims SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL RETURNING code_hash

-- claims.wrong
-- Wrong tries of this person and of everybody since a moment.
SELECT coalesce(sum(wrong) FILTER (WHERE person = $1), 0) AS mine, coalesce(sum(wrong), 0) AS everybody
FROM host.claim_attempts WHERE last_at > $2

-- claims.count
INSERT INTO host.claim_attempts AS mine (person, wrong, last_at) VALUES ($1, 1, $2)
ON CONFLICT (person) DO UPDATE SET
    wrong = CASE WHEN mine.last_at > $3 THEN mine.wrong + 1 ELSE 1 END, last_at = excluded.last_at

-- claims.forget
DELETE FROM host.claim_attempts WHERE person = $1
