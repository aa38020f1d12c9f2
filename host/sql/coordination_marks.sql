-- marks.since
-- Where this attempt at the turn reads on.
SELECT CASE WHEN turn = $3 AND attempt <> $4 THEN before ELSE cursor END
FROM host.coordination_marks
WHERE agent = $1 AND project = $2

-- marks.advance
INSERT INTO host.coordination_marks AS kept (agent, project, cursor, before, turn, attempt)
VALUES ($1, $2, $5, $6, $3, $4)
ON CONFLICT (agent, project) DO UPDATE SET
    cursor = excluded.cursor,
    before = CASE WHEN kept.turn = excluded.turn THEN kept.before ELSE excluded.before END,
    turn = excluded.turn,
    attempt = excluded.attempt

-- marks.forget
DELETE FROM host.coordination_marks WHERE agent = $1
