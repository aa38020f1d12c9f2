-- intake.mark
SELECT mark FROM host.bridge_marks WHERE bridge = $1

-- intake.move_mark
INSERT INTO host.bridge_marks (bridge, mark, moved_at) VALUES ($1, $2, $3)
ON CONFLICT (bridge) DO UPDATE SET mark = excluded.mark, moved_at = excluded.moved_at

-- intake.accept
-- Returns the updates that are new; those that are nobody's work any more are handled at once.
INSERT INTO host.updates (bridge, update_id, kind, address, body, received_at, handled_at)
SELECT $1, u.update_id, u.kind, u.address, u.body, $6, CASE WHEN u.body IS NULL THEN $6::timestamptz END
FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[])
    WITH ORDINALITY AS u (update_id, kind, address, body, place)
ORDER BY u.place
ON CONFLICT (bridge, update_id) DO NOTHING
RETURNING update_id

-- intake.see_chat
INSERT INTO host.chats (address, title, private, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (address) DO UPDATE SET
    title = coalesce(nullif(excluded.title, ''), chats.title), private = excluded.private, seen_at = excluded.seen_at

-- intake.see_person
INSERT INTO host.people (person, name, seen_at) VALUES ($1, $2, $3)
ON CONFLICT (person) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at
