-- approvals.insert
-- Nothing is returned when the code was given before or the same question is open.
INSERT INTO host.approvals
    (id, code, kind, folder, project, address, lane, run, subject, dedupe, state, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12)
ON CONFLICT DO NOTHING
RETURNING *

-- approvals.by_id
SELECT * FROM host.approvals WHERE id = $1

-- approvals.locked
-- Hold the row: whoever decides meanwhile waits, and then sees the posts written here.
SELECT * FROM host.approvals WHERE id = $1 FOR UPDATE

-- approvals.by_code
SELECT * FROM host.approvals WHERE code = $1

-- approvals.same_open
SELECT * FROM host.approvals
WHERE dedupe = $1 AND state IN ('pending', 'executing', 'deferred')

-- approvals.same_last
SELECT * FROM host.approvals WHERE dedupe = $1 ORDER BY created_at DESC, id DESC LIMIT 1

-- approvals.claim
UPDATE host.approvals
SET state = $2, verb = $4, decided_by = $5, decided_name = $6, decided_at = $7, holder = $8, lease_until = $9,
    error = NULL, attempt = attempt + 1
WHERE id = $1 AND state = ANY($3::text[]) AND (expires_at IS NULL OR expires_at > $7)
RETURNING *

-- approvals.renew
UPDATE host.approvals SET holder = $2, lease_until = $3
WHERE id = $1 AND state = 'executing' AND (holder = $2 OR lease_until <= $4)
RETURNING *

-- approvals.vote
INSERT INTO host.votes (approval, attempt, round, person, name, verb, voted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- approvals.votes
-- Every decision claimed in one round, oldest first.
SELECT attempt, person, name, verb, voted_at FROM host.votes
WHERE approval = $1 AND round = $2 ORDER BY attempt

-- approvals.end
-- Finish, close or drop.
UPDATE host.approvals
SET state = $2, outcome = $4, error = NULL, lease_until = NULL, ended_at = $5
WHERE id = $1 AND state = ANY($3::text[])
RETURNING *

-- approvals.defer
UPDATE host.approvals SET state = $2, outcome = $4, error = NULL, lease_until = NULL, expires_at = NULL
WHERE id = $1 AND state = ANY($3::text[])
RETURNING *

-- approvals.fail
UPDATE host.approvals SET state = $2, error = $4, lease_until = NULL
WHERE id = $1 AND state = ANY($3::text[])
RETURNING *

-- approvals.reopen
-- Carried out, and the question is still there in another shape: whoever decides now decides anew.
UPDATE host.approvals
SET state = $2, error = $4, subject = $5, round = round + 1, verb = NULL, decided_by = NULL, decided_name = NULL,
    decided_at = NULL, lease_until = NULL
WHERE id = $1 AND state = ANY($3::text[])
RETURNING *

-- approvals.ask
UPDATE host.approvals
SET state = $2, round = round + 1, expires_at = $4, verb = NULL, decided_by = NULL, decided_name = NULL,
    decided_at = NULL, outcome = NULL, error = NULL
WHERE id = $1 AND state = ANY($3::text[])
RETURNING *

-- approvals.credit
-- An earlier attempt turns out to have gone through: the decision is that person's.
UPDATE host.approvals SET verb = $2, decided_by = $3, decided_name = $4, decided_at = $5, attempt = $6
WHERE id = $1 AND state IN ('pending', 'executing')
RETURNING *

-- approvals.retell
-- The same question came again: keep it open, with what is known now.
UPDATE host.approvals SET subject = $2
WHERE id = $1 AND state IN ('pending', 'executing', 'deferred')
RETURNING *

-- approvals.open_in
-- Newest first; a group, or everywhere.
SELECT * FROM host.approvals
WHERE state IN ('pending', 'executing', 'deferred') AND ($1::text[] IS NULL OR folder = ANY($1::text[]))
ORDER BY created_at DESC, id DESC
LIMIT $2

-- approvals.open_of_run
SELECT * FROM host.approvals
WHERE project = $1 AND run = $2 AND state IN ('pending', 'executing', 'deferred')
ORDER BY id

-- approvals.decided
-- What people decided in a project, the newest first; what concerns no project counts everywhere.
SELECT * FROM host.approvals
WHERE decided_by IS NOT NULL AND kind <> 'finished' AND state NOT IN ('pending', 'executing')
  AND (project = $1 OR kind IN ('permission', 'spend', 'spawn'))
  AND ($2 = '' OR run = $2)
  AND ($3::text[] IS NULL OR folder = ANY($3::text[]))
  AND ($4::timestamptz IS NULL OR decided_at >= $4)
ORDER BY decided_at DESC, id DESC LIMIT $5

-- approvals.open_at
-- The undecided cards of one chat.
SELECT a.* FROM host.approvals a
WHERE a.state = 'pending' AND EXISTS (SELECT FROM host.posts p WHERE p.approval = a.id AND p.address = $1)
ORDER BY a.created_at DESC, a.id DESC
LIMIT 20

-- approvals.shown_at
SELECT EXISTS (SELECT FROM host.posts WHERE approval = $1 AND address = $2)

-- approvals.due
SELECT * FROM host.approvals WHERE state = 'pending' AND expires_at <= $1 ORDER BY expires_at LIMIT 50

-- approvals.abandoned
-- Decisions somebody began to carry out and cannot be at any more.
SELECT * FROM host.approvals
WHERE state = 'executing' AND (holder = $2 OR lease_until <= $1)
ORDER BY id

-- approvals.next_due
-- When the next question expires or the next lease runs out.
SELECT min(due) FROM (
    SELECT expires_at AS due FROM host.approvals WHERE state = 'pending'
    UNION ALL
    SELECT lease_until FROM host.approvals WHERE state = 'executing'
) dues
