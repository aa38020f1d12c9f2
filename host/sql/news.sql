-- news.home
SELECT folder FROM host.run_homes WHERE project = $1 AND run = $2

-- news.settle_home
INSERT INTO host.run_homes (project, run, folder) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- news.mute
INSERT INTO host.mutes (folder, topic, until, muted_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (folder, topic) DO UPDATE SET until = excluded.until, muted_by = excluded.muted_by

-- news.unmute
-- Without a topic: all of them.
DELETE FROM host.mutes WHERE folder = $1 AND ($2 = '' OR topic = $2) AND until > $3 RETURNING topic

-- news.muted
SELECT topic, until FROM host.mutes WHERE folder = $1 AND until > $2 ORDER BY topic

-- news.digest
SELECT * FROM host.digests WHERE folder = $1

-- news.keeps
-- Whether lines may be kept for a digest; it does not end before they are.
SELECT true FROM host.digests WHERE folder = $1 FOR KEY SHARE

-- news.set_digest
INSERT INTO host.digests (folder, weekday, at_time, since, next_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (folder) DO UPDATE SET
    weekday = excluded.weekday, at_time = excluded.at_time, next_at = excluded.next_at

-- news.drop_digest
DELETE FROM host.digests WHERE folder = $1 RETURNING folder

-- news.next_digest
SELECT min(next_at) FROM host.digests

-- news.due_digests
SELECT folder FROM host.digests WHERE next_at <= $1 ORDER BY next_at, folder LIMIT 100

-- news.due_digest
-- Held, so that it is sent once.
SELECT * FROM host.digests WHERE folder = $1 AND next_at <= $2 FOR NO KEY UPDATE

-- news.digested
UPDATE host.digests SET since = $2, next_at = $3 WHERE folder = $1

-- news.keep_line
INSERT INTO host.digest_lines (folder, slot, text, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (folder, slot) DO UPDATE SET text = excluded.text, at = excluded.at, times = digest_lines.times + 1

-- news.take_lines
-- All of them go; the newest are shown.
WITH taken AS (DELETE FROM host.digest_lines WHERE folder = $1 RETURNING *)
SELECT text, times, count(*) OVER () AS kept FROM taken ORDER BY at DESC, slot DESC LIMIT $2

-- news.kept_lines
SELECT text, times, count(*) OVER () AS kept FROM host.digest_lines
WHERE folder = $1 ORDER BY at DESC, slot DESC LIMIT $2

-- news.watch
-- What is known of a run, from now on in the phase it is in; locked.
INSERT INTO host.run_watch AS seen (project, run, phase, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (project, run) DO UPDATE SET
    since = CASE WHEN seen.phase = excluded.phase THEN seen.since ELSE excluded.since END,
    stale = seen.stale AND seen.phase = excluded.phase,
    phase = excluded.phase
RETURNING *

-- news.tell_stale
UPDATE host.run_watch SET stale = true WHERE project = $1 AND run = $2 AND NOT stale RETURNING run

-- news.tell_warned
-- Once for each size of the budget, whoever noticed it first.
INSERT INTO host.run_watch AS seen (project, run, phase, since, warned) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (project, run) DO UPDATE SET warned = excluded.warned
WHERE seen.warned IS DISTINCT FROM excluded.warned
RETURNING run

-- news.tell_exceeded
INSERT INTO host.run_watch AS seen (project, run, phase, since, exceeded, warned) VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (project, run) DO UPDATE SET exceeded = excluded.exceeded, warned = excluded.warned
WHERE seen.exceeded IS DISTINCT FROM excluded.exceeded
RETURNING run

-- news.seen_runs
SELECT run FROM host.run_watch WHERE project = $1

-- news.forget_runs
DELETE FROM host.run_watch WHERE project = $1 AND run = ANY ($2::text[])

-- news.exceeded
SELECT exceeded FROM host.run_watch WHERE project = $1 AND run = $2
