-- page_files.forget
-- What was never sent.
DELETE FROM host.uploads u
WHERE u.made_at < $1 AND NOT EXISTS (SELECT FROM host.attachments a WHERE a.handle = u.id::text)

-- page_files.unsent
SELECT coalesce(sum(octet_length(u.content)), 0)::bigint FROM host.uploads u
WHERE u.person = $1 AND NOT EXISTS (SELECT FROM host.attachments a WHERE a.handle = u.id::text)

-- page_files.keep
INSERT INTO host.uploads (id, person, folder, name, mime, content, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- page_files.kept
SELECT id, name, mime, octet_length(content)::bigint AS size FROM host.uploads
WHERE person = $1 AND folder = $2 AND id = ANY($3::uuid[])

-- page_files.handed_over
SELECT name, mime, content FROM host.uploads WHERE id = $1

-- page_files.sent
-- A file that an agent sent in one of these groups.
SELECT f.name, f.mime, f.content FROM host.files f
WHERE f.id = $1 AND EXISTS (SELECT FROM host.posts p WHERE p.file = f.id AND p.folder = ANY($2::text[]))

-- page_files.uploaded
-- A file somebody sent on the page in one of these groups; one's own also before it is sent.
SELECT u.name, u.mime, u.content FROM host.uploads u
WHERE u.id = $1 AND u.folder = ANY($2::text[]) AND (u.person = $3 OR EXISTS (
    SELECT FROM host.attachments a JOIN host.messages m ON m.id = a.message
    WHERE a.handle = u.id::text AND m.folder = ANY($2::text[])))
