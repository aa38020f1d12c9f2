-- feed.marks
SELECT source, mark FROM host.feed_marks WHERE project = $1

-- feed.readers
SELECT source, mark FROM host.feed_marks WHERE project = $1 AND source <> '' AND source NOT LIKE '%@'

-- feed.held
-- Nobody else moves them until the transaction ends.
SELECT source, mark FROM host.feed_marks WHERE project = $1 FOR UPDATE

-- feed.keep
INSERT INTO host.feed_marks (project, source, mark)
SELECT $1, source, mark FROM unnest($2::text[], $3::bigint[]) AS new (source, mark)
ON CONFLICT (project, source) DO UPDATE SET mark = excluded.mark

-- feed.recent_line
-- The phase line of a run in a chat that is young enough to be said anew instead of once more.
SELECT slot FROM host.posts
WHERE address = $1 AND starts_with(slot, 'phase.changed:') AND starts_with(slot, $2) AND created_at > $3
ORDER BY created_at DESC, id DESC LIMIT 1
