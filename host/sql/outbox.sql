-- outbox.keep_picture
INSERT INTO host.pictures (id, png, made_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING

-- outbox.keep_file
INSERT INTO host.files (id, name, mime, content, made_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING

-- outbox.put
-- A preview never takes back what the final answer already says. What follows a preview is always a new
-- version, even with the same words: a preview may have been given up on the way, the answer may not.
INSERT INTO host.posts AS mine (id, slot, folder, address, kind, content, picture, file, turn, approval,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (slot) DO UPDATE SET
    kind = excluded.kind,
    content = excluded.content,
    picture = excluded.picture,
    file = excluded.file,
    approval = coalesce(excluded.approval, mine.approval),
    failed = CASE WHEN mine.content = excluded.content AND mine.kind = excluded.kind THEN mine.failed END,
    version = mine.version
        + (mine.content <> excluded.content OR mine.picture IS DISTINCT FROM excluded.picture
            OR mine.file IS DISTINCT FROM excluded.file
            OR mine.kind = 'preview' AND excluded.kind <> 'preview')::int
WHERE excluded.kind <> 'preview' OR mine.kind = 'preview'
RETURNING id

-- outbox.of_slot
SELECT id FROM host.posts WHERE slot = $1

-- outbox.revise
UPDATE host.posts SET
    kind = coalesce($2, kind), content = $3, picture = $4, file = $5, failed = NULL, version = version + 1
WHERE id = $1 AND (content <> $3 OR picture IS DISTINCT FROM $4 OR file IS DISTINCT FROM $5 OR kind <> coalesce($2, kind))

-- outbox.withdraw
UPDATE host.posts SET content = $2, picture = NULL, file = NULL, failed = NULL, version = version + 1
WHERE slot = $1 AND content <> $2
RETURNING address

-- outbox.withdraw_passing
UPDATE host.posts SET content = $2, picture = NULL, file = NULL, failed = NULL, version = version + 1
WHERE turn = $1 AND (kind = 'preview' OR slot LIKE $3) AND content <> $2
RETURNING address

-- outbox.of_approval
SELECT p.*, x.png, f.name AS file_name, f.mime AS file_mime, f.content AS file_content
FROM host.posts p LEFT JOIN host.pictures x ON x.id = p.picture LEFT JOIN host.files f ON f.id = p.file
WHERE p.approval = $1 ORDER BY p.id

-- outbox.showing
SELECT p.*, x.png, f.name AS file_name, f.mime AS file_mime, f.content AS file_content
FROM host.posts p LEFT JOIN host.pictures x ON x.id = p.picture LEFT JOIN host.files f ON f.id = p.file
WHERE p.refs @> ARRAY[$2] AND p.address = $1 ORDER BY p.id DESC LIMIT 1

-- outbox.next_due
SELECT p.*, x.png, f.name AS file_name, f.mime AS file_mime, f.content AS file_content
FROM host.posts p LEFT JOIN host.pictures x ON x.id = p.picture LEFT JOIN host.files f ON f.id = p.file
WHERE p.address = $1 AND p.sent_version < p.version AND p.failed IS NULL
ORDER BY array_position(ARRAY['decision', 'answer', 'notice', 'preview'], p.kind), p.id
LIMIT 1

-- outbox.due_addresses
SELECT DISTINCT address FROM host.posts WHERE sent_version < version AND failed IS NULL LIMIT $1

-- outbox.due_edits
SELECT id FROM host.posts WHERE sent_version < version AND failed IS NULL AND cardinality(refs) > 0

-- outbox.shown
-- What the chat shows now; $4 is the version that is complete with it, 0 while parts are missing.
UPDATE host.posts SET
    refs = $2, digests = $3, sent_version = greatest(sent_version, $4),
    sent_at = coalesce(sent_at, CASE WHEN cardinality($2::text[]) > 0 THEN $5::timestamptz END)
WHERE id = $1 RETURNING version

-- outbox.failed
UPDATE host.posts SET failed = $3 WHERE id = $1 AND version = $2
